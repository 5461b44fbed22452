"""The edge: clips come in over HTTP, mouths go out over the bus, and readings come back. `build` puts it together."""

import time
from collections.abc import Callable, Sequence
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
from lipsol.store.objects import Objects
from lipsol.store.port import Store
from lipsol.topics import DEAD_LETTERS, DELETIONS, PREDICTIONS
from services.doors.service import Faults, Service, Working
from services.preprocess.aside import Aside
from services.preprocess.batches import Batches
from services.preprocess.fetching import Fetching
from services.preprocess.flight import Flight
from services.preprocess.handler import Handler, Watching
from services.preprocess.keeping import Keeper
from services.preprocess.pool import Pool
from services.preprocess.receiving import Receiving
from services.preprocess.recordings import Recordings
from services.preprocess.repeats import Repeats
from services.preprocess.settings import PreprocessSettings
from services.preprocess.settling import Settling
from services.preprocess.sweeping import Sweeper
from services.preprocess.track import Traffic
from services.preprocess.uploads import Held, UploadBounds
from services.preprocess.waiting import Waiters

if TYPE_CHECKING:
    from fastapi import FastAPI

    from services.doors.server import Beside

NAME = "preprocess"
WATCH = "watch"  # what its threads do, in figures
ASIDE_S = 5.0  # that events which no answer hangs on are waited for on leaving
EAR = "preprocess-ear"  # the listener that every replica has for itself, in figures


class Edge(Service):
    """The edge, put together."""

    def __init__(
        self,
        settings: PreprocessSettings,
        handler: Handler,
        pool: Pool,
        aside: Aside,
        batches: Batches,
        workers: Sequence[Working],
    ) -> None:
        super().__init__(NAME, settings, [*workers, batches], self.door)
        self.handler = handler
        self._batches = batches
        self.pool = pool
        self.receiving = Receiving(handler, pool, settings)
        self.held = Held(UploadBounds(settings.max_bytes, settings.memory_bytes, settings.upload_s))
        self._own = settings
        self._aside = aside

    def stop(self) -> None:
        """Watch what was taken to its end, hear what was read of it, and leave."""
        self.drain()
        self.finish()
        self._aside.stop(ASIDE_S)
        super().stop()

    def finish(self) -> None:
        """Fetch no more, and watch what was taken to its end; recordings as far as there is time."""
        if self.handler.recordings is not None:
            self.handler.recordings.stop(self.settings.grace_s)
        self._batches.stop(self.settings.grace_s)
        self.pool.stop()

    def door(self, faults: Faults) -> "FastAPI":
        """The HTTP door; `faults` says why the platform behind it is not ready."""
        from services.preprocess.api import create_app

        return create_app(self.handler, self.receiving, self.held, faults)

    def beside(self, host: str, faults: Faults) -> "Sequence[Beside]":
        """The gRPC door."""
        from services.preprocess.rpc import rpc_server

        return [rpc_server(self.handler, self.receiving, self.held, host, self._own.grpc_port, faults)]


def build(
    settings: PreprocessSettings,
    bus: Bus,
    store: Store,
    registry: Registry,
    *,
    telemetry: Telemetry | None = None,
    watcher: Watching | None = None,
    objects: Objects | None = None,
) -> Edge:
    """The edge over its ports.

    watcher  stands in for the decoder and the face models
    objects  opens the videos of batches; None: those in the store
    """
    telemetry = telemetry or Telemetry()
    publish = _publisher(bus)
    aside = Aside(publish)
    traffic = Traffic(bus, stage=NAME, telemetry=telemetry)
    settling = _settling(settings, store, telemetry)
    threads = settings.workers or available_cpus()
    pool = Pool(
        threads,
        settings.line,
        settings.retry_after_s,
        lambda taken: telemetry.set("lipsol_waiting_clips", float(taken)),
        lambda seconds: telemetry.add("lipsol_busy_seconds_total", seconds, stage=WATCH),
    )
    telemetry.set("lipsol_waiting_limit_clips", threads + settings.line)
    telemetry.set("lipsol_threads", threads, stage=WATCH)
    limits = Limits(max_bytes=settings.max_bytes, max_seconds=settings.clip_seconds)
    recordings = Recordings(pool, bound=settings.recordings, ahead=settings.recording_ahead)
    handler = Handler(
        watcher=watcher or Watcher(limits, settings.max_seconds),
        settling=settling,
        registry=registry,
        language=settings.language,
        route=traffic.route,
        publish=publish,
        aside=aside.tell,
        now=time.time,
        telemetry=telemetry,
        recordings=recordings if settings.max_seconds > settings.clip_seconds else None,
    )
    fetching = Fetching(
        handler, pool, objects or Objects(store), store, max_bytes=settings.max_bytes, ahead=settings.ahead
    )
    batches = Batches(fetching, bus, settings.fetches or max(1, threads // 2), telemetry)
    ears = _ears(settings, bus, settling, telemetry)
    sweeper = Sweeper(store, retention_s=settings.retention_s, every_s=settings.sweep_s, telemetry=telemetry)
    return Edge(settings, handler, pool, aside, batches, [traffic, *ears, sweeper])


def _settling(settings: PreprocessSettings, store: Store, telemetry: Telemetry) -> Settling:
    """What is kept of clips, and who waits for them."""
    return Settling(
        keeper=Keeper(store, settings.retention_s, settings.inline_bytes, settings.corrections_s),
        repeats=Repeats(store, settings.retention_s),
        waiters=Waiters(),
        flight=Flight(settings.in_flight, settings.retry_after_s),
        now=time.time,
        telemetry=telemetry,
    )


def _ears(settings: PreprocessSettings, bus: Bus, settling: Settling, telemetry: Telemetry) -> list[Worker]:
    """What answers this replica's clients, and what settles clips for all of them."""
    topics = [PREDICTIONS.name, DEAD_LETTERS.name, DELETIONS.name]
    own = Worker(bus, topics, None, settling.hear, batch=settings.batch, start="latest", stage=EAR, telemetry=telemetry)
    common = Worker(
        bus,
        topics,
        NAME,
        settling.handle,
        batch=settings.batch,
        attempts=settings.attempts,
        stage=NAME,
        telemetry=telemetry,
    )
    return [own, common]


def _publisher(bus: Bus) -> Callable[[Event], None]:
    """Puts an event on the bus as a step of the caller's trace."""

    def publish(event: Event) -> None:
        bus.publish_all([wrap(event, NAME, time.time())])

    return publish
