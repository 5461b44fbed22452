"""Which model reads, and for whom; and how a release that brings another one is getting on."""

from dataclasses import dataclass
from typing import Literal

from lipsol.events.base import Event, ModelName
from lipsol.topics import PROMOTIONS, ROLLOUTS, TRAFFIC

Mode = Literal["stable", "canary", "shadow", "blueGreen"]
Looked = Literal["began", "hold", "advance", "pass", "abort", "stood-down", "handed-back"]


@dataclass(frozen=True)
class TrafficSet(Event):
    """How clips are split between stable and canary from now on; the newest one on the topic is the policy.

    mode           "stable": all to stable; "canary": `weight` per cent to the canary; "shadow": all to stable and a
                   copy of `weight` per cent to the canary; "blueGreen": as canary, with 0 or 100 alone
    weight         per cent of the sessions, 0 to 100
    canary_digest  bundle that the canary reads with, sha256 hex; "": the default
    expires_at     from then on all goes to stable, unless a newer policy came, Unix seconds; 0.0 (mode stable): never
    set_by         who set it
    reason         why
    set_at         Unix seconds
    """

    mode: Mode
    weight: float
    canary_digest: str
    expires_at: float
    set_by: str
    reason: str
    set_at: float

    @property
    def topic(self) -> str:
        return TRAFFIC.name

    @property
    def key(self) -> str:
        return "policy"


@dataclass(frozen=True)
class ModelPromoted(Event):
    """A bundle passed its gates, or is gone back to, and is to be released.

    model        the bundle
    language     what it reads, as BCP 47
    replaces     digest of the bundle that its name meant until now, sha256 hex; "": none
    scores       the scores that the gates saw, by name; empty for a bundle that is gone back to
    run          the tracked run that made it; "": none
    promoted_at  Unix seconds
    """

    model: ModelName
    language: str
    replaces: str
    scores: dict[str, float]
    run: str
    promoted_at: float

    @property
    def topic(self) -> str:
        return PROMOTIONS.name

    @property
    def key(self) -> str:
        return self.language


@dataclass(frozen=True)
class Told:
    """What one measure said of a canary: fields as in `lipsol.rollout.gates.Finding`. None: not known."""

    measure: str
    canary: float | None
    baseline: float | None
    low: float | None
    high: float | None
    margin: float
    said: str


@dataclass(frozen=True)
class RolloutLooked(Event):
    """A release's analyst looked at its canary; or Helm's hook gave all back to stable.

    release, namespace  the Helm release, and where it is
    revision        of the release. The hand-back before a rollback tells that which is gone back to
    bundle          digest of the bundle that the canary reads with, sha256 hex; "": the default, the image alone is new
    way             as in the plan: canary, blueGreen or shadow; "" of a hand-back, as with `kind`
    step, steps     which step, from 0, of how many; an "advance" is told of the step that is passed
    kind, weight    the step's: "shadow" or "canary", and per cent of the sessions
    what            what followed: "began"; "hold": looked, and waits for more; "advance": the step is passed; "pass":
                    all are; "abort": it is worse, or not in time; "stood-down": another took over, or the release is
                    over; "handed-back": all is stable's, and the canary is gone
    reason          why, in a person's words
    findings        what each measure said
    canary_clips, baseline_clips  that each side was judged by in this step
    began_at, deadline_at, expires_at, looked_at  when the rollout began, when it must have passed, when the policy runs
                    out, and when this was told; Unix seconds by the analyst's clock; 0.0 where there is none
    """

    release: str
    namespace: str
    revision: int
    bundle: str
    way: str
    step: int
    steps: int
    kind: str
    weight: float
    what: Looked
    reason: str
    findings: tuple[Told, ...]
    canary_clips: int
    baseline_clips: int
    began_at: float
    deadline_at: float
    expires_at: float
    looked_at: float

    @property
    def topic(self) -> str:
        return ROLLOUTS.name

    @property
    def key(self) -> str:
        return self.release
