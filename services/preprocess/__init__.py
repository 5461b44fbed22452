"""The edge: clips come in over HTTP, mouths go out over the bus, and readings come back. `build` puts it together."""

import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from lipsol.bus.port import Bus
from lipsol.clips.video import Limits
from lipsol.clips.watch import Watcher
from lipsol.events import Event
from lipsol.registry.port import Registry
from lipsol.runtime.cpus import available_cpus
from lipsol.runtime.envelope import wrap
from lipsol.runtime.telemetry import Telemetry
from lipsol.runtime.worker import Worker
from lipsol.store.port import Store
from lipsol.topics import DEAD_LETTERS, DELETIONS, PREDICTIONS
from services.doors.service import Faults, Service, Working
from services.preprocess.handler import Handler, Watching
from services.preprocess.keeping import Keeper
from services.preprocess.pool import Pool
from services.preprocess.repeats import Repeats
from services.preprocess.settings import PreprocessSettings
from services.preprocess.waiting import Unread, Waiters

if TYPE_CHECKING:
    from fastapi import FastAPI

NAME = "preprocess"


class Edge(Service):
    """The edge, put together."""

    def __init__(self, settings: PreprocessSettings, handler: Handler, pool: Pool, worker: Working) -> None:
        super().__init__(NAME, settings, worker, self.door)
        self.handler = handler
        self.pool = pool
        self._own = settings

    def stop(self) -> None:
        """Watch what was taken to its end, hear what was read of it, and leave."""
        self.drain()
        self.pool.stop()
        super().stop()

    def door(self, faults: Faults) -> "FastAPI":
        """The HTTP door; `faults` says why the platform behind it is not ready."""
        from services.preprocess.api import create_app

        return create_app(self.handler, self.pool, self._own, faults)


def build(
    settings: PreprocessSettings,
    bus: Bus,
    store: Store,
    registry: Registry,
    *,
    telemetry: Telemetry | None = None,
    watcher: Watching | None = None,
) -> Edge:
    """The edge over its ports; `watcher` stands in for the decoder and the face models."""
    telemetry = telemetry or Telemetry()
    handler = Handler(
        watcher=watcher or Watcher(Limits(max_bytes=settings.max_bytes)),
        keeper=Keeper(store, settings.retention_s),
        repeats=Repeats(store, settings.retention_s),
        waiters=Waiters(),
        unread=Unread(),
        registry=registry,
        language=settings.language,
        publish=_publisher(bus),
        now=time.time,
        telemetry=telemetry,
    )
    pool = Pool(
        settings.workers or available_cpus(),
        settings.line,
        settings.retry_after_s,
        lambda taken: telemetry.set("lipsol_waiting_clips", float(taken)),
    )
    worker = Worker(
        bus,
        [PREDICTIONS.name, DEAD_LETTERS.name, DELETIONS.name],
        f"{NAME}-{settings.replica or socket.gethostname()}",
        handler.handle,
        batch=settings.batch,
        attempts=settings.attempts,
        stage=NAME,
        telemetry=telemetry,
    )
    return Edge(settings, handler, pool, worker)


def _publisher(bus: Bus) -> Callable[[Event], None]:
    """Puts an event on the bus as a step of the caller's trace."""

    def publish(event: Event) -> None:
        bus.publish_all([wrap(event, NAME, time.time())])

    return publish
