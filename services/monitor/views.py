"""What the monitor has to tell, as plain values: whoever counts makes them, and whoever shows them takes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from lipsol.events import ActionTaken
from services.monitor.group import Group

if TYPE_CHECKING:
    from lipsol.drift.verdict import Verdict

State = Literal["quiet", "learning", "drift", "no reference", "away"]


@dataclass(frozen=True)
class Point:
    """One window of a measure.

    at     when the window began, Unix seconds
    value  None: not known there
    clips  how many the window holds
    """

    at: float
    value: float | None
    clips: int


@dataclass(frozen=True)
class Series:
    """One measure over time, the oldest window first.

    measure  its name in the catalogue of metrics, or of a drift measure
    unit     base unit ("ratio", "seconds", "pixels", ...)
    family   "software", "input" or "output"
    group    whose; None: everybody's
    """

    measure: str
    unit: str
    family: str
    group: Group | None
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Watched:
    """How one group stands.

    clips    in the window that was compared last, or so far
    verdict  what kind of wrong it is; None: none
    since    when this state began, Unix seconds
    said     a sentence for people
    """

    group: Group
    clips: int
    state: State
    verdict: "Verdict | None"
    since: float
    said: str


class Told(Protocol):
    """All that the board, the command line and the dashboards ask the monitor. Safe between threads."""

    def watched(self) -> Sequence[Watched]:
        """Every group that is watched."""
        ...

    def actions(self) -> Sequence[ActionTaken]:
        """What was done or proposed lately, the newest first."""
        ...

    def series(self, measure: str = "", since: float = 0.0) -> Sequence[Series]:
        """Measures over time; "": all. since: no older windows than this, Unix seconds."""
        ...
