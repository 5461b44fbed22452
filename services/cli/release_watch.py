"""`lipsol release watch`: a rollout as it goes on, until its verdict.

- It follows the rollout that is under way, or else waits for the next one to begin. Where its analyst fell silent, it
  goes on with the release's next one.
- Whether an analyst is silent it tells by its own stopwatch, not by clocks that may differ.
- A platform that can't be reached for a while is told of, and asked again.
- On a terminal one picture that is kept up to date; elsewhere a line for each thing that happens.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias

from lipsol.errors import Transient
from services.cli import traffic
from services.cli.operator import open_platform
from services.cli.release import recent
from services.cli.release_words import WARNINGS, clips, none_yet, reason, standing, title, tried, warnings
from services.cli.times import span
from services.operating.operations import Operating, TrafficState
from services.operating.rollouts import GOOD, OPEN, SILENT_S, Key, Rollout

Open: TypeAlias = Callable[[], AbstractContextManager[Operating]]
EACH_S = 1.0  # between two looks
MARGIN_S = 1.0  # that a rollout is read from before its first word


@dataclass(frozen=True)
class View:
    """What is to be seen now.

    release  the one that was named; "": any
    traffic  what rules the traffic
    rollout  the one that is followed; None: there is none yet
    last     while none is followed, the one before; None: there is none either
    now      when that was, Unix seconds
    away     why the platform can't be asked just now; "": it can
    """

    release: str
    traffic: TrafficState
    rollout: Rollout | None
    last: Rollout | None
    now: float
    away: str = ""

    @property
    def over(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.rollout is not None and self.rollout.state not in OPEN

    @property
    def exit_code(self) -> int:
        """0: nothing spoke against it, or it may yet pass; 1: it did not."""
        seen = self.rollout or self.last
        return int(seen is not None and seen.state not in OPEN and seen.verdict not in GOOD)


Show: TypeAlias = Callable[[View], None]


def run_watch(
    release: str,
    *,
    once: bool,
    platform: Open = open_platform,
    pause: Callable[[float], object] = time.sleep,
    shown: Callable[[], AbstractContextManager[Show]] | None = None,
    now: Callable[[], float] = time.time,
) -> int:
    """Show a rollout until its verdict; once: as it is now. 0: it passed, 1: it did not."""
    with platform() as running, (shown or _shown)() as show:
        watch = Watch(running, release, now)
        while True:
            seen = watch.look()
            show(seen)
            if once or seen.over:
                return seen.exit_code
            pause(EACH_S)


class Watch:
    """Follows one rollout. Raises Transient where the platform can't be reached at the first look."""

    def __init__(
        self,
        running: Operating,
        release: str,
        now: Callable[[], float] = time.time,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._running, self._release, self._now, self._stopwatch = running, release, now, stopwatch
        self._view: View | None = None
        self._past: set[Key] = set()  # those that were over when we came
        self._followed: Rollout | None = None
        self._since = 0.0  # from where the topic is read
        self._heard = (0.0, stopwatch(), False)  # its last word, when we heard it, and whether it came since we watch

    def look(self) -> View:
        """What is to be seen now."""
        try:
            self._view = self._seen()
        except Transient as fault:
            if self._view is None:
                raise
            self._view = replace(self._view, now=self._now(), away=fault.detail)
        return self._view

    def _seen(self) -> View:
        first, followed = self._view is None, self._followed
        state, known = self._running.traffic(), self._known()
        if followed is not None:
            known = [each for each in known if each.key == followed.key or _instead(each, followed)]
        elif first:
            self._past = {each.key for each in known if each.state not in OPEN}
        at_hand = [each for each in known if each.key not in self._past]
        newest = next(iter(at_hand or known), None)
        self._since = newest.first_at - MARGIN_S if newest else self._since
        if not at_hand:
            return View(self._release, state, followed, newest, self._now())
        self._followed = self._by_stopwatch(at_hand[0])
        return View(self._release, state, self._followed, None, self._now())

    def _known(self) -> list[Rollout]:
        if self._view is None:
            return recent(self._running, self._release, self._now())
        return self._running.rollouts(release=self._release, since=self._since)

    def _by_stopwatch(self, rollout: Rollout) -> Rollout:
        """The rollout with its silence as we heard it."""
        told_at, heard_at, live = self._heard
        if rollout.told_at != told_at:
            heard_at, live = self._stopwatch(), told_at != 0.0
            self._heard = (rollout.told_at, heard_at, live)
        silent_s = self._stopwatch() - heard_at
        if rollout.state == "silent" and live and silent_s <= SILENT_S:
            return replace(rollout, state="under way", silent_s=0.0)
        if rollout.state == "under way" and silent_s > SILENT_S:
            return replace(rollout, state="silent", silent_s=silent_s)
        return rollout


class Lines:
    """A line for each thing that happened since the last look."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}
        self._of: Key | None = None

    def __call__(self, view: View) -> None:
        """Print what is new."""
        if view.rollout is not None and view.rollout.key != self._of:
            self._said, self._of = {"traffic": self._said.get("traffic", "")}, view.rollout.key
        for about, line in _lines(view):
            if line and self._said.get(about) != line:
                print(line, flush=True)
            self._said[about] = line


def _instead(each: Rollout, followed: Rollout) -> bool:
    """Whether it came in the place of one whose analyst fell silent."""
    same = (each.namespace, each.release) == (followed.namespace, followed.release)
    return same and followed.state == "silent" and each.first_at > followed.first_at


def _lines(view: View) -> Iterator[tuple[str, str]]:
    """All that there is to say, each line with what it is about."""
    yield "traffic", traffic.page(view.traffic).splitlines()[0]
    yield "away", f"away     {view.away}; asked again and again" if view.away else ""
    rollout = view.rollout
    if rollout is None:
        yield "before", f"before   {view.last.name}: {standing(view.last)}" if view.last else none_yet(view.release)
        yield "waits", "waits    for a rollout to begin"
        return
    yield "release", f"release  {rollout.name}: {tried(rollout)}"
    for step in rollout.steps:
        yield f"begins {step.number}", f"begins   {title(step, rollout)}"
        if step.passed:
            took = span(step.ended_at - step.began_at)
            yield f"passed {step.number}", f"passed   {title(step, rollout)}, after {took}: {clips(step)}"
    amiss = dict(warnings(rollout, view.now))
    for word in WARNINGS:
        yield word, f"{word:<8} {amiss[word]}" if word in amiss else ""
    yield "reason", reason(rollout)
    yield "over", f"release  {rollout.name}: {standing(rollout)}" if rollout.state not in OPEN else ""


@contextmanager
def _shown() -> Iterator[Show]:
    """What shows it: a picture on a terminal, lines elsewhere."""
    if not sys.stdout.isatty():
        yield Lines()
        return
    from services.cli.release_view import picture

    with picture() as show:
        yield show
