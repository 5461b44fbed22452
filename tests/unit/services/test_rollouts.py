"""What an operator is told of rollouts: folded from the looks of their analysts, on a real bus."""

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.events import TrafficSet
from lipsol.runtime.envelope import wrap
from lipsol.topics import ROLLOUTS
from services.operating.rollouts import SILENT_S, rollouts
from tests.rollouts_made import BUNDLE, DEADLINE_S, FINE, SLOWER, Analyst


@pytest.fixture
def bus(clock):
    made = MemoryBus(now=clock.now)
    yield made
    made.close()


@pytest.fixture
def found(bus, clock):
    """The rollouts that are known now."""
    return lambda release="", since=0.0: rollouts(bus, clock.now(), release, since)


def test_where_nobody_told_anything_there_is_none(found):
    assert found() == []


def test_looks_become_steps_with_their_times_and_the_last_that_was_said(bus, clock, found):
    analyst, began = Analyst(bus, clock), clock.now()
    analyst.through(1)
    analyst.clips = 12
    analyst.tell("hold", "12 of 50 readings", (SLOWER,), after_s=5.0)
    analyst.tell("hold", "13 of 50 readings", (FINE,), after_s=5.0)
    (seen,) = found()
    assert (seen.release, seen.namespace, seen.revision, seen.bundle) == ("lipsol", "clinic", 7, BUNDLE)
    assert (seen.state, seen.verdict, seen.reason, seen.planned) == ("under way", "", "13 of 50 readings", 4)
    assert (seen.began_at, seen.deadline_at, seen.looked_at) == (began, began + DEADLINE_S, began + 70.0)
    first, second = seen.steps
    assert (first.number, first.kind, first.weight, first.passed) == (1, "shadow", 100.0, True)
    assert (first.began_at, first.ended_at, first.canary_clips) == (began, began + 60.0, 100)
    assert (second.number, second.kind, second.weight, second.passed) == (2, "canary", 5.0, False)
    assert (second.began_at, second.ended_at, second.looks, second.canary_clips) == (began + 60.0, 0.0, 2, 12)
    assert second.findings == (FINE,)


def test_a_rollout_that_passed_is_handed_back_by_helms_hook(bus, clock, found):
    analyst = Analyst(bus, clock)
    analyst.through(4)
    (passed,) = found()
    assert (passed.state, passed.verdict, passed.ended_at) == ("passed", "passed", clock.now())
    assert all(step.passed for step in passed.steps)
    analyst.tell("handed-back", "after the upgrade", after_s=20.0)
    (seen,) = found()
    assert (seen.state, seen.verdict, seen.handed_back) == ("handed back", "passed", "after the upgrade")
    assert seen.handed_back_at == seen.ended_at + 20.0


def test_an_abort_ends_the_step_that_it_happened_in_and_stays_one_after_the_rollback(bus, clock, found):
    analyst = Analyst(bus, clock)
    analyst.through(2)
    analyst.tell("abort", "latency: worse", (FINE, SLOWER), after_s=7.0)
    Analyst(bus, clock, revision=6).tell("handed-back", "before a rollback", after_s=3.0)
    (seen,) = found()
    assert (seen.state, seen.verdict, seen.reason) == ("aborted", "aborted", "latency: worse")
    assert seen.handed_back_at == seen.ended_at + 3.0
    last = seen.steps[-1]
    assert (last.number, last.passed, last.ended_at, last.findings) == (3, False, seen.ended_at, (FINE, SLOWER))


def test_a_rollback_in_the_midst_ends_it_though_its_hook_tells_another_revision(bus, clock, found):
    analyst = Analyst(bus, clock)
    analyst.through(1)
    Analyst(bus, clock, revision=6).tell("handed-back", "before a rollback", after_s=3.0)
    analyst.tell("hold", "a look that came late", after_s=1.0)
    assert [(each.revision, each.state, each.verdict) for each in found()] == [(7, "handed back", "")]
    analyst.tell("stood-down", "the release is over", after_s=1.0)
    assert [(each.state, each.verdict, each.reason) for each in found()] == [
        ("stood down", "stood down", "the release is over")
    ]


def test_who_stands_down_looked_at_nothing_and_what_was_known_stays(bus, clock, found):
    analyst = Analyst(bus, clock, clips=70)
    analyst.tell("hold", "70 of 100 readings", (FINE,))
    analyst.clips = 0
    analyst.tell("stood-down", "told to leave", after_s=1.0)
    ((step,),) = [each.steps for each in found()]
    assert (step.canary_clips, step.findings, step.reason) == (70, (FINE,), "told to leave")


def test_a_shadow_that_passed_was_observed_and_stays_so_after_the_rollback(bus, clock, found):
    analyst = Analyst(bus, clock, way="shadow")
    analyst.tell("pass", "all 4 steps are passed")
    Analyst(bus, clock, revision=6).tell("handed-back", "before a rollback", after_s=3.0)
    assert [(each.state, each.verdict) for each in found()] == [("observed", "observed")]


def test_the_first_verdict_holds_and_a_repeat_changes_nothing(bus, clock, found):
    analyst = Analyst(bus, clock)
    analyst.tell("began")
    analyst.tell("abort", "worse", after_s=5.0)
    once = found()
    for what in ("abort", "hold", "pass"):
        analyst.tell(what, "too late", after_s=1.0)
    assert found() == once


def test_a_hand_back_where_nothing_was_rolled_out_is_no_rollout(bus, clock, found):
    Analyst(bus, clock).tell("handed-back", "before an uninstall")
    assert found() == []


def test_each_release_has_its_own_and_the_newest_comes_first(bus, clock, found):
    Analyst(bus, clock, "first").through(4)
    Analyst(bus, clock, "second").through(1)
    Analyst(bus, clock, "first", namespace="ward").through(1)
    Analyst(bus, clock, "first", namespace="ward").tell("handed-back", "an uninstall")
    assert [(each.release, each.namespace, each.state) for each in found()] == [
        ("first", "ward", "handed back"), ("second", "clinic", "silent"), ("first", "clinic", "passed"),
    ]  # fmt: skip
    assert {each.release for each in found("first")} == {"first"}


def test_an_uninstalled_release_that_begins_at_revision_one_again_is_another_rollout(bus, clock, found):
    Analyst(bus, clock, revision=2).through(4)
    clock.advance(60.0)
    Analyst(bus, clock, revision=2).through(1)
    assert [(each.revision, each.state) for each in found()] == [(2, "under way"), (2, "passed")]


def test_an_analyst_that_tells_nothing_is_silent_then_lost_and_heard_again_if_it_speaks(bus, clock, found):
    analyst = Analyst(bus, clock)
    analyst.through(1)
    clock.advance(SILENT_S)
    assert [(each.state, each.silent_s) for each in found()] == [("under way", 0.0)]
    clock.advance(1.0)
    assert [(each.state, each.silent_s) for each in found()] == [("silent", SILENT_S + 1.0)]
    analyst.tell("hold", "back again")
    assert [each.state for each in found()] == ["under way"]
    clock.advance(DEADLINE_S)
    assert [each.state for each in found()] == ["lost"]


def test_who_told_no_verdict_before_the_next_rollout_began_is_lost_at_once(bus, clock, found):
    Analyst(bus, clock, revision=7).through(1)
    Analyst(bus, clock, revision=8).tell("began", after_s=1.0)
    assert [(each.revision, each.state) for each in found()] == [(8, "under way"), (7, "lost")]


@pytest.mark.parametrize("ahead_s", [-7200.0, 7200.0], ids=["two hours behind", "two hours ahead"])
def test_an_analyst_whose_clock_is_wrong_is_neither_silent_nor_lost_and_its_clock_is_told(bus, clock, found, ahead_s):
    analyst = Analyst(bus, clock, ahead_s=ahead_s)
    analyst.through(1)
    clock.advance(SILENT_S)
    (seen,) = found()
    assert (seen.state, seen.ahead_s) == ("under way", ahead_s)
    assert seen.steps[0].ended_at - seen.steps[0].began_at == 60.0


def test_one_that_failed_before_its_first_step_is_known_with_its_reason(bus, clock, found):
    Analyst(bus, clock).tell("abort", "the bundle is not signed")
    (seen,) = found()
    assert (seen.state, seen.reason, len(seen.steps)) == ("aborted", "the bundle is not signed", 1)


def test_from_a_time_on_what_is_left_of_a_rollout_is_told(bus, clock, found):
    analyst = Analyst(bus, clock)
    analyst.through(2)
    clock.advance(1.0)
    since = clock.now()
    analyst.tell("abort", "worse")
    assert [(each.revision, each.state, [step.number for step in each.steps]) for each in found(since=since)] == [
        (7, "aborted", [3])
    ]


def test_what_can_not_be_read_and_what_is_no_look_is_passed_over(bus, clock, found):
    bus.publish(ROLLOUTS.name, "lipsol", b"\xff\xff")
    stray = wrap(TrafficSet("stable", 0.0, "", 0.0, "me", "", clock.now()), "test", clock.now())
    bus.publish(ROLLOUTS.name, "lipsol", stray.value, stray.headers)
    Analyst(bus, clock).tell("began")
    assert [each.state for each in found()] == ["under way"]
