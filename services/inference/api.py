"""The reading service's HTTP door: health alone. Its work comes over the bus."""

from collections.abc import Callable, Sequence

from fastapi import FastAPI

from services.doors.web import new_app


def create_app(faults: Callable[[], Sequence[str]]) -> FastAPI:
    """The app; `faults` says why the service is not ready."""
    return new_app("LipSol inference", "Reads mouths that come over the bus.", faults)
