"""How soon users are stable's again: from the verdict until the policy says so and the canary has read its last."""

from dataclasses import replace

import pytest

from lipsol.traffic import Policy
from tests.cluster.helm import Done
from tests.cluster.rollout import Seen
from tests.cluster.split import Rule
from tests.cluster.traffic import counted
from tests.services_made import prediction_of

T = 1_795_251_600.0
CANARY = Policy("canary", 50.0, "b" * 64, T + 15, "analyst lipsol v2", "", T)


def seen(given_back_at, *readings):
    """The evidence of a rollout that got its policy at T. readings: track and time of each."""
    made = {f"{n}": replace(prediction_of(f"{n}"), track=track, made_at=at) for n, (track, at) in enumerate(readings)}
    rules = [Rule(0.0, Policy()), Rule(T, CANARY), Rule(given_back_at, Policy())]
    return Seen(Done(1, ""), 2, 1, (), counted([]), {}, rules, made, (), (1, 1), (), T, T + 9, T + 9)


@pytest.mark.parametrize(
    ("evidence", "back_s"),
    [
        pytest.param(seen(T + 5.5), 0.5, id="the policy came last"),
        pytest.param(seen(T + 5.5, ("canary", T + 7.0)), 2.0, id="the canary read on"),
        pytest.param(seen(T + 5.5, ("stable", T + 9.0)), 0.5, id="stable read what waited"),
        pytest.param(seen(T + 4.0, ("canary", T + 4.5)), 0.0, id="somebody else was sooner"),
    ],
)
def test_the_later_of_policy_and_canary_counts(evidence, back_s):
    assert evidence.back_s(T + 5) == back_s
