"""Looks in, findings and actions out: hysteresis, cool-down, repeats, memory, and what is told of it."""

from dataclasses import replace

import pytest
import structlog

from lipsol.drift.budget import Sensitivity
from lipsol.drift.comparison import Comparison
from lipsol.drift.verdict import Verdict
from lipsol.errors import BadInput
from lipsol.events import ActionTaken, DriftDetected, TrafficSet
from lipsol.runtime.telemetry import Telemetry
from lipsol.traffic import Policy
from services.monitor.actions import Ground
from services.monitor.concern import COOLING, KEPT, SAID, Concern, Standing
from services.monitor.group import Group

AT = 1_795_251_600.0
GROUP = Group("stable", "grid-sentences", "a" * 64, "en")
CANARY = replace(GROUP, track="canary")
CAMERA = Verdict("camera", "tell-users", (Comparison("brightness", "psi", 1.2, 0.2, 0.9, True),), "It is dark.")
SPEAKER = Verdict("speaker", "retrain", (Comparison("embedding", "mmd", 0.4, 0.1, 0.8, True),), "Others speak.")
WORSE = Verdict("model", "roll-back", (Comparison("wer", "ratio", 0.9, 0.2, 0.0, True),), "It reads worse.")
BLOCK_S = 60.0
UNKNOWN = Ground()


class Watch:
    """A concern, and the looks that it is given, a minute apart."""

    def __init__(self, automation="suggest", ground=UNKNOWN, ended=lambda: False, **sensitivity):
        self.telemetry = Telemetry()
        self.sensitivity = Sensitivity(**{"begin_after": 2, "over_after": 3, "cool_down_s": 600.0, **sensitivity})
        self.concern = Concern(automation, self.sensitivity, self.telemetry, lambda _group: ground, ended, lambda: AT)
        self.at = AT

    def look(self, verdict, times=1, group=GROUP):
        events = []
        for _ in range(times):
            events += self.concern.looked(group, verdict, self.at, clips=200, since=self.at - 480)
            self.at += BLOCK_S
        return events

    def drift(self, kind="camera", group=GROUP):
        labels = {"kind": kind, "track": group.track, "model": group.model}
        return self.telemetry.value("lipsol_drift_state", **labels)

    def state(self, group=GROUP, **standing):
        (told,) = self.concern.watched([Standing(group, 200, **standing)])
        return told


def test_one_look_is_no_finding_and_two_in_a_row_are():
    watch = Watch()
    assert watch.look(CAMERA) == []
    found, action = watch.look(CAMERA)
    assert isinstance(found, DriftDetected)
    assert (found.kind, found.remedy, found.state, found.language) == ("camera", "tell-users", "begun", "en")
    assert (found.measure, found.method, found.value, found.threshold) == ("brightness", "psi", 1.2, 0.2)
    assert (found.samples, found.window_from, found.window_to) == (200, AT + 60 - 480, AT + 60)
    assert [each.share for each in found.evidence] == [0.9]
    assert isinstance(action, ActionTaken)
    assert (action.drift_id, action.done) == (found.drift_id, False)
    assert watch.look(CAMERA, 50) == [], "it is told once"


def test_looks_that_do_not_agree_are_no_finding():
    watch = Watch()
    assert [watch.look(each) for each in (CAMERA, None, CAMERA, SPEAKER, None, CAMERA)] == [[]] * 6


def test_it_is_over_after_as_many_quiet_looks_as_are_asked_for():
    watch = Watch()
    found, _ = watch.look(CAMERA, 2)
    assert watch.drift() == 1
    assert watch.look(None, 2) + watch.look(CAMERA) + watch.look(None, 2) == [], "a quiet look or two are no end"
    (over,) = watch.look(None)
    assert over == replace(found, state="over", detected_at=watch.at - BLOCK_S)
    assert watch.drift() == 0
    assert watch.look(None, 20) == []


def test_the_same_is_not_told_again_before_it_has_cooled_down_and_something_else_is():
    watch = Watch()
    watch.look(CAMERA, 2)
    watch.look(None, 3)
    found, _ = watch.look(SPEAKER, 2)
    assert found.kind == "speaker"
    watch.look(None, 3)
    (again, _) = watch.look(CAMERA, 4)
    assert again.kind == "camera"
    assert again.detected_at - AT >= 600


def test_what_cools_down_is_shown_as_what_it_is_and_nothing_is_done_about_it():
    watch = Watch("act", cool_down_s=3600.0)
    watch.look(SPEAKER, 2)
    watch.look(None, 3)
    assert (watch.drift("speaker"), watch.state().state) == (0, "quiet")
    assert watch.look(SPEAKER, 2) == []
    assert watch.drift("speaker") == 1, "its alert goes by the gauge"
    told = watch.state()
    assert (told.state, told.said, told.verdict) == ("drift", f"{SPEAKER.said} {COOLING}", SPEAKER)
    labels = {"kind": "speaker", "track": "stable", "model": GROUP.model}
    assert watch.telemetry.value("lipsol_drift_detected_total", **labels) == 1
    again = Watch("act", cool_down_s=3600.0)
    again.concern.restore(watch.concern.to_bytes())
    assert (again.drift("speaker"), again.state().said) == (1, told.said)
    assert watch.look(None, 3) == [], "what was not told is not told to be over"
    assert (watch.drift("speaker"), watch.state().state) == (0, "quiet")


def test_what_is_still_there_after_its_cool_down_is_told_and_answered():
    watch = Watch("act")
    watch.look(SPEAKER, 2)
    watch.look(None, 3)
    watch.look(SPEAKER, 2)
    since = watch.state().since
    watch.at += 600
    found, action = watch.look(SPEAKER)
    assert (found.state, action.kind, action.drift_id) == ("begun", "retrain", found.drift_id)
    assert (watch.state().said, watch.state().since) == (SPEAKER.said, since)
    (over,) = watch.look(None, 3)
    assert (over.drift_id, over.state) == (found.drift_id, "over")


def test_every_group_has_its_own_findings_and_names():
    watch = Watch()
    other = replace(GROUP, language="ur")
    first, _ = watch.look(CAMERA, 2)
    watch.look(None, 1, other)
    second, _ = watch.look(CAMERA, 2, other)
    assert first.drift_id != second.drift_id
    watch.look(None, 3, other)
    assert watch.drift() == 1, "one language is still in the dark"
    watch.look(None, 3)
    assert watch.drift() == 0


def test_the_same_looks_again_tell_the_same_names():
    first, again = Watch("act"), Watch("act")
    (found, action), (found_again, action_again) = first.look(SPEAKER, 2), again.look(SPEAKER, 2)
    assert (found, action.action_id) == (found_again, action_again.action_id)


@pytest.mark.parametrize(("automation", "done"), [("observe", False), ("suggest", False), ("act", True)])
def test_a_training_is_asked_for_only_in_act(automation, done):
    watch = Watch(automation)
    _, action = watch.look(SPEAKER, 2)
    assert (action.kind, action.done) == ("retrain", done)
    assert watch.telemetry.value("lipsol_actions_total", kind="retrain", mode=automation) == 1
    labels = {"kind": "speaker", "track": "stable", "model": GROUP.model}
    assert watch.telemetry.value("lipsol_drift_detected_total", **labels) == 1


def test_in_act_a_canary_that_reads_worse_loses_its_traffic_at_once():
    watch = Watch("act", Ground(Policy("canary", 50.0, CANARY.digest, AT + 60, "analyst", "", AT)))
    found, traffic, action = watch.look(WORSE, 2, CANARY)
    assert isinstance(traffic, TrafficSet)
    assert (traffic.mode, traffic.weight, traffic.set_by) == ("stable", 0.0, "monitor")
    assert action.drift_id == found.drift_id


def test_of_shadow_copies_it_tells_and_does_nothing():
    watch = Watch("act", Ground(Policy("canary", 50.0, "", AT + 60, "analyst", "", AT)))
    shadow = replace(CANARY, shadow=True)
    (found,) = watch.look(WORSE, 2, shadow)
    assert found.state == "begun"
    assert watch.drift("model", shadow) == 0
    assert watch.state(shadow).state == "drift"


def test_while_a_finding_is_open_it_is_shown_however_the_last_look_was():
    watch = Watch()
    watch.look(CAMERA, 2)
    watch.look(None)
    assert (watch.state().state, watch.state().verdict) == ("drift", CAMERA)
    watch.look(SPEAKER)
    assert watch.state().verdict == CAMERA
    darker = replace(CAMERA, evidence=(replace(CAMERA.evidence[0], value=2.0),))
    watch.look(darker)
    assert watch.state().verdict == darker


def test_what_was_done_is_told_newest_first_and_once():
    watch = Watch()
    _, action = watch.look(SPEAKER, 2)
    later = replace(action, action_id="later", at=action.at + 1)
    for each in (action, later, action):
        watch.concern.heard(each)
    assert watch.concern.actions() == [later, action]
    for n in range(KEPT + 5):
        watch.concern.heard(replace(action, action_id=str(n)))
    assert len(watch.concern.actions()) == KEPT


def test_what_a_person_did_is_counted_when_it_is_heard():
    watch = Watch()
    _, action = watch.look(SPEAKER, 2)
    done = replace(action, action_id="by-hand", done=True, by="sara@clinic")
    for each in (action, done, done):
        watch.concern.heard(each)
    assert watch.telemetry.value("lipsol_actions_total", kind="retrain", mode="suggest") == 2


def test_what_it_remembers_outlives_it():
    watch = Watch()
    found, action = watch.look(CAMERA, 2)
    watch.concern.heard(action)
    other = Watch()
    other.concern.restore(watch.concern.to_bytes())
    other.at = watch.at
    assert other.concern.actions() == [action]
    assert (other.state().state, other.state().said, other.state().since) == ("drift", "It is dark.", AT + 60)
    assert other.drift() == 1, "an alert must not end because the monitor was restarted"
    assert other.state().verdict == CAMERA
    (over,) = other.look(None, 3)
    assert (over.drift_id, over.state) == (found.drift_id, "over")
    assert other.look(CAMERA, 2) == [], "it still cools down"


def test_half_of_its_looks_are_remembered_too():
    watch, other = Watch(), Watch()
    watch.look(CAMERA)
    other.concern.restore(watch.concern.to_bytes())
    assert len(other.look(CAMERA)) == 2


@pytest.mark.parametrize("torn", [b"", b"{}", b'{"cases": [{}], "actions": []}', b'{"cases": [], "actions": ["?"]}'])
def test_a_memory_that_makes_no_sense_is_refused(torn):
    with pytest.raises(BadInput):
        Watch().concern.restore(torn)


def test_who_is_told_of_the_past_counts_and_logs_nothing_anew():
    watch = Watch("act")
    with structlog.testing.capture_logs() as logs, watch.concern.muted():
        assert len(watch.look(SPEAKER, 2)) == 2
    assert logs == []
    assert watch.telemetry.value("lipsol_actions_total", kind="retrain", mode="act") == 0
    assert watch.drift("speaker") == 1, "a gauge tells how it stands, whoever saw it first"


def test_every_finding_and_action_is_a_line_in_the_log():
    with structlog.testing.capture_logs() as logs:
        Watch("act").look(SPEAKER, 2)
    begun, acted = logs
    assert (begun["event"], begun["kind"], begun["measure"]) == ("drift-begun", "speaker", "embedding")
    assert (acted["event"], acted["kind"], acted["done"], acted["by"]) == ("action", "retrain", True, "monitor")
    assert acted["reason"] == SPEAKER.said


def test_who_reads_no_more_drifts_no_more():
    watch = Watch()
    found, _ = watch.look(CAMERA, 2)
    assert watch.concern.gone(GROUP, watch.at) == [replace(found, state="over", detected_at=watch.at)]
    assert (watch.drift(), watch.concern.gone(GROUP, watch.at)) == (0, [])


def test_what_is_accepted_is_over_and_told_anew_without_a_cool_down():
    watch = Watch()
    watch.look(CAMERA, 2)
    (over,) = watch.concern.accepted(GROUP, watch.at)
    assert (over.state, watch.drift(), watch.state().state) == ("over", 0, "quiet")
    assert len(watch.look(CAMERA, 2)) == 2
    assert watch.concern.accepted(replace(GROUP, language="ur"), watch.at) == []


@pytest.mark.parametrize(
    ("comparable", "state"),
    [("not yet", "learning"), ("no reference", "no reference"), ("away", "away"), ("yes", "quiet")],
)
def test_a_group_that_was_never_looked_at_says_why(comparable, state):
    told = Watch().state(comparable=comparable)
    assert (told.state, told.said, told.clips, told.verdict) == (state, SAID[state], 200, None)


def test_a_canarys_finding_is_over_once_no_policy_lets_it_read():
    ended = []
    watch = Watch("act", ended=lambda: bool(ended))
    found, _ = watch.look(WORSE, 2, CANARY)
    assert watch.look(None, 3) == []
    ended.append(True)
    assert watch.look(None, 1, CANARY) == [], "it reads what is left, and is no judge of itself"
    (over,) = watch.look(None)
    assert (over.drift_id, over.state) == (found.drift_id, "over")
    assert (watch.drift("model", CANARY), watch.state(CANARY).state) == (0, "quiet")
    assert watch.look(WORSE, 2, CANARY) == [], "it still cools down"
    another, *_ = watch.look(SPEAKER, 5, CANARY)
    assert (another.kind, another.state) == ("speaker", "begun")


def test_a_bundles_finding_is_over_once_another_reads_in_its_place():
    watch = Watch()
    found, _ = watch.look(SPEAKER, 2)
    trained = replace(GROUP, digest="b" * 64)
    assert watch.look(None, 10, trained) == [], "replicas change over one by one"
    (over,) = watch.look(None, 1, trained)
    assert (over.drift_id, over.state) == (found.drift_id, "over")
    assert watch.drift("speaker") == 0


def test_the_finding_of_a_group_that_nobody_asks_any_more_is_over_after_a_day():
    watch = Watch()
    found, _ = watch.look(CAMERA, 2)
    urdu = replace(GROUP, language="ur")
    watch.at += 86_000
    assert watch.look(None, 1, urdu) == []
    watch.at += 500
    (over,) = watch.look(None, 1, urdu)
    assert (over.drift_id, over.state) == (found.drift_id, "over")


def test_who_reads_too_seldom_for_a_look_reads_all_the_same():
    watch = Watch()
    rare, renewed = replace(GROUP, language="ur"), replace(GROUP, digest="b" * 64)
    watch.look(CAMERA, 2)
    watch.look(CAMERA, 2, rare)
    watch.at += 100_000
    read = {GROUP: watch.at - 60, rare: watch.at - 86_000}
    assert watch.concern.looked(renewed, None, watch.at, read=read) == []
    read[GROUP] -= 600
    (over,) = watch.concern.looked(renewed, None, watch.at, read=read)
    assert (over.model_digest, over.language) == (GROUP.digest, "en")


def test_what_becomes_of_what_was_asked_for_takes_its_place_and_counts_once():
    watch = Watch()
    asked = ActionTaken("a", "accept", "suggest", False, "lamps", "", GROUP.digest, "stable", "en", "sara@clinic", AT)
    done = replace(asked, done=True, by="monitor")
    for each in (asked, done, done):
        watch.concern.heard(each)
    assert watch.concern.actions() == [done]
    assert watch.telemetry.value("lipsol_actions_total", kind="accept", mode="suggest") == 1


def test_what_is_read_again_after_a_crash_retires_nobody():
    watch = Watch(ended=lambda: True)
    watch.look(WORSE, 2, CANARY)
    with watch.concern.muted():
        assert watch.look(None) == [], "what it told would not be published"
    assert len(watch.look(None)) == 1
