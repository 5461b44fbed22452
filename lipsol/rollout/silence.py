"""Whether a canary is silent: clips of users wait for it, and it answers none. Pure: times are told, Unix seconds.

The split is exact, so what stable read tells what the canary got meanwhile. That m sessions in a row all lie on
stable's side of a weight w has the chance (1 - w)^m, if nothing is wrong; of a session's clips the first alone says
anything. Each answer of the canary begins a new row, and the k-th row of a step spends 6 / (pi k)^2 of `alpha`, which
all together never exceed. Two things that the split does not tell are waited out:

- An answer takes time. A clip counts once it is half the patience old, and the first of them must be as old as all of
  it: `USUAL` times what the canary usually takes, and `PATIENCE_S` at least.
- Who reads a topic must have joined its group. Until its first answer, and after each time that it or the brokers were
  away, the patience is as long as a policy may live, and `JOIN_S` at least.

In a step of 100 % stable reads nothing, so clips are counted by half the rate at which they came before, and the
patience is `LULLS` times the longest that none came then, at least.
"""

import math
from collections import deque
from itertools import pairwise
from statistics import median

PATIENCE_S = 15.0  # a group misses a member of its own after 10 s, and then settles
USUAL = 5.0  # times what an answer usually takes
JOIN_S = 30.0  # for a group to hand over what another member had in hand
LEAST = 10.0  # clips that must be waiting: fewer are soon too few to tell from chance
LATE_S = 3.0  # a clip that waited longer, while stable answered nothing for as long: the brokers were away
LULLS = 3.0
HALF = 0.5  # of a rate that only was so before
RECENT = 64  # of the canary's answers, by which is told how long it takes
CAME = 512  # of the newest clips, by which is told how many come
MOST = 1 << 16  # of stable's clips since the canary's last answer


class Silence:
    """Listens to who answers, one step after the other. life_s: how long a policy may live."""

    def __init__(self, life_s: float) -> None:
        self._life_s = life_s
        self._weight = 0.0  # per cent; 0: no user waits for the canary
        self._since = math.inf  # the canary's last answer, or when it could first have given one
        self._away = self._joined = False
        self._row = 1
        self._read: list[tuple[float, int]] = []  # of stable's clips since then: when each came, and its part
        self._took: deque[float] = deque(maxlen=RECENT)
        self._came: deque[float] = deque(maxlen=CAME)
        self._stable_at = math.inf  # its newest answer; none yet: there is no pause before the first
        self._pause_at = -math.inf  # when it last answered again after a pause, unless that is known to be an outage

    def begin(self, weight: float, at: float) -> None:
        """A step begins. weight: per cent of the users that the canary reads for; 0: of none."""
        self._weight, self._row = weight, 1
        self._from(at)

    def away(self) -> None:
        """The canary is away: nobody is said to wait for it until it is back."""
        self._away = True
        self._from(math.inf)

    def back(self, at: float) -> None:
        """It is back."""
        self._away = self._joined = False
        self._from(at)

    def unknown(self, at: float) -> None:
        """What was answered until then can't be told: brokers were away."""
        if not self._away:
            self.back(at)

    def answered(self, received_at: float, at: float, *, shadow: bool) -> None:
        """The canary answered a clip, were it with an error: it is there."""
        if not shadow:
            self._arrived(received_at)
        self._took.append(max(0.0, at - received_at))
        if self._away or at < self._since:
            return
        self._row += 1
        self._joined = True
        self._since = at
        self._read = [each for each in self._read if each[0] > at]

    def stable(self, received_at: float, at: float, part: int) -> None:
        """Stable answered a clip. part: of the split; 0: not told, so it says nothing."""
        self._arrived(received_at)
        if at - self._stable_at > LATE_S:
            self._pause_at = at
        self._stable_at = at if math.isinf(self._stable_at) else max(self._stable_at, at)
        if received_at < min(self._pause_at, at - LATE_S):  # there was something to answer
            self._pause_at = -math.inf
            self.unknown(at)
        elif part and received_at > self._since and len(self._read) < MOST:
            self._read.append((received_at, part))

    def objection(self, now: float, alpha: float) -> str:
        """Why the canary is silent, for people; "": it is not, as far as one can know."""
        if not self._weight or not math.isfinite(self._since):
            return ""
        patience_s = self._patience_s()
        waiting, surprise = self._by_rate(now, patience_s) if self._weight >= 100 else self._by_split(now, patience_s)
        chance = alpha * 6 / (math.pi * self._row) ** 2
        if waiting < LEAST or surprise < -math.log(chance):
            return ""
        told = f"about {waiting:.0f} clips of users wait for it"
        return f"silent: {told}, and it has answered none for {now - self._since:.0f} s"

    def _from(self, at: float) -> None:
        self._since = math.inf if self._away else at
        self._read = []

    def _arrived(self, received_at: float) -> None:
        if self._weight < 100:
            self._came.append(received_at)

    def _patience_s(self) -> float:
        usual_s = USUAL * median(self._took) if self._took else 0.0
        return max(PATIENCE_S, usual_s, *(() if self._joined else (JOIN_S, self._life_s)))

    def _by_split(self, now: float, patience_s: float) -> tuple[float, float]:
        """How many clips wait, and how surprising that would be: the logarithm of one by its chance."""
        share = self._weight / 100
        due = [(came, part) for came, part in self._read if came <= now - patience_s / 2]
        if not due or min(due)[0] > now - patience_s:
            return 0.0, 0.0
        sessions = len({part for _, part in due})
        return len(due) * share / (1 - share), -sessions * math.log1p(-share)

    def _by_rate(self, now: float, patience_s: float) -> tuple[float, float]:
        """As by the split, from how many came before."""
        came = sorted(self._came)
        if len(came) < LEAST or came[0] == came[-1]:
            return 0.0, 0.0
        lull_s = max(later - before for before, later in pairwise(came))
        if now - self._since < max(patience_s, LULLS * lull_s):
            return 0.0, 0.0
        waiting = HALF * (len(came) - 1) / (came[-1] - came[0]) * (now - self._since - patience_s / 2)
        return waiting, waiting
