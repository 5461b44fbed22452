"""The reading service's HTTP door: health, and the Open Inference Protocol. The platform's work comes over the bus."""

from collections.abc import Callable, Sequence

from fastapi import FastAPI

from services.doors.web import new_app
from services.inference.core import Core
from services.inference.oip.inferring import Inferring
from services.inference.oip.models import Known
from services.inference.oip.rest import InferAddresses, add_rest


def create_app(faults: Callable[[], Sequence[str]], core: Core) -> FastAPI:
    """The app over what reads; `faults` says why the service is not ready."""
    app = new_app("LipSol inference", "Reads mouths.", faults, uploads=InferAddresses())
    known = Known(core.models.known, core.models.unusable)
    add_rest(app, faults, Inferring(core, known), known)
    return app
