"""Words of readings that overlap in time -> each word once; pure.

Two readings of one moment tell one word: the later part's, if it lies behind the boundary of the two, else the
earlier's. What only one of them tells is kept, so that nothing is lost at a boundary.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable


@runtime_checkable
class Timed(Protocol):
    """A word, from start_s to end_s on the clock that all parts share."""

    @property
    def start_s(self) -> float:
        """When it begins, seconds."""
        ...

    @property
    def end_s(self) -> float:
        """When it ends, seconds."""
        ...


W = TypeVar("W", bound=Timed)


@dataclass(frozen=True)
class Part(Generic[W]):
    """One reading: its words in order, and from when on it speaks for the recording, seconds."""

    start_s: float
    words: tuple[W, ...]


def joined(parts: Sequence[Part[W]]) -> list[tuple[W, ...]]:
    """The words that are kept of each part; parts in the order of their starts, each overlapping its neighbours."""
    kept = [list(part.words) for part in parts]
    for number, part in enumerate(parts[1:], start=1):
        before, after = kept[number - 1], kept[number]
        for one in [word for word in before if word.end_s > part.start_s - _LOOK_S]:
            twin = next((word for word in after if _same_moment(one, word)), None)
            if twin is not None:
                late = _middle(one) + _middle(twin) >= 2 * part.start_s
                (before if late else after).remove(one if late else twin)
    return [tuple(words) for words in kept]


_LOOK_S = 2.0  # before a boundary: far more than parts overlap


def _same_moment(one: Timed, other: Timed) -> bool:
    """Whether two words share more than half of the shorter one's time."""
    both = min(one.end_s, other.end_s) - max(one.start_s, other.start_s)
    return both > 0.5 * min(one.end_s - one.start_s, other.end_s - other.start_s)


def _middle(word: Timed) -> float:
    return (word.start_s + word.end_s) / 2
