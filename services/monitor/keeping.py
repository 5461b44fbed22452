"""When the monitor keeps what it knows, and how a new process comes to know it: the state, and what came after it.

Kept is only what is settled: all that came of the events that it counts has been published. It is kept every few
seconds and when the monitor stops or stands down. A killed process so leaves at most those seconds to be read again,
from the places of the state up to what the group has committed; all later comes by itself.
"""

import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from lipsol.bus.port import Bus, Message
from lipsol.errors import BadInput, LipsolError
from lipsol.runtime.envelope import unwrap
from services.monitor.accepting import group_of
from services.monitor.handler import Handler
from services.monitor.ownership import Ownership
from services.monitor.state import Kept, State

CONCERN, KINDS = "concern", "kinds"  # parts
SHOW_S = 1.0  # between two tellings of the gauges

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
    fault: str | None = None

    def start(self) -> None:
        """Nothing to begin: the worker does."""

    def stop(self, _timeout_s: float) -> bool:
        """Keep what is known, for the next process."""
        return not self._settled or self.keep()

    def coming(self, messages: Sequence[Message]) -> None:
        """These messages are handled next."""
        self._settled = False
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
