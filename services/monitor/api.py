"""The monitor's HTTP door: health alone. What it sees stands on the metrics port."""

from collections.abc import Callable, Sequence

from fastapi import FastAPI

from services.doors.web import new_app


def create_app(faults: Callable[[], Sequence[str]]) -> FastAPI:
    """The app; `faults` says why the service is not ready."""
    return new_app("LipSol monitor", "Watches what is read, and how well.", faults)
