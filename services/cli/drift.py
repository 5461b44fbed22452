"""`lipsol drift`: what the monitor found, what it did or proposes, taking that up, and accepting what is new."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import TypeAlias

from lipsol.events import ActionTaken, DriftDetected, Track
from lipsol.registry.port import Registry
from lipsol.runtime.wiring import open_registry
from services.cli.environment import quiet
from services.cli.operator import me, open_platform
from services.cli.report import columns
from services.cli.times import moment, since
from services.cli.traffic import bundle
from services.operating import OperatorSettings
from services.operating.documents import pretty
from services.operating.drifting import TAKEN
from services.operating.operations import Operating

Open: TypeAlias = Callable[[], AbstractContextManager[Operating]]
SHOWN = 12  # digits of a digest, and of an action's name
MONITOR = "monitor"  # who answers
EVIDENCE_SHOWN = 3  # comparisons of a finding
FINDINGS = ("since", "state", "kind", "track", "model", "language", "remedy", "by")
ACTIONS = ("when", "action", "what", "state", "track", "model", "by", "why")


def run_status(told: str, *, every: bool, as_json: bool, platform: Open = open_platform) -> int:
    """Print what the monitor finds to be wrong."""
    with platform() as running:
        found = running.findings(since=since(told, time.time()))
    wanted = [each for each in found if every or each.state != "over"]
    print(pretty([asdict(each) for each in wanted]) if as_json else status(wanted))
    return 0


def run_actions(told: str, *, as_json: bool, platform: Open = open_platform) -> int:
    """Print what was done or proposed."""
    with platform() as running:
        done = running.actions(since=since(told, time.time()))
    print(pretty([asdict(each) for each in done]) if as_json else table(done))
    return 0


def run_take(action: str, *, platform: Open = open_platform) -> int:
    """Take up what is proposed, and say what it became. Raises NotFound and BadInput."""
    with platform() as running:
        done = running.take(action, by=me())
    print(f"done     {done.kind} on {done.track}, {done.model_digest[:SHOWN]}, by {done.by}\nbecause  {done.reason}")
    return 0


def run_accept(
    track: Track,
    model: str,
    language: str,
    reason: str,
    *,
    platform: Open = open_platform,
    registry: Registry | None = None,
) -> int:
    """Have what is seen now accepted, and say of what. Raises NotFound for an unknown model, or if nothing drifts."""
    digest = bundle(model, registry or open_registry(quiet(OperatorSettings))) if model else ""
    with platform() as running:
        done = running.accept(track=track, digest=digest, language=language, by=me(), reason=reason)
    for each in done:
        who = f"{each.model_digest[:SHOWN]} on {each.track}, {each.language or 'every language'}"
        print(f"asked the monitor to take what comes to {who}, as normal; `lipsol drift actions` tells what it did")
    return 0


def status(found: Sequence[DriftDetected]) -> str:
    """The findings for eyes: a line each, under it what speaks for it."""
    if not found:
        return "no drift: what comes in and what is read from it are as the references have them, as far as is known"
    rows = columns(FINDINGS, [_cells(each) for each in found])
    lines = [rows[0]]
    for each, row in zip(found, rows[1:], strict=True):
        lines += [row, *(f"    {said}" for said in _evidence(each))]
    return "\n".join(lines)


def table(done: Sequence[ActionTaken]) -> str:
    """A line for each action; what waits for a person's yes is said to."""
    if not done:
        return "nothing was done or proposed"
    taken = {each.action_id for each in done}
    return "\n".join(columns(ACTIONS, [_row(each, taken) for each in done]))


def _cells(each: DriftDetected) -> tuple[str, ...]:
    kind, remedy = each.kind or "not told", each.remedy or "-"
    state = "over" if each.state == "over" else "drifts"
    who = (each.track, each.model_digest[:SHOWN], each.language or "all")
    return (moment(each.window_to), state, kind, *who, remedy, f"{each.samples} clips")


def _evidence(each: DriftDetected) -> list[str]:
    return [
        f"{one.measure}: {one.method} {one.value:.3g}, at most {one.threshold:.3g}"
        + (f", {100 * one.share:.0f} % of the clips" if one.share else "")
        for one in each.evidence[:EVIDENCE_SHOWN]
    ]


def _row(each: ActionTaken, names: set[str]) -> tuple[str, ...]:
    if each.done:
        state = "done"
    elif each.kind == "accept":
        state = "refused" if each.by == MONITOR else "asked for"
    elif each.action_id + TAKEN in names:
        state = "taken up"
    else:
        state = "proposed" if each.automation != "observe" else "noted"
    shown = each.action_id[:SHOWN] + (TAKEN if each.action_id.endswith(TAKEN) else "")
    return (moment(each.at), shown, each.kind, state, each.track, each.model_digest[:SHOWN] or "all", each.by,
            " ".join(each.reason.split()))  # fmt: skip
