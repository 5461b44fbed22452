"""What came of a scenario: its figures and the laws that it broke; as a table for people, as JSON for machines."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

COMMON = ("name", "sent", "answered", "lost", "doubled", "seconds")


@dataclass(frozen=True)
class Outcome:
    """One scenario.

    broken    the laws that were broken, a sentence each; none: all held
    measured  what else it measured, by name
    missed    the bounds of time and memory that were missed, a sentence each: a starved machine can be why
    """

    name: str
    sent: int
    answered: int
    lost: int
    doubled: int
    seconds: float
    broken: tuple[str, ...] = ()
    measured: Mapping[str, object] = field(default_factory=dict)
    missed: tuple[str, ...] = ()

    def as_dict(self, bus: str, machine: str) -> dict[str, object]:
        """The form of build/scenarios.json."""
        common = {name: getattr(self, name) for name in COMMON}
        laws = {"broken": list(self.broken), "missed": list(self.missed)}
        return {**common, **self.measured, **laws, "bus": bus, "machine": machine}

    def holds(self, *, timed: bool = True) -> bool:
        """Whether every law held; timed: those of time and memory too."""
        return not self.broken and not (timed and self.missed)


def failed(name: str, seconds: float, why: str) -> Outcome:
    """A scenario that could not be played to its end: that breaks every law it was to show."""
    return Outcome(name, 0, 0, 0, 0, seconds, (f"could not be played: {why}",))


def write(outcomes: Sequence[Outcome], path: Path, bus: str, machine: str) -> None:
    """Write the figures; those of another bus, or of scenarios that did not run now, stay."""
    now = [outcome.as_dict(bus, machine) for outcome in outcomes]
    taken = {(each["name"], bus) for each in now}
    before = json.loads(path.read_text()) if path.exists() else []
    kept = [each for each in before if (each["name"], each["bus"]) not in taken]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([*kept, *now], indent=1, ensure_ascii=False) + "\n")


def show(outcomes: Sequence[Outcome], console: Console, bus: str, machine: str) -> None:
    """Print a table, what else was measured, and every broken law."""
    table = Table("scenario", "sent", "answered", "lost", "doubled", "seconds", "laws", title=f"over the {bus} bus")
    for each in outcomes:
        held = ", ".join(
            f"{len(laws)} {name}" for laws, name in ((each.broken, "broken"), (each.missed, "missed")) if laws
        )
        figures = (each.sent, each.answered, each.lost, each.doubled)
        table.add_row(each.name, *(str(figure) for figure in figures), f"{each.seconds:.1f}", held or "held")
    console.print(table, machine)
    for each in outcomes:
        console.print(f"{each.name}: " + ", ".join(f"{name} {value}" for name, value in each.measured.items()))
    for each in outcomes:
        for law in each.broken:
            console.print(f"BROKEN in {each.name}: {law}", soft_wrap=True, highlight=False)
        for law in each.missed:
            console.print(f"MISSED in {each.name}: {law}", soft_wrap=True, highlight=False)


Say = Callable[[str], None]
"""Tells whoever watches what is going on."""
