"""What the monitor knows, kept on a compacted topic, and read again by the next process: all of one moment, or nothing.

- What is known is parts by name, and the places up to which they count: (topic, partition) -> offset. A part that did
  not change is not written again.
- Parts lie on pages, and the head says on which. A page that the head of now names is never written over, and the head
  is written last, in one message: so a process that dies in the midst of keeping leaves what was kept before.
- Pages carry numbers and are used again, so the topic does not grow. Two owners in a row write to different pages.
- A page that no head names any more is emptied, so that what is forgotten here is forgotten by the topic.
- What does not fit together is passed over, and the topics are read again from the start instead.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

import structlog

from lipsol.bus.port import Bus, Message
from lipsol.errors import BadInput
from lipsol.events import StateKept
from lipsol.runtime.envelope import unwrap, wrap
from lipsol.runtime.telemetry import Telemetry
from lipsol.topics import WATCH

HEAD = "head"
PAGE = "page/"  # begins the names of pages: `page/TURN/NUMBER`
PAGE_MAX = 768 << 10  # bytes; a message takes 960 KiB
FORMAT = 1
DIGEST_BYTES = 8
STAGE = "monitor"

log = structlog.get_logger()

Place = tuple[float, float]  # offset of the last message that is counted, and when the bus took it


@dataclass(frozen=True)
class Kept:
    """What was kept: parts by name, the places up to which they count, and when that was, Unix seconds."""

    parts: Mapping[str, bytes] = field(default_factory=dict)
    places: Mapping[tuple[str, int], Place] = field(default_factory=dict)
    at: float = 0.0


@dataclass(frozen=True)
class _Lies:
    """Where a part lies."""

    pages: tuple[str, ...]
    digest: str
    size: int


class State:
    """Keeps what it is given. One thread at a time calls. now: Unix time, seconds."""

    def __init__(self, bus: Bus, owner: str, telemetry: Telemetry, now: Callable[[], float]) -> None:
        self._bus, self._owner, self._telemetry, self._now = bus, owner, telemetry, now
        self._lies: dict[str, _Lies] = {}
        self._full: set[str] = set()  # pages that hold something
        self._turn = 0

    def load(self) -> tuple[Kept | None, dict[str, bytes]]:
        """What was kept last (None: nothing, or nothing of use), and the other parts of the topic. Raises as `replay`.

        What is kept from now on lies on other pages than what was.
        """
        newest = {message.key: message for message in self._bus.replay([WATCH.name])}
        told = {key: event for key, message in newest.items() if (event := _state(message)) is not None}
        pages = {key: event.value for key, event in told.items() if key.startswith(PAGE)}
        others = {k: event.value for k, event in told.items() if event.value and k != HEAD and k not in pages}
        self._lies, self._full = {}, {page for page, value in pages.items() if value}
        if HEAD not in told:
            return None, others
        try:
            kept, turn = _read(told[HEAD].value, pages)
        except (BadInput, ValueError, KeyError, TypeError, zlib.error) as fault:
            log.warning("state-unfit", reason=str(fault))
            return None, others
        self._turn = 1 - turn
        return kept, others

    def keep(self, changed: Mapping[str, bytes], alive: set[str], places: Mapping[tuple[str, int], Place]) -> None:
        """Keep these parts, and of the others those that are alive as they were. Raises Transient, Closed as the bus.

        Of a keeping that failed nothing holds: give the same parts again.
        """
        lies = {name: lying for name, lying in self._lies.items() if name in alive}
        free = self._free()
        events: list[StateKept] = []
        now = self._now()
        for name, data in changed.items():
            pieces = [data[at : at + PAGE_MAX] for at in range(0, len(data), PAGE_MAX)] or [b""]
            pages = tuple(next(free) for _ in pieces)
            lies[name] = _Lies(pages, _digest(data), len(data))
            events += [StateKept(page, self._owner, piece, now) for page, piece in zip(pages, pieces, strict=True)]
        head = StateKept(HEAD, self._owner, _head(self._turn, lies, places, now), now)
        self._bus.publish_all([wrap(event, STAGE, now) for event in (*events, head)])
        self._lies = lies
        self._full.update(event.part for event in events)
        self._empty(now)
        self._telemetry.set("lipsol_monitor_state_bytes", sum(lying.size for lying in lies.values()))
        self.stands()

    def stands(self) -> None:
        """What is kept is all that is known now."""
        self._telemetry.set("lipsol_monitor_state_timestamp_seconds", self._now())

    def _empty(self, now: float) -> None:
        """Let go of what lies on pages that the head of now does not name."""
        used = self._used()
        left = sorted(self._full - used)
        self._bus.publish_all([wrap(StateKept(page, self._owner, b"", now), STAGE, now) for page in left])
        self._full &= used

    def _used(self) -> set[str]:
        return {page for lying in self._lies.values() for page in lying.pages}

    def _free(self) -> Iterator[str]:
        """Pages that the head of now does not name."""
        used = self._used()
        return (page for number in count() if (page := f"{PAGE}{self._turn}/{number}") not in used)


def _head(turn: int, lies: Mapping[str, _Lies], places: Mapping[tuple[str, int], Place], now: float) -> bytes:
    told = {
        "format": FORMAT,
        "turn": turn,
        "at": now,
        "parts": {name: [lying.pages, lying.digest] for name, lying in lies.items()},
        "places": [[topic, partition, *place] for (topic, partition), place in places.items()],
    }
    return zlib.compress(json.dumps(told, separators=(",", ":")).encode(), 1)


def _read(head: bytes, pages: Mapping[str, bytes]) -> tuple[Kept, int]:
    told = json.loads(zlib.decompress(head))
    if told["format"] != FORMAT:
        raise BadInput(f"a state of format {told['format']}, this LipSol knows {FORMAT}")
    parts = {}
    for name, (lie_on, digest) in told["parts"].items():
        parts[name] = b"".join(pages[page] for page in lie_on)
        if _digest(parts[name]) != digest:
            raise BadInput(f"part {name} is not what the head says")
    places = {(topic, partition): (offset, at) for topic, partition, offset, at in told["places"]}
    return Kept(parts, places, told["at"]), int(told["turn"])


def _state(message: Message) -> StateKept | None:
    try:
        event = unwrap(message)
    except BadInput:
        return None
    return event if isinstance(event, StateKept) else None


def _digest(data: bytes) -> str:
    return base64.b85encode(hashlib.blake2b(data, digest_size=DIGEST_BYTES).digest()).decode()
