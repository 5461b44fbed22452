"""Whether the traffic went the way that its policy says: the check lets pass what may be, and finds what may not."""

from dataclasses import replace

import pytest

from lipsol.bus.port import Message
from lipsol.events import to_bytes
from lipsol.traffic import PLACES, Policy, Route, place, routed
from tests.cluster import split
from tests.cluster.split import FOLLOWED_S, Rule, Way
from tests.services_made import ready_of

T = 1_795_251_600.0
BUNDLE = "b" * 64
IDS = [f"{n:032x}" for n in range(200)]
LOW = next(each for each in IDS if place(each) < 0.25 * PLACES)
HIGH = next(each for each in IDS if place(each) > 0.75 * PLACES)


def policy(mode="canary", weight=50.0, at=T, life_s=15.0):
    """A policy that was set at a time, and holds for a while."""
    return Policy(mode, weight, BUNDLE, at + life_s, "analyst lipsol v2", "", at)


def way(clip_id, route, at):
    """A clip of its own that took a route."""
    return Way(clip_id, clip_id, route, at)


SETTLED, BACK = T + FOLLOWED_S + 1, T + 2 * FOLLOWED_S  # the policy alone can rule; all is given back
RULES = [Rule(0.0, Policy()), Rule(T, policy()), Rule(BACK, Policy())]
CANARY, STABLE = Route("canary", BUNDLE), Route("stable")


@pytest.mark.parametrize(
    ("clip_id", "route", "at"),
    [
        pytest.param(LOW, STABLE, T - 1, id="before it, stable reads all"),
        pytest.param(LOW, CANARY, SETTLED, id="a low place goes to the canary"),
        pytest.param(HIGH, STABLE, SETTLED, id="a high one stays"),
        pytest.param(LOW, STABLE, T + FOLLOWED_S / 2, id="the old policy may still rule just after a change"),
        pytest.param(LOW, CANARY, BACK + FOLLOWED_S / 2, id="so it may at its end"),
    ],
)
def test_a_way_that_its_policy_gives_is_no_find(clip_id, route, at):
    assert split.off([way(clip_id, route, at)], RULES) == []


@pytest.mark.parametrize(
    ("clip_id", "route", "at"),
    [
        pytest.param(LOW, CANARY, T - 1, id="before any policy"),
        pytest.param(HIGH, CANARY, SETTLED, id="a high place on the canary"),
        pytest.param(LOW, STABLE, SETTLED, id="a low place on stable"),
        pytest.param(LOW, Route("canary", "c" * 64), SETTLED, id="by another bundle"),
        pytest.param(LOW, CANARY, BACK + 2 * FOLLOWED_S, id="long after all was given back"),
        pytest.param(HIGH, Route("stable", BUNDLE, copy=True), SETTLED, id="a copy that nobody asked for"),
    ],
)
def test_a_way_that_no_policy_gives_is_found(clip_id, route, at):
    assert len(split.off([way(clip_id, route, at)], RULES)) == 1


def test_a_policy_that_nobody_renews_ends_by_itself():
    rules = RULES[:2]
    assert split.off([way(LOW, CANARY, T + 15 + 2 * FOLLOWED_S)], rules) != []
    assert split.off([way(LOW, STABLE, T + 15 + 2 * FOLLOWED_S)], rules) == []


def test_clips_are_counted_only_where_one_policy_alone_can_have_ruled():
    ways = [way(LOW, CANARY, SETTLED), way(HIGH, STABLE, SETTLED), way(LOW, STABLE, T + 1), way(LOW, STABLE, T - 60)]
    weights = split.by_weight(ways, RULES)
    assert weights == {
        "canary 50 %": {"clips": 2, "canary": 1, "hash": 1},
        "stable": {"clips": 1, "canary": 0, "hash": 0},
    }
    assert split.unequal(weights) == []


def test_a_weight_that_is_not_the_hashs_is_found():
    (found,) = split.unequal(split.by_weight([way(LOW, STABLE, SETTLED)], RULES))
    assert "0 of 1 clips went to the canary, the hash says 1" in found


@pytest.mark.parametrize("mode", ["stable", "canary", "shadow"])
def test_the_ways_that_the_topics_tell_are_those_that_the_edge_took(mode):
    route = {"stable": STABLE, "canary": CANARY, "shadow": Route("stable", BUNDLE, copy=True)}[mode]
    events = routed(ready_of(LOW), route)
    messages = [
        Message(event.topic, event.key, to_bytes(event), {}, 0, number, T + number)
        for number, event in enumerate([*events, *events])
    ]
    (found,) = split.ways(messages).values()
    assert found == Way(LOW, LOW, route, T)


def test_a_session_is_split_by_its_name():
    event = replace(ready_of(HIGH), session=LOW)
    (found,) = split.ways([Message(event.topic, event.key, to_bytes(event), {}, 0, 0, T)]).values()
    assert found.name == LOW


def test_a_policy_lives_as_the_services_take_it_though_the_clock_of_who_set_it_is_ahead():
    event = policy(at=T + 3600).event()
    told = split.rules([Message(event.topic, event.key, to_bytes(event), {}, 0, 0, T)])[-1]
    assert told.policy.expires_at == T + 15


@pytest.mark.parametrize(
    ("rules", "at"),
    [
        pytest.param(RULES, BACK, id="given back"),
        pytest.param([*RULES, Rule(BACK + 1, Policy())], BACK, id="given back twice"),
        pytest.param(
            [*RULES, Rule(BACK + 1, policy(at=BACK + 1)), Rule(BACK + 2, Policy())], BACK + 2, id="taken again between"
        ),
        pytest.param(RULES[:2], T + 15, id="run out"),
        pytest.param(RULES[:1], 0.0, id="never given"),
    ],
)
def test_all_is_stables_again_from_when_no_canary_got_anything_any_more(rules, at):
    assert split.back_at(rules) == at


def test_what_can_not_be_meant_never_rules():
    event = replace(policy().event(), weight=120.0)
    rules = split.rules([Message(event.topic, event.key, to_bytes(event), {}, 0, 0, T)])
    assert [rule.policy for rule in rules] == [Policy()]
