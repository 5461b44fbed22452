"""The analyst over a memory bus: lets a good canary in, gives a bad one's users back, and never fights for the seat."""

from dataclasses import replace
from itertools import pairwise

import pytest

from lipsol.errors import ModelError, NotFound, Transient
from lipsol.events import TrafficSet
from lipsol.rollout.plan import Plan, Step
from lipsol.rollout.silence import PATIENCE_S
from lipsol.runtime.envelope import wrap
from lipsol.topics import PREDICTIONS, TRAFFIC
from services.analyst.canary import Canary
from tests.unit.analyst.events import NEW, OLD, death, reading
from tests.unit.analyst.world import INFO, PLAN, Behaviour, Recorder, World

GONE = [("delete", "canary", "uid-1")]


def weights(world):
    """The modes and weights that were set, each once."""
    return list(dict.fromkeys((policy.mode, policy.weight) for policy in world.policies()))


def given_back(world, verdict):
    """Whether all is stable's, the canary gone, and the reason where people look."""
    last = world.looks()[-1]
    said = world.kubernetes.done[-1]
    return (
        not world.live()
        and world.kubernetes.done[:1] == GONE
        and said == ("fail", "lipsol-analyst", verdict.sentence)
        and verdict.reason == last.reason
    )


def test_a_good_canary_passes_all_steps_and_keeps_the_traffic_for_helm():
    world = World()
    verdict = world.run()
    assert (verdict.what, verdict.reason) == ("pass", "all 4 steps are passed")
    assert weights(world) == [("shadow", 100.0), ("canary", 25.0), ("canary", 50.0), ("canary", 100.0)]
    assert world.live()
    assert world.policy().expires_at - world.now() == PLAN.expiry_s
    assert world.kubernetes.done == []
    told = [look.what for look in world.looks()]
    assert (told[0], told.count("advance"), told[-1]) == ("began", 3, "pass")
    assert {policy.set_by for policy in world.policies()} == {"analyst lipsol v7"}


@pytest.mark.parametrize(
    ("behaviour", "measure"),
    [
        (Behaviour(died=0.6), "died"),
        (Behaviour(empty=0.6), "empty"),
        (Behaviour(abstained=0.8), "abstained"),
        (Behaviour(confidence=0.6), "confidence"),
        (Behaviour(ms=400.0), "latency"),
        (Behaviour(other=0.5), "opposed"),
        (Behaviour(died=1.0), "died"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_one_is_aborted_and_the_reason_names_what_is_worse(behaviour, measure):
    world = World(behaviour)
    verdict = world.run()
    assert verdict.what == "abort"
    assert measure in verdict.reason
    assert given_back(world, verdict)
    assert weights(world) == [("shadow", 100.0), ("stable", 0.0)]  # no user was read for by it


def hung(*, step):
    """A world whose canary hangs once it is in that step, from 0, which asks for more than it ever reads."""
    steps = tuple(replace(each, readings=1000 if number == step else 10) for number, each in enumerate(PLAN.steps))
    world = World(plan=replace(PLAN, steps=steps))
    wait = world.wait

    def watched(until, at_most_s):
        world.behaviour.hangs = world.looks()[-1].step == step
        return wait(until, at_most_s)

    world.wait = watched
    return world


@pytest.mark.parametrize("step", [1, 2, 3])
def test_one_that_hangs_is_aborted_long_before_the_deadline(step):
    world = hung(step=step)
    verdict = world.run()
    assert verdict.reason.startswith("silent: about ")
    assert given_back(world, verdict)
    assert PATIENCE_S <= float(verdict.reason.split()[-2]) <= PATIENCE_S + 4


def test_one_that_hangs_where_nobody_waits_for_it_is_held_until_the_deadline():
    assert hung(step=0).run().reason.startswith("the deadline has passed")


def test_what_people_call_wrong_is_found_though_it_is_as_sure_as_ever():
    plan = replace(PLAN, steps=(Step("canary", 50.0, 400),))
    world = World(Behaviour(wrong=0.9), plan=plan)
    verdict = world.run()
    assert verdict.what == "abort"
    assert verdict.reason.startswith("wrong ")
    assert given_back(world, verdict)


def test_stable_is_given_everything_before_anything_else_happens():
    world = World(Behaviour(died=1.0))
    world.kubernetes.delete = lambda *_: world.kubernetes.done.append((str(world.live()), world.looks()[-1].what))
    world.run()
    assert world.kubernetes.done[0] == ("False", "abort")


@pytest.mark.parametrize("by", ["somebody", "monitor", "hand-back lipsol v6", "analyst lipsol v8"])
def test_whoever_else_sets_a_policy_takes_over_and_no_canary_policy_follows(by):
    world = World()
    world.at[6] = lambda: world.set_policy("canary", 80.0, by)
    verdict = world.run()
    assert verdict.what == "stood-down"
    assert f"{by} set mode canary" in verdict.reason
    foreign = next(place for place, policy in enumerate(world.policies()) if policy.set_by == by)
    assert all(policy.mode == "stable" for policy in world.policies()[foreign + 1 :])
    another_analyst = by.startswith("analyst")
    assert world.live() == another_analyst  # its canary is not ours to take away
    assert (("delete", "canary", "uid-1") in world.kubernetes.done) != another_analyst


def test_an_operator_s_abort_stands_as_it_is():
    world = World()
    world.at[6] = lambda: world.set_policy("stable", 0.0, "operator")
    assert world.run().what == "stood-down"
    assert world.policy().set_by == "operator"
    assert world.kubernetes.done[:1] == GONE


class Slow(Recorder):
    """A bus on which another's policy gets in just before the analyst's third one."""

    def __init__(self, now):
        super().__init__(now)
        self.set = 0

    def publish(self, topic, key, value, headers=None):
        if topic == TRAFFIC.name:
            self.set += 1
            if self.set == 3:  # the analyst has looked, and its policy is on its way
                event = TrafficSet("stable", 0.0, "", 0.0, "operator", "stop it", 1.0)
                out = wrap(event, "test", 1.0)
                super().publish(out.topic, out.key, out.value, out.headers)
        super().publish(topic, key, value, headers)


def test_a_renewal_that_lands_behind_another_s_policy_is_undone_at_once():
    world = World()
    world.bus = Slow(world.now)
    world.traffic()
    verdict = world.run()
    assert verdict.what == "stood-down"
    assert [policy.mode for policy in world.policies()][-3:] == ["stable", "canary", "stable"]
    assert world.policies()[-3].set_by == "operator"
    set_at = [policy.set_at for policy in world.policies()]
    assert set_at[-1] == set_at[-2]  # no time passed in between


def test_of_one_that_was_started_twice_the_later_judges_and_is_left_alone():
    world, twin = World(), []
    other = world.analyst()
    world.at[4] = lambda: twin.append(other.run()) if not twin else None
    assert world.run().what == "stood-down"
    assert twin[0].what == "pass"
    assert world.kubernetes.done == []


def test_the_analyst_of_the_upgrade_before_may_still_be_leaving():
    world = World()
    world.set_policy("canary", 50.0, "analyst lipsol v6")  # killed: nobody renews it
    world.kubernetes.pods = Canary("uid-1", False, "0 of 2 pods are available")
    world.at[3] = lambda: world.set_policy("stable", 0.0, "analyst lipsol v6")

    def comes():
        world.kubernetes.pods = Canary("uid-1", True, "2 of 2 pods are available")

    world.at[5] = comes
    assert world.run().what == "pass"


def test_too_little_evidence_holds_and_at_the_deadline_aborts():
    world = World(clips=0)
    verdict = world.run()
    assert (verdict.what, verdict.reason) == (
        "abort",
        "the deadline has passed: 0 of 20 readings in step 1 (shadow 100 %)",
    )
    assert PLAN.deadline_s <= world.now() - world.looks()[0].began_at < PLAN.deadline_s + 5
    assert given_back(world, verdict)


def test_it_tells_at_least_every_ten_seconds_and_renews_in_time():
    world = World(clips=0)
    world.run()
    told = [look.looked_at for look in world.looks()]
    assert max(later - before for before, later in pairwise(told)) <= 10
    renewed = [policy for policy in world.policies() if policy.mode == "shadow"]
    assert all(later.set_at < before.expires_at - PLAN.expiry_s / 3 for before, later in pairwise(renewed))


def test_killed_at_any_look_it_leaves_a_policy_that_ends_within_its_expiry():
    class Killed(BaseException):
        pass

    def kill():
        raise Killed

    for look in (1, 4, 7):
        world = World()
        world.at[look] = kill
        with pytest.raises(Killed):
            world.run()
        policy = world.policy()
        assert policy.mode == "stable" or policy.expires_at <= world.now() + PLAN.expiry_s


def test_blue_green_goes_to_all_at_once_and_is_compared_with_before():
    world = World(plan=Plan("blueGreen", (Step("canary", 100.0, 20, least_s=3.0),), 180.0, 15.0))
    assert world.run().what == "pass"
    assert weights(world) == [("blueGreen", 100.0)]
    assert world.looks()[-1].baseline_clips > 0


def test_a_bad_blue_green_goes_back_at_once():
    world = World(Behaviour(ms=500.0), plan=Plan("blueGreen", (Step("canary", 100.0, 20),), 180.0, 15.0), clips=40)
    verdict = world.run()
    assert "latency" in verdict.reason
    assert given_back(world, verdict)


@pytest.mark.parametrize("behaviour", [Behaviour(), Behaviour(died=1.0), Behaviour(hangs=True)], ids=str)
def test_nobody_is_given_to_a_canary_that_could_be_compared_with_nothing(behaviour):
    world = World(behaviour, plan=Plan("blueGreen", (Step("canary", 100.0, 20, least_s=3.0),), 180.0, 15.0), clips=0)
    verdict = world.run()
    assert (verdict.what, weights(world)) == ("abort", [("stable", 0.0)])
    assert verdict.reason.endswith("stable has read 0 of the 20 clips that a step of 100 % is compared with")


def test_blue_green_begins_once_there_is_something_to_compare_with():
    world = World(plan=Plan("blueGreen", (Step("canary", 100.0, 20, least_s=3.0),), 180.0, 15.0), clips=0)

    def people_come():
        assert world.policies() == []
        world.clips = 12

    world.at[5] = people_come
    assert world.run().what == "pass"


TWO = Plan("canary", (Step("canary", 50.0, 20, least_s=3.0), Step("canary", 100.0, 20, least_s=3.0)), 180.0, 15.0)


@pytest.mark.parametrize(
    ("behaviour", "what"), [(Behaviour(), "pass"), (Behaviour(died=1.0), "abort"), (Behaviour(empty=1.0), "abort")]
)
def test_a_last_step_is_compared_with_the_earlier_ones_where_nobody_came_before(behaviour, what):
    """The fault begins with the last step: all that stable read is of the one before."""
    world = World(plan=TWO, clips=0)

    def goes_wrong():
        if weights(world)[-1:] == [("canary", 100.0)]:
            world.behaviour = behaviour
        world.at[world.look + 1] = goes_wrong

    world.at[1] = goes_wrong
    world.clips = 12
    verdict = world.run()
    assert (verdict.what, weights(world)[:2]) == (what, [("canary", 50.0), ("canary", 100.0)])
    if what == "abort":
        assert world.now() - next(policy.set_at for policy in world.policies() if policy.weight == 100) < 20


def test_a_shadow_release_is_observed_and_never_let_in():
    world = World(plan=Plan("shadow", (Step("shadow", 100.0, 20),), 180.0, 15.0))
    verdict = world.run()
    assert (verdict.what, verdict.sentence) == ("pass", "observed: all 1 steps are passed")
    assert weights(world) == [("shadow", 100.0), ("stable", 0.0)]
    assert given_back(world, verdict)


def test_it_waits_for_the_canary_before_it_gives_it_anything():
    world = World()
    world.kubernetes.pods = Canary("uid-1", False, "0 of 2 pods of canary are available")

    def comes():
        assert world.policies() == []
        world.kubernetes.pods = Canary("uid-1", True, "2 of 2 pods are available")

    world.at[10] = comes
    assert world.run().what == "pass"
    assert world.looks()[1].reason == "waiting for the canary: 0 of 2 pods of canary are available"


def test_a_canary_that_crashes_again_and_again_is_aborted_with_its_last_words():
    world = World()
    world.crash()
    verdict = world.run()
    assert verdict.reason == "the canary's canary-x/inference ended (Error, exit code 1: no model)"
    assert world.look == 0
    assert given_back(world, verdict)


def test_before_it_was_ever_there_it_may_fail_once():
    world = World()
    world.crash(count=1, loops=False)

    def comes():
        world.kubernetes.pods = replace(world.kubernetes.pods, available=True)

    world.at[3] = comes
    assert world.run().what == "pass"


def test_a_canary_that_crashes_on_its_way_is_aborted():
    world = World()
    world.at[4] = lambda: world.crash(count=1, loops=False, words="OOMKilled, exit code 137")
    verdict = world.run()
    assert "OOMKilled" in verdict.reason
    assert given_back(world, verdict)


def test_a_pod_that_is_replaced_is_waited_for_and_one_that_stays_away_is_not():
    here = Canary("uid-1", True, "2 of 2 pods are available")
    away = replace(here, available=False, told="1 of 2 pods are available")
    world = World()
    world.at[4] = lambda: setattr(world.kubernetes, "pods", away)
    world.at[9] = lambda: setattr(world.kubernetes, "pods", here)
    assert world.run().what == "pass"
    world = World(clips=0)
    world.at[4] = lambda: setattr(world.kubernetes, "pods", away)
    assert world.run().reason == "the canary is away for 30 s: 1 of 2 pods are available"


@pytest.mark.parametrize(
    ("statuses", "why"),
    [
        ({7: "failed"}, "lipsol v7 is failed, so Helm does not wait any more"),
        ({7: "pending-upgrade", 8: "pending-rollback"}, "lipsol v8 is pending-rollback already"),
        ({}, "lipsol v7 is gone"),
    ],
    ids=["Helm gave up", "a rollback has begun", "uninstalled"],
)
def test_where_helm_does_not_wait_any_more_it_stands_down(statuses, why):
    world = World()
    world.at[5] = lambda: setattr(world.kubernetes, "statuses", statuses)
    verdict = world.run()
    assert (verdict.what, verdict.reason) == ("stood-down", why)
    assert given_back(world, verdict)


def test_a_release_that_helm_keeps_elsewhere_is_judged_all_the_same():
    world = World()
    world.kubernetes.statuses = {}
    assert world.run().what == "pass"


def test_what_kubernetes_denies_for_a_moment_blinds_nobody():
    world = World()
    world.at[4] = lambda: setattr(world.kubernetes, "denied", True)
    world.at[9] = lambda: setattr(world.kubernetes, "denied", False)
    world.at[11] = lambda: setattr(world.kubernetes, "statuses", {7: "failed"})
    assert "v7 is failed" in world.run().reason


def test_what_kubernetes_denies_on_and_on_ends_the_release_and_says_what_it_is():
    for look in (1, 6):
        world = World(clips=0)
        world.at[look] = lambda world=world: setattr(world.kubernetes, "denied", True)
        verdict = world.run()
        assert verdict.what == "abort"
        assert "GET canary was answered 403 (Forbidden), for 30 s: let the Role allow it" in verdict.reason
        assert not world.live()


def test_told_to_leave_it_gives_all_back_and_leaves():
    world = World()
    world.at[5] = world.stop.set
    verdict = world.run()
    assert (verdict.what, verdict.reason) == ("stood-down", "told to leave (SIGTERM)")
    assert given_back(world, verdict)


@pytest.mark.parametrize("fault", [NotFound("no such bundle"), ModelError("not signed", "sign it")])
def test_a_bundle_that_may_not_be_released_gets_nothing(fault):
    def check(_digest):
        raise fault

    world = World()
    world.registry = check
    verdict = world.run()
    assert verdict.spoilt
    assert str(fault) in verdict.reason
    assert world.policies()[0].mode == "stable"
    assert world.kubernetes.done[0][:2] == ("delete", "canary")


def test_every_bundle_that_the_release_pins_must_be_one_that_may_be_released():
    other, asked = "d" * 64, []

    def check(digest):
        asked.append(digest)
        if digest == other:
            raise ModelError("never promoted", "promote it")
        return INFO

    for changes in ({"canary_digest": NEW}, {"canary_digest": ""}):
        world = World(bundles=[NEW, other], **changes)
        world.registry = check
        verdict = world.run()
        assert verdict.spoilt
        assert "never promoted" in verdict.reason
        assert world.policies()[0].mode == "stable"
    assert set(asked) == {NEW, other}


@pytest.mark.parametrize("pinned", [{}, {"canary_digest": "", "bundles": [NEW]}], ids=["the release's", "another pin"])
def test_a_stable_that_a_promotion_moved_to_a_bundle_of_the_release_ends_it(pinned):
    world = World(**pinned)
    world.advance(300.0)  # it read by the other bundle before
    world.at[1] = lambda: setattr(world, "stable", NEW)
    verdict = world.run()
    assert verdict.reason.startswith(f"stable reads by this very bundle ({NEW[:12]}) already, judged by nobody: ")
    assert f"promote {OLD[:12]} again" in verdict.reason
    assert given_back(world, verdict)


def test_what_a_rollback_brought_back_may_be_released_again_at_once():
    world = World()
    world.set_policy("stable", 0.0, "hand-back lipsol v5")
    world.at[1] = lambda: setattr(world, "stable", NEW)
    assert world.run().what == "pass"


def test_where_a_release_pins_what_stable_reads_by_all_along_it_is_judged():
    world = World(clips=0)
    world.clips, world.stable = 12, NEW
    world.traffic()
    verdict = world.run()
    assert verdict.what == "pass"
    assert verdict.reason.endswith("stable reads by this very bundle too: the image alone was compared")


def test_a_registry_and_a_cluster_that_are_away_are_waited_for():
    world = World()
    world.kubernetes.away = True

    def check(_digest):
        raise Transient("the registry is away")

    world.registry = check
    world.at[2] = lambda: setattr(world, "registry", World().registry)
    world.at[4] = lambda: setattr(world.kubernetes, "away", False)
    world.at[9] = lambda: setattr(world.kubernetes, "away", True)  # the API server restarts on the way
    world.at[12] = lambda: setattr(world.kubernetes, "away", False)
    assert world.run().what == "pass"


class Flaky(Recorder):
    """A bus that can be away."""

    away = False

    def consumer(self, *args, **kwargs):
        self._here()
        return super().consumer(*args, **kwargs)

    def publish(self, *args, **kwargs):
        self._here()
        super().publish(*args, **kwargs)

    def _here(self):
        if self.away:
            raise Transient("the broker is away", "wait")


def test_a_broker_that_restarts_costs_the_canary_its_policy_and_nothing_else():
    world = World()
    world.bus = Flaky(world.now)
    analyst = world.analyst()

    def goes():
        world.bus.away = True
        analyst._seat.close()
        analyst._feed.close()

    world.at[5] = goes
    world.at[25] = lambda: setattr(world.bus, "away", False)
    verdict = analyst.run()
    assert verdict.what == "pass"
    gap = max(b.set_at - a.set_at for a, b in pairwise(world.policies()))
    assert gap > PLAN.expiry_s


def test_a_canary_whose_pod_was_killed_is_not_called_slow_for_it():
    here = Canary("uid-1", True, "2 of 2 pods are available")
    plan = replace(PLAN, steps=(Step("canary", 50.0, 40),))
    world = World(plan=plan)

    def killed():
        world.kubernetes.pods = replace(here, available=False)
        world.behaviour.ms = 9000.0  # what it had in hand waits for the group

    def replaced():
        world.kubernetes.pods = here
        world.behaviour.ms = 100.0

    world.at[4], world.at[8] = killed, replaced
    assert world.run().what == "pass"


def test_a_canary_whose_pod_was_killed_and_that_joins_its_group_late_is_not_called_silent():
    here = Canary("uid-1", True, "2 of 2 pods are available")
    world = World(plan=replace(PLAN, steps=(Step("canary", 50.0, 60),)))

    def killed():
        world.kubernetes.pods, world.behaviour.hangs = replace(here, available=False), True

    world.at[4], world.at[14] = killed, lambda: setattr(world.kubernetes, "pods", here)
    world.at[20] = lambda: setattr(world.behaviour, "hangs", False)
    assert world.run().what == "pass"


class Sluggish(Recorder):
    """A bus that takes its time for a policy, once."""

    takes = None

    def publish(self, topic, key, value, headers=None):
        if topic == TRAFFIC.name and self.takes:
            take, self.takes = self.takes, None
            take()
        super().publish(topic, key, value, headers)


def test_brokers_that_took_their_time_are_no_silence_of_the_canary_s():
    world = World(plan=replace(PLAN, steps=(Step("canary", 50.0, 200),)), clips=40)
    world.bus = Sluggish(world.now)
    world.traffic()

    def slow():
        world.behaviour.hangs, world.bus.takes = True, lambda: world.advance(12.0)

    world.at[4], world.at[8] = slow, lambda: setattr(world.behaviour, "hangs", False)
    assert world.run().what == "pass"


def test_what_waited_on_the_canary_s_topic_when_a_step_began_is_not_that_step_s():
    world = World(clips=0)
    late = [reading(f"late{n}", "canary", at=world.now(), digest=NEW, ms=9e4) for n in range(30)]
    world.at[2] = lambda: world.publish(*late, *[death(f"dead{n}", at=world.now() - 60) for n in range(30)])
    verdict = world.run()
    assert "0 of 20 readings" in verdict.reason


def test_a_fault_of_its_own_gives_all_back():
    world = World()
    world.at[5] = lambda: setattr(world.kubernetes, "canary", None)
    verdict = world.run()
    assert verdict.reason == "the analyst failed: TypeError"
    assert not world.live()


def test_unreadable_policies_and_readings_change_nothing():
    world = World()

    def spoil():
        world.bus.publish(TRAFFIC.name, "policy", b"\xff\xff")
        world.bus.publish(PREDICTIONS.name, "clip", b"\xff\xff")

    world.at[4] = spoil
    assert world.run().what == "pass"
