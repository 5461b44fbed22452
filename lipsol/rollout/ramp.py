"""Where a rollout stands, and what comes next: a state and a look in, a state and a decision out. No clock, no bus.

Each judging of the evidence spends some of what may be spent on chance, so a look judges only where there is a tenth
more to judge by than the last time, or where nothing but a judgement is waited for. In between what was found holds.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from lipsol.rollout.evidence import Evidence
from lipsol.rollout.gates import Finding, Gates, judge
from lipsol.rollout.plan import Plan, Step

What = Literal["hold", "advance", "pass", "abort"]
GROWTH = 1.1  # of the evidence, from one judgement to the next
NEEDED = ("died", "empty", "abstained", "confidence", "latency")  # what both sides of a canary step always tell


@dataclass(frozen=True)
class Decision:
    """What follows from a look.

    what      "hold": stay and look again; "advance": go to the next step; "pass": all steps are passed; "abort": back
              to stable at once
    reason    why, in a person's words
    findings  what every measure said
    """

    what: What
    reason: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Ramp:
    """A rollout on its way. Times are seconds of one clock, whichever.

    step, step_at  the step that it is in, and since when
    looks          how often this step's evidence was judged
    judged, findings  what it was judged by the last time, and what was found
    full           whether that was all that the step asks for
    """

    plan: Plan
    began_at: float
    gates: Gates = field(default_factory=Gates)
    step: int = 0
    step_at: float = 0.0
    looks: int = 0
    judged: Evidence = field(default_factory=Evidence)
    findings: tuple[Finding, ...] = ()
    full: bool = False

    @classmethod
    def begin(cls, plan: Plan, gates: Gates, now: float) -> "Ramp":
        """At its first step."""
        return cls(plan, now, gates, step_at=now)

    @property
    def now(self) -> Step:
        """The step that it is in."""
        return self.plan.steps[self.step]

    def enter(self, now: float) -> "Ramp":
        """The rollout as this step begins: its clips come from now on."""
        return replace(self, step_at=now, looks=0, judged=Evidence(), findings=(), full=False)

    def look(
        self,
        evidence: Evidence,
        now: float,
        objections: tuple[str, ...] = (),
        unanswered: tuple[str, ...] = (),
    ) -> tuple["Ramp", Decision]:
        """Judge this step's evidence; returns the rollout as it goes on, and the decision.

        objections  of gates that are asked elsewhere: any of them aborts
        unanswered  what is still to be known elsewhere: any of it holds
        """
        after = self._judging(evidence, now)
        findings = after.findings
        if why := self._against(findings, objections):
            return after, Decision("abort", why, findings)
        if missing := self._missing(evidence, findings, now) or "; ".join(unanswered):
            if now - self.began_at >= self.plan.deadline_s:
                return after, Decision("abort", f"the deadline has passed: {missing}", findings)
            return after, Decision("hold", missing, findings)
        if self.step + 1 == len(self.plan.steps):
            return after, Decision("pass", f"all {len(self.plan.steps)} steps are passed", findings)
        following = self.plan.steps[self.step + 1]
        reason = (
            f"step {self.step + 1} of {len(self.plan.steps)} is passed: on to {following.kind} {following.weight:g} %"
        )
        return replace(after, step=self.step + 1).enter(now), Decision("advance", reason, findings)

    def _judging(self, evidence: Evidence, now: float) -> "Ramp":
        """The rollout with its evidence judged, if that is due."""
        full = not self._waiting(evidence, now)
        sizes = zip(_sizes(evidence), _sizes(self.judged), strict=True)
        grown = any(new > old and new >= GROWTH * old for new, old in sizes)
        if self.looks and not grown and full <= self.full:
            return self
        looks = self.looks + 1
        return replace(self, looks=looks, judged=evidence, findings=judge(evidence, self.gates, looks), full=full)

    def _against(self, findings: tuple[Finding, ...], objections: tuple[str, ...]) -> str:
        """Why it must not go on; "": nothing speaks against it."""
        return "; ".join([*objections, *(found.sentence for found in findings if found.said == "worse")])

    def _missing(self, evidence: Evidence, findings: tuple[Finding, ...], now: float) -> str:
        """What is waited for; "": nothing."""
        if waiting := self._waiting(evidence, now):
            return waiting
        unclear = [found.sentence for found in findings if found.said == "unclear"]
        unknown = [found.measure for found in findings if found.said == "nothing known" and found.measure in NEEDED]
        return "; ".join([*unclear, *(f"{measure}: nothing to compare with yet" for measure in unknown)])

    def _waiting(self, evidence: Evidence, now: float) -> str:
        """What the step asks for beside good findings; "": it is all there."""
        step, seen = self.now, evidence.canary.readings
        if seen < step.readings:
            return f"{seen} of {step.readings} readings in step {self.step + 1} ({step.kind} {step.weight:g} %)"
        if now - self.step_at < step.least_s:
            return f"{now - self.step_at:.0f} of {step.least_s:g} s in step {self.step + 1}"
        return ""


def _sizes(evidence: Evidence) -> tuple[int, ...]:
    """How much there is to judge each measure by, and each of all other languages together."""
    sizes: list[int] = []
    for each in (evidence, sum(evidence.others.values(), Evidence())):
        canary, baseline = each.canary, each.baseline
        sizes += [canary.clips, baseline.clips, canary.told, baseline.told, each.pairs.compared]
    return tuple(sizes)
