import json
from contextlib import contextmanager
from dataclasses import replace

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.errors import NotFound, Transient
from lipsol.events import Told
from lipsol.store.local import LocalStore
from services.cli.release import run_abort, run_explain, run_status
from services.operating.operations import Operations
from tests.rollouts_made import BUNDLE, DEADLINE_S, FINE, SLOWER, Analyst
from tests.services_made import MadeRegistry


class Platform:
    """Operations on a bus of their own, and what a terminal shows of them."""

    def __init__(self, folder, clock, capsys):
        self.bus, self.clock, self._capsys = MemoryBus(now=clock.now), clock, capsys
        self.operations = Operations(self.bus, LocalStore(folder), MadeRegistry(), clock.now)

    @contextmanager
    def __call__(self):
        yield self.operations

    def analyst(self, release="lipsol", **named):
        return Analyst(self.bus, self.clock, release, **named)

    def status(self, release="", *, as_json=False):
        return self._shown(run_status(release, as_json=as_json, platform=self, now=self.clock.now))

    def explain(self, release="", revision=0, *, as_json=False):
        return self._shown(run_explain(release, revision, as_json=as_json, platform=self, now=self.clock.now))

    def abort(self, release="", reason="", pause=lambda _: None):
        return self._shown(run_abort(release, reason, wait_s=2.0, platform=self, pause=pause))

    def _shown(self, code):
        assert code == 0
        return self._capsys.readouterr().out


@pytest.fixture
def platform(tmp_path, clock, capsys):
    made = Platform(tmp_path, clock, capsys)
    yield made
    made.bus.close()


@pytest.mark.parametrize("release", ["", "lipsol"])
def test_where_nothing_was_ever_rolled_out_it_says_so_and_how_to_begin(platform, release):
    told = platform.status(release)
    assert told.startswith("traffic  all is read by stable\n")
    for part in ("no rollout of ", "helm upgrade", "docs/releases.md", "LIPSOL_BUS__KIND=kafka"):
        assert part in told
    with pytest.raises(NotFound, match=r"no rollout of .*helm upgrade"):
        platform.explain(release)


def test_a_rollout_under_way_is_on_one_screen_with_the_policy_its_evidence_and_what_it_waits_for(platform):
    analyst = platform.analyst()
    platform.operations.set_traffic("canary", 5.0, 60.0, set_by="analyst lipsol v7")
    analyst.through(1)
    analyst.clips = 12
    analyst.tell("hold", "12 of 50 readings", (FINE,), after_s=5.0)
    platform.operations.set_traffic("canary", 5.0, 60.0, set_by="analyst lipsol v7")
    told = platform.status()
    for part in (
        "5 % of the sessions", "in 1 m", "analyst lipsol v7", "lipsol revision 7, in namespace clinic", BUNDLE[:12],
        "under way for 1 m 5 s: step 2 of 4 (canary 5 %); 12 clips of the canary against 12 of stable",
        "waits    12 of 50 readings", "till     2026-11-21 10:00:00 UTC",
    ):  # fmt: skip
        assert part in told
    assert len(told.splitlines()) < 24


def test_the_last_rollout_is_shown_where_none_is_under_way(platform):
    analyst = platform.analyst()
    analyst.through(4)
    analyst.tell("handed-back", "after the upgrade", after_s=20.0)
    told = platform.status()
    assert "passed at 2026-11-21 09:04:00 UTC; all was given back to stable at 2026-11-21 09:04:20 UTC" in told
    assert "lipsol release explain lipsol --revision 7" in told


def test_of_several_releases_the_one_under_way_is_shown_and_of_each_other_a_line(platform):
    platform.analyst("other", revision=3).through(4)
    platform.analyst("lipsol").tell("began", after_s=1.0)
    told = platform.status()
    assert "release  lipsol revision 7" in told
    assert "besides  other revision 3: passed" in told
    assert "lipsol revision 7" not in platform.status("other")


def test_what_lies_days_back_is_told_where_nothing_came_since_and_a_long_rollout_is_told_whole(platform, clock):
    platform.analyst("old", revision=3).through(4)
    clock.advance(3 * 86400.0)
    assert "old revision 3" in platform.status()
    analyst = platform.analyst()
    analyst.through(1)
    assert "old revision 3" not in platform.status()
    clock.advance(3 * 86400.0)
    analyst.tell("abort", "worse")
    assert "step 1 of 4 (shadow 100 %)" in platform.explain()


def test_status_as_json_has_the_policy_and_every_releases_newest_rollout(platform):
    platform.analyst("other").through(1)
    platform.analyst(revision=6).through(4)
    platform.analyst(revision=7).tell("began", after_s=1.0)
    told = json.loads(platform.status(as_json=True))
    assert told["traffic"]["mode"] == "stable"
    assert [(each["release"], each["revision"]) for each in told["rollouts"]] == [("lipsol", 7), ("other", 7)]


def test_a_silent_analyst_is_told_with_since_when_and_that_the_policy_ends_by_itself(platform, clock):
    platform.analyst().through(1)
    clock.advance(40.0)
    told = platform.status()
    assert "silent for 40 s, in step 1 of 4 (shadow 100 %)" in told
    assert "silent   since 2026-11-21 09:01:00 UTC" in told
    assert "policy   runs out at 2026-11-21 09:02:00 UTC by itself" in told
    clock.advance(40.0)
    assert "policy   ran out at 2026-11-21 09:02:00 UTC by itself" in platform.status()
    told = platform.explain()
    assert "kubectl describe job --namespace clinic" in told
    assert "pending-upgrade" in told
    clock.advance(DEADLINE_S)
    assert "lost: its analyst told no verdict, and nothing since 2026-11-21 09:01:00 UTC" in platform.status()


@pytest.mark.parametrize(("ahead_s", "said"), [(90.0, "1 m 30 s ahead of"), (-3600.0, "1 h behind")])
def test_clocks_that_differ_are_told(platform, ahead_s, said):
    platform.analyst(ahead_s=ahead_s).through(1)
    told = platform.status()
    assert f"clocks   the analyst's is {said} the broker's" in told
    assert "under way for 1 m:" in told


def test_a_machine_whose_own_clock_is_behind_says_so(platform, clock):
    platform.analyst().through(1)
    clock.advance(-60.0)
    assert "clock    this machine's is behind the broker's" in platform.status()


def test_the_story_of_an_abort_tells_the_steps_what_decided_who_ended_it_and_what_to_do(platform):
    analyst = platform.analyst()
    analyst.through(2)
    analyst.clips = 70
    analyst.tell("abort", "latency 6.4 against 6", (FINE, SLOWER), after_s=30.0)
    told = platform.explain()
    for part in (
        "lipsol revision 7 in namespace clinic: aborted at 2026-11-21 09:02:30 UTC, after 2 m 30 s",
        "bundle 3fa93fa93fa9, by way canary, in 4 steps",
        "step 1 of 4 (shadow 100 %): 2026-11-21 09:00:00 UTC, 1 m, passed; 100 clips of the canary against 100",
        "step 3 of 4 (canary 50 %): 2026-11-21 09:02:00 UTC, 30 s, aborted; 70 clips",
        "died (clips given up): 0.0 % against 0.4 %; worse by -2.0 % to 3.0 %, up to 1 % is let pass: fine",
        "decided  latency (usual time of a reading): 602 ms against 403 ms; 1.35 to 1.65 times as long, up to 1.25",
        "ended    its analyst, which gave all to stable first",
        "because  latency 6.4 against 6",
        "next     Stable was never touched",
        "helm history lipsol --namespace clinic",
    ):
        assert part in told
    assert told.count("decided") == 1
    assert "lipsol models gate" not in told


def test_what_is_worse_in_another_language_is_told_in_its_own_units(platform):
    platform.analyst().tell("abort", "latency", (replace(SLOWER, measure="latency (ur)"),))
    assert "latency (ur) (usual time of a reading): 602 ms against 403 ms; 1.35 to 1.65 times" in platform.explain()


def test_the_story_of_what_reads_worse_points_to_the_models_gate(platform):
    worse = Told("opposed", 0.31, None, 0.2, 0.4, 0.1, "worse")
    platform.analyst().tell("abort", "opposed", (worse,))
    told = platform.explain()
    assert "of other words): 31.0 %; 20.0 % to 40.0 %, up to 10 % is let pass: worse" in told
    assert "lipsol models gate" in told


def test_a_measure_of_which_nothing_is_known_says_so(platform):
    platform.analyst().tell("hold", "", (Told("wrong", None, None, None, None, 0.1, "nothing known"),))
    assert "wrong (readings that people called wrong): nothing known\n" in platform.explain()


def test_a_gate_of_prometheus_or_a_crash_is_told_by_its_reason(platform):
    platform.analyst(bundle="").tell("abort", "the canary's pod does not start: no such bundle")
    told = platform.explain()
    assert "what the new image reads by" in told
    assert "because  the canary's pod does not start: no such bundle" in told
    assert "decided" not in told


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        (["pass"], "Helm updates stable"),
        (["pass", "handed-back"], "Nothing. `helm rollback lipsol REVISION --namespace clinic` goes back"),
        (["handed-back"], "another upgrade"),
        (["stood-down"], "lipsol traffic show"),
        ([], 'lipsol release abort lipsol --reason "..."'),
    ],
    ids=["passed", "handed back", "cut off", "stood down", "under way"],
)
def test_every_story_ends_with_what_to_do_next(platform, ends, told):
    analyst = platform.analyst()
    analyst.through(1)
    for end in ends:
        analyst.tell(end, "so it is", after_s=1.0)
    assert told in platform.explain().split("next     ")[1]


def test_a_shadow_is_observed_and_its_failed_upgrade_is_said_to_be_meant(platform):
    platform.analyst(way="shadow").tell("pass", "all 1 steps are passed")
    assert "observed at 2026-11-21 09:00:00 UTC" in platform.status()
    assert "says failed is meant so" in platform.explain()
    assert "ended    its analyst: nothing spoke against it, and way shadow lets nothing in" in platform.explain()
    assert "let it in" not in platform.explain().split("next     ")[0]


def test_an_analyst_that_fell_silent_before_its_first_policy_says_that_none_was_set(platform, clock):
    platform.analyst(expiry_s=0.0).tell("began")
    clock.advance(40.0)
    assert "policy   none was set yet" in platform.status()


def test_a_story_is_told_of_the_release_and_revision_that_are_named(platform):
    platform.analyst("other", revision=3).through(4)
    platform.analyst(revision=6).through(4)
    platform.analyst(revision=7).through(1)
    assert platform.explain().startswith("lipsol revision 7 ")
    assert platform.explain("lipsol", 6).startswith("lipsol revision 6 ")
    assert platform.explain("other").startswith("other revision 3 ")
    assert json.loads(platform.explain("lipsol", 6, as_json=True))["verdict"] == "passed"
    with pytest.raises(NotFound, match=r"no rollout of a revision 5: known are 7, 6"):
        platform.explain("lipsol", 5)


def test_an_abort_sets_stable_first_and_then_tells_that_the_analyst_stood_down(platform):
    analyst = platform.analyst()
    analyst.through(1)
    platform.operations.set_traffic("canary", 5.0, 60.0, set_by="analyst lipsol v7")

    def a_moment(_):
        assert platform.operations.traffic().reason == "it reads nonsense"
        analyst.tell("stood-down", "somebody set stable")

    told = platform.abort(reason="it reads nonsense", pause=a_moment)
    assert told.startswith("traffic  all is read by stable\n")
    assert "release  lipsol revision 7: stood down at" in told
    assert "somebody set stable" in told


def test_an_abort_does_not_wait_for_ever_and_says_that_nobody_answered(platform):
    platform.analyst().through(1)
    waited = []
    told = platform.abort("lipsol", pause=waited.append)
    assert sum(waited) == 2.0
    assert "its analyst did not say in 2 s that it stands down" in told
    assert platform.operations.traffic().reason == "aborted by hand"


def test_an_abort_where_nothing_is_under_way_still_sets_stable(platform):
    platform.operations.set_traffic("canary", 5.0, 60.0, set_by="sara")
    told = platform.abort("lipsol")
    assert not platform.operations.traffic().live
    assert "no rollout is under way of a release 'lipsol'" in told


def test_an_abort_of_what_has_passed_already_says_how_to_take_it_back(platform):
    platform.analyst().through(4)
    assert "`helm rollback lipsol REVISION --namespace clinic`" in platform.abort()


class Unread(Operations):
    """Operations that lose the broker once the policy is set."""

    def rollouts(self, **_):
        raise Transient("the broker is away", "try again")


def test_an_abort_holds_though_the_rollouts_can_not_be_read(platform, capsys):
    platform.operations = Unread(platform.bus, platform.operations.store)
    assert run_abort("", "enough", platform=platform) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("traffic  all is read by stable\n")
    assert "can't be seen: the broker is away" in shown.err
