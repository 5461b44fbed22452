"""Tumbling windows by event time: what was read, told, refused and lost, each thing in the window in which it happened.

- An event belongs where its own time says, but never later than the bus took it: a clock that goes ahead is not
  believed.
- What comes after its window has passed is counted there all the same, and as late. A window is kept for `kept_s`;
  what belongs before that is too late: it is counted as that, and nowhere else.
- So many windows are held as `kept_s` has room for. Of too many the one farthest from now makes way, so that a clock
  that once was wrong can't push out what is right.
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field
from math import ceil, floor
from typing import Literal

from services.monitor.group import Group
from services.monitor.tally import Tally

PART = "window/"  # begins the names of the parts of the state
GRACE_S = 10.0  # after its end in which what belongs into a window is not late
AHEAD_S = 60.0  # by which an event may lie in the future and nobody wonders

When = Literal["in-time", "late", "too-late", "ahead"]


@dataclass
class Window:
    """One of them: tallies by group; refusals by kind of reason; dead letters by kind, users' and shadow copies'."""

    start: float
    tallies: dict[Group, Tally] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    letters: Counter[str] = field(default_factory=Counter)
    shadow_letters: Counter[str] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)

    def tally(self, group: Group) -> Tally:
        """The group's, to be written to."""
        return self.tallies.get(group) or self.tallies.setdefault(group, Tally())

    def to_bytes(self) -> bytes:
        """All of it."""
        told = {
            "start": self.start,
            "tallies": [[astuple(group), tally.as_json()] for group, tally in self.tallies.items()],
            "refused": self.refused,
            "letters": self.letters,
            "shadow_letters": self.shadow_letters,
            "late": self.late,
        }
        return zlib.compress(json.dumps(told, separators=(",", ":")).encode(), 1)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Window":
        """Undo `to_bytes`."""
        told = json.loads(zlib.decompress(data))
        return cls(
            told["start"],
            {Group(*group): Tally.from_json(tally) for group, tally in told["tallies"]},
            *(Counter(told[name]) for name in ("refused", "letters", "shadow_letters", "late")),
        )


class Windows:
    """All that are kept. One thread writes."""

    def __init__(self, width_s: float, kept_s: float) -> None:
        self.width_s, self.kept_s = width_s, kept_s
        self._most = ceil(kept_s / width_s) + 1  # the one that is open, too
        self._windows: dict[float, Window] = {}
        self._changed: set[float] = set()

    def place(self, happened_at: float, taken_at: float) -> tuple[float, When]:
        """Where the window of an event begins, and whether it comes in time. 0.0: it does not tell when it happened."""
        at = min(happened_at or taken_at, taken_at)
        start = floor(at / self.width_s) * self.width_s
        end = start + self.width_s
        if end <= taken_at - self.kept_s:
            return start, "too-late"
        if happened_at > taken_at + AHEAD_S:
            return start, "ahead"
        return start, "late" if end + GRACE_S < taken_at else "in-time"

    def open(self, start: float, now: float) -> Window:
        """The window that begins there, to be written to; `now` by the bus."""
        window = self._windows.get(start)
        if window is None:
            window = self._windows[start] = Window(start)
            while len(self._windows) > self._most:
                farthest = max(self._windows, key=lambda each: abs(each - now))
                del self._windows[farthest]
                self._changed.discard(farthest)
        if start in self._windows:
            self._changed.add(start)
        return window

    def held(self, start: float | None) -> Window | None:
        """That window, to be written to, if it is still kept."""
        if start is None or start not in self._windows:
            return None
        self._changed.add(start)
        return self._windows[start]

    def since(self, at: float) -> list[Window]:
        """Those that end after `at`, the oldest first."""
        return [each for start, each in sorted(self._windows.items()) if start + self.width_s > at]

    def parts(self) -> set[str]:
        """The names of all parts of it."""
        return set(map(_part, self._windows))

    def changed(self) -> dict[str, bytes]:
        """The parts that changed since this was asked last."""
        starts, self._changed = self._changed, set()
        return {_part(start): self._windows[start].to_bytes() for start in starts}

    def restore(self, parts: Mapping[str, bytes]) -> None:
        """Undo `changed`: know that, and nothing else."""
        windows = [Window.from_bytes(data) for name, data in parts.items() if name.startswith(PART)]
        self._windows = {window.start: window for window in windows}
        self._changed = set()


def _part(start: float) -> str:
    return f"{PART}{start:.0f}"


@dataclass(frozen=True)
class Counts:
    """All that is in the windows of the time that is kept, each thing once.

    clips         how many are remembered
    groups        what was read and told, by whose readings; shadow copies are groups of their own
    refused       clips by kind of reason
    dead_letters  messages by kind of death, shadow copies left out
    shadow_dead_letters  the same of shadow copies
    late          events that came after their window had passed, by how late ("late", "too-late", "ahead")
    """

    clips: int
    groups: Mapping[Group, Tally]
    refused: Counter[str]
    dead_letters: Counter[str]
    shadow_dead_letters: Counter[str]
    late: Counter[str]

    @classmethod
    def of(cls, windows: Iterable[Window], clips: int) -> "Counts":
        """Those windows together."""
        made = cls(clips, {}, Counter(), Counter(), Counter(), Counter())
        groups: dict[Group, Tally] = {}
        for window in windows:
            for group, tally in window.tallies.items():
                groups.setdefault(group, Tally()).add(tally)
            made.refused.update(window.refused)
            made.dead_letters.update(window.letters)
            made.shadow_dead_letters.update(window.shadow_letters)
            made.late.update(window.late)
        return cls(clips, groups, made.refused, made.dead_letters, made.shadow_dead_letters, made.late)

    @property
    def readings(self) -> Counter[tuple[str, str]]:
        """Readings that users got, by track and model."""
        return self._users("readings")

    @property
    def abstained(self) -> Counter[tuple[str, str]]:
        """Those in which the reader was not sure."""
        return self._users("abstained")

    @property
    def shadow(self) -> Counter[str]:
        """Readings of shadow copies, by model."""
        shadows = Counter[str]()
        for group, tally in self.groups.items():
            if group.shadow:
                shadows[group.model] += tally.counts["readings"]
        return shadows

    def total(self, what: str) -> int:
        """A count over all that users got: "feedback", "corrections", "right", "wrong", ..."""
        return sum(tally.counts[what] for group, tally in self.groups.items() if not group.shadow)

    def _users(self, what: str) -> Counter[tuple[str, str]]:
        found = Counter[tuple[str, str]]()
        for group, tally in self.groups.items():
            if not group.shadow:
                found[group.track, group.model] += tally.counts[what]
        return +found
