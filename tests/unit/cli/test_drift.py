import json
from contextlib import contextmanager
from dataclasses import replace

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.errors import BadInput, NotFound
from lipsol.events import ActionTaken, DriftDetected, Evidence
from lipsol.runtime.envelope import unwrap, wrap
from lipsol.store.local import LocalStore
from lipsol.topics import ACTIONS
from services.cli.drift import run_accept, run_actions, run_status, run_take
from services.operating.operations import Operations
from tests.services_made import MadeRegistry, info_of

DIGEST = info_of().digest
AT = 1_795_251_600.0
EVIDENCE = (Evidence("brightness", "psi", 1.234, 0.2, 0.9), Evidence("contrast", "ks", 0.5, 0.1))
FOUND = DriftDetected(
    "d1", DIGEST, "stable", "brightness", "psi", 1.234, 0.2, 200, AT - 480, AT, AT, "camera", "tell-users", "begun",
    "en", EVIDENCE,
)  # fmt: skip
ASKED = ActionTaken(
    "ab12" * 8, "retrain", "suggest", False, "Others speak: train again", "d1", DIGEST, "stable", "en", "monitor", AT
)


class Platform:
    """Operations on a bus of their own, and what a terminal shows of them."""

    def __init__(self, folder, clock, capsys):
        self.bus, self.clock, self._capsys = MemoryBus(), clock, capsys
        self.operations = Operations(self.bus, LocalStore(folder), MadeRegistry(), clock.now)

    @contextmanager
    def __call__(self):
        yield self.operations

    def tell(self, *events):
        self.bus.publish_all([wrap(event, "monitor", AT) for event in events])

    def shown(self, verb, *arguments, **named):
        assert verb(*arguments, **named, platform=self) == 0
        return self._capsys.readouterr().out

    def status(self, *, every=False, as_json=False):
        return self.shown(run_status, "", every=every, as_json=as_json)

    def actions(self, *, as_json=False):
        return self.shown(run_actions, "", as_json=as_json)

    def told(self):
        return [unwrap(message) for message in self.bus.replay([ACTIONS.name])]


@pytest.fixture
def platform(tmp_path, clock, capsys):
    made = Platform(tmp_path, clock, capsys)
    yield made
    made.bus.close()


def test_where_nothing_drifts_one_line_says_so(platform):
    assert platform.status().startswith("no drift: ")
    assert platform.actions() == "nothing was done or proposed\n"


def test_a_finding_is_shown_with_its_kind_its_remedy_and_what_speaks_for_it(platform):
    platform.tell(FOUND)
    told = platform.status()
    for part in ("2026-11-21 09:00:00", "drifts", "camera", "stable", DIGEST[:12], "tell-users", "200 clips"):
        assert part in told
    assert "brightness: psi 1.23, at most 0.2, 90 % of the clips\n" in told
    assert "contrast: ks 0.5, at most 0.1\n" in told


def test_what_is_over_is_shown_only_where_all_is_asked_for(platform):
    platform.tell(FOUND, replace(FOUND, drift_id="d2", kind="speaker"), replace(FOUND, state="over"))
    assert "camera" not in platform.status()
    assert "speaker" in platform.status()
    told = platform.status(every=True)
    assert ("camera" in told, " over " in told, told.count("drifts")) == (True, True, 1)


def test_as_json_everything_is_told(platform):
    platform.tell(FOUND, ASKED)
    (found,) = json.loads(platform.status(as_json=True))
    assert (found["drift_id"], found["evidence"][1]["measure"]) == ("d1", "contrast")
    (action,) = json.loads(platform.actions(as_json=True))
    assert (action["action_id"], action["done"]) == (ASKED.action_id, False)


def test_a_proposal_waits_until_somebody_takes_it_up_by_the_first_digits_of_its_name(platform):
    platform.tell(ASKED, ASKED)
    assert "proposed" in platform.actions()
    assert platform.shown(run_take, "ab12").startswith("done     retrain on stable")
    told = platform.actions()
    assert ("taken up" in told, "done" in told, "proposed" in told) == (True, True, False)
    (done,) = [each for each in platform.told() if each.done]
    assert (done.kind, done.drift_id, done.automation, done.reason) == ("retrain", "d1", "suggest", ASKED.reason)
    assert "@" in done.by


def test_taken_up_twice_it_is_one_action(platform):
    platform.tell(ASKED)
    platform.shown(run_take, "ab12")
    platform.shown(run_take, "ab12")
    assert len(platform.told()) == 2


def test_what_was_noted_where_nobody_may_propose_can_be_taken_up_too(platform):
    platform.tell(replace(ASKED, automation="observe"))
    assert "noted" in platform.actions()
    platform.shown(run_take, ASKED.action_id)
    assert platform.told()[-1].done


def test_a_canary_is_ended_by_the_yes_to_it(platform):
    platform.operations.set_traffic("canary", 50.0, 60.0, set_by="analyst")
    platform.tell(replace(ASKED, kind="abort-canary", track="canary", reason="It reads worse."))
    platform.shown(run_take, "ab12")
    state = platform.operations.traffic()
    assert (state.mode, state.live, state.reason) == ("stable", False, "It reads worse.")
    assert state.set_by == platform.told()[-1].by


def test_of_all_else_traffic_and_models_stay_as_they_are(platform):
    platform.operations.set_traffic("canary", 50.0, 60.0, set_by="analyst")
    platform.tell(replace(ASKED, kind="roll-back"))
    platform.shown(run_take, "ab12")
    assert platform.operations.traffic().live
    assert platform.told()[-1].done


def test_what_was_done_already_stays_as_it_was(platform):
    platform.tell(replace(ASKED, done=True))
    assert platform.shown(run_take, "ab12").endswith("by monitor\nbecause  Others speak: train again\n")
    assert len(platform.told()) == 1


@pytest.mark.parametrize("name", ["", "ff"])
def test_what_nobody_proposed_can_not_be_taken_up(platform, name):
    platform.tell(ASKED)
    with pytest.raises(NotFound, match="lipsol drift actions"):
        run_take(name, platform=platform)


def test_a_name_that_two_actions_begin_with_means_neither(platform):
    platform.tell(ASKED, replace(ASKED, action_id="ab13"))
    with pytest.raises(BadInput, match="more of its name"):
        run_take("ab1", platform=platform)


def test_the_new_normal_is_told_to_the_monitor_with_who_and_why(platform):
    told = platform.shown(run_accept, "stable", "grid-words", "en", "new cameras", registry=MadeRegistry())
    assert told.startswith(f"asked the monitor to take what comes to {info_of('grid-words').digest[:12]} on stable, en")
    (action,) = platform.told()
    assert (action.kind, action.done, action.reason) == ("accept", False, "new cameras")
    assert (action.model_digest, action.track, action.language) == (info_of("grid-words").digest, "stable", "en")
    assert action.at == platform.clock.now()
    assert " asked for " in platform.actions()
    with pytest.raises(BadInput, match="asked of the monitor"):
        run_take(action.action_id, platform=platform)
    platform.tell(replace(action, by="monitor", reason="too few clips"))
    assert (" refused " in platform.actions(), " asked for " in platform.actions()) == (True, False)
    platform.tell(replace(action, by="monitor", done=True))
    assert " done " in platform.actions()


def test_without_a_model_whatever_drifts_there_is_accepted(platform):
    platform.tell(FOUND, replace(FOUND, drift_id="d2", model_digest="b" * 64, state="over"))
    platform.shown(run_accept, "stable", "", "", "")
    (action,) = platform.told()
    assert (action.model_digest, action.language, action.track) == (DIGEST, "", "stable")
    with pytest.raises(NotFound, match="nothing drifts on canary.*name the model"):
        run_accept("canary", "", "", "", platform=platform)


def test_a_model_that_is_not_here_is_no_normal(platform):
    with pytest.raises(NotFound, match="grid-sentences"):
        run_accept("stable", "nonsense", "", "", platform=platform, registry=MadeRegistry())
    assert platform.told() == []
