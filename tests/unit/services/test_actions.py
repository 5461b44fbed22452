"""What is done about each finding in each degree of automation."""

from dataclasses import replace
from typing import get_args

import pytest

from lipsol.events import ActionTaken, Automation, DriftDetected, Remedy, TrafficSet
from lipsol.traffic import Policy
from services.monitor.actions import Ground, answer, choose

NOW = 1_795_251_600.0
DIGEST, OTHER = "a" * 64, "b" * 64
UNKNOWN = Ground()
CANARY = Policy("canary", 25.0, DIGEST, NOW + 60, "analyst", "", NOW)


def found(kind="speaker", remedy: Remedy | None = "retrain", track="stable"):
    return DriftDetected(
        "d1", DIGEST, track, "embedding", "mmd", 0.4, 0.1, 200, NOW - 99, NOW, NOW, kind, remedy, "begun", "en"
    )  # fmt: skip


def said(drift, automation: Automation, ground=UNKNOWN):
    return answer(drift, "grid-sentences", "Other people than the reference's.", automation, ground, NOW)


@pytest.mark.parametrize("automation", get_args(Automation))
@pytest.mark.parametrize(
    ("remedy", "kind", "by_itself"),
    [
        ("retrain", "retrain", True),
        ("roll-back", "roll-back", False),
        ("tell-users", "tell-users", False),
        ("repair", "repair", False),
    ],
)
def test_only_act_carries_out_and_only_what_can_be_taken_back(automation, remedy, kind, by_itself):
    (action,) = said(found(remedy=remedy), automation, Ground(previous=OTHER))
    assert isinstance(action, ActionTaken)
    assert (action.kind, action.automation, action.done) == (kind, automation, by_itself and automation == "act")
    assert (action.drift_id, action.model_digest, action.track, action.language) == ("d1", DIGEST, "stable", "en")
    assert (action.by, action.at) == ("monitor", NOW)
    assert action.reason.startswith("Other people than the reference's.")


@pytest.mark.parametrize("remedy", ["nothing", None])
def test_where_nothing_helps_nothing_is_done(remedy):
    assert said(found(remedy=remedy), "act") == []


@pytest.mark.parametrize("kind", ["model", "software"])
@pytest.mark.parametrize("remedy", ["roll-back", "repair"])
def test_a_canary_that_reads_badly_is_ended_in_act_before_it_is_told(kind, remedy):
    traffic, action = said(found(kind, remedy, "canary"), "act", Ground(CANARY))
    assert isinstance(traffic, TrafficSet)
    assert (traffic.mode, traffic.weight, traffic.set_by, traffic.set_at) == ("stable", 0.0, "monitor", NOW)
    assert Policy.of(traffic).mode == "stable"
    assert isinstance(action, ActionTaken)
    assert (action.kind, action.done) == ("abort-canary", True)
    assert traffic.reason == action.reason


@pytest.mark.parametrize("automation", ["observe", "suggest"])
def test_a_canary_is_only_proposed_to_be_ended_where_nobody_may_act(automation):
    (action,) = said(found("model", "roll-back", "canary"), automation, Ground(CANARY))
    assert (action.kind, action.done) == ("abort-canary", False)


@pytest.mark.parametrize(
    ("drift", "policy"),
    [
        pytest.param(found("model", "repair"), CANARY, id="it is stable that reads worse"),
        pytest.param(found("camera", "tell-users", "canary"), CANARY, id="the light is not the canary's fault"),
        pytest.param(found("model", "repair", "canary"), None, id="no policy is known"),
        pytest.param(found("model", "repair", "canary"), replace(CANARY, expires_at=NOW), id="it has expired"),
        pytest.param(found("model", "repair", "canary"), replace(CANARY, mode="shadow"), id="nobody sees it"),
        pytest.param(found("model", "repair", "canary"), replace(CANARY, canary_digest=OTHER), id="another is on"),
    ],
)
def test_no_canary_is_ended_that_is_not_there_or_not_to_blame(drift, policy):
    (action,) = said(drift, "act", Ground(policy))
    assert (action.kind, action.done) != ("abort-canary", True)


def test_a_canary_by_its_own_default_is_ended_too():
    assert choose(found("model", "repair", "canary"), Ground(replace(CANARY, canary_digest="")), NOW) == "abort-canary"


def test_where_there_is_nothing_to_go_back_to_somebody_must_look():
    assert choose(found("model", "roll-back"), Ground(), NOW) == "repair"
    (action,) = said(found("model", "roll-back"), "act")
    assert action.reason.endswith("There is none before it: find what changed since it was well.")
    (action,) = said(found("model", "roll-back"), "act", Ground(previous=OTHER))
    assert "`lipsol models demote grid-sentences`" in action.reason


def test_a_repeat_gives_the_same_names():
    (first,), (again,) = said(found(), "act"), said(found(), "act")
    (another,) = said(replace(found(), drift_id="d2"), "act")
    assert first.action_id == again.action_id != another.action_id
