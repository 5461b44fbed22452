"""Who rules the traffic: the analyst, until somebody else sets a policy.

- The log's order decides. What another sets after the analyst's first policy takes the seat, and it is never taken
  back: nothing but stable is set from then on.
- Before its first policy another analyst is no other: the one of the upgrade before may still be leaving.
- If a renewal of its own lands behind another's policy, the log says something that nobody wants: it is set to stable.
"""

import math
from collections import deque

import structlog

from lipsol.bus.port import Bus, Message
from lipsol.errors import BadInput
from lipsol.runtime.clock import Clock
from lipsol.runtime.envelope import wrap
from lipsol.runtime.policy import policy_of
from lipsol.topics import TRAFFIC
from lipsol.traffic import STABLE, Policy, live
from services.analyst.feed import Feed

ANALYST = "analyst"  # what every analyst's name begins with
HAND_BACK = "hand-back"  # and every hand-back's
SEEN_S = 1.0  # within which what was published is read again; else the next look reads it
REMEMBERED = 64  # policies of its own: many more than can be on their way

log = structlog.get_logger()


class Seat:
    """The traffic topic, as one analyst sees it. name: by which it sets policies."""

    def __init__(self, bus: Bus, name: str, clock: Clock) -> None:
        self._bus, self._name, self._clock = bus, name, clock
        self._feed = Feed(bus, [TRAFFIC.name])
        self._own: deque[str] = deque(maxlen=REMEMBERED)  # ids of the envelopes
        self._looked = self._sat = False
        self._newest, self._newest_own = STABLE, False
        self._taken: Policy | None = None
        self.handed_back_at = -math.inf  # the newest hand-back that is kept, Unix seconds: Helm went over stable then

    @property
    def taken(self) -> str:
        """Who took the seat, and why, for people; "": nobody."""
        if self._taken is None:
            return ""
        why = f": {self._taken.reason}" if self._taken.reason else ""
        return f"{self._taken.set_by or 'somebody'} set mode {self._taken.mode}{why}"

    @property
    def anothers(self) -> bool:
        """Whether another analyst rules now, whose canary must be left alone."""
        return not self._newest_own and self._taken is not None and _analyst(self._newest) and self._live()

    @property
    def expires_at(self) -> float:
        """When the policy that rules runs out, Unix seconds; 0.0: all is stable's."""
        return self._newest.expires_at if self._live() else 0.0

    def look(self, wait_s: float = 0.0) -> None:
        """Read on. Raises as `Bus.consumer`."""
        for message in self._feed.read(wait_s):
            self._take(message)
        self._looked = True

    def set(self, policy: Policy) -> None:
        """Set a policy, unless another has the seat. Raises as `Bus.publish`, and may have been held all the same."""
        self.look()
        if self._taken is None:
            self._publish(policy)

    def leave(self, reason: str) -> None:
        """Give all to stable, unless another did or another analyst rules. Raises as `Bus.publish`."""
        self.look()
        if self._taken is None or (self._live() and not self.anothers):
            self._publish(Policy(set_by=self._name, reason=reason, set_at=self._clock.now()))

    def close(self) -> None:
        """Look no more."""
        self._feed.close()

    def _publish(self, policy: Policy) -> None:
        out = wrap(policy.event(), ANALYST, self._clock.now())
        self._own.append(out.headers["ce_id"])
        self._bus.publish(out.topic, out.key, out.value, out.headers)
        log.info("policy-set", mode=policy.mode, weight=policy.weight, expires_at=policy.expires_at)
        self.look(SEEN_S)

    def _take(self, message: Message) -> None:
        try:
            policy = policy_of(message)
        except BadInput as fault:  # it never becomes the policy, so it takes nothing
            log.warning("policy-refused", offset=message.offset, reason=fault.detail, cure=fault.cure)
            return
        own = message.headers.get("ce_id", "") in self._own
        self._newest, self._newest_own = policy, own
        if policy.set_by.split(" ")[0] == HAND_BACK:
            self.handed_back_at = max(self.handed_back_at, policy.set_at)
        self._sat = self._sat or own
        if not own and self._taken is None and (self._sat or (self._looked and not _analyst(policy))):
            self._taken = policy
            log.warning("policy-of-another", set_by=policy.set_by, mode=policy.mode, reason=policy.reason)

    def _live(self) -> bool:
        return live(self._newest, self._clock.now())


def _analyst(policy: Policy) -> bool:
    return policy.set_by.split(" ")[0] == ANALYST
