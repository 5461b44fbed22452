"""Which deployment reads a clip: the policy that rules the traffic, and the split that follows from it. Pure.

- The split is a function of the name, the policy and the time, and of nothing else: whoever asks, wherever, gets the
  same answer, so REST, gRPC and batches are split alike by any number of edges.
- It is exact: the name's hash is even over its range, and its part below the weight goes to the canary. So a larger
  weight keeps all that a smaller one had sent there.
- Canary traffic needs somebody who renews it: a policy ends by itself, at its expiry, and then all goes to stable.
- The way back is never refused: of mode stable nothing else is looked at.
"""

import hashlib
import math
import re
from dataclasses import dataclass, replace
from typing import get_args

from lipsol.errors import BadInput
from lipsol.events import Mode, MouthReady, Track, TrafficSet
from lipsol.topics import CANARY_MOUTHS

LIFE_MAX_S = CANARY_MOUTHS.retention_s  # of a policy: what it sent to the canary must still be there when it ends
PLACES = 2**64  # that a name can have: the first 8 bytes of its SHA-256
PARTS = 2**16  # of the split, that readings tell: enough to tell sessions apart, too few to name one
DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Policy:
    """A valid `TrafficSet`: fields as there. Raises BadInput for one that can't be meant."""

    mode: Mode = "stable"
    weight: float = 0.0
    canary_digest: str = ""
    expires_at: float = 0.0
    set_by: str = ""
    reason: str = ""
    set_at: float = 0.0

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            raise BadInput(f"traffic mode {self.mode!r}", f"give one of {', '.join(get_args(Mode))}")
        if self.mode == "stable":
            return
        if not 0 <= self.weight <= 100:
            raise BadInput(f"a weight of {self.weight:g} %", "give 0 to 100")
        if self.mode == "blueGreen" and self.weight not in {0, 100}:
            raise BadInput(f"a weight of {self.weight:g} % for blueGreen", "give 0 or 100, or take mode canary")
        if self.canary_digest and not DIGEST.fullmatch(self.canary_digest):
            raise BadInput(
                f"canary digest {self.canary_digest[:80]!r}", "give the 64 hex digits of a bundle's sha256, or none"
            )
        self._check_expiry()

    def _check_expiry(self) -> None:
        life_s = self.expires_at - self.set_at
        if not math.isfinite(self.expires_at) or self.expires_at <= 0:
            raise BadInput(f"mode {self.mode} with expiry {self.expires_at:g}", "say until when it holds, in Unix time")
        if life_s > LIFE_MAX_S:
            raise BadInput(
                f"mode {self.mode} for {life_s:.0f} s",
                f"give at most {LIFE_MAX_S:.0f} s, and renew it",
            )

    @classmethod
    def of(cls, event: TrafficSet) -> "Policy":
        """The policy that an event sets. Raises BadInput."""
        return cls(
            event.mode,
            event.weight,
            event.canary_digest,
            event.expires_at,
            event.set_by,
            event.reason,
            event.set_at,
        )

    def event(self) -> TrafficSet:
        """The event that sets it."""
        return TrafficSet(
            self.mode, self.weight, self.canary_digest, self.expires_at, self.set_by, self.reason, self.set_at
        )


STABLE = Policy()  # what holds where nobody ever set anything


@dataclass(frozen=True)
class Route:
    """Where a clip goes.

    track   the deployment whose reading is the answer
    bundle  digest of the bundle that the canary shall read with, in its own events and in copies; "": the default
    copy    True: the canary gets a copy as well, to be read for comparison alone
    """

    track: Track
    bundle: str = ""
    copy: bool = False


def live(policy: Policy, now: float) -> bool:
    """Whether a canary may get anything at `now` (Unix seconds): some mode but stable, and not expired."""
    return policy.mode != "stable" and now < policy.expires_at


def route(name: str, policy: Policy, now: float) -> Route:
    """Where the session or clip of that name goes at `now` (Unix seconds)."""
    if not live(policy, now) or place(name) >= policy.weight / 100 * PLACES:
        return Route("stable")
    if policy.mode == "shadow":
        return Route("stable", policy.canary_digest, copy=True)
    return Route("canary", policy.canary_digest)


def routed(event: MouthReady, way: Route) -> list[MouthReady]:
    """What to publish for a mouth: its event on the way's track and, where the way says so, the canary's copy."""
    if way.track == "canary":
        return [replace(event, track="canary", shadow=False, bundle=way.bundle)]
    answered = replace(event, track="stable", shadow=False, bundle="")
    copies = [replace(event, track="canary", shadow=True, bundle=way.bundle)] if way.copy else []
    return [answered, *copies]


def place(name: str) -> int:
    """The name's place in [0, PLACES)."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def part(name: str) -> int:
    """The part of the split in which the name lies, from 1 to `PARTS`: the same for all clips of a session."""
    return place(name) * PARTS // PLACES + 1
