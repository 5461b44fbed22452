"""The watching service: what happened comes over the bus, figures go out. `build` puts it together."""

import time
from typing import TYPE_CHECKING

from lipsol.bus.port import Bus
from lipsol.registry.port import Registry
from lipsol.runtime.telemetry import Telemetry
from lipsol.runtime.worker import Worker
from lipsol.store.port import Store
from lipsol.topics import DEAD_LETTERS, DELETIONS, FEEDBACK, PREDICTIONS, REFUSALS
from services.doors.service import Faults, Service
from services.monitor.figures import Figures
from services.monitor.handler import Handler
from services.monitor.restoring import restorer
from services.monitor.settings import MonitorSettings
from services.monitor.window import Counts, Window

if TYPE_CHECKING:
    from fastapi import FastAPI

NAME = "monitor"
HEARD = (PREDICTIONS.name, FEEDBACK.name, DELETIONS.name, REFUSALS.name, DEAD_LETTERS.name)


class Monitor(Service):
    """The watching service, put together."""

    def __init__(self, settings: MonitorSettings, window: Window, worker: Worker) -> None:
        super().__init__(NAME, settings, [worker], self._door)
        self._window = window

    def counts(self) -> Counts:
        """All that is in the window, each thing once."""
        return self._window.counts(time.time())

    def _door(self, faults: Faults) -> "FastAPI":
        from services.monitor.api import create_app

        return create_app(faults, self.counts)


def build(
    settings: MonitorSettings, bus: Bus, _store: Store, _registry: Registry, *, telemetry: Telemetry | None = None
) -> Monitor:
    """The service over its ports; store and registry are every service's, and this one needs neither."""
    telemetry = telemetry or Telemetry()
    window, figures = Window(settings.window_clips, settings.window_s), Figures(telemetry)
    handler = Handler(window, figures, time.time)
    worker = Worker(
        bus,
        HEARD,
        NAME,
        handler.handle,
        batch=settings.batch,
        attempts=settings.attempts,
        stage=NAME,
        telemetry=telemetry,
        prepare=restorer(bus, HEARD, NAME, handler, figures, time.time),
    )
    return Monitor(settings, window, worker)
