"""The operator's verbs beside a real analyst: what it tells is what they show, and what they set is what it heeds."""

import time
from contextlib import nullcontext
from uuid import uuid4

import pytest

from lipsol.bus.kafka import KafkaBus, create_topics
from lipsol.rollout.plan import Plan, Step
from lipsol.store.local import LocalStore
from lipsol.topics import ROLLOUTS
from services.analyst.hand_back import hand_back
from services.cli.release import run_abort, run_explain, run_status
from services.cli.release_watch import Lines, Watch
from services.operating.operations import Operations
from services.operating.rollouts import rollouts
from tests.conftest import FixedClock, link_to
from tests.rollouts_made import SLOWER, Analyst
from tests.unit.analyst.world import Behaviour, World

SHADOW = Plan("shadow", (Step("shadow", 100.0, 20),), deadline_s=180.0, expiry_s=15.0)
LOOKS = 400  # more than any rollout here has


class Release:
    """A rollout in a world of its own, and an operator who watches each of its looks."""

    def __init__(self, folder, capsys, behaviour=None, **asked):
        self.world = World(behaviour or Behaviour(), namespace="clinic", **asked)
        self.operations = Operations(self.world.bus, LocalStore(folder), None, self.world.now)
        self._capsys = capsys
        self._watch, self._lines = Watch(self.operations, "", self.world.now, self.world.monotonic), Lines()

    def run(self, at=None):
        """Let it end; at: what happens at which look. The verdict, what was watched, and the code of the watch."""
        for look in range(1, LOOKS):
            self.world.at[look] = lambda look=look: (self._look(), (at or {}).get(look, lambda: None)())
        verdict = self.world.run()
        view = self._look()
        assert view.over
        return verdict, self.said(), view.exit_code

    def shown(self, verb, *arguments, **named):
        assert verb(*arguments, **named, platform=lambda: nullcontext(self.operations)) == 0
        return self.said()

    def status(self):
        return self.shown(run_status, "", as_json=False, now=self.world.now)

    def explain(self):
        return self.shown(run_explain, "lipsol", 7, as_json=False, now=self.world.now)

    def said(self):
        return "\n".join(
            line for line in self._capsys.readouterr().out.splitlines() if not line.startswith("{")
        )  # without the log

    def _look(self):
        view = self._watch.look()
        self._lines(view)
        return view


@pytest.fixture
def release(tmp_path, capsys):
    made = []

    def begun(behaviour=None, **asked):
        made.append(Release(tmp_path, capsys, behaviour, **asked))
        return made[-1]

    yield begun
    for each in made:
        each.world.bus.close()


def test_a_good_release_is_watched_through_all_its_steps_and_handed_back(release):
    seen = release()
    verdict, watched, code = seen.run()
    assert (verdict.what, code) == ("pass", 0)
    for number, weight in enumerate((100, 25, 50, 100), 1):
        assert f"step {number} of 4 ({'shadow' if number == 1 else 'canary'} {weight} %), after" in watched
    shares = [f"canary: {weight} % of the sessions" for weight in (25, 50, 100)]
    assert [watched.index(share) for share in shares] == sorted(watched.index(share) for share in shares)
    assert "Helm updates stable" in seen.explain()
    hand_back(seen.world.settings, seen.world.bus, seen.world.kubernetes, seen.world)
    told = seen.status()
    assert told.startswith("traffic  all is read by stable\n")
    assert "all was given back to stable" in told
    assert "all is stable's, and the canary is gone" in seen.explain()


@pytest.mark.parametrize(
    ("behaviour", "measure", "advice"),
    [
        (Behaviour(ms=300.0), "latency", "limits"),
        (Behaviour(other=0.5), "opposed", "lipsol models gate"),
        (Behaviour(died=0.5), "died", "lipsol dead-letters list"),
    ],
    ids=["slow", "other words", "dies"],
)
def test_a_bad_one_is_explained_by_the_measure_that_decided(release, behaviour, measure, advice):
    seen = release(behaviour)
    verdict, watched, code = seen.run()
    assert (verdict.what, code) == ("abort", 1)
    assert f"because  {verdict.reason}" in watched
    told = seen.explain()
    assert f"\ndecided  {measure} (" in told
    assert advice in told.split("next     ")[1]


def test_a_crash_is_explained_by_the_pods_own_last_words(release):
    seen = release()
    verdict, _, code = seen.run({4: seen.world.crash})
    assert (verdict.what, code) == ("abort", 1)
    assert "no model" in seen.explain()


def test_an_operators_abort_in_the_midst_has_the_analyst_stand_down_and_the_story_says_who_and_why(release):
    seen = release()

    def abort():
        seen.shown(run_abort, "", "it reads nonsense", wait_s=0.0)

    verdict, watched, code = seen.run({5: abort})
    assert (verdict.what, code) == ("stood-down", 1)
    assert "release  lipsol revision 7: stood down" in watched
    told = seen.explain()
    assert "set mode stable: it reads nonsense" in told
    assert seen.operations.traffic().reason == "it reads nonsense"


def test_a_shadow_is_observed_and_never_let_in(release):
    seen = release(plan=SHADOW)
    verdict, _, code = seen.run()
    assert (verdict.what, code) == ("pass", 0)
    told = seen.status()
    assert told.startswith("traffic  all is read by stable\n")
    assert "state    observed at" in told


def test_over_a_real_kafka_a_rollout_is_read_from_its_first_word_on_by_the_brokers_clock(kafka):
    link = link_to(kafka, f"release-{uuid4().hex[:8]}-")
    create_topics(link, topics=[ROLLOUTS])
    bus = KafkaBus(link)
    try:
        analyst = Analyst(bus, FixedClock(time.time()), ahead_s=100.0)
        analyst.through(1)
        analyst.tell("abort", "worse", (SLOWER,))
        (seen,) = rollouts(bus, time.time())
        assert (seen.state, [step.passed for step in seen.steps]) == ("aborted", [True, False])
        assert 100.0 <= seen.ahead_s <= 170.0  # its test's clock went a minute on, too
        assert rollouts(bus, time.time(), since=seen.first_at) == [seen]
        assert rollouts(bus, time.time(), since=seen.told_at + 60.0) == []
    finally:
        bus.close()
