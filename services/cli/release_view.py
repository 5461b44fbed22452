"""`lipsol release watch` on a terminal: one picture of a rollout, drawn anew at each look."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from services.cli import traffic
from services.cli.release_watch import View
from services.cli.release_words import figures, none_yet, reason, standing, tried, warnings, worse_by
from services.cli.times import moment, span
from services.operating.rollouts import OPEN, Rollout, Step

COLOURS = {
    "fine": "green",
    "worse": "bold red",
    "passed": "green",
    "observed": "green",
    "aborted": "bold red",
    "under way": "cyan",
}
OTHER = "yellow"  # unclear, silent, stood down


@contextmanager
def picture(console: Console | None = None) -> Iterator[Callable[[View], None]]:
    """A function that draws a view over the one before; the last one stays."""
    with Live(console=console or Console(), auto_refresh=False) as live:
        yield lambda view: live.update(drawn(view), refresh=True)


def drawn(view: View) -> Group:
    """The whole picture."""
    return Group(Text(traffic.page(view.traffic)), Text(), *_rollout(view), *_away(view))


def _rollout(view: View) -> Iterator[Text | Table]:
    rollout = view.rollout
    if rollout is None:
        before = f"before   {view.last.name}: {standing(view.last)}" if view.last else none_yet(view.release)
        yield Text(f"{before}\nwaits    for a rollout to begin; Ctrl-C ends this")
        return
    yield Text(f"release  {rollout.name}{f', in namespace {rollout.namespace}' if rollout.namespace else ''}")
    yield Text(f"tried    {tried(rollout)}")
    yield Text()
    yield _steps(rollout, view.now)
    yield Text()
    if rollout.steps and rollout.steps[-1].findings:
        yield _findings(rollout.steps[-1])
        yield Text()
    for word, said in warnings(rollout, view.now):
        yield Text(f"{word:<8} {said}", style=OTHER)
    if rollout.reason:
        yield Text(reason(rollout))
    yield Text.assemble("state    ", (standing(rollout), COLOURS.get(rollout.verdict or rollout.state, OTHER)))
    if rollout.state in OPEN:
        yield Text(f"till     {moment(rollout.deadline_at)[:-4]} UTC: then it is aborted")


def _steps(rollout: Rollout, now: float) -> Table:
    """A row for each step: what the canary gets, how it stands, for how long, and by how much evidence."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in ("step", "the canary gets", "state", "time", "canary", "stable"):
        table.add_column(head, justify="right" if head in ("canary", "stable") else "left")
    for step in rollout.steps:
        state = "passed" if step.passed else rollout.verdict or rollout.state
        gets = f"{step.weight:g} %" + (", in shadow" if step.kind == "shadow" else "")
        ended_at = step.ended_at or max(now + rollout.ahead_s, step.began_at)
        table.add_row(
            f"{step.number} of {rollout.planned}",
            gets,
            Text(state, style=COLOURS.get(state, OTHER)),
            span(ended_at - step.began_at),
            f"{step.canary_clips} clips",
            f"{step.baseline_clips} clips",
        )
    left = rollout.planned - len(rollout.steps)
    if left > 0 and rollout.state in OPEN:
        table.add_row(f"{left} more", "", Text("to come", style="dim"), "", "", "")
    return table


def _findings(step: Step) -> Table:
    """A row for each measure of the step's last look."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in ("measure", "canary against stable", "difference, and what is let pass", "says"):
        table.add_column(head)
    for told in step.findings:
        known = told.canary is not None
        said = Text(told.said, style=COLOURS.get(told.said, OTHER) if known else "dim")
        table.add_row(told.measure, figures(told), worse_by(told) if known else "", said)
    return table


def _away(view: View) -> Iterator[Text]:
    if view.away:
        yield Text(f"away     {view.away}; asked again and again", style=OTHER)
