"""What an analyst tells: events on the rollouts' topic, at each change and at least every `EVERY_S`; and its log."""

from dataclasses import dataclass, field

import structlog

from lipsol.bus.port import Bus
from lipsol.errors import LipsolError
from lipsol.events import Looked, RolloutLooked, Told
from lipsol.rollout.evidence import Evidence
from lipsol.rollout.gates import Finding
from lipsol.rollout.ramp import Ramp
from lipsol.runtime.clock import Clock
from lipsol.runtime.envelope import wrap
from services.analyst.settings import AnalystSettings

NAME = "analyst"  # who publishes, in envelopes
EVERY_S = 10.0  # who hears nothing for longer may take an analyst for dead

log = structlog.get_logger()


@dataclass
class Teller:
    """Tells of one rollout. A word that can't be told is logged, and stops nothing; no "hold" is tried soon after."""

    settings: AnalystSettings
    bus: Bus
    clock: Clock
    _last: tuple[str, str] = field(default=("", ""), init=False)
    _told_at: float = field(default=float("-inf"), init=False)
    _failed_at: float = field(default=float("-inf"), init=False)

    def tell(
        self,
        ramp: Ramp,
        what: Looked,
        reason: str,
        *,
        evidence: Evidence | None = None,
        findings: tuple[Finding, ...] = (),
        expires_at: float = 0.0,
        at: float | None = None,
    ) -> None:
        """Tell of a look, unless that was told just now.

        evidence  of the step; None: nothing was looked at
        at        when it was decided, Unix seconds; None: now
        """
        now, told_at = self.clock.now(), self.clock.monotonic()
        if (what, reason) == self._last and told_at - self._told_at < EVERY_S:
            return
        if what == "hold" and told_at - self._failed_at < EVERY_S:
            return
        evidence = evidence or Evidence()
        asked, step = self.settings, ramp.now
        event = RolloutLooked(
            release=asked.release,
            namespace=asked.namespace,
            revision=asked.revision,
            bundle=asked.canary_digest,
            way=asked.plan.way,
            step=ramp.step,
            steps=len(asked.plan.steps),
            kind=step.kind,
            weight=step.weight,
            what=what,
            reason=reason,
            findings=tuple(map(_told, findings)),
            canary_clips=evidence.canary.clips,
            baseline_clips=evidence.baseline.clips,
            began_at=ramp.began_at,
            deadline_at=ramp.began_at + asked.plan.deadline_s,
            expires_at=expires_at,
            looked_at=now if at is None else at,
        )
        if what != "hold" or self._last[0] != "hold":
            log.info("rollout", what=what, step=ramp.step + 1, kind=step.kind, weight=step.weight, reason=reason)
        if publish(self.bus, event, now):
            self._last, self._told_at = (what, reason), told_at
        else:
            self._failed_at = told_at


def publish(bus: Bus, event: RolloutLooked, now: float) -> bool:
    """Put it on its topic; False, and a line in the log, where that fails."""
    try:
        out = wrap(event, NAME, now)
        bus.publish(out.topic, out.key, out.value, out.headers)
    except LipsolError as fault:  # the topic may be older than this release, or the brokers away
        log.warning("rollout-not-told", what=event.what, reason=fault.detail)
        return False
    return True


def _told(found: Finding) -> Told:
    return Told(found.measure, found.canary, found.baseline, found.low, found.high, found.margin, found.said)
