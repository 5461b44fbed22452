"""What the monitor makes of readings and of what people say."""

import math
from dataclasses import replace

import pytest

from lipsol.events import ClipDeleted, ClipRefused
from lipsol.runtime.telemetry import Telemetry
from services.monitor.figures import Figures
from services.monitor.handler import KINDS_MAX, Handler
from services.monitor.window import Window
from tests.services_made import SAID, feedback_of, letter_of, prediction_of

A, B = "a" * 32, "b" * 32
MODEL = {"model": "grid-sentences"}
WHO = {"track": "stable", **MODEL}
OTHER = "bin blue at f three now"  # one word of six differs from SAID


class Monitor:
    """A handler and its telemetry."""

    def __init__(self, clock, clips=10):
        self.clock = clock
        self.telemetry = Telemetry()
        self.window = Window(clips, 60.0)
        self.handler = Handler(self.window, Figures(self.telemetry), clock.now)

    def value(self, name, **labels):
        return self.telemetry.value(name, **labels)

    def counts(self):
        return self.window.counts(self.clock.now())

    def error_rate(self):
        return self.value("lipsol_word_error_ratio", **MODEL)


@pytest.fixture
def monitor(clock):
    return Monitor(clock)


def test_a_reading_is_counted_once_however_often_it_comes(monitor):
    monitor.handler.handle([prediction_of(A), prediction_of(A)])
    monitor.handler.handle([prediction_of(A)])
    assert monitor.value("lipsol_predictions_total", **WHO) == 1
    assert monitor.value("lipsol_confidence_ratio", **WHO) == 1
    assert monitor.value("lipsol_stage_seconds", stage="read") == 1
    assert monitor.value("lipsol_mouth_width_pixels") == 1


def test_the_share_of_abstentions_is_told(monitor):
    monitor.handler.handle([prediction_of(A, abstained=True), prediction_of(B)])
    assert monitor.value("lipsol_abstained_ratio", **WHO) == 0.5
    assert monitor.value("lipsol_abstained_total", **WHO) == 1


def test_corrections_give_the_real_error_rate(monitor):
    monitor.handler.handle([prediction_of(A), prediction_of(B), feedback_of(A, OTHER), feedback_of(B, None, "right")])
    assert monitor.error_rate() == pytest.approx(1 / 12)
    assert monitor.value("lipsol_corrections_total", **MODEL) == 1
    assert monitor.value("lipsol_verdicts_total", reason="right", **MODEL) == 1
    assert monitor.value("lipsol_verdicts_total", reason="wrong", **MODEL) == 1


def test_a_bare_no_is_counted_but_gives_no_error_rate(monitor):
    monitor.handler.handle([prediction_of(A), feedback_of(A, None, "wrong")])
    assert monitor.value("lipsol_verdicts_total", reason="wrong", **MODEL) == 1
    assert monitor.value("lipsol_corrections_total", **MODEL) == 0
    assert math.isnan(monitor.error_rate())


def test_words_that_agree_with_the_reading_say_that_it_was_right(monitor):
    monitor.handler.handle([prediction_of(A), feedback_of(A, SAID)])
    assert monitor.value("lipsol_verdicts_total", reason="right", **MODEL) == 1
    assert monitor.value("lipsol_corrections_total", **MODEL) == 0


def test_feedback_that_overtakes_its_reading_is_joined_all_the_same(monitor):
    monitor.handler.handle([feedback_of(A, OTHER)])
    assert monitor.value("lipsol_verdicts_total", reason="wrong", **MODEL) == 0
    monitor.handler.handle([prediction_of(A)])
    assert monitor.value("lipsol_verdicts_total", reason="wrong", **MODEL) == 1
    assert monitor.error_rate() == pytest.approx(1 / 6)


def test_the_same_feedback_twice_counts_once_and_a_second_thought_replaces_the_first(monitor):
    monitor.handler.handle([prediction_of(A), feedback_of(A, OTHER), feedback_of(A, OTHER)])
    assert monitor.value("lipsol_verdicts_total", reason="wrong", **MODEL) == 1
    monitor.handler.handle([feedback_of(A, SAID)])
    assert monitor.error_rate() == 0


def test_a_deleted_clip_still_counts_but_none_of_its_words_do(monitor, clock):
    monitor.handler.handle([prediction_of(A), prediction_of(B), feedback_of(A, OTHER), feedback_of(B, SAID)])
    monitor.handler.handle([ClipDeleted(A)])
    assert monitor.error_rate() == 0
    seen = monitor.window.get(A, clock.now())
    assert (seen.deleted, seen.truth, seen.reading) == (True, "", "")
    counts = monitor.counts()
    assert (sum(counts.readings.values()), counts.corrections) == (2, 1)


def test_what_comes_late_for_a_deleted_clip_leaves_no_words_either(monitor, clock):
    monitor.handler.handle([ClipDeleted(A), feedback_of(A, OTHER), prediction_of(A)])
    seen = monitor.window.get(A, clock.now())
    assert (seen.joined, seen.truth, seen.reading) == (True, "", "")
    assert math.isnan(monitor.error_rate())
    assert monitor.counts().feedback == 1


def test_when_the_last_corrected_clip_is_deleted_no_error_rate_is_claimed(monitor):
    monitor.handler.handle([prediction_of(A), feedback_of(A, OTHER), ClipDeleted(A)])
    assert math.isnan(monitor.error_rate())


def test_the_window_is_bounded_in_number(clock):
    monitor = Monitor(clock, clips=3)
    monitor.handler.handle([prediction_of(f"{n:032x}") for n in range(9)])
    assert len(monitor.window) == 3


def test_the_window_is_bounded_in_time(monitor, clock):
    monitor.handler.handle([prediction_of(A), feedback_of(A, OTHER)])
    clock.advance(61)
    monitor.handler.handle([prediction_of(B), feedback_of(B, SAID)])
    assert (len(monitor.window), monitor.error_rate()) == (1, 0)


def test_a_shadow_reading_is_in_no_figure_of_the_users_readings(monitor):
    shadow = replace(prediction_of(A, name="grid-words"), track="canary", shadow=True)
    for events in ([shadow, prediction_of(A)], [shadow]):
        monitor.handler.handle(events)
    assert monitor.value("lipsol_shadow_readings_total", model="grid-words") == 1
    assert monitor.value("lipsol_predictions_total", **WHO) == 1
    assert monitor.value("lipsol_mouth_width_pixels") == 1
    assert monitor.counts().shadow == {"grid-words": 1}
    assert monitor.counts().readings == {("stable", "grid-sentences"): 1}


def test_refusals_are_counted_by_kind_and_their_particulars_are_not_told(monitor):
    reasons = ("no face for 2.1 of 3.0 s", "no face for 0.5 of 1.5 s", "codec 'h266' is not taken")
    for n, reason in enumerate((*reasons, reasons[0])):
        monitor.handler.handle([ClipRefused(f"clip-{n % 3}", "", reason, "", 0.0)])
    assert monitor.counts().refused == {"no face for N of N s": 2, "codec N is not taken": 1}
    assert monitor.value("lipsol_refusals_total", reason="no face for N of N s") == 2


def test_refusals_of_ever_new_kinds_make_no_more_series_than_a_bound(monitor):
    words = [f"{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(100)]
    monitor.window = Window(1000, 60.0)
    handler = replace(monitor.handler, window=monitor.window)
    handler.handle([ClipRefused(word, "", word, "", 0.0) for word in words])
    assert len(monitor.counts().refused) == KINDS_MAX + 1
    assert monitor.counts().refused["other"] == 100 - KINDS_MAX


def test_a_message_that_died_is_counted_once_by_the_place_where_it_lay(monitor):
    letter = letter_of(A)
    other = replace(letter, origin_offset=1, kind="too-late")
    monitor.handler.handle([letter, letter, other, replace(letter, origin_offset=2, shadow=True)])
    assert monitor.counts().dead_letters == {"bad-input": 1, "too-late": 1}
    assert monitor.counts().shadow_dead_letters == {"bad-input": 1}
    assert monitor.value("lipsol_dead_letters_seen_total", reason="bad-input") == 2


def test_feedback_that_comes_again_after_a_second_thought_counts_nothing(monitor):
    first, second = feedback_of(A, OTHER), feedback_of(A, SAID)
    monitor.handler.handle([prediction_of(A), first, second, first, second])
    counts = monitor.counts()
    assert (counts.feedback, counts.corrections, counts.right, counts.wrong) == (2, 1, 1, 0)
    assert monitor.value("lipsol_verdicts_total", reason="wrong", **MODEL) == 1
