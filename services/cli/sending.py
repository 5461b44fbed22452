"""Clips into a batch: where they lie, and how each is put into the store and told of, once.

An interruption at any point is made good by sending again: a video is put before it is told of, and an entry is written
after. What was told of and not yet written down is told again at worst, which changes nothing at the edge.
"""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event as Flag
from typing import Literal, TypeVar

from lipsol.bus.port import Bus
from lipsol.errors import BadInput, Busy, LipsolError, NotFound, Transient
from lipsol.events import ClipReceived
from lipsol.runtime.envelope import wrap
from lipsol.store.objects import SCHEME, Objects
from lipsol.store.port import Store
from lipsol.topics import CLIPS
from services.cli.ledger import FILE_S, Entry, Head, Ledger, clip_id_of
from services.cli.sources import UNKNOWN_SPEAKER, VIDEO_SUFFIXES, Spoken, clip_bytes, read_manifest
from services.preprocess.keeping import Keeper
from services.preprocess.repeats import unmark
from services.preprocess.results import Result

AT_ONCE = 8  # clips that are sent at the same time: what they wait for is the store and the bus
PATIENCE_S = 60.0  # that a store or bus which is away is waited for
PAUSE_S, PAUSE_MAX_S = 0.1, 2.0  # first and longest wait before another try

T = TypeVar("T")
Sent = Literal["sent", "known", "refused"]


def clips_of(where: str, objects: Objects) -> list[Spoken]:
    """The clips that a manifest names, that lie in a folder (and those in it), or under `s3://bucket/prefix`.

    Raises BadInput where there is none.
    """
    place = Path(where)
    if where.startswith(SCHEME):
        found = [_unspoken(each.source, Path(each.source)) for each in objects.walk(where) if _is_video(each.source)]
    elif place.is_dir():
        files = sorted(path for path in place.rglob("*") if _is_video(path.name) and path.is_file())
        found = [_unspoken(path.relative_to(place).as_posix(), path) for path in files]
    else:
        found = read_manifest(place, needed=("path",))
    if not found:
        raise BadInput(f"no video in {where}", f"name a manifest, or a place of {', '.join(sorted(VIDEO_SUFFIXES))}")
    return found


def name_of(where: str) -> str:
    """What a batch is called if nobody names it: the same for the same place."""
    resolved = where if where.startswith(SCHEME) else str(Path(where).resolve())
    stem = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in Path(resolved).stem)
    return f"{stem[:40].strip('-') or 'batch'}-{hashlib.sha256(resolved.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Sender:
    """Sends the clips of one batch; safe to share between threads.

    durable  whether the bus outlives this process: else what was sent before and is not settled is sent again
    stopped  set to have it give up waiting
    """

    head: Head
    ledger: Ledger
    bus: Bus
    store: Store
    keeper: Keeper
    durable: bool
    stopped: Flag
    now: Callable[[], float] = time.time

    def send_all(self, clips: Iterable[Spoken]) -> Iterator[tuple[Spoken, Sent, LipsolError | None]]:
        """Send clips, some at once; what came of each, in the order given. Raises Transient when patience ends."""
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="send")
        waiting: deque[tuple[Spoken, Future[tuple[Sent, LipsolError | None]]]] = deque()
        try:
            for each in clips:
                waiting.append((each, pool.submit(self.send, each)))
                if len(waiting) > 2 * AT_ONCE:
                    first, future = waiting.popleft()
                    yield first, *future.result()
            for each, future in waiting:
                yield each, *future.result()
        finally:
            self.stopped.set()
            pool.shutdown(cancel_futures=True)

    def send(self, spoken: Spoken) -> tuple[Sent, LipsolError | None]:
        """Send one clip, unless it is on its way; a clip that can't be read where it lies is refused, and noted so."""
        remote = spoken.name.startswith(SCHEME)
        try:
            data = b"" if remote else clip_bytes(spoken.path)
        except BadInput as fault:
            entry = replace(self._entry(spoken, "", b""), reason=fault.detail, cure=fault.cure)
            self._patiently(lambda: self.ledger.write(entry))
            return "refused", fault
        digest = "" if remote else hashlib.sha256(data).hexdigest()
        entry = self._entry(spoken, digest, data)
        if self._patiently(lambda: self._on_its_way(entry)):
            return "known", None
        if not remote:
            self._patiently(lambda: self.store.put(entry.source, data, FILE_S))
        if not self.durable:
            self._patiently(lambda: unmark(self.store, entry.clip_id))
        self._patiently(lambda: self.bus.publish_all([wrap(self._event(entry), "cli", self.now())]))
        self._patiently(lambda: self._note(entry))
        return "sent", None

    def _note(self, entry: Entry) -> None:
        """Write a clip's entry, in place of one that says it could not be read where it lies."""
        self.ledger.write(entry)
        if entry.digest:
            self.ledger.strike(clip_id_of(self.head.batch, entry.path, ""))

    def _on_its_way(self, entry: Entry) -> bool:
        """Whether a clip was sent and what was sent still holds; an entry that is missing is written then."""
        before = self.ledger.entry(entry.clip_id)
        try:
            result: Result | None = self.keeper.result(entry.clip_id)
        except NotFound:
            result = None
        settled = result is not None and result.state != "reading"
        sent = before is not None and not before.reason and self.now() - before.sent_at < CLIPS.retention_s
        on_its_way = settled or (self.durable and (sent or result is not None))
        if on_its_way and before is None:
            self.ledger.write(entry)
        return on_its_way

    def _entry(self, spoken: Spoken, digest: str, data: bytes) -> Entry:
        clip_id = clip_id_of(self.head.batch, spoken.name, digest)
        remote = spoken.name.startswith(SCHEME)
        return Entry(
            clip_id=clip_id,
            path=spoken.name,
            source=spoken.name if remote else self.ledger.file_key(clip_id),
            digest=digest,
            size_bytes=len(data),
            text=spoken.text,
            speaker=spoken.speaker,
            language=spoken.language or self.head.language,
            session=spoken.session,
            sent_at=self.now(),
        )

    def _event(self, entry: Entry) -> ClipReceived:
        return ClipReceived(
            clip_id=entry.clip_id,
            session=entry.session,
            batch=self.head.batch,
            name=entry.path,
            source=entry.source,
            digest=entry.digest,
            size_bytes=entry.size_bytes,
            model=self.head.model,
            grammar=self.head.grammar,
            language=entry.language,
            received_at=entry.sent_at,
            deadline_at=0.0,
        )

    def _patiently(self, call: Callable[[], T]) -> T:
        """Call until it works: for as long as the bus is full, and a while where something is away."""
        pause, until = PAUSE_S, time.monotonic() + PATIENCE_S
        while True:
            try:
                return call()
            except Transient as fault:
                if self.stopped.is_set() or (not isinstance(fault, Busy) and time.monotonic() > until):
                    raise
                self.stopped.wait(pause)
                pause = min(2 * pause, PAUSE_MAX_S)


def _unspoken(name: str, path: Path) -> Spoken:
    return Spoken(name, path, "", UNKNOWN_SPEAKER)


def _is_video(name: str) -> bool:
    return Path(name).suffix.lower() in VIDEO_SUFFIXES
