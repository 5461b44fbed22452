"""The one core behind every door: what Kafka, REST and gRPC ask is read here, by the same readers, in shared batches.

- An ask is bound to one bundle when it is submitted; whatever becomes the default later, that bundle reads it.
- Submitting never blocks: what is wrong with an ask comes by its future, as BadInput or NotFound (the ask itself), Busy
  (too much waits), TooLate (its deadline passed before its turn) or ModelError (the bundle can't be used). Callers with
  a thread to wait with may wait for room instead of being turned away.
- A future that is cancelled before its turn costs no work.
- A reader that makes way for another finishes what it was asked.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event as Flag
from threading import Lock, Thread

import structlog

from lipsol.errors import Busy, Transient
from lipsol.reader import check_length
from lipsol.registry.port import ModelInfo
from lipsol.runtime.telemetry import Telemetry
from services.inference.ask import Answer, Ask, bound
from services.inference.batcher import SEARCH, STAGES, Batcher, Place, Waiting, fail, leaving
from services.inference.gpu import Gpus
from services.inference.line import Batching
from services.inference.models import Models, Reading

__all__ = ["Answer", "Ask", "Core"]

LOOK_S = 5.0  # between two looks at what the registry's names mean
OPENERS = 2  # bundles that are opened at the same time for those who can't wait

log = structlog.get_logger()


class Core:
    """Reads what is asked. Safe to share between threads; start it once, stop it once."""

    def __init__(
        self,
        models: Models,
        batching: Batching | None = None,
        *,
        lanes: int = 1,
        searchers: int = 1,
        telemetry: Telemetry | None = None,
        now: Callable[[], float] = time.time,
        look_s: float = LOOK_S,
    ) -> None:
        """lanes: batches of a reader in the network at once; searchers: threads that find words; now: Unix time."""
        self.models = models
        self._batching, self._lanes = batching or Batching(), lanes
        self._telemetry, self._now, self._look_s = telemetry or Telemetry(), now, look_s
        self._search = ThreadPoolExecutor(searchers, thread_name_prefix="search")
        self._openers = ThreadPoolExecutor(OPENERS, thread_name_prefix="open")
        self._lock = Lock()
        self._batchers: dict[str, tuple[Reading, Batcher]] = {}  # by digest
        self._retired: list[Batcher] = []
        self._opening = 0  # asks that wait for their bundle to be opened
        self._leaving = Flag()
        self._gpus = Gpus(self._telemetry)
        for stage, threads in ((STAGES["short"], lanes), (STAGES["long"], 1), (SEARCH, searchers)):
            self._telemetry.set("lipsol_threads", threads, stage=stage)
        self._looking = Thread(target=self._look, name="models", daemon=True)

    def start(self) -> None:
        """Open the models that read by default, verified and warm, and look for newer ones from now on.

        Raises ModelError if one can't be used.
        """
        self.models.open_defaults()
        self._gpus.look()
        self._looking.start()

    def stop(self, timeout_s: float) -> bool:
        """Take no more, and finish what was taken; whether that took less than timeout_s."""
        until = time.monotonic() + timeout_s
        self._leaving.set()
        self._openers.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            batchers = [*self._retired, *(batcher for _, batcher in self._batchers.values())]
        for batcher in batchers:
            batcher.close()
        done = [batcher.close(max(0.0, until - time.monotonic())) for batcher in batchers]
        self._search.shutdown(wait=all(done))
        if self._looking.is_alive():
            self._looking.join(max(0.0, until - time.monotonic()))
        return all(done)

    def submit(self, ask: Ask) -> "Future[Answer]":
        """Have one mouth read."""
        return self.submit_all([ask])[0]

    def submit_all(self, asks: Sequence[Ask], *, in_turn: bool = False) -> "list[Future[Answer]]":
        """Have several read, in one batch where that goes; of one bundle's, all are taken or all are Busy.

        in_turn: wait for room, and for a bundle that is not open; for callers that have a thread to wait with.
        """
        came = time.monotonic()
        everyone = [self._waiting(ask, came) for ask in asks]
        groups: dict[str, list[Waiting]] = {}
        for each in everyone:
            if not each.future.done():
                groups.setdefault(each.ask.info.digest, []).append(each)
        for group in groups.values():
            self._send(group, in_turn=in_turn)
        return [each.future for each in everyone]

    def _waiting(self, ask: Ask, came: float) -> Waiting:
        """The ask in the form in which it waits; what is wrong with it stands in its future."""
        try:
            check_length(ask.mouth)
            return Waiting(ask, bound(ask.grammar), came)
        except Exception as fault:  # noqa: BLE001 - who waits is told, whatever it is
            refused = Waiting(ask, None, came)
            refused.future.set_exception(fault)
            return refused

    def _send(self, group: Sequence[Waiting], *, in_turn: bool) -> None:
        """Give a group of one bundle's asks to that bundle's batcher, opened first where it must be."""
        info = group[0].ask.info
        try:
            reader = self.models.reader(info) if in_turn else self.models.opened(info)
            if reader is None:
                self._send_later(group)
            else:
                self._put(info, reader, group, in_turn=in_turn)
        except Exception as fault:  # noqa: BLE001 - who waits is told, whatever it is
            fail(group, fault)

    def _send_later(self, group: Sequence[Waiting]) -> None:
        """Open the group's bundle beside, then send it. Raises Busy, or Transient where the service is leaving."""
        with self._lock:
            if self._opening and self._opening + len(group) > self._batching.room:
                raise Busy(f"{self._opening} clips wait for a bundle to be opened", "try again later")
            self._opening += len(group)
        try:
            work = self._openers.submit(self._open_and_send, group)
        except RuntimeError as stopped:
            raise leaving() from stopped
        work.add_done_callback(lambda work: fail(group, leaving()) if work.cancelled() else None)

    def _open_and_send(self, group: Sequence[Waiting]) -> None:
        info = group[0].ask.info
        try:
            self._put(info, self.models.reader(info), group, in_turn=False)
        except Exception as fault:  # noqa: BLE001 - who waits is told, whatever it is
            fail(group, fault)
        finally:
            with self._lock:
                self._opening -= len(group)

    def _put(self, info: ModelInfo, reader: Reading, group: Sequence[Waiting], *, in_turn: bool) -> None:
        """Raises Busy, or Transient where the service is leaving."""
        while not self._leaving.is_set():
            batcher = self._batcher(info, reader)
            try:
                return batcher.put(group, in_turn=in_turn)
            except Transient:
                if not batcher.closed:
                    raise
        raise leaving()

    def _batcher(self, info: ModelInfo, reader: Reading) -> Batcher:
        """The batcher of an open reader; those of readers that made way take no more and end with what they have."""
        with self._lock:
            held = self._batchers.get(info.digest)
            if held is None or held[0] is not reader:
                place = Place(info.name, self._lanes, self._search, self._now)
                self._batchers[info.digest] = (reader, Batcher(reader, self._batching, place, self._telemetry))
                self._retire(None if held is None else held[1])
                for digest in [digest for digest in self._batchers if not self.models.holds(digest)]:
                    if digest != info.digest:
                        self._retire(self._batchers.pop(digest)[1])
            return self._batchers[info.digest][1]

    def _retire(self, batcher: Batcher | None) -> None:
        self._retired = [each for each in self._retired if not each.close()]
        if batcher is not None and not batcher.close():
            self._retired.append(batcher)

    def _look(self) -> None:
        """Look for newer bundles, and at the GPUs, until told to leave."""
        while not self._leaving.wait(self._look_s):
            self._gpus.look()
            try:
                self.models.look()
            except Transient as fault:
                log.warning("registry-away", reason=fault.detail)
            except Exception:
                log.exception("models-not-looked-at")
