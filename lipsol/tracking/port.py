"""The tracker: remembers each run of training, tuning or evaluation, with its parameters, figures and files.

The law: what a run was told is kept before the call returns. A run that is gone on with (`run_id`) keeps all that it
had; parameters that it already has stay as they are. A curve may be sent again, whole or in part: a figure whose step
is known is passed over, so that nothing is doubled by whoever died and came back. A run that is left by an exception is
marked as failed. Each method raises Transient while the tracker is away; none keeps what it could not send, so the
caller sends again. A figure's name is of letters, digits and `_-. :/`; what else stands in one, as in a speaker's, is
kept as `_`, so that no training ends by a name. Any thread may tell a run, and several processes may go on with one
side by side: each tells figures of its own, none loses the others' parameters, tags or files, and the status is what
the last one left it at.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, runtime_checkable

from lipsol.errors import BadInput

_OTHER = re.compile(r"[^\w\-. :/]")  # what MLflow does not take in the name of a figure


@runtime_checkable
class Run(Protocol):
    """One run that is being told of."""

    @property
    def id(self) -> str:
        """What goes on with it: `Tracker.run(..., run_id=...)`."""
        ...

    @property
    def url(self) -> str:
        """Where a person looks at it."""
        ...

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Figures by name, at one step of theirs. Raises BadInput for a step below 0."""
        ...

    def curve(self, points: Iterable[tuple[int, Mapping[str, float]]]) -> int:
        """Many steps of figures at once; returns how many of the figures were new."""
        ...

    def file(self, path: Path, folder: str = "") -> None:
        """A file, kept under its own name in a folder of the run; one that is there already is replaced."""
        ...


@runtime_checkable
class Tracker(Protocol):
    """Runs, by experiment."""

    def run(
        self,
        experiment: str,
        name: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        run_id: str = "",
    ) -> AbstractContextManager[Run]:
        """A new run, or the one to go on with, until the block is left. Raises NotFound for a run that is not there."""
        ...


def check_step(step: int) -> int:
    """The same step. Raises BadInput if it is below 0."""
    if step < 0:
        raise BadInput(f"the step {step} is below 0", "count steps from 0")
    return step


def named(values: Mapping[str, float]) -> dict[str, float]:
    """The figures by the names under which trackers keep them."""
    return {_OTHER.sub("_", name): value for name, value in values.items()}
