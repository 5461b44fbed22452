"""The analyst: walks a release's canary through the steps, and judges it at each. Its verdict is Helm's.

- It coordinates with nobody but by the traffic topic (`services.analyst.seat`). Its policies run out by themselves: if
  it dies, hangs or loses the brokers, all is stable's again after `expiry_s`, and nothing has to be done for that.
- Stable is given everything first, then that is told, then the canary's Deployment goes, then Kubernetes hears why.
- It judges for as long as Helm waits for it: once the release's revision is no longer being upgraded to, or a later one
  is there, it stands down. So it does on SIGTERM, and when somebody else sets a policy.
- What it can't learn just now (brokers, API server, registry or Prometheus are away) holds it, until its deadline.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event as Flag
from typing import Literal, TypeVar

import structlog

from lipsol.bus.port import Bus, Message
from lipsol.errors import BadInput, LipsolError, ModelError, NotFound, Transient
from lipsol.events import Looked, Mode
from lipsol.registry.port import ModelInfo
from lipsol.rollout.evidence import Evidence
from lipsol.rollout.gates import Finding
from lipsol.rollout.ramp import Ramp
from lipsol.runtime.clock import Clock, SystemClock
from lipsol.traffic import Policy
from services.analyst.canary import Canary
from services.analyst.cluster import Cluster, Denied
from services.analyst.drift import EARLIER_S, Drift
from services.analyst.feed import Feed
from services.analyst.gathering import TOPICS, Gathering, Sought
from services.analyst.patience import patiently
from services.analyst.promql import Prometheus
from services.analyst.seat import Seat
from services.analyst.settings import AnalystSettings
from services.analyst.teller import Teller

Check = Callable[[str], ModelInfo]

SAID = {"pass": "observed", "abort": "aborted", "stood-down": "stood down"}  # of what is not let in
UPGRADING = "pending-upgrade"  # as Helm says it of a revision that hooks still run for
LOST_S = 30.0  # at least, for which a canary that was there may be away: a pod is replaced in less; and for which
# Kubernetes may deny what it is asked, on end: a token or a role that is made anew is there in less
STARTS = 2  # of a container that ends before it was ever available: the first time something else may not be there yet
SLOW_S = 3.0  # that reading and setting the policy may take, or else the brokers were away
LEAVE_S = 20.0  # that giving all to stable is tried at the end: less than a pod has to leave

log = structlog.get_logger()

T = TypeVar("T")


@dataclass(frozen=True)
class Verdict:
    """How a rollout ended, and by what. spoilt: by a bundle that no repetition mends."""

    what: Literal["pass", "abort", "stood-down"]
    reason: str
    spoilt: bool = False
    evidence: Evidence | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def sentence(self) -> str:
        """For people: what became of a release that is not let in, and why."""
        return f"{SAID[self.what]}: {self.reason}"


@dataclass
class Analyst:
    """One rollout. check: a bundle that may be released, by its digest, or it raises; stop: told to leave."""

    settings: AnalystSettings
    bus: Bus
    cluster: Cluster
    check: Check
    clock: Clock = field(default_factory=SystemClock)
    stop: Flag = field(default_factory=Flag)

    def __post_init__(self) -> None:
        asked = self.settings
        began_at = self.clock.now()
        self._name = f"analyst {asked.release} v{asked.revision}"
        self._ramp = Ramp.begin(asked.plan, asked.gates, began_at)
        self._seat = Seat(self.bus, self._name, self.clock)
        self._feed = Feed(self.bus, TOPICS, began_at - EARLIER_S)
        self._teller = Teller(asked, self.bus, self.clock)
        self._prometheus = Prometheus(asked.prometheus, asked.promql)
        self._gathering: Gathering | None = None  # None: the bundles were not checked yet
        self._drifts: tuple[Drift, ...] = ()  # of what reads a language by this release, the canary's bundle first
        self._denied: dict[str, float] = {}  # what Kubernetes denies, and since when
        self._uid = ""  # of the canary's Deployment; "": it was not seen yet
        self._job_uid = ""  # of its own Job: the next upgrade's has the same name
        self._restarts: Mapping[str, int] | None = None  # of its containers, when it became available; None: not yet
        self._lost_at: float | None = None
        self._entered = -1  # the step whose policy is set
        self._renew_at = 0.0
        self._watched, self._pending = True, False  # whether Helm's Secret tells of the release, and whether it did

    def run(self) -> Verdict:
        """Judge until there is a verdict, and carry it out."""
        try:
            verdict = self._judged()
        except Exception as fault:  # whatever it is, users go back to stable
            log.exception("analyst-failed")
            said = str(fault) if isinstance(fault, LipsolError) else type(fault).__name__
            verdict = Verdict("abort", f"the analyst failed: {said}")
        self._end(verdict)
        self._seat.close()
        self._feed.close()
        return verdict

    def _judged(self) -> Verdict:
        plan = self.settings.plan
        self._tell("began", f"{plan.way} in {len(plan.steps)} steps")
        if self.settings.job:
            with suppress(LipsolError):
                self._job_uid = self.cluster.job_uid(self.settings.job)
        verdict = self._turn()
        while verdict is None:
            self.clock.wait(self.stop, self.settings.look_s)
            verdict = self._turn()
        return verdict

    def _turn(self) -> Verdict | None:
        """One look at everything; None: it goes on."""
        if self.stop.is_set():
            return Verdict("stood-down", "told to leave (SIGTERM)")
        asked_at = self.clock.monotonic()
        try:
            self._seat.look()
            self._renew()
            if self.clock.monotonic() - asked_at > SLOW_S and self._gathering:
                self._gathering.unknown(self.clock.now())
            return self._others() or self._ready() or self._walk()
        except Transient as away:
            return self._hold(away.detail)

    def _others(self) -> Verdict | None:
        """Whether somebody else took over, or nobody waits for a verdict any more."""
        why = f"another took over: {self._seat.taken}" if self._seat.taken else self._release_over()
        return Verdict("stood-down", why) if why else None

    def _release_over(self) -> str:
        """Why nobody waits for a verdict; "": Helm does, or that can't be told."""
        release, revision = self.settings.release, self.settings.revision
        if not self._watched:
            return ""
        try:
            status = self._asked("release", lambda: self.cluster.release_status(release, revision))
        except Transient:
            return ""
        except NotFound as fault:
            if self._pending:
                return f"{release} v{revision} is gone"
            log.warning("release-not-watched", reason=fault.detail, cure=fault.cure)
            self._watched = False  # Helm keeps its releases elsewhere, or this is no Helm
            return ""
        self._pending = True
        if status != UPGRADING:
            return f"{release} v{revision} is {status or 'in no state'}, so Helm does not wait any more"
        with suppress(BadInput, Transient):
            return f"{release} v{revision + 1} is {self.cluster.release_status(release, revision + 1)} already"
        return ""

    def _asked(self, what: str, ask: Callable[[], T]) -> T:
        """What Kubernetes says. Raises as that does, and BadInput for what it denied for `LOST_S` on end."""
        try:
            answer = ask()
        except Denied as fault:
            now = self.clock.monotonic()
            denied_s = now - self._denied.setdefault(what, now)
            if denied_s >= LOST_S:
                raise BadInput(f"{fault.detail}, for {denied_s:.0f} s", fault.cure) from fault
            raise
        except NotFound:
            self._denied.pop(what, None)
            raise
        self._denied.pop(what, None)
        return answer

    def _ready(self) -> Verdict | None:
        """A verdict where there is no bundle that may be released, or no canary that is well.

        Raises Transient while the canary is waited for.
        """
        if self._gathering is None:
            try:
                self._gathering = self._checked()
            except (BadInput, ModelError) as fault:
                return Verdict("abort", f"the bundle may not be released: {fault}", spoilt=True)
        try:
            canary = self._asked("canary", lambda: self.cluster.canary(self.settings.deployment))
        except NotFound as fault:
            return Verdict("abort", f"the canary is gone: {fault.detail}")
        except Transient:
            if self._restarts is None:
                raise
            return None  # what is on its way goes on without Kubernetes
        return self._replaced(canary) or self._crashed(canary) or self._lost(canary)

    def _checked(self) -> Gathering:
        """What gathers, once all that the release reads by may be released. Raises as `check`."""
        asked = self.settings
        digests = dict.fromkeys(digest for digest in (asked.canary_digest, *asked.bundles) if digest)
        infos = {digest: self.check(digest) for digest in digests}
        reads: dict[str, str] = {}  # the first of a language reads it
        for digest, info in infos.items():
            reads.setdefault(info.language, digest)
        began_at, steps = self._ramp.began_at, asked.plan.steps
        meanwhile = not all(step.alone for step in steps)
        self._drifts = tuple(Drift(each, language, began_at, meanwhile=meanwhile) for language, each in reads.items())
        language = infos[asked.canary_digest].language if asked.canary_digest else ""
        return Gathering(Sought(asked.canary_digest, language), asked.plan.expiry_s)

    def _replaced(self, canary: Canary) -> Verdict | None:
        self._uid = self._uid or canary.uid
        if canary.uid == self._uid:
            return None
        return Verdict("stood-down", f"{self.settings.deployment} is another one now, made by somebody else")

    def _crashed(self, canary: Canary) -> Verdict | None:
        for crash in canary.crashes:
            if self._restarts is None:
                grave = crash.loops or crash.count >= STARTS
            else:
                grave = crash.count > self._restarts.get(crash.container, -1)
            if grave:
                return Verdict("abort", f"the canary's {crash.container} ended ({crash.words})")
        return None

    def _lost(self, canary: Canary) -> Verdict | None:
        """Wait for the canary the first time; after that a while at most."""
        now = self.clock.monotonic()
        if canary.available:
            self._restarts = canary.restarts if self._restarts is None else self._restarts
            if self._lost_at is not None and self._gathering:
                self._gathering.resume(self.clock.now())
            self._lost_at = None
            return None
        if self._restarts is None:
            raise Transient(f"waiting for the canary: {canary.told}")
        if self._lost_at is None and self._gathering:
            self._gathering.pause()
        self._lost_at = now if self._lost_at is None else self._lost_at
        away_s = now - self._lost_at
        if away_s < max(LOST_S, self.settings.plan.expiry_s):
            return None
        return Verdict("abort", f"the canary is away for {away_s:.0f} s: {canary.told}")

    def _walk(self) -> Verdict | None:
        """Gather, judge, and go on, back, or nowhere."""
        gathering = self._gathering
        if gathering is None or self._entered != self._ramp.step:
            return self._enter()
        gathering.take(self._heard())
        asked = self._prometheus.look(self.clock.monotonic())
        evidence, before, now = gathering.evidence(), self._ramp, self.clock.now()
        moved = [drift.objection(self._seat.handed_back_at) for drift in self._drifts]
        silent = gathering.silent(now, self.settings.gates.alpha)
        objections = tuple(why for why in (*moved, silent, *asked.objections) if why)
        self._ramp, decision = before.look(evidence, now, objections, asked.unanswered)
        if decision.what == "abort":
            return Verdict("abort", decision.reason, evidence=evidence, findings=decision.findings)
        if decision.what == "pass":
            self._rule()  # Helm has so long from now to update stable
            taken = self._others()
            reason = decision.reason
            if self.settings.canary_digest and self._drifts[0].same:
                reason += "; stable reads by this very bundle too: the image alone was compared"
            return taken or Verdict("pass", reason, evidence=evidence, findings=decision.findings)
        self._tell(decision.what, decision.reason, before, evidence, decision.findings)
        return self._enter() if decision.what == "advance" else None

    def _heard(self) -> Iterable[Message]:
        """What is new, on its way through all that listens. Raises as `Feed.read`."""
        messages: Iterable[Message] = self._feed.read()
        for drift in self._drifts:
            messages = drift.hear(messages)
        return messages

    def _enter(self) -> Verdict | None:
        """Let the step that comes now begin: first its policy, then its time."""
        gathering = self._gathering
        if gathering is None:
            return None
        gathering.take(self._heard())  # of the first step: what stable read before
        if lacking := gathering.lacking(self._ramp.now):
            return self._hold(lacking)
        self._rule()
        if self._seat.taken:
            return self._others()
        now = self.clock.now()
        self._ramp, self._entered = self._ramp.enter(now), self._ramp.step
        gathering.begin(self._ramp.now, now)
        return None

    def _renew(self) -> None:
        """Set the step's policy anew, if that is due. Raises as `Bus.publish`."""
        if self._entered != self._ramp.step or self.clock.monotonic() < self._renew_at:
            return
        ran_out = not self._seat.expires_at
        self._rule()
        if ran_out and self._gathering:
            self._gathering.resume(self.clock.now())

    def _rule(self) -> None:
        """Set the step's policy, for as long as it may hold, unless another has the seat. Raises as `Bus.publish`."""
        plan, step, now = self.settings.plan, self._ramp.now, self.clock.now()
        mode: Mode = "shadow" if step.kind == "shadow" else "blueGreen" if plan.way == "blueGreen" else "canary"
        reason = f"step {self._ramp.step + 1} of {len(plan.steps)}"
        until, digest = now + plan.expiry_s, self.settings.canary_digest
        self._seat.set(Policy(mode, step.weight, digest, until, self._name, reason, now))
        self._renew_at = self.clock.monotonic() + plan.renew_s

    def _hold(self, reason: str) -> Verdict | None:
        """Go on though something is not known just now, until the deadline."""
        if self._gathering:
            self._gathering.unknown(self.clock.now())
        if self.clock.now() - self._ramp.began_at >= self.settings.plan.deadline_s:
            return Verdict("abort", f"the deadline has passed: {reason}")
        self._tell("hold", reason, evidence=self._gathering.evidence() if self._gathering else None)
        return None

    def _end(self, verdict: Verdict) -> None:
        """Carry a verdict out: nothing of it stops the rest."""
        decided_at = self.clock.now()
        letting_in = verdict.what == "pass" and self.settings.plan.way != "shadow"
        if not letting_in:
            self._insist("stable-not-set", lambda: self._seat.leave(verdict.reason))
        self._tell(verdict.what, verdict.reason, evidence=verdict.evidence, findings=verdict.findings, at=decided_at)
        if letting_in:
            return
        if self._seat.anothers:
            return  # its canary, and perhaps its Job
        self._insist("canary-not-deleted", lambda: self.cluster.delete(self.settings.deployment, self._uid))
        if job := self.settings.job:
            self._insist("job-not-failed", lambda: self.cluster.fail(job, verdict.sentence, self._job_uid))

    def _insist(self, event: str, do: Callable[[], object]) -> None:
        """Do it, trying again for `LEAVE_S` where something is away; what fails is logged."""
        try:
            patiently(self.clock, LEAVE_S, do)
        except LipsolError as fault:
            log.warning(event, reason=fault.detail, cure=fault.cure)

    def _tell(
        self,
        what: Looked,
        reason: str,
        ramp: Ramp | None = None,
        evidence: Evidence | None = None,
        findings: tuple[Finding, ...] = (),
        at: float | None = None,
    ) -> None:
        self._teller.tell(
            ramp or self._ramp,
            what,
            reason,
            evidence=evidence,
            findings=findings,
            expires_at=self._seat.expires_at,
            at=at,
        )
