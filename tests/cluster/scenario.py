"""A scenario of the cluster, as modules offer it: `SCENARIOS` of each, by name, is what `make e2e` plays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.cluster.outcome import Outcome
from tests.cluster.scenarios import Stage

Play = Callable[[Stage], Outcome | Sequence[Outcome]]


class LeftOut(Exception):
    """A scenario can't be played for want of something that the cluster's owner alone can bring; it says what."""


@dataclass(frozen=True)
class Scenario:
    """What is played.

    play    plays it on an installed chart, and leaves that as `scenarios.settle` can mend it; what it raises is a row
            of its own, but for LeftOut, which is told
    wanted  the verdict that is to come, for the row where it could not be played
    brief   whether `make e2e` has time for it; `make e2e-full` plays all
    helms   whether `make e2e-full` plays it with each Helm; if not, Helm has no part in it, and once is enough
    """

    play: Play
    wanted: str
    brief: bool = True
    helms: bool = True
