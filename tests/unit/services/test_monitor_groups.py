"""One detector for each group: fed, looked at, bounded, kept and known again."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest

from lipsol.clips.embedding import SIZE
from lipsol.drift.budget import BLOCK, Sensitivity
from lipsol.drift.features import Observation, Told
from lipsol.drift.reference import Reference
from lipsol.events import ActionTaken, StateKept
from lipsol.runtime.telemetry import Telemetry
from services.monitor.group import Group
from services.monitor.groups import RECENT_S, Groups
from services.monitor.references import Away

GROUP = Group("stable", "grid-sentences", "5" * 64, "en")
ACCEPT = ActionTaken("a", "accept", "suggest", False, "lamps", "", GROUP.digest, "stable", "en", "sara@clinic", 5.0)
SHADOW = Group("canary", "grid-words", "6" * 64, "en", shadow=True)


def observation(noise, bright=117.0):
    numbers = {"brightness": float(noise.normal(bright, 10)), "seconds": 3.0, "sharpness": float(noise.normal(90, 9))}
    outputs = {"confidence": float(noise.beta(9, 1)), "length": float(noise.integers(15, 30))}
    words = dict.fromkeys(map(str, noise.choice(["bin", "blue", "at", "now"], 2)), 1)
    return Observation(numbers, tuple(map(float, noise.normal(size=SIZE))), outputs, False, words)


@pytest.fixture(scope="module")
def reference():
    noise = np.random.default_rng(0)
    return Reference.of([observation(noise) for _ in range(300)], [], digest_of_data="tests")


class Bundles:
    """Bundles' references; what is not there is loading."""

    def __init__(self, **known):
        self.known = known

    def of(self, digest):
        return self.known.get(f"of_{digest[0]}", "loading")

    load = of


class Hearing:
    """Remembers what it is told."""

    def __init__(self):
        self.looks, self.left, self.normal = [], [], []

    def muted(self):
        return nullcontext()

    def looked(self, group, verdict, at, *, clips=0, since=0.0, read=None):
        self.read = read
        self.looks.append((group, verdict, since, at, clips))
        return [StateKept("look", "tests", b"", at)]

    def gone(self, group, at):
        self.left.append(group)
        return [StateKept("gone", "tests", b"", at)]

    def accepted(self, group, at):
        self.normal.append(group)
        return [StateKept("accepted", "tests", b"", at)]

    def heard(self, _action): ...

    def watched(self, _standings):
        return []

    def actions(self):
        return []

    def to_bytes(self):
        return b""

    def restore(self, _data): ...


@pytest.fixture
def hearing():
    return Hearing()


def groups_of(hearing, bundles, telemetry=None, most=32):
    return Groups(bundles, Sensitivity(), hearing, telemetry or Telemetry(), most)


def feed(groups, clips, group=GROUP, bright=117.0, seed=1, begin=0):
    noise = np.random.default_rng(seed)
    return [e for n in range(begin, begin + clips) for e in groups.read(group, observation(noise, bright), float(n))]


def test_every_full_block_is_looked_at_and_what_comes_of_it_is_given_out(hearing, reference):
    telemetry = Telemetry()
    events = feed(groups_of(hearing, Bundles(of_5=reference), telemetry), 10 * BLOCK + 3)
    assert len(events) == len(hearing.looks) == 10
    group, verdict, since, at, clips = hearing.looks[-1]
    assert (group, verdict, since, at, clips) == (GROUP, None, 2.0 * BLOCK, 10.0 * BLOCK - 1, 8 * BLOCK)
    assert telemetry.value("lipsol_window_clips", track="stable", model="grid-sentences", language="en") == 8 * BLOCK
    assert "lipsol_drift_threshold{" in telemetry.text()


def test_light_that_goes_out_is_found(hearing, reference):
    groups = groups_of(hearing, Bundles(of_5=reference))
    feed(groups, 8 * BLOCK)
    assert {verdict for _, verdict, *_ in hearing.looks} == {None}
    feed(groups, 4 * BLOCK, bright=50.0)
    assert hearing.looks[-1][1].kind == "camera"


def test_a_group_waits_for_its_reference_and_then_nothing_is_missing(hearing, reference):
    bundles = Bundles()
    groups = groups_of(hearing, bundles)
    feed(groups, 2 * BLOCK - 1)
    assert (groups.standings()[0].comparable, hearing.looks) == ("not yet", [])
    bundles.known["of_5"] = reference
    feed(groups, 1, begin=2 * BLOCK - 1)
    assert (groups.standings()[0].comparable, len(hearing.looks)) == ("yes", 2)


def test_a_group_without_a_reference_says_so_and_keeps_nothing(hearing):
    groups = groups_of(hearing, Bundles(of_5="none"))
    feed(groups, 5 * BLOCK)
    assert (groups.standings()[0].comparable, groups.standings()[0].clips, hearing.looks) == ("no reference", 0, [])
    assert max(map(len, groups.changed().values())) < 300


def test_the_group_that_was_quiet_for_longest_is_let_go(hearing, reference):
    groups = groups_of(hearing, Bundles(of_5=reference), most=2)
    others = [replace(GROUP, language=language) for language in ("ur", "de")]
    feed(groups, 1, GROUP)
    feed(groups, 1, others[0])
    feed(groups, 1, GROUP, begin=1)
    feed(groups, 1, others[1])
    assert hearing.left == [others[0]]
    assert {each.group for each in groups.standings()} == {GROUP, others[1]}
    assert len(groups.parts()) == 2


def test_a_detector_survives_being_kept_and_goes_on_where_it_was(hearing, reference):
    groups = groups_of(hearing, Bundles(of_5=reference))
    feed(groups, 3 * BLOCK + 10)
    groups.tell(GROUP, Told(0.9, True, 0, 6, 0, 20), 1.0)
    again = groups_of(hearing, Bundles(of_5=reference))
    again.restore(groups.changed(), {})
    assert again.standings() == groups.standings()
    hearing.looks.clear()
    feed(again, BLOCK - 10, begin=3 * BLOCK + 10)
    assert [look[4] for look in hearing.looks] == [4 * BLOCK]


def test_what_an_operator_accepts_is_the_new_reference_and_outlives_the_process(hearing, reference):
    groups = groups_of(hearing, Bundles(of_5=reference, of_6=reference))
    feed(groups, 8 * BLOCK, bright=50.0)
    feed(groups, 8 * BLOCK, SHADOW)
    assert hearing.looks[7][1] is not None
    events = groups.accept(ACCEPT, "me")
    assert hearing.normal == [GROUP]
    assert (events[-1].action_id, events[-1].done, events[-1].by) == (ACCEPT.action_id, True, "monitor")
    assert groups.accept(events[-1], "me") == [], "its own answer asks for nothing"
    (kept,) = [event for event in events[:-1] if event.part.startswith("reference/")]
    for each in (groups, groups_of(hearing, Bundles(of_5=reference))):
        if each is not groups:
            each.restore(groups.changed(), {GROUP: kept.value})
        hearing.looks.clear()
        feed(each, 4 * BLOCK, bright=50.0, seed=2)
        assert {verdict for _, verdict, *_ in hearing.looks} == {None}


@pytest.mark.parametrize(
    ("brings", "clips", "why"),
    [("reference", BLOCK, "en: 25 clips in the window, at least 50 are needed: wait until there are more."),
     ("none", 4 * BLOCK, "en: it is compared with nothing yet: see that its bundle brings a reference."),
     ("reference", 0, "nothing that was asked for is read on stable: name a model that reads there.")],
    ids=["too few", "no reference", "nobody"],
)  # fmt: skip
def test_what_can_not_be_accepted_is_refused_in_words(hearing, reference, brings, clips, why):
    groups = groups_of(hearing, Bundles(of_5=reference if brings == "reference" else brings))
    feed(groups, clips)
    (answer,) = groups.accept(ACCEPT, "me")
    assert (answer.done, answer.by, answer.reason) == (False, "monitor", f"sara@clinic: lamps ({why})")
    assert groups.accept(answer, "me") == []


def test_a_registry_that_is_away_is_told_with_its_reason_and_what_came_meanwhile_is_compared(hearing, reference):
    telemetry, bundles = Telemetry(), Bundles(of_5=Away("S3 does not answer"), of_6="none")
    groups = groups_of(hearing, bundles, telemetry)
    feed(groups, 2 * BLOCK)
    feed(groups, 1, SHADOW)
    standing = next(each for each in groups.standings() if each.group == GROUP)
    assert (standing.comparable, standing.why) == ("away", "S3 does not answer")
    groups.show(2.0 * BLOCK)
    told = {why: telemetry.value("lipsol_uncompared_groups", reason=why) for why in ("away", "no-reference", "loading")}
    assert told == {"away": 1, "no-reference": 1, "loading": 0}
    groups.show(2.0 * BLOCK + RECENT_S)
    assert telemetry.value("lipsol_uncompared_groups", reason="away") == 0, "nobody reads by it any more"
    bundles.known["of_5"] = reference
    feed(groups, 1, begin=2 * BLOCK)
    groups.show(2.0 * BLOCK)
    assert (len(hearing.looks), telemetry.value("lipsol_uncompared_groups", reason="away")) == (2, 0)


def test_languages_of_one_model_have_gauges_of_their_own_which_end_with_their_group(hearing, reference):
    telemetry = Telemetry()
    groups = groups_of(hearing, Bundles(of_5=reference), telemetry, most=2)
    urdu, renewed = replace(GROUP, language="ur"), replace(GROUP, language="de")
    how = {"measure": "brightness", "method": "ks", "track": "stable", "model": GROUP.model}
    feed(groups, 4 * BLOCK, urdu, bright=50.0)
    feed(groups, 4 * BLOCK)
    values = [telemetry.value("lipsol_drift_value", language=language, **how) for language in ("ur", "en")]
    assert values[0] > 2 * values[1]
    feed(groups, 1, renewed)
    assert 'language="en"' in telemetry.text()
    assert 'language="ur"' not in telemetry.text()


def test_a_look_tells_when_each_group_read_last(hearing, reference):
    groups = groups_of(hearing, Bundles(of_5=reference))
    rare = replace(GROUP, language="ur")
    feed(groups, 3, rare, begin=100)
    feed(groups, BLOCK, begin=200)
    assert hearing.read == {rare: 102.0, GROUP: 200.0 + BLOCK - 1}


def test_nothing_is_told_of_shadow_copies_in_the_users_gauges(hearing, reference):
    telemetry = Telemetry()
    feed(groups_of(hearing, Bundles(of_6=reference), telemetry), 3 * BLOCK, SHADOW)
    assert "lipsol_window_clips{" not in telemetry.text()
    assert len(hearing.looks) == 3
