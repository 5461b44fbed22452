"""Whether a person tries again: the same session sends another clip of its own within a minute.

- What continues a stream is no new try: it came as soon as it was long, with no time in between to look at an answer.
- What is kept is a session's last clip and when it came, for a minute, in this process alone. So of several replicas
  each knows its own sessions, and a try that another one takes is not seen: the figure is never too high, and of N
  replicas among which requests are spread at random it has about one try in N. Spread them by client to see all.
- A repeat of a clip, under its idempotency key, is the same try.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

WITHIN_S = 60.0  # after it, a clip is a new wish
LOOK_S = 1.0  # that looking at an answer and beginning anew takes at least
SESSIONS_MAX = 10_000  # that are remembered; of more, the one that was silent longest is forgotten


@dataclass(frozen=True)
class _Try:
    """A session's last clip, when it came, and how long after the one before (None: there was none)."""

    clip_id: str
    at: float
    after_s: float | None


class Tries:
    """The last clip of each session. Safe to share between threads."""

    def __init__(self, most: int = SESSIONS_MAX) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._last: OrderedDict[str, _Try] = OrderedDict()

    def begin(self, session: str, clip_id: str, at: float) -> float | None:
        """A clip of a session came at `at`, Unix seconds. How long after that session's clip before it; None: longer
        than a minute, or there was none, or it is of no session.
        """
        if not session:
            return None
        with self._lock:
            self._forget(at)
            before = self._last.get(session)
            if before is None and len(self._last) >= self._most:
                self._last.popitem(last=False)
            if before is None or before.clip_id != clip_id:
                self._last[session] = _Try(clip_id, at, None if before is None else at - before.at)
            self._last.move_to_end(session)
            return self._last[session].after_s

    def _forget(self, now: float) -> None:
        while self._last and now - next(iter(self._last.values())).at > WITHIN_S:
            self._last.popitem(last=False)


def again(after_s: float | None, seconds: float) -> bool:
    """Whether a clip of that length, come so long after the one before it, is another try and continues no stream."""
    return after_s is not None and after_s > seconds + LOOK_S
