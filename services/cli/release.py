"""`lipsol release`: how a release's rollout stands, its whole story, and the way back to stable at once."""

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import TypeAlias

from lipsol.errors import NotFound, Transient
from services.cli import traffic
from services.cli.operator import me, open_platform
from services.cli.release_words import none_yet, screen, standing, story
from services.operating.documents import pretty
from services.operating.operations import Operating, TrafficState
from services.operating.rollouts import OPEN, Rollout

Open: TypeAlias = Callable[[], AbstractContextManager[Operating]]
WAIT_S = 15.0  # that an abort waits for the analyst, which looks every few seconds
EACH_S = 0.5  # between two looks for it
RECENT_S = 2 * 86400.0  # that are looked back at first: what is kept for 90 days may be many thousand looks
BY_HAND = "aborted by hand"


def run_status(
    release: str, *, as_json: bool, platform: Open = open_platform, now: Callable[[], float] = time.time
) -> int:
    """Print what rules the traffic, and the rollout that is under way or was the last."""
    with platform() as running:
        state, known = running.traffic(), recent(running, release, now())
    shown, others = chosen(known)
    if as_json:
        print(pretty({"traffic": asdict(state), "rollouts": list(map(asdict, [*shown, *others]))}))
        return 0
    print(traffic.page(state), screen(shown, others, now()) if shown else none_yet(release), sep="\n\n")
    return 0


def run_explain(
    release: str,
    revision: int,
    *,
    as_json: bool,
    platform: Open = open_platform,
    now: Callable[[], float] = time.time,
) -> int:
    """Print the whole story of a rollout: of the newest one that fits; revision 0: any. Raises NotFound."""
    with platform() as running:
        known = running.rollouts(release=release) if revision else recent(running, release, now())
    found = [each for each in known if revision in (0, each.revision)]
    if not found:
        raise _unknown(release, revision, known)
    print(pretty(asdict(found[0])) if as_json else story(found[0], now()))
    return 0


def run_abort(
    release: str,
    reason: str,
    *,
    wait_s: float = WAIT_S,
    platform: Open = open_platform,
    pause: Callable[[float], object] = time.sleep,
) -> int:
    """Send all to stable, say so, and only then look whether the release's analyst stands down."""
    with platform() as running:
        state = running.abort(set_by=me(), reason=reason or BY_HAND)
        print(traffic.page(state), flush=True)
        try:
            print(_answer(running, release, state, wait_s, pause))
        except Transient as fault:
            print(f"lipsol: whether an analyst stood down can't be seen: {fault.detail}; {fault.cure}", file=sys.stderr)
    return 0


def recent(running: Operating, release: str, now: float) -> list[Rollout]:
    """The rollouts of the last days, each whole; where there are none, all that are kept."""
    since = now - RECENT_S
    found = running.rollouts(release=release, since=since)
    whole = found and all(each.began_at - each.ahead_s > since for each in found)
    return found if whole else running.rollouts(release=release)


def chosen(known: Sequence[Rollout]) -> tuple[list[Rollout], list[Rollout]]:
    """Of the newest rollout of each release: those that are open, or else the newest of all; and the others."""
    newest = list({(each.namespace, each.release): each for each in reversed(known)}.values())
    newest.sort(key=lambda each: each.first_at, reverse=True)
    shown = [each for each in newest if each.state in OPEN] or newest[:1]
    return shown, [each for each in newest if each not in shown]


def _answer(
    running: Operating, release: str, state: TrafficState, wait_s: float, pause: Callable[[float], object]
) -> str:
    """What became of the rollouts that were under way, in words; waits at most wait_s for them."""
    first = _concerned(recent(running, release, state.set_at), state)
    if not first:
        return "release  no rollout is under way" + (f" of a release {release!r}" if release else "")
    since, keys, left_s = min(each.first_at for each in first) - 1.0, {each.key for each in first}, wait_s
    now_are = first
    while any(each.state in OPEN for each in now_are) and left_s > 0:
        pause(EACH_S)
        left_s -= EACH_S
        now_are = [each for each in running.rollouts(release=release, since=since) if each.key in keys]
    return "\n".join(_became(each, wait_s) for each in now_are)


def _concerned(known: Sequence[Rollout], state: TrafficState) -> list[Rollout]:
    """Rollouts that the abort ends, ended a moment ago, or came too late for."""
    shown, others = chosen(known)
    return [
        each
        for each in (*shown, *others)
        if each.state in OPEN or each.state == "passed" or (each.verdict and each.told_at >= state.set_at)
    ]


def _became(each: Rollout, wait_s: float) -> str:
    """What became of a rollout, in a line or two."""
    if each.state in OPEN:
        silent = f" ({standing(each)})" if each.state == "silent" else ""
        return (
            f"release  {each.name}: its analyst did not say in {wait_s:g} s that it stands down{silent}\n"
            f"         all goes to stable whatever it does; `lipsol release watch {each.release}` shows when it tells"
        )
    if each.verdict == "passed":
        return (
            f"release  {each.name} has passed already: Helm updates stable, or gave up doing so\n"
            f"         `helm rollback {each.release} REVISION{_where(each)}`, to the last good one, takes that back"
        )
    if not each.verdict:
        return f"release  {each.name}: {standing(each)}"
    because = f": {each.reason}" if each.reason else ""
    return f"release  {each.name}: {standing(each)}{because}\n         Helm's upgrade fails; stable was never touched"


def _unknown(release: str, revision: int, known: Sequence[Rollout]) -> NotFound:
    if not known:
        what, cure = none_yet(release).split("\n")
        return NotFound(what, cure)
    revisions = ", ".join(f"{each.revision}" for each in known)
    return NotFound(f"no rollout of a revision {revision}", f"known are {revisions}: name one by --revision")


def _where(each: Rollout) -> str:
    return f" --namespace {each.namespace}" if each.namespace else ""
