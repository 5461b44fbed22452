"""The board's JSON: numbers, names of models and languages, and sentences of our own; nobody's words, pictures or ids.

Times are Unix seconds.
"""

import math
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from lipsol.drift.comparison import Comparison
from lipsol.events import ActionKind, ActionTaken, Automation, DriftKind, Remedy, Track
from services.monitor.group import Group
from services.monitor.views import Series, State, Watched
from services.monitor.wording import Overall, headline_of, name_of, overall, remedy_of, runbook_of, said_of

EVERYBODY = "all"  # instead of a group's name: the series that are of no group


def name_of_group(group: Group | None) -> str:
    """A group as one word."""
    if group is None:
        return EVERYBODY
    parts = [group.track, group.model, group.digest[:12], group.language, *(["shadow"] if group.shadow else [])]
    return "/".join(parts)


class Told(BaseModel):
    """The base of all that the board is told."""

    model_config = ConfigDict(frozen=True)


class EvidenceTold(Told):
    """One comparison that speaks for a finding."""

    measure: str
    name: str = Field(description="The measure in plain words")
    method: str = Field(description="By which test or distance")
    value: float | None = Field(description="null: it can't be said in figures")
    threshold: float | None = Field(description="What it had to stay below")
    share: float = Field(description="Part of the clips that are different by it, 0 to 1; 0: not told")
    change: float = Field(description="By how much it rose (below 0: fell), in its own unit; 0: it has no direction")

    @classmethod
    def of(cls, compared: Comparison) -> "EvidenceTold":
        """A comparison as the door tells it."""
        return cls(
            measure=compared.measure,
            name=name_of(compared.measure),
            method=compared.method,
            value=_finite(compared.value),
            threshold=_finite(compared.threshold),
            share=compared.share,
            change=compared.change,
        )


class GroupTold(Told):
    """Readings of one language by one bundle on one track, and how they stand."""

    group: str = Field(description="Its name: TRACK/MODEL/DIGEST/LANGUAGE, and /shadow for copies that no user sees")
    track: Track
    model: str
    digest: str
    language: str
    shadow: bool
    clips: int = Field(description="In the window that was compared last, or so far")
    state: State
    since: float = Field(description="When this state began; 0: not known")
    headline: str
    said: str
    kind: DriftKind | None = Field(description="What kind of wrong it is")
    remedy: Remedy | None
    todo: str = Field(description="The remedy in plain words; empty: nothing needs doing")
    runbook: str = Field(description="Where the page is that says how; empty: there is none")
    evidence: list[EvidenceTold] = Field(description="The strongest first")

    @classmethod
    def of(cls, watched: Watched, runbooks: Sequence[str] = ()) -> "GroupTold":
        """A group as the door tells it; runbooks: the names of those that are here."""
        verdict = watched.verdict if watched.state == "drift" else None
        group, runbook = watched.group, runbook_of(watched)
        return cls(
            group=name_of_group(group),
            track=group.track,
            model=group.model,
            digest=group.digest,
            language=group.language,
            shadow=group.shadow,
            clips=watched.clips,
            state=watched.state,
            since=watched.since,
            headline=headline_of(watched),
            said=said_of(watched),
            kind=verdict.kind if verdict else None,
            remedy=verdict.remedy if verdict else None,
            todo=remedy_of(watched),
            runbook=f"/runbooks/{runbook}" if runbook in runbooks else "",
            evidence=[EvidenceTold.of(each) for each in (verdict.evidence if verdict else ())],
        )


class StateTold(Told):
    """How all stands, in one line and group by group."""

    at: float = Field(description="When this was told")
    state: Overall = Field(description="The worst of what is known")
    headline: str
    said: str
    since: float | None = Field(description="When that began; null: not known, or nothing began")
    todo: str = Field(description="What to do about it; empty: nothing")
    runbook: str = Field(description="Where the page is that says how; empty: there is none")
    counting: bool = Field(description="Whether this monitor counts; of two, one stands down")
    faults: list[str] = Field(description="Why it does not")
    groups: list[GroupTold] = Field(description="What needs somebody first; shadow copies last")

    @classmethod
    def of(
        cls,
        watched: Sequence[Watched],
        *,
        at: float,
        faults: Sequence[str] = (),
        alerts: Sequence[str] = (),
        runbooks: Sequence[str] = (),
    ) -> "StateTold":
        """All of it; alerts: what other alerts say, the worst first."""
        whole = overall(watched, faults, alerts)
        return cls(
            at=at,
            state=whole.state,
            headline=whole.headline,
            said=whole.said,
            since=whole.since,
            todo=whole.todo,
            runbook=f"/runbooks/{whole.runbook}" if whole.runbook in runbooks else "",
            counting=not faults,
            faults=list(faults),
            groups=[GroupTold.of(each, runbooks) for each in sorted(watched, key=_urgency)],
        )


class PointTold(Told):
    """One window of a measure."""

    at: float = Field(description="When the window began")
    value: float | None = Field(description="null: not known there")
    clips: int = Field(description="In the window")


class SeriesTold(Told):
    """One measure over time, the oldest window first."""

    measure: str
    name: str = Field(description="The measure in plain words")
    unit: str
    family: str = Field(description="software, input or output")
    group: str = Field(description=f"Whose, as in /v1/state; {EVERYBODY}: everybody's")
    points: list[PointTold]

    @classmethod
    def of(cls, series: Series) -> "SeriesTold":
        """A series as the door tells it."""
        return cls(
            measure=series.measure,
            name=name_of(series.measure),
            unit=series.unit,
            family=series.family,
            group=name_of_group(series.group),
            points=[PointTold(at=each.at, value=_finite(each.value), clips=each.clips) for each in series.points],
        )


class ActionTold(Told):
    """What was done, noted or proposed."""

    action: str = Field(description="Its name")
    kind: ActionKind
    automation: Automation = Field(description="The degree under which it was decided")
    done: bool = Field(description="false: noted, or proposed to people")
    reason: str
    finding: str = Field(description="Name of the finding that it answers; empty: none")
    track: Track
    digest: str
    language: str = Field(description="empty: all")
    by: str = Field(description='"monitor", or the operator')
    at: float

    @classmethod
    def of(cls, taken: ActionTaken) -> "ActionTold":
        """An action as the door tells it."""
        return cls(
            action=taken.action_id,
            kind=taken.kind,
            automation=taken.automation,
            done=taken.done,
            reason=taken.reason,
            finding=taken.drift_id,
            track=taken.track,
            digest=taken.model_digest,
            language=taken.language,
            by=taken.by,
            at=taken.at,
        )


class AlertTold(Told):
    """One alert that is active."""

    name: str
    severity: str = Field(description='"page": somebody is woken; "ticket": it can wait till morning; empty: unknown')
    summary: str
    description: str
    since: float
    labels: dict[str, str]
    runbook: str = Field(description="Where the page is that says what to do; empty: there is none")


class AlertsTold(Told):
    """What is active, by whose word."""

    source: Literal["alertmanager", "monitor"] = Field(
        description="monitor: its own findings, as nobody else was heard"
    )
    problem: str = Field(description="Why Alertmanager was not heard; empty: it was")
    cure: str
    alerts: list[AlertTold] = Field(description="Those that wake somebody first, then the newest")


def _finite(value: float | None) -> float | None:
    """The number, where JSON has one."""
    return value if value is not None and math.isfinite(value) else None


def _urgency(watched: Watched) -> tuple[bool, int, Group]:
    """What somebody must look at comes first."""
    order: tuple[State, ...] = ("drift", "away", "no reference", "learning", "quiet")
    return watched.group.shadow, order.index(watched.state), watched.group
