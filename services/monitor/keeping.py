"""When the monitor keeps what it knows, and how a new process comes to know it: the state, and what came after it.

Kept is only what is settled: all that came of the events that it counts has been published. It is kept every few
seconds and when the monitor stops or stands down. A killed process so leaves at most those seconds to be read again,
from the places of the state up to what the group has committed; all later comes by itself. Where something is missing
between the last place and what comes, another monitor of the group, one that answered too late, has counted and
committed it: that is read again, too, so it is lost for nobody.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from lipsol.bus.port import Bus, Closed, Message
from lipsol.errors import BadInput, LipsolError, Transient
from lipsol.runtime.envelope import unwrap
from services.monitor.accepting import group_of
from services.monitor.handler import Handler
from services.monitor.ownership import Ownership
from services.monitor.state import Kept, State

CONCERN, KINDS = "concern", "kinds"  # parts
SHOW_S = 1.0  # between two tellings of the gauges
RETRY_S = 1.0  # before a bus that is away is asked again

log = structlog.get_logger()


@dataclass
class Keeper:
    """Keeps a handler's knowledge, and restores it. A worker calls `coming`, `settled` and `prepare` in its thread.

    topics, group  what is heard, and the group that commits it
    every_s        seconds between two keepings
    now            Unix time, seconds, and `monotonic` of a clock that never runs backwards
    """

    handler: Handler
    state: State
    ownership: Ownership
    bus: Bus
    topics: Sequence[str]
    group: str
    every_s: float
    now: Callable[[], float]
    monotonic: Callable[[], float]
    _settled: bool = False
    _places: dict[tuple[str, int], tuple[float, float]] = field(default_factory=dict)
    _pending: dict[str, bytes] = field(default_factory=dict)
    _concern: bytes = b""
    _kept_at: float = 0.0
    _shown_at: float = float("-inf")
    _came: dict[tuple[str, int], int] = field(default_factory=dict)  # offset of the last message of each partition
    fault: str | None = None

    def start(self) -> None:
        """Nothing to begin: the worker does."""

    def stop(self, _timeout_s: float) -> bool:
        """Keep what is known, for the next process."""
        return not self._settled or self.keep()

    def coming(self, messages: Sequence[Message]) -> None:
        """These messages are handled next, and before them what another monitor committed since the last ones."""
        self._settled = False
        self._fill(messages)
        self.handler.coming(messages)

    def settled(self) -> None:
        """All that came of what was handled is published: a good moment to keep and to show it."""
        self._settled = True
        clock = self.monotonic()
        if clock - self._shown_at >= SHOW_S:
            self._shown_at = clock
            self.show()
        if clock - self._kept_at >= self.every_s and not self.ownership.down:
            self._kept_at = clock
            self.keep()

    def show(self) -> None:
        """Let the gauges tell of the windows."""
        windows = self.handler.windows
        self.handler.groups.show(self.now())
        self.handler.figures.windows(windows.since(self.now() - windows.kept_s))

    def keep(self) -> bool:
        """Keep what changed, if anything was counted since; whether that went well. If not, the next time keeps it."""
        handler = self.handler
        if handler.places == self._places:
            self.state.stands()
            return True
        parts = (handler.memory, handler.windows, handler.groups)
        for part in parts:
            self._pending |= part.changed()
        if (concern := handler.concern.to_bytes()) != self._concern:
            self._pending[CONCERN] = self._concern = concern
        self._pending[KINDS] = "\n".join(sorted(handler.kinds)).encode()
        alive = {CONCERN, KINDS}.union(*(part.parts() for part in parts))
        changed = {name: data for name, data in self._pending.items() if name in alive}
        places = dict(handler.places)
        try:
            self.state.keep(changed, alive, places)
        except LipsolError as fault:
            log.warning("state-not-kept", reason=fault.detail)
            return False
        self._pending, self._places = {}, places
        return True

    def prepare(self) -> None:
        """Become the one that counts, and know what the one before did. Raises Transient; call it again then."""
        kept, others = self._loaded()
        try:
            self._restore(kept or Kept(), others)
        except (BadInput, ValueError, KeyError, TypeError, zlib.error) as fault:
            log.warning("state-unfit", reason=str(fault))
            kept = None
            self._restore(Kept(), others)
        since = 0.0 if kept else self.now() - self.handler.windows.kept_s
        read = 0
        with self.handler.again():
            after = {place: int(offset) for place, (offset, _) in self.handler.places.items()}
            for message in self.bus.replay(self.topics, since, before=self.group, after=after):
                with suppress(BadInput):  # that one was given up long ago
                    self.handler.take(unwrap(message), message)
                    read += 1
        self.show()
        self._settled, self._kept_at = True, self.monotonic()
        if kept or read:
            log.info("restored", events=read, clips=len(self.handler.memory), kept_at=kept.at if kept else None)

    def _fill(self, messages: Sequence[Message]) -> None:
        """Count what lies between the last messages and these, as far as the group has committed it.

        Raises Transient when this monitor is to end while the bus is away.
        """
        places = {place: int(offset) for place, (offset, _) in self.handler.places.items()} | self._came
        first: dict[tuple[str, int], int] = {}
        for message in messages:
            first.setdefault((message.topic, message.partition), message.offset)
        ends = {place: offset for place, offset in first.items() if offset > places.get(place, -1) + 1}
        if ends and (missed := self._missed(ends, places)):
            log.warning("read-after-another", events=len(missed))
            with self.handler.again():
                for message in missed:
                    with suppress(BadInput):
                        self.handler.take(unwrap(message), message)
        self._came |= {(message.topic, message.partition): message.offset for message in messages}

    def _missed(self, ends: Mapping[tuple[str, int], int], after: Mapping[tuple[str, int], int]) -> list[Message]:
        """What lies behind those places and before those ends, waiting for a bus that is away."""
        since = self.now() - self.handler.windows.kept_s
        while True:
            try:
                told = self.bus.replay(sorted({topic for topic, _ in ends}), since, before=self.group, after=after)
                return [each for each in told if each.offset < ends.get((each.topic, each.partition), 0)]
            except Closed:
                raise
            except Transient:
                if self.ownership.wait(RETRY_S):
                    raise

    def _loaded(self) -> tuple[Kept | None, dict[str, bytes]]:
        self.ownership.claim()
        return self.state.load()

    def _restore(self, kept: Kept, others: dict[str, bytes]) -> None:
        handler = self.handler
        accepted = {group: data for name, data in others.items() if (group := group_of(name)) is not None}
        with handler.lock:
            handler.memory.restore(kept.parts)
            handler.windows.restore(kept.parts)
            handler.groups.restore(kept.parts, accepted)
            if CONCERN in kept.parts:
                handler.concern.restore(kept.parts[CONCERN])
            handler.kinds = set(filter(None, kept.parts.get(KINDS, b"").decode().split("\n")))
            handler.places = dict(kept.places)
        # The pages of the one before are not ours to leave things on: all is written again.
        self._pending, self._places, self._concern = dict(kept.parts), {}, kept.parts.get(CONCERN, b"")
