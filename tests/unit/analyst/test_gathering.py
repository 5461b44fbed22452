"""What counts for and against a canary: of one step, after its warm-up, once, at the side that answered."""

import math

import pytest
from structlog.testing import capture_logs

from lipsol.bus.port import Message
from lipsol.rollout.evidence import Pairs
from lipsol.rollout.plan import Step
from lipsol.runtime.envelope import wrap
from services.analyst.book import BEFORE, LEAST
from services.analyst.gathering import Gathering, Sought, own_ms
from tests.unit.analyst.events import NEW, OLD, death, judged, reading

SHADOW, HALF, ALL = Step("shadow", 100.0, 10), Step("canary", 50.0, 10), Step("canary", 100.0, 10)
SOUGHT = Sought(NEW, "en")


class Step1:
    """A gathering in a step that began at 1000, with a canary that has answered before: it is warm."""

    def __init__(self, step=SHADOW, sought=SOUGHT):
        self.gathering = Gathering(sought)
        self.gathering.begin(step, 1000.0)
        self.offset = 0
        self.take(reading("warm", "canary", at=1000.0, shadow=step.kind == "shadow"))
        self.gathering.begin(step, 1001.0)

    def take(self, *events):
        for event in events:
            out = wrap(event, "test", 1000.0)
            self.offset += 1
            self.gathering.take([Message(out.topic, out.key, out.value, out.headers, 0, self.offset, 1001.0)])

    @property
    def evidence(self):
        return self.gathering.evidence()


@pytest.fixture
def step():
    return Step1()


def test_both_sides_are_added_up(step):
    step.take(reading("a", at=1010.0), reading("a", "canary", at=1010.0, shadow=True, confidence=0.5, abstained=True))
    canary, baseline = step.evidence.canary, step.evidence.baseline
    assert (canary.readings, canary.abstained, canary.confidence.mean) == (1, 1, 0.5)
    assert (baseline.readings, baseline.abstained, baseline.confidence.mean) == (1, 0, 0.9)


def test_what_came_in_before_the_step_is_no_evidence(step):
    step.take(reading("a", at=1000.9), reading("b", "canary", at=999.0, shadow=True, made_at=1050.0))
    assert (step.evidence.canary.clips, step.evidence.baseline.clips) == (0, 0)


def test_what_the_canary_read_while_it_warmed_up_is_no_evidence():
    gathering = Gathering(SOUGHT)
    gathering.begin(SHADOW, 1000.0)
    cold = [reading(f"c{n}", "canary", at=1001.0 + n, shadow=True, made_at=1020.0 + n) for n in range(9)]
    warm = reading("w", "canary", at=1021.0, shadow=True)
    for number, event in enumerate([*cold, reading("s", at=1005.0), reading("w", at=1021.0), warm]):
        out = wrap(event, "test", 1000.0)
        gathering.take([Message(out.topic, out.key, out.value, out.headers, 0, number, 1001.0)])
    assert (gathering.evidence().canary.readings, gathering.evidence().baseline.readings) == (1, 1)


def test_what_waited_while_the_canary_was_away_is_no_evidence(step):
    step.gathering.pause()
    step.take(reading("a", "canary", at=1010.0, shadow=True), reading("b", at=1010.0))
    step.gathering.resume(1020.0)
    waited = [reading(f"w{n}", "canary", at=1021.0, shadow=True, made_at=1030.0) for n in range(5)]
    step.take(reading("late", "canary", at=1015.0, shadow=True, made_at=1030.0), *waited)
    assert (step.evidence.canary.clips, step.evidence.baseline.clips) == (0, 0)
    step.take(reading("c", "canary", at=1031.0, shadow=True), reading("c", at=1031.0))
    assert (step.evidence.canary.clips, step.evidence.baseline.clips) == (1, 1)


def test_a_repeat_counts_once(step):
    again = death("b", at=1010.0)
    step.take(*[reading("a", "canary", at=1010.0, shadow=True)] * 3, *[again] * 2)
    assert (step.evidence.canary.readings, step.evidence.canary.died) == (1, 0)  # b was no copy
    step.take(*[death("c", at=1010.0, shadow=True)] * 2)
    assert step.evidence.canary.died == 1


def test_a_death_counts_for_the_track_on_whose_topic_it_lay(step):
    step.take(death("a", "stable", at=1010.0), death("b", "canary", at=1010.0, shadow=True))
    assert (step.evidence.canary.died, step.evidence.baseline.died) == (1, 1)


def test_a_canary_that_never_read_anything_is_seen_by_its_deaths():
    gathering = Gathering(SOUGHT)
    gathering.begin(HALF, 1000.0)
    for number in range(5):
        out = wrap(death(f"d{number}", at=1010.0 + number), "test", 1000.0)
        gathering.take([Message(out.topic, out.key, out.value, out.headers, 0, number, 1002.0)])
    assert gathering.evidence().canary.died == 5


def test_the_bundle_and_its_language_tell_what_is_compared(step):
    step.take(
        reading("a", "canary", at=1010.0, shadow=True, digest=OLD),  # a client named another model
        reading("b", at=1010.0, language="ur"),
        death("c", "stable", at=1010.0, language="ur"),
        *[reading(f"n{n}", at=1010.0) for n in range(3)],
        reading("d", at=1010.0, digest="e" * 64),
    )
    assert (step.evidence.canary.clips, step.evidence.baseline.clips) == (0, 3)


def test_another_language_is_compared_by_itself_by_whatever_bundle_each_side_reads_it(step):
    for clip, digest in (("a", OLD), ("b", NEW), ("c", "e" * 64)):
        step.take(
            reading(clip, at=1010.0, language="ur", digest=OLD),
            reading(clip, "canary", at=1010.0, language="ur", digest=digest, shadow=True, text=""),
        )
    step.take(death("d", at=1010.0, language="ur", shadow=True), reading("e", at=1010.0))
    evidence = step.evidence
    assert (evidence.canary.clips, evidence.baseline.clips) == (0, 1)
    urdu = evidence.others["ur"]
    assert (urdu.canary.readings, urdu.canary.empty, urdu.canary.died, urdu.baseline.readings) == (3, 3, 1, 3)
    assert urdu.pairs == Pairs(3, 0)


def test_where_the_image_alone_is_new_each_of_several_languages_is_compared_as_well():
    step = Step1(sought=Sought())
    step.take(reading("a", at=1010.0))
    assert step.evidence.others == {}  # one language is all there is
    step.take(reading("b", at=1010.0, language="ur"))
    evidence = step.evidence
    assert evidence.baseline.readings == 2
    assert {language: each.baseline.readings for language, each in evidence.others.items()} == {"en": 1, "ur": 1}


def test_where_stable_reads_nothing_each_language_is_compared_with_its_own_before():
    step = Step1(SHADOW)
    step.take(*[reading(f"a{n}", at=900.0 + n, language="ur" if n % 4 else "en") for n in range(40)])
    step.gathering.begin(ALL, 1100.0)
    assert (step.evidence.baseline.readings, step.evidence.others["ur"].baseline.readings) == (10, 30)


def test_where_the_image_alone_is_new_all_is_compared():
    step = Step1(sought=Sought())
    for digest in (OLD, "e" * 64):
        step.take(
            reading(digest[:3], at=1010.0, digest=digest),
            reading(digest[:3], "canary", at=1010.0, shadow=True, digest=digest),
        )
    assert (step.evidence.canary.readings, step.evidence.baseline.readings) == (2, 2)


def test_pairs_come_from_copies_and_are_opposed_where_both_were_sure_of_other_words(step):
    for clip, words, abstained in (("a", "bin blue at f two now", False), ("b", "no", False), ("c", "no", True)):
        copy = reading(clip, "canary", at=1010.0, shadow=True, text=words, abstained=abstained)
        step.take(copy, reading(clip, at=1010.0))
    step.take(reading("d", at=1010.0))
    assert step.evidence.pairs == Pairs(3, 1)


def test_a_canary_step_counts_answers_and_no_copies():
    step = Step1(HALF)
    step.take(
        reading("a", "canary", at=1010.0),
        reading("b", "canary", at=1010.0, shadow=True),
        reading("b", at=1010.0),
    )
    assert (step.evidence.canary.readings, step.evidence.baseline.readings) == (1, 1)
    assert step.evidence.pairs == Pairs()


def test_people_s_word_counts_at_the_side_that_answered_and_the_last_word_holds():
    step = Step1(HALF)
    step.take(judged("a", "canary", at=1020.0, verdict="wrong"))  # heard before the reading
    step.take(reading("a", "canary", at=1010.0), reading("b", at=1010.0), reading("c", at=1010.0))
    step.take(judged("b", at=1020.0, verdict="wrong"), judged("b", at=1021.0), judged("unknown", at=1021.0))
    step.take(judged("c", at=1020.0, verdict=None, text="BIN blue at  f two now"))
    assert (step.evidence.canary.told, step.evidence.canary.wrong) == (1, 1)
    assert (step.evidence.baseline.told, step.evidence.baseline.wrong) == (2, 0)


def test_what_people_say_of_one_canary_step_counts_in_the_next_ones():
    step = Step1(HALF)
    for number in range(4):
        step.take(reading(f"c{number}", "canary", at=1010.0), reading(f"s{number}", at=1010.0))
    step.take(judged("c0", "canary", at=1011.0, verdict="wrong"), judged("s0", at=1011.0))
    for later in (Step("canary", 75.0, 10), ALL):
        step.gathering.begin(later, 1100.0)
        canary, baseline = step.evidence.canary, step.evidence.baseline
        assert (canary.clips, canary.told, canary.wrong) == (0, 1, 1)
        assert (baseline.clips, baseline.told, baseline.wrong) == (4 if later == ALL else 0, 1, 0)
    step.take(judged("c1", "canary", at=1120.0, verdict="wrong"), judged("s1", at=1120.0, verdict="wrong"))
    step.take(judged("c0", "canary", at=1130.0))  # somebody thought better of it
    canary, baseline = step.evidence.canary, step.evidence.baseline
    assert (canary.told, canary.wrong, baseline.told, baseline.wrong) == (2, 1, 2, 1)


def test_what_people_say_of_a_shadow_step_is_not_carried_into_the_next(step):
    step.take(reading("s", at=1010.0), judged("s", at=1011.0, verdict="wrong"))
    assert step.evidence.baseline.told == 1
    step.gathering.begin(HALF, 1100.0)
    assert step.evidence.baseline.told == 0


def test_a_step_that_leaves_stable_nothing_is_compared_with_what_it_read_while_it_read_everything():
    step = Step1(SHADOW)
    step.take(*[reading(f"a{n}", at=900.0 + n) for n in range(20)], death("x", "stable", at=950.0))
    step.gathering.begin(HALF, 1050.0)
    step.take(*[reading(f"h{n}", at=1060.0, ms=9000.0) for n in range(20)])
    step.gathering.begin(ALL, 1100.0)
    step.take(reading("c", "canary", at=1110.0), judged("a3", at=1120.0, verdict="wrong"))
    baseline = step.evidence.baseline
    assert (baseline.readings, baseline.died, baseline.told, baseline.wrong) == (20, 1, 1, 1)
    assert step.evidence.canary.readings == 1


def test_of_what_was_before_as_many_are_taken_as_the_step_asks_for():
    step = Step1(SHADOW)
    step.take(*[reading(f"a{n}", at=900.0) for n in range(BEFORE + 50)])
    step.gathering.begin(ALL, 1100.0)
    assert step.evidence.baseline.readings == LEAST
    step.gathering.begin(Step("canary", 100.0, 5000), 1100.0)
    assert step.evidence.baseline.readings == BEFORE


def test_a_copy_that_waits_behind_its_original_is_not_slower(step):
    step.take(reading("a", at=1010.0), reading("a", "canary", at=1010.0, shadow=True, waited=900.0))
    assert step.evidence.canary.log_ms == step.evidence.baseline.log_ms
    answering = Step1(HALF)
    answering.take(reading("b", at=1010.0, ms=100.0), reading("c", "canary", at=1010.0, ms=400.0))
    assert answering.evidence.canary.log_ms.mean == pytest.approx(math.log(400.0))


def test_latency_is_what_a_clip_took_beyond_the_edge():
    assert own_ms({"decode": 40.0, "face": 60.0, "queue": 30.0, "read": 20.0, "total": 150.0}) == 50.0


def test_what_can_t_be_read_is_told_and_passed_over(step):
    with capture_logs() as told:
        step.gathering.take([Message("lipsol.predictions.v1", "k", b"\xff", {}, 0, 99, 1001.0)])
    assert [(each["event"], each["offset"]) for each in told] == [("event-refused", 99)]
    assert step.evidence.canary.clips == 0


@pytest.mark.parametrize(
    "sign",
    [reading("z", "canary", at=1039.0, digest=OLD, language="ur"), death("z", at=1000.0, language="ur")],
    ids=["by another bundle", "a death"],
)
def test_whatever_the_canary_answers_it_is_not_silent(sign):
    step = Step1(HALF)
    step.take(*[reading(f"u{n}", at=1002.0 + n / 2, language="ur") for n in range(60)])
    assert step.gathering.silent(1040.0, 0.05).startswith("silent: about ")
    out = wrap(sign, "test", 1039.0)
    step.gathering.take([Message(out.topic, out.key, out.value, out.headers, 0, 999, 1039.0)])
    assert step.gathering.silent(1040.0, 0.05) == ""
