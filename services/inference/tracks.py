"""What a deployment of each track consists of: who reads which topic, when, and by which bundle.

- stable reads its own topic always, and the canary's, in the canary's group, while no policy lets a canary live.
- canary reads its topic while a policy lets it live, and only if it can use the policy's bundle: else it is not ready
  and takes nothing, so that nothing is lost on it before the policy ends and stable comes.
- both reads both topics always, each as its own track does.
"""

import time
from dataclasses import dataclass

from lipsol.bus.port import Bus
from lipsol.errors import LipsolError, ModelError, NotFound
from lipsol.events import Track
from lipsol.runtime.clock import Clock, SystemClock
from lipsol.runtime.policy import LivePolicy
from lipsol.runtime.telemetry import Telemetry
from lipsol.runtime.worker import Worker
from lipsol.store.claims import Claims
from lipsol.topics import CANARY_MOUTHS, STABLE_MOUTHS, Topic
from services.doors.service import Working
from services.inference.core import Core
from services.inference.draining import DrainBus
from services.inference.gate import Gate
from services.inference.handler import Handler
from services.inference.models import Models
from services.inference.settings import InferenceSettings

NAME = "inference"
STABLE_GROUP, CANARY_GROUP = "inference-stable", "inference-canary"
DRAIN = "inference-drain"  # stable, where it reads what waits for a canary that is no more
BUNDLE_EVERY_S = 5.0  # between two tries to open a canary's bundle that could not be used


@dataclass(frozen=True)
class Tracks:
    """What a deployment of each track consists of."""

    settings: InferenceSettings
    bus: Bus
    core: Core
    claims: Claims
    telemetry: Telemetry

    def workers(self) -> list[Working]:
        """The workers of the track that is set, in the order in which they start."""
        if self.settings.track == "both":
            return [self._stable(), self._canary()]
        policy = LivePolicy(self.bus, stage=NAME, telemetry=self.telemetry)
        if self.settings.track == "canary":
            return [policy, Gate(self._canary(), Wanted(policy, self.core.models), CANARY_GROUP)]
        return [policy, self._stable(), Gate(self._drain(policy), lambda: not policy.live(), DRAIN)]

    def _stable(self) -> Worker:
        return self._worker(self.bus, STABLE_MOUTHS, STABLE_GROUP, NAME, "stable")

    def _canary(self) -> Worker:
        return self._worker(self.bus, CANARY_MOUTHS, CANARY_GROUP, CANARY_GROUP, "canary")

    def _drain(self, policy: LivePolicy) -> Worker:
        return self._worker(DrainBus(self.bus, lambda: not policy.live()), CANARY_MOUTHS, CANARY_GROUP, DRAIN, "stable")

    def _worker(self, bus: Bus, topic: Topic, group: str, stage: str, track: Track) -> Worker:
        handler = Handler(self.core, self.claims, time.time, self.telemetry, track)
        return Worker(
            bus,
            [topic.name],
            group,
            handler.handle,
            batch=2 * self.settings.batch,  # one in the network while the other's words are searched for
            attempts=self.settings.attempts,
            stage=stage,
            telemetry=self.telemetry,
        )


class Wanted:
    """Whether a canary shall read: a policy lets it live, and its bundle can be used. Else stable reads it all."""

    def __init__(self, policy: LivePolicy, models: Models, clock: Clock | None = None) -> None:
        self._policy, self._models, self._clock = policy, models, clock or SystemClock()
        self._checked: tuple[str, LipsolError | None] | None = None  # the bundle looked at last, and what was wrong
        self._again_at = 0.0

    def __call__(self) -> bool:
        """Raises NotFound or ModelError for a bundle that can't be used, Transient while the policy is not known."""
        if not self._policy.live():
            return False
        bundle = self._policy.policy().canary_digest
        if self._checked is None or self._checked[0] != bundle or self._due():
            self._checked = (bundle, self._fault(bundle))
            self._again_at = self._clock.monotonic() + BUNDLE_EVERY_S
        fault = self._checked[1]
        if fault is not None:
            raise fault
        return True

    def _due(self) -> bool:
        """Whether a bundle that could not be used is to be looked at again."""
        faulty = self._checked is not None and self._checked[1] is not None
        return faulty and self._clock.monotonic() >= self._again_at

    def _fault(self, bundle: str) -> LipsolError | None:
        try:
            if bundle:
                self._models.usable(bundle)
        except (NotFound, ModelError) as fault:
            return type(fault)(f"the canary's bundle {bundle[:12]} can't be used: {fault.detail}", fault.cure)
        return None
