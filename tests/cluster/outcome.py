"""What came of a scenario on the cluster: a row of build/e2e.json, and of the table that is printed.

A scenario holds if its verdict is the one that was to come and no law was broken; a release that was to be aborted and
was, holds. Rows of other scenarios, and of the other Helm, stay in the file from one run to the next.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.conftest import TOP

OUT = TOP / "build" / "e2e.json"
COMMON = ("scenario", "helm", "sent", "failed", "lost", "doubled", "seconds", "verdict")

Say = Callable[[str], None]
"""Tells whoever watches what is going on."""


@dataclass(frozen=True)
class Outcome:
    """One scenario.

    helm      which Helm, "3" or "4"; "": none was used
    sent      clips; failed: requests that were answered as no request should be; lost: clips without a reading;
              doubled: clips that became two
    verdict   what came of it, in a word or two: "ready", "passed", "aborted"
    wanted    what was to come
    broken    the laws that were broken, a sentence each
    measured  what else it measured, by name
    """

    scenario: str
    verdict: str
    wanted: str
    helm: str = ""
    sent: int = 0
    failed: int = 0
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0
    broken: tuple[str, ...] = ()
    measured: Mapping[str, object] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether it came as it had to."""
        return self.verdict == self.wanted and not self.broken

    def as_dict(self, machine: str, day: str) -> dict[str, object]:
        """The form of build/e2e.json."""
        common = {name: getattr(self, name) for name in COMMON}
        told = {"wanted": self.wanted, "holds": self.holds, "broken": list(self.broken)}
        return {**common, **told, "measured": dict(self.measured), "machine": machine, "day": day}


def unplayed(scenario: str, wanted: str, helm: str, seconds: float, why: str) -> Outcome:
    """A scenario that could not be played to its end."""
    return Outcome(scenario, "not played", wanted, helm, seconds=seconds, broken=(f"could not be played: {why}",))


def write(outcomes: Sequence[Outcome], machine: str, day: str, path: Path = OUT) -> None:
    """Write the rows; those of scenarios that were not played now stay as they are."""
    now = [outcome.as_dict(machine, day) for outcome in outcomes]
    taken = {(each["scenario"], each["helm"]) for each in now}
    before = json.loads(path.read_text()) if path.exists() else []
    kept = [each for each in before if (each["scenario"], each["helm"]) not in taken]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([*kept, *now], indent=1, ensure_ascii=False) + "\n")


def show(outcomes: Sequence[Outcome], console: Console, title: str) -> None:
    """Print a table, what else was measured, and every broken law."""
    table = Table(*COMMON, "holds", title=title)
    for each in outcomes:
        row = (each.scenario, each.helm, each.sent, each.failed, each.lost, each.doubled, f"{each.seconds:.1f}")
        table.add_row(*(str(figure) for figure in row), each.verdict, "yes" if each.holds else "NO")
    console.print(table)
    for each in outcomes:
        if each.measured:
            said = ", ".join(f"{name} {value}" for name, value in each.measured.items())
            console.print(f"{each.scenario} {each.helm}: {said}", soft_wrap=True, highlight=False)
    for each in outcomes:
        wrong = (
            () if each.verdict == each.wanted else (f"came to {each.verdict!r}, and was to come to {each.wanted!r}",)
        )
        for law in (*wrong, *each.broken):
            console.print(f"BROKEN in {each.scenario} {each.helm}: {law}", soft_wrap=True, highlight=False)
