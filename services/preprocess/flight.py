"""Clips that this replica took and that no event has settled yet: how many may be on their way at once.

Two bounds. The first is a number, for every clip. The second holds for clips that carry a deadline, and follows from
how the last ones fared, as TCP's window follows from the network (a slow start, then additive increase and
multiplicative decrease: Chiu and Jain, 1989): an answer that took more than half of its clip's time is a sign that too
much waits, and the bound shrinks; answers in time let it grow while it is what binds. So what is accepted is answered
in time, whatever the capacity behind is and however it changes, and the rest is told at once to come back.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from lipsol.errors import Busy

START = 8.0  # clips with a deadline before anything was measured: two seconds of work for a slow core
FLOOR = 4.0  # below this nothing would be read together, and nothing be measured
EAGER = 1.0  # that an answer in time adds to the bound while it binds, until one came late for the first time
GROWTH = 0.25  # and what it adds from then on
SHRINK = 0.7  # of what is on its way, once an answer came late; once a round, since one jam makes many answers late
AIM = 0.5  # share of a clip's time that its answer may take: the rest is for what jams meanwhile
FORGET_S = 600.0  # a clip of which nothing was heard for so long is counted no more: its event went past this replica


@dataclass(frozen=True)
class _Flying:
    """since, deadline: seconds of the monotonic clock; deadline None: it has none."""

    since: float
    deadline: float | None


class Flight:
    """Counts clips from their acceptance to their answer. Safe to share between threads; `now`: seconds, monotonic."""

    def __init__(self, bound: int, retry_after_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._bound = bound
        self._retry_after_s = retry_after_s
        self._now = now
        self._changed = threading.Condition()
        self._clips: dict[str, _Flying] = {}  # the oldest first
        self._limit = min(START, float(bound))
        self._shrunk_at = float("-inf")

    def __contains__(self, clip_id: str) -> bool:
        return clip_id in self._clips

    @property
    def limit(self) -> float:
        """Clips that may be on their way before one with a deadline is turned away."""
        return self._limit

    def check(self, left_s: float | None = None) -> None:
        """Raise Busy if one more clip, with left_s seconds to its deadline (None: no such), would be turned away."""
        with self._changed:
            self._check(left_s)

    def enter(self, clip_id: str, left_s: float | None = None) -> None:
        """A clip is taken. Raises Busy at a bound."""
        with self._changed:
            if clip_id not in self._clips:
                self._check(left_s)
            self._add(clip_id, left_s)

    def add(self, clip_id: str, left_s: float | None = None) -> None:
        """The same for callers in this process, who bound themselves."""
        with self._changed:
            self._add(clip_id, left_s)

    def remove(self, clip_id: str, *, settled: bool = False) -> bool:
        """A clip is on its way no more; whether it was. `settled`: its answer came, and tells how long answers take."""
        with self._changed:
            flying = self._clips.pop(clip_id, None)
            if flying is not None and settled and flying.deadline is not None:
                self._learn(flying.since, flying.deadline)
            self._changed.notify_all()
            return flying is not None

    def wait(self, timeout_s: float) -> bool:
        """Wait until there is none; whether that took less than timeout_s."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._clips, timeout_s)

    def _check(self, left_s: float | None) -> None:
        now = self._now()
        while self._clips and now - next(iter(self._clips.values())).since > FORGET_S:
            del self._clips[next(iter(self._clips))]
        bound = self._bound if left_s is None else min(self._bound, int(self._limit))
        if len(self._clips) >= bound:
            detail = f"{len(self._clips)} clips wait to be read, as many as can be in time"
            raise Busy(detail, "try again later", self._retry_after_s)

    def _add(self, clip_id: str, left_s: float | None) -> None:
        now = self._now()
        self._clips.setdefault(clip_id, _Flying(now, None if left_s is None else now + left_s))

    def _learn(self, since: float, deadline: float) -> None:
        now, taken = self._now(), len(self._clips) + 1
        if now - since <= AIM * (deadline - since):
            if taken >= self._limit / 2:
                more = EAGER if self._shrunk_at == float("-inf") else GROWTH
                self._limit = min(float(self._bound), self._limit + more)
        elif since > self._shrunk_at:
            self._limit = max(FLOOR, SHRINK * min(self._limit, float(taken)))
            self._shrunk_at = now
