"""What the monitor makes of readings and of what people say."""

import math

import pytest

from lipsol.events import ClipDeleted
from lipsol.runtime.telemetry import Telemetry
from services.monitor.figures import Figures
from services.monitor.handler import Handler
from services.monitor.window import Window
from tests.services_made import SAID, feedback_of, prediction_of

A, B = "a" * 32, "b" * 32
MODEL = {"model": "grid-sentences"}
WHO = {"track": "stable", **MODEL}
OTHER = "bin blue at f three now"  # one word of six differs from SAID


class Monitor:
    """A handler and its telemetry."""

    def __init__(self, clock, clips=10):
        self.telemetry = Telemetry()
        self.window = Window(clips, 60.0)
        self.handler = Handler(self.window, Figures(self.telemetry), clock.now)

    def value(self, name, **labels):
        return self.telemetry.value(name, **labels)

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


def test_a_deleted_clip_no_longer_counts_in_the_error_rate(monitor):
    monitor.handler.handle([prediction_of(A), prediction_of(B), feedback_of(A, OTHER), feedback_of(B, SAID)])
    monitor.handler.handle([ClipDeleted(A)])
    assert monitor.error_rate() == 0
    assert len(monitor.window) == 1


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
