"""What an operator does, on the bus itself: each operation is a method that takes and gives plain values.

`OPERATIONS` names those that go through the door as well; `remote.Remote` has the same methods.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lipsol.bus.port import Bus
from lipsol.events import ActionTaken, DriftDetected, Mode, Track
from lipsol.registry.port import Registry
from lipsol.runtime.envelope import wrap
from lipsol.runtime.policy import read_policy
from lipsol.store.port import Store
from lipsol.traffic import Policy, live
from services.operating import drifting, rollouts
from services.operating.letters import Again, Letter, Letters, Opened, Wanted
from services.operating.rollouts import Rollout
from services.operating.story import Story, tell

NAME = "operating"  # who publishes, in envelopes
OPERATIONS = (
    "traffic", "set_traffic", "abort", "rollouts", "letters", "letter", "replay", "replay_all", "story",
    "findings", "actions", "take", "accept",
)  # fmt: skip


@dataclass(frozen=True)
class TrafficState:
    """What rules the traffic now.

    mode, weight, canary_digest, expires_at, set_by, reason, set_at  the policy as it was set: see `TrafficSet`
    live          whether a canary may get anything now
    expires_in_s  seconds for which that stays so if nobody renews it; 0.0 where it is not live
    """

    mode: Mode
    weight: float
    canary_digest: str
    expires_at: float
    set_by: str
    reason: str
    set_at: float
    live: bool
    expires_in_s: float


class Operating(Protocol):
    """The operations, wherever the platform is."""

    def traffic(self) -> TrafficState:
        """What rules the traffic now."""
        ...

    def set_traffic(
        self, mode: Mode, weight: float, life_s: float, *, canary_digest: str = "", set_by: str, reason: str = ""
    ) -> TrafficState:
        """Have a policy rule from now on, for life_s seconds (of mode stable: for ever).

        Raises BadInput for one that can't be meant, NotFound for a bundle that is known not to be here.
        """
        ...

    def abort(self, *, set_by: str, reason: str = "") -> TrafficState:
        """Send all to stable from now on; what waits for the canary is read by stable."""
        ...

    def rollouts(self, *, release: str = "", since: float = 0.0) -> list[Rollout]:
        """The rollouts of that release, or of all, that were told of since then, the newest first."""
        ...

    def letters(self, wanted: Wanted) -> list[Letter]:
        """The dead letters that are wanted, oldest first."""
        ...

    def letter(self, name: str) -> Opened:
        """One dead letter with what is in it. Raises NotFound."""
        ...

    def replay(self, name: str, *, by: str, mended: str = "") -> Again:
        """Send a dead letter's message again; `mended`: its event as JSON, edited. Raises NotFound and BadInput."""
        ...

    def replay_all(self, wanted: Wanted, *, by: str) -> list[Again]:
        """Send all again that are wanted and have not been sent again yet."""
        ...

    def story(self, clip_id: str, *, since: float = 0.0, words: bool = False) -> Story:
        """What is known of a clip, step by step. Raises NotFound."""
        ...

    def findings(self, *, since: float = 0.0) -> list[DriftDetected]:
        """The last word on each finding of drift, what was found last first."""
        ...

    def actions(self, *, since: float = 0.0) -> list[ActionTaken]:
        """What was done about drift or proposed, the newest first."""
        ...

    def take(self, name: str, *, by: str) -> ActionTaken:
        """Take up what was proposed; gives what it became. Raises NotFound and BadInput."""
        ...

    def accept(
        self, *, track: Track = "stable", digest: str = "", language: str = "", by: str, reason: str = ""
    ) -> list[ActionTaken]:
        """Let what is seen now be the new normal of that track. Raises NotFound.

        digest: "" for every model that drifts there now; language: "" for every one
        """
        ...


@dataclass(frozen=True)
class Operations:
    """The operations over ports. registry: None where it is not known what the platform can read with."""

    bus: Bus
    store: Store
    registry: Registry | None = None
    now: Callable[[], float] = time.time

    def traffic(self) -> TrafficState:
        return _state(read_policy(self.bus), self.now())

    def set_traffic(
        self, mode: Mode, weight: float, life_s: float, *, canary_digest: str = "", set_by: str, reason: str = ""
    ) -> TrafficState:
        now = self.now()
        expires_at = 0.0 if mode == "stable" else now + life_s
        policy = Policy(mode, weight, canary_digest, expires_at, set_by, reason, now)
        if canary_digest and self.registry is not None:
            self.registry.find(canary_digest)
        return self._set(policy)

    def abort(self, *, set_by: str, reason: str = "") -> TrafficState:
        return self._set(Policy(set_by=set_by, reason=reason, set_at=self.now()))

    def rollouts(self, *, release: str = "", since: float = 0.0) -> list[Rollout]:
        return rollouts.rollouts(self.bus, self.now(), release, since)

    def letters(self, wanted: Wanted) -> list[Letter]:
        return self._letters.listed(wanted)

    def letter(self, name: str) -> Opened:
        return self._letters.opened(name)

    def replay(self, name: str, *, by: str, mended: str = "") -> Again:
        return self._letters.replay(name, by, self.now(), mended)

    def replay_all(self, wanted: Wanted, *, by: str) -> list[Again]:
        return self._letters.replay_all(wanted, by, self.now())

    def story(self, clip_id: str, *, since: float = 0.0, words: bool = False) -> Story:
        return tell(self.bus, clip_id, since, words=words)

    def findings(self, *, since: float = 0.0) -> list[DriftDetected]:
        return drifting.findings(self.bus, since)

    def actions(self, *, since: float = 0.0) -> list[ActionTaken]:
        return drifting.actions(self.bus, since)

    def take(self, name: str, *, by: str) -> ActionTaken:
        return drifting.take(self.bus, name, by, self.now())

    def accept(
        self, *, track: Track = "stable", digest: str = "", language: str = "", by: str, reason: str = ""
    ) -> list[ActionTaken]:
        return drifting.accept(self.bus, by, self.now(), track=track, digest=digest, language=language, reason=reason)

    @property
    def _letters(self) -> Letters:
        return Letters(self.bus, self.store)

    def _set(self, policy: Policy) -> TrafficState:
        self.bus.publish_all([wrap(policy.event(), NAME, policy.set_at)])
        return _state(policy, policy.set_at)


def _state(policy: Policy, now: float) -> TrafficState:
    rules = live(policy, now)
    return TrafficState(
        mode=policy.mode,
        weight=policy.weight,
        canary_digest=policy.canary_digest,
        expires_at=policy.expires_at,
        set_by=policy.set_by,
        reason=policy.reason,
        set_at=policy.set_at,
        live=rules,
        expires_in_s=policy.expires_at - now if rules else 0.0,
    )
