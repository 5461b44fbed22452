"""The whole platform in one process: the same three `build()`s over the memory bus, a local store and a local registry.

Events, not function calls, go between the services. `with Embedded() as platform:` reads clips without opening a
port; `serve` opens the edge's HTTP door on top. Nothing stays behind when it ends, unless a store folder was named.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from lipsol.errors import Busy, LipsolError, Transient
from lipsol.registry.pinned import PinnedRegistry
from lipsol.registry.port import Registry
from lipsol.runtime.certificates import tell_certificates
from lipsol.runtime.settings import Settings, load
from lipsol.runtime.telemetry import MetricsServer, Telemetry
from lipsol.runtime.wiring import open_bus, open_objects, open_registry, open_store
from services import inference, monitor, preprocess
from services.doors.service import Service
from services.inference.models import OpenReader
from services.inference.rehearsal import RehearsalSettings
from services.inference.settings import InferenceSettings
from services.monitor.settings import MonitorSettings
from services.operating.operations import Operations
from services.operating.settings import OperatingSettings
from services.preprocess.asking import Asked
from services.preprocess.handler import Watching, new_id
from services.preprocess.results import Result
from services.preprocess.settings import PreprocessSettings
from services.preprocess.waiting import Unread

METRICS_PORT = 9464  # of the whole process, where the settings name none


class EmbeddedSettings(Settings):
    """All sections of one process that does everything."""

    preprocess: PreprocessSettings = PreprocessSettings()
    inference: InferenceSettings = InferenceSettings()
    monitor: MonitorSettings = MonitorSettings()
    operating: OperatingSettings = OperatingSettings()
    rehearsal: RehearsalSettings = RehearsalSettings()


@dataclass(frozen=True)
class _Sent:
    """A clip on its way: taken by the edge, answered by an event."""

    clip_id: str
    taken: Future[Result]
    answered: Future[Result]


class Embedded:
    """The platform as a context manager: entering starts it, leaving stops it. Safe to share between threads."""

    def __init__(
        self,
        settings: EmbeddedSettings | None = None,
        *,
        watcher: Watching | None = None,
        open_reader: OpenReader | None = None,
        registry: Registry | None = None,
        watched: Callable[[str, float], None] | None = None,
    ) -> None:
        """settings: None reads the environment. watcher, open_reader, registry: in place of the real ones, for tests.
        watched: told a recording's id and how many seconds of it were watched, whenever there is more.

        Raises BadInput for settings that can't work.
        """
        self.settings = settings or load(EmbeddedSettings)
        self.telemetry = Telemetry()
        tell_certificates(self.settings.bus, self.telemetry)
        self.registry = registry or open_registry(self.settings)
        self.bus = open_bus(self.settings)
        self.store = open_store(self.settings)
        ports = (self.bus, self.store, self.registry)
        objects = open_objects(self.settings, self.store)
        reading = self.settings.inference
        names = PinnedRegistry(self.registry, reading.bundles)  # the edge tells clients what reads
        self.edge = preprocess.build(
            self.settings.preprocess,
            self.bus,
            self.store,
            names,
            telemetry=self.telemetry,
            watcher=watcher,
            objects=objects,
        )
        both = reading.model_copy(  # nobody else is here to read the other track; and who watches needs the other CPUs
            update={"track": "both", "threads": reading.threads or 1}
        )
        failing = self.settings.rehearsal
        inferring = inference.build(both, *ports, telemetry=self.telemetry, open_reader=open_reader, rehearsal=failing)
        if watched is not None and self.edge.handler.recordings is not None:
            self.edge.handler.recordings.show = watched
        self.watching = monitor.build(self.settings.monitor, *ports, telemetry=self.telemetry)
        self.operations = Operations(self.bus, self.store, self.registry)
        self._asked = Unread()
        self._services: tuple[Service, ...] = (inferring, self.edge, self.watching)  # in the direction of the flow
        for service in self._services:
            self.telemetry.follow("lipsol_ready", service.ready, stage=service.name)

    def __enter__(self) -> Self:
        try:
            for service in reversed(self._services):
                service.start()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def read(self, data: bytes, *, model: str = "", grammar: str = "", language: str = "") -> Result:
        """Read one clip, wait for the words, and keep nothing of it.

        Raises BadInput for a clip or a wish that can't be met, ModelError or Transient where the platform fails.
        """
        sent = self._send(data, Asked(model, grammar, language))
        del data  # a recording takes its time, and has its file in the decoder's hands
        outcome = self._outcome(sent)
        if isinstance(outcome, LipsolError):
            raise outcome
        return outcome

    def read_many(
        self, items: Iterable[bytes], *, model: str = "", grammar: str = "", language: str = ""
    ) -> Iterator[Result | LipsolError]:
        """Read clips, as many at once as there is room for; what came of each, in the order given.

        A clip that can't be read is an error in its place, not raised, so that the others are read all the same.
        """
        asked = Asked(model, grammar, language)
        at_once = self.edge.pool.workers + self.settings.inference.batch
        sent: deque[_Sent] = deque()
        try:
            for data in items:
                sent.append(self._send(data, asked))
                if len(sent) >= at_once:
                    yield self._outcome(sent.popleft())
            while sent:
                yield self._outcome(sent.popleft())
        finally:
            for left in sent:  # of a caller who wants no more: nothing of them is kept either
                self._outcome(left)

    def faults(self) -> list[str]:
        """Why the platform is not ready; empty: it is."""
        return [fault for service in self._services for fault in service.faults()]

    def ready(self) -> bool:
        """Whether clips are read."""
        return not self.faults()

    def drain(self) -> None:
        """Say "not ready" from now on."""
        for service in self._services:
            service.drain()

    def serve(self, host: str = "", port: int | None = None) -> None:
        """Serve the page and the API until told to leave (SIGTERM, Ctrl-C); all that is for operators has own ports.

        host, port: instead of the settings'. Raises BadInput or Transient where a port can't be had.
        """
        with self._operable(), self._watchable():
            self._serve(host, port)

    def _serve(self, host: str, port: int | None) -> None:
        from services.doors.server import Server

        place = self.settings.preprocess
        named = self.settings.telemetry.metrics_port
        host = host or place.host
        server = Server(
            self.edge.door(self.faults),
            host,
            place.port if port is None else port,
            place,
            self.drain,
            self.edge.beside(host, self.faults),
        )
        metrics = MetricsServer(
            self.telemetry, METRICS_PORT if named is None else named, self.settings.telemetry.metrics_host
        )
        try:
            server.run()
        finally:
            metrics.close()

    def _operable(self) -> AbstractContextManager[object]:
        """Lets operators in from outside; a bus that is shared lets them in by itself."""
        if not self.settings.bus.private:
            return nullcontext()
        from services.operating.door import door

        return door(self.operations, self.settings.operating)

    @property
    def board_host(self) -> str:
        """Address that the monitor's board listens on: this machine alone, unless the settings name another."""
        place = self.settings.monitor
        return place.host if "host" in place.model_fields_set else self.settings.operating.host

    def _watchable(self) -> AbstractContextManager[object]:
        """Shows the board to operators."""
        from services.doors.server import aside

        place = self.settings.monitor
        return aside("board", self.watching.app, self.board_host, place.port, place, "LIPSOL_MONITOR__PORT")

    def _send(self, data: bytes, asked: Asked) -> _Sent:
        """Hand a clip to the edge, waiting for a place in its line."""
        clip_id = new_id()
        self._asked.add(clip_id)
        answered = self.edge.handler.waiters.begin(clip_id)
        try:
            taken = self.edge.pool.submit_in_turn(
                self.edge.handler.receive, clip_id, data, asked, time.time(), patient=True
            )
        except Busy:
            self._forget(clip_id, answered)
            raise
        return _Sent(clip_id, taken, answered)

    def _outcome(self, sent: _Sent) -> Result | LipsolError:
        """The clip's result once it is there, or why there is none; then the clip is forgotten."""
        wait_s = self.settings.preprocess.wait_s
        try:
            begun = sent.taken.result()
            result = sent.answered.result(timeout=None if begun.watched_s is not None else wait_s)
            self.edge.handler.delete(sent.clip_id)
            return result.fault() or result
        except TimeoutError:
            self.edge.handler.delete(sent.clip_id)
            return Transient(f"no reading came within {wait_s:g} s", "try again, with fewer clips at once")
        except LipsolError as fault:
            return fault
        finally:
            self._forget(sent.clip_id, sent.answered)

    def _forget(self, clip_id: str, answered: Future[Result]) -> None:
        """Nobody waits for this clip any more."""
        self.edge.handler.waiters.end(clip_id, answered)
        self._asked.remove(clip_id)

    def _close(self) -> None:
        """Stop in the direction of the flow, so that each still hears what those before it had to say."""
        self.drain()
        self.edge.finish()
        for waiting in (self.edge.handler.flight, self._asked):  # the memory bus takes what waits on it along
            waiting.wait(self.settings.inference.grace_s)
        for service in self._services:
            service.stop()
        self.bus.close()
        self.store.close()
