"""A rollout step by step: on when enough is known and nothing speaks against it, else it holds or goes back."""

from lipsol.rollout.evidence import Evidence, Moments, Pairs, Tally
from lipsol.rollout.gates import Gates
from lipsol.rollout.plan import Plan, Step
from lipsol.rollout.ramp import Ramp

PLAN = Plan(
    "canary",
    (Step("shadow", 100.0, 10), Step("canary", 5.0, 20, least_s=30.0), Step("canary", 100.0, 20)),
    deadline_s=600.0,
    expiry_s=30.0,
)


def tally(readings: int, died: int = 0) -> Tally:
    """A side that is as it should be, but for what died."""
    sure = Moments(readings, 0.8 * readings, 0.65 * readings)
    return Tally(readings, died, 0, readings // 5, sure, Moments(readings, 5.0 * readings, 25.1 * readings))


def even(readings: int) -> Evidence:
    return Evidence(tally(readings), tally(readings), Pairs(readings, 0))


def test_a_good_canary_passes_all_steps():
    ramp, said = Ramp.begin(PLAN, Gates(), 1000.0), []
    for now, readings in ((1001, 4), (1010, 12), (1020, 25), (1050, 25), (1060, 25)):
        ramp, decision = ramp.look(even(readings), float(now))
        said.append(decision.what)
    assert said == ["hold", "advance", "hold", "advance", "pass"]
    assert ramp.now.weight == 100


def test_each_step_counts_its_looks_and_its_time_anew():
    ramp = Ramp.begin(PLAN, Gates(), 1000.0)
    ramp, _ = ramp.look(even(2), 1005.0)
    assert ramp.looks == 1
    ramp, _ = ramp.look(even(10), 1010.0)
    assert (ramp.step, ramp.looks, ramp.step_at) == (1, 0, 1010.0)


def test_a_bad_one_is_aborted_at_once_though_little_was_read():
    ramp = Ramp.begin(PLAN, Gates(), 1000.0)
    _, decision = ramp.look(Evidence(tally(1, died=7), tally(8)), 1001.0)
    assert decision.what == "abort"
    assert "died 0.875 against 0" in decision.reason


def test_what_other_gates_object_to_is_aborted_with_their_words():
    _, decision = Ramp.begin(PLAN, Gates(), 1000.0).look(even(10), 1001.0, ("queue lag 5000, at most 100",))
    assert (decision.what, decision.reason) == ("abort", "queue lag 5000, at most 100")


def test_too_little_holds_until_the_deadline_and_then_aborts():
    ramp = Ramp.begin(PLAN, Gates(), 1000.0)
    _, held = ramp.look(even(3), 1599.0)
    _, late = ramp.look(even(3), 1600.0)
    assert (held.what, held.reason) == ("hold", "3 of 10 readings in step 1 (shadow 100 %)")
    assert late.what == "abort"
    assert late.reason.startswith("the deadline has passed: 3 of 10 readings")


def test_a_canary_with_nothing_to_compare_with_is_held():
    _, decision = Ramp.begin(PLAN, Gates(), 1000.0).look(Evidence(tally(50), Tally()), 1100.0)
    assert decision.what == "hold"
    assert "nothing to compare with" in decision.reason


def test_a_difference_that_may_be_chance_is_waited_for():
    unclear = Evidence(tally(20, died=1), tally(20))
    _, decision = Ramp.begin(PLAN, Gates(), 1000.0).look(unclear, 1100.0)
    assert decision.what == "hold"
    assert "unclear" in decision.reason


def test_people_need_not_have_told_anything():
    _, decision = Ramp.begin(PLAN, Gates(), 1000.0).look(Evidence(tally(20), tally(20)), 1100.0)
    assert decision.what == "advance"
