"""The watching service: readings and feedback come over the bus, metrics go out. `build` puts it together."""

import time
from typing import TYPE_CHECKING

from lipsol.bus.port import Bus
from lipsol.registry.port import Registry
from lipsol.runtime.telemetry import Telemetry
from lipsol.runtime.worker import Worker
from lipsol.store.port import Store
from lipsol.topics import DELETIONS, FEEDBACK, PREDICTIONS
from services.doors.service import Faults, Service
from services.monitor.figures import Figures
from services.monitor.handler import Handler
from services.monitor.settings import MonitorSettings
from services.monitor.window import Window

if TYPE_CHECKING:
    from fastapi import FastAPI

NAME = "monitor"


def build(
    settings: MonitorSettings, bus: Bus, _store: Store, _registry: Registry, *, telemetry: Telemetry | None = None
) -> Service:
    """The service over its ports; store and registry are every service's, and this one needs neither."""
    telemetry = telemetry or Telemetry()
    handler = Handler(Window(settings.window_clips, settings.window_s), Figures(telemetry), time.time)
    worker = Worker(
        bus,
        [PREDICTIONS.name, FEEDBACK.name, DELETIONS.name],
        NAME,
        handler.handle,
        batch=settings.batch,
        attempts=settings.attempts,
        stage=NAME,
        telemetry=telemetry,
    )
    return Service(NAME, settings, [worker], _app)


def _app(faults: Faults) -> "FastAPI":
    from services.monitor.api import create_app

    return create_app(faults)
