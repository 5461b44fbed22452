"""The traffic policy and the split that follows from it."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as some

from lipsol.errors import BadInput
from lipsol.events import TrafficSet, from_bytes, to_bytes
from lipsol.traffic import LIFE_MAX_S, PARTS, PLACES, STABLE, Policy, Route, live, part, place, route, routed
from tests.services_made import ready_of

NOW = 1_795_251_600.0
DIGEST = "c" * 64
NAMES = [f"clip-{n}" for n in range(4000)]

names = some.text(max_size=40)
weights = some.floats(0, 100)


def policy(mode="canary", weight=10.0, **changed):
    """A policy that holds for a minute from NOW on."""
    return Policy(mode, weight, **{"canary_digest": DIGEST, "expires_at": NOW + 60, "set_at": NOW, **changed})


def test_where_nobody_set_anything_all_goes_to_stable():
    assert {route(name, STABLE, NOW) for name in NAMES} == {Route("stable")}


@given(names, weights)
def test_the_canary_gets_the_names_whose_hash_lies_below_the_weight_and_no_other(name, weight):
    below = int(hashlib.sha256(name.encode()).hexdigest()[:16], 16) < weight / 100 * 2**64
    assert route(name, policy(weight=weight), NOW) == (Route("canary", DIGEST) if below else Route("stable"))


@given(names, weights, weights)
def test_a_larger_weight_keeps_all_that_a_smaller_one_had_sent_to_the_canary(name, one, other):
    smaller, larger = sorted((one, other))
    if route(name, policy(weight=smaller), NOW).track == "canary":
        assert route(name, policy(weight=larger), NOW).track == "canary"


@given(names)
def test_nothing_and_everything_are_exact(name):
    assert route(name, policy(weight=0.0), NOW).track == "stable"
    assert route(name, policy(weight=100.0), NOW).track == "canary"
    assert 0 <= place(name) < PLACES


@given(names, weights)
def test_in_shadow_exactly_those_are_copied_that_a_canary_would_have_got_and_stable_answers_all(name, weight):
    shadow, canary = (route(name, policy(mode, weight=weight), NOW) for mode in ("shadow", "canary"))
    assert (shadow.track, shadow.copy) == ("stable", canary.track == "canary")


@given(names, some.floats(0, 2e9), weights)
def test_what_has_expired_sends_nothing_to_the_canary(name, late, weight):
    for mode in ("canary", "shadow"):
        assert route(name, policy(mode, weight=weight), NOW + 60 + late) == Route("stable")


def test_a_share_is_held_within_sampling_noise():
    canary = sum(route(name, policy(), NOW).track == "canary" for name in NAMES)
    assert abs(canary - 400) < 4 * (4000 * 0.1 * 0.9) ** 0.5


def test_a_policy_ends_at_its_expiry_and_not_a_moment_before():
    ends = NOW + 60
    assert live(policy(), ends - 1e-6)
    assert not live(policy(), ends)
    assert route("any", policy(weight=100.0), ends - 1e-6).track == "canary"
    assert route("any", policy(weight=100.0), ends).track == "stable"


def test_a_policy_and_its_event_say_the_same():
    event = TrafficSet("canary", 12.5, DIGEST, NOW + 60, "ali@clinic", "new fonts", NOW)
    assert Policy.of(event).event() == event
    assert Policy.of(from_bytes(event.topic, to_bytes(event))) == Policy.of(event)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"weight": 100.1}, r"100\.1 %.*0 to 100"),
        ({"weight": -1.0}, r"-1 %.*0 to 100"),
        ({"weight": float("nan")}, "nan %"),
        ({"mode": "blueGreen", "weight": 50.0}, "50 % for blueGreen.*0 or 100"),
        ({"canary_digest": "latest"}, "'latest'.*64 hex digits"),
        ({"canary_digest": "C" * 64}, "64 hex digits"),
        ({"expires_at": 0.0}, "expiry 0.*until when"),
        ({"expires_at": float("inf")}, "expiry inf"),
        ({"expires_at": (NOW + 60) * 1000}, f"at most {LIFE_MAX_S:.0f} s"),
    ],
    ids=str,
)
def test_what_can_not_be_meant_is_refused_naming_value_bound_and_cure(fields, told):
    with pytest.raises(BadInput, match=told):
        policy(**fields)


def test_the_way_back_to_stable_is_never_refused():
    assert not live(Policy("stable", 250.0, "nonsense", -1.0), NOW)


def test_a_mouth_is_published_once_and_in_shadow_once_more():
    mouth = ready_of("a" * 32)
    assert routed(mouth, Route("stable")) == [mouth]
    (canary,) = routed(mouth, Route("canary", DIGEST))
    assert (canary.track, canary.shadow, canary.bundle) == ("canary", False, DIGEST)
    answered, copied = routed(mouth, Route("stable", DIGEST, copy=True))
    assert answered == mouth
    assert (copied.track, copied.shadow, copied.bundle) == ("canary", True, DIGEST)
    assert answered.topic != copied.topic


def test_the_part_of_the_split_is_a_name_s_own_and_in_the_order_of_its_place():
    parts = sorted((place(name), part(name)) for name in NAMES)
    assert [each for _, each in parts] == sorted(part(name) for name in NAMES)
    assert 1 <= parts[0][1] < parts[-1][1] <= PARTS
