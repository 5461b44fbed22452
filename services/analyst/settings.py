"""The analyst's own settings: `LIPSOL_ANALYST__...` in the environment. The chart sets them all."""

from typing import Self

from pydantic import Field, model_validator

from lipsol.rollout.gates import Gates
from lipsol.rollout.plan import STANDARD, Plan
from lipsol.runtime.settings import Section
from lipsol.traffic import LIFE_MAX_S


class Query(Section):
    """A gate that Prometheus is asked for."""

    name: str = Field(min_length=1)
    """What it is called, for people."""
    query: str = Field(min_length=1)
    """In PromQL. It is true if it has a value, and no value of it is 0: write `a < bool b`, since `a < b` has no value
    where it is false."""


class AnalystSettings(Section):
    """What a release's analyst is told."""

    release: str = Field("", pattern=r"^[a-z0-9.-]*$")
    """The Helm release."""
    namespace: str = Field("default", pattern=r"^[a-z0-9-]+$")
    """Where it is."""
    revision: int = Field(0, ge=0)
    """Of the release: the one that this upgrade makes. What became of it is watched in Helm's own Secret."""
    deployment: str = Field("", pattern=r"^[a-z0-9.-]*$")
    """The canary's Deployment."""
    job: str = Field("", pattern=r"^[a-z0-9.-]*$")
    """The hook's own Job, on whose status it writes why it failed. Empty: nowhere."""
    canary_digest: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    """Digest of the bundle that the canary reads by. Empty: the default; the image alone is new."""
    bundles: list[str] = Field([])
    """Digests of all bundles that the release pins, as JSON. Each must be one that may be released."""
    plan: Plan = STANDARD
    """The steps, as JSON."""
    gates: Gates = Gates()
    """How much worse a canary may be, as JSON."""
    promql: list[Query] = Field([])
    """Further gates, as JSON: `[{"name": ..., "query": ...}]`. Each must be true at every look. One that has no value,
    or gets no answer, holds the step; for a minute on end it aborts."""
    prometheus: str = Field("", pattern=r"^(https?://\S+)?$")
    """Address of the Prometheus that those are asked of."""
    look_s: float = Field(2.0, gt=0, le=10)
    """Seconds between two looks. Users are back on stable at most so long after the evidence is there. A policy is
    renewed at a look, so it is less than a third of the plan's expiry."""

    @model_validator(mode="after")
    def _renewable(self) -> Self:
        plan = self.plan
        if self.look_s >= plan.renew_s:
            raise ValueError(
                f"LIPSOL_ANALYST__LOOK_S is {self.look_s:g}, and a policy expires after {plan.expiry_s:g} s: it could "
                f"run out between two looks, so look more often than every {plan.renew_s:g} s"
            )
        if plan.expiry_s >= LIFE_MAX_S:
            raise ValueError(
                f"LIPSOL_ANALYST__PLAN has an expiry of {plan.expiry_s:g} s: give less than {LIFE_MAX_S:g} s, for "
                "which what was sent to the canary is kept"
            )
        return self
