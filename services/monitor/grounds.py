"""What there is to decide on when something is found: the policy of now, and what a model meant before.

The registry is asked in a thread of its own, as soon as a bundle is looked at and again now and then: who counts, or
shows what was counted, never waits for it.
"""

import time
from collections.abc import Callable
from threading import Lock, Thread

import structlog

from lipsol.errors import LipsolError
from lipsol.promotion import before
from lipsol.registry.port import Registry
from lipsol.runtime.policy import LivePolicy
from services.monitor.actions import Ground
from services.monitor.group import Group

ASK_S = 60.0  # between two times that the registry is asked about a bundle
MOST = 64  # bundles about which is remembered what it said

log = structlog.get_logger()


class Grounds:
    """Knows both, and waits for neither. Safe between threads.

    What can't be told just now is taken to be as it was told last, or nothing: then less is done, and people are asked.

    now: seconds of a clock that never runs backwards
    """

    def __init__(self, policy: LivePolicy, registry: Registry, now: Callable[[], float] = time.monotonic) -> None:
        self._policy, self._registry, self._now = policy, registry, now
        self._before: dict[tuple[str, str], tuple[str, float]] = {}  # what it was before, and when to ask again
        self._lock = Lock()

    def __call__(self, group: Group) -> Ground:
        try:
            policy = self._policy.policy(0.0)
        except LipsolError:
            policy = None
        return Ground(policy, self._previous(group))

    def ended(self) -> bool:
        """Whether no canary may read any more; no, where that can't be told."""
        try:
            return not self._policy.live()
        except LipsolError:
            return False

    def ask(self, group: Group) -> None:
        """Ask the registry what the group's model meant before, waiting for it."""
        known = (group.model, group.digest)
        previous = None
        try:
            previous = before(self._registry.history(group.model), group.model)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is asked again
            log.warning("history-not-known", model=group.model, reason=getattr(fault, "detail", type(fault).__name__))
        with self._lock:
            told = self._before.get(known, ("", 0.0))[0] if previous is None else previous
            self._before[known] = (told, self._now() + ASK_S)

    def _previous(self, group: Group) -> str:
        """What is known of it; asks for it where that is old."""
        known = (group.model, group.digest)
        with self._lock:
            previous, again_at = self._before.get(known, ("", float("-inf")))
            if self._now() < again_at:
                return previous
            self._before[known] = (previous, float("inf"))
            while len(self._before) > MOST:
                del self._before[next(iter(self._before))]
        Thread(target=self.ask, args=(group,), name="grounds", daemon=True).start()
        return previous
