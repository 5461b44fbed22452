"""What the monitor makes of readings and of what people say: each thing once, where and when it belongs."""

import math
from collections import deque
from contextlib import nullcontext
from dataclasses import replace

import pytest

from lipsol.bus.port import Message
from lipsol.drift.budget import Sensitivity
from lipsol.events import ClipDeleted, ClipRefused
from lipsol.runtime.telemetry import Telemetry
from services.monitor.figures import Figures
from services.monitor.group import Group
from services.monitor.groups import Groups
from services.monitor.handler import KINDS_MAX, Handler
from services.monitor.observing import group_of
from services.monitor.remembering import Memory
from services.monitor.windows import Counts, Windows
from tests.services_made import SAID, feedback_of, info_of, letter_of, prediction_of

A, B = "a" * 32, "b" * 32
MODEL = {"model": "grid-sentences"}
WHO = {"track": "stable", **MODEL}
GROUP = group_of(prediction_of(A))
OTHER = "bin blue at f three now"  # one word of six differs from SAID
WIDTH_S, KEPT_S = 300.0, 3600.0


class NoBundles:
    """Bundles that bring no reference."""

    def of(self, _digest):
        return "none"

    load = of


class Unconcerned:
    """Does nothing about anything."""

    def muted(self):
        return nullcontext()

    def looked(self, _group, _verdict, _at, **_told):
        return []

    def gone(self, _group, _at):
        return []

    def accepted(self, _group, _at):
        return []

    def heard(self, _action): ...

    def watched(self, _standings):
        return []

    def actions(self):
        return []

    def to_bytes(self):
        return b""

    def restore(self, _data): ...


class Monitor:
    """A handler and its telemetry."""

    def __init__(self, clock, clips=100):
        self.clock = clock
        self.telemetry = Telemetry()
        self.windows, self.memory = Windows(WIDTH_S, KEPT_S), Memory(clips, KEPT_S)
        self.figures, concern = Figures(self.telemetry), Unconcerned()
        groups = Groups(NoBundles(), Sensitivity(), concern, self.telemetry)
        self.handler = Handler(self.memory, self.windows, groups, concern, self.figures, "me", clock.now)
        self.offsets = deque(range(10_000))

    def take(self, *events, at=None):
        """Each as a message of its own, that the bus took at `at`."""
        self.handler.coming([self.message(next_offset, at) for next_offset in [self.offsets.popleft() for _ in events]])
        self.handler.handle(events)

    def message(self, offset, at=None):
        return Message("lipsol.predictions.v1", "", b"", {}, 0, offset, self.clock.now() if at is None else at)

    def read(self, clip, **changed):
        return replace(prediction_of(clip), **{"made_at": self.clock.now(), **changed})

    def told(self, clip, *what):
        return replace(feedback_of(clip, *what), given_at=self.clock.now())

    def value(self, name, **labels):
        return self.telemetry.value(name, **labels)

    def counts(self):
        return Counts.of(self.windows.since(self.clock.now() - KEPT_S), self.memory.clips)

    def tally(self, group=GROUP):
        return self.counts().groups[group]

    def gauge(self, name, **labels):
        self.figures.windows(self.windows.since(0.0))
        return self.value(name, **labels)

    def error_rate(self):
        return self.gauge("lipsol_corrected_word_error_ratio", **WHO)


@pytest.fixture
def monitor(clock):
    return Monitor(clock)


def test_a_reading_is_counted_once_however_often_it_comes(monitor):
    monitor.take(monitor.read(A), monitor.read(A))
    monitor.take(monitor.read(A))
    assert monitor.value("lipsol_predictions_total", **WHO) == 1
    assert monitor.value("lipsol_confidence_ratio", **WHO) == 1
    assert monitor.value("lipsol_stage_seconds", stage="read") == 1
    assert monitor.value("lipsol_mouth_width_pixels") == 1
    assert monitor.counts().readings == {("stable", "grid-sentences"): 1}


def test_a_message_that_comes_again_changes_nothing_even_of_a_clip_long_forgotten(clock):
    monitor = Monitor(clock, clips=1)
    events = [monitor.read(f"{n:032x}") for n in range(5)]
    messages = [monitor.message(n) for n in range(5)]
    for batch in ((0, 3), (2, 5), (0, 5)):
        monitor.handler.coming(messages[slice(*batch)])
        monitor.handler.handle(events[slice(*batch)])
    assert len(monitor.memory) == 1
    assert monitor.tally().counts["readings"] == 5


def test_what_a_batch_set_off_is_given_out_even_if_its_next_event_fails(monitor, monkeypatch):
    events, caused, faults = [monitor.read(A), monitor.read(B)], ClipDeleted("caused"), [ZeroDivisionError()]

    def read(group, _observation, _at):
        if group.language == "ur" and faults:
            raise faults.pop()
        return [caused] if group.language == "en" else []

    monkeypatch.setattr(monitor.handler.groups, "read", read)
    events[1] = replace(events[1], language="ur")
    messages = [monitor.message(0), monitor.message(1)]
    monitor.handler.coming(messages)
    with pytest.raises(ZeroDivisionError):
        monitor.handler.handle(events)
    given = []
    for event, message in zip(events, messages, strict=True):
        monitor.handler.coming([message])
        given += monitor.handler.handle([event])
    assert given == [caused]


@pytest.mark.parametrize(("made_at", "is_seen"), [(-60.0, -60.0), (10 * 86_400.0, 0.0), (None, 0.0)])
def test_drift_believes_no_clock_that_goes_ahead(monitor, clock, monkeypatch, made_at, is_seen):
    seen = []
    monkeypatch.setattr(monitor.handler.groups, "read", lambda _group, _observation, at: seen.append(at) or [])
    monitor.take(monitor.read(A, made_at=0.0 if made_at is None else clock.now() + made_at))
    assert seen == [clock.now() + is_seen]


def test_a_topic_made_anew_begins_at_its_own_offsets(monitor, clock):
    monitor.take(monitor.read(A), monitor.read(B))
    clock.advance(120)
    monitor.handler.coming([monitor.message(0)])
    monitor.handler.handle([monitor.read("c" * 32)])
    assert monitor.tally().counts["readings"] == 3


def test_the_share_of_abstentions_is_told(monitor):
    monitor.take(monitor.read(A, abstained=True), monitor.read(B))
    assert monitor.gauge("lipsol_abstained_ratio", **WHO) == 0.5
    assert monitor.value("lipsol_abstained_total", **WHO) == 1


def test_every_input_and_output_is_measured_and_summed(monitor):
    monitor.take(monitor.read(A, entropy=0.25, faces=2, codec="h264", redo=True), monitor.read(B, text=""))
    tally = monitor.tally()
    assert {name: each.count for name, each in tally.measures.items()} == {
        "lipsol_brightness_levels": 2,
        "lipsol_clip_seconds": 2,
        "lipsol_confidence_ratio": 2,
        "lipsol_contrast_levels": 2,
        "lipsol_dropped_frames": 2,
        "lipsol_entropy_ratio": 1,
        "lipsol_face_found_ratio": 2,
        "lipsol_frame_rate_hertz": 2,
        "lipsol_motion_ratio": 2,
        "lipsol_mouth_width_pixels": 2,
        "lipsol_sharpness_variance": 2,
        "lipsol_text_characters": 2,
        "lipsol_text_words": 2,
        "lipsol_view_faces": 1,
        "lipsol_yaw_degrees": 2,
    }
    assert all(monitor.value(name, **WHO) in (1, 2) for name in ("lipsol_entropy_ratio", "lipsol_text_words"))
    assert (tally.counts["empty"], tally.counts["redone"], tally.codecs) == (1, 1, {"h264": 1})
    assert monitor.value("lipsol_clip_codecs_total", codec="h264") == 1
    assert monitor.value("lipsol_empty_answers_total", **WHO) == monitor.value("lipsol_redone_total", **WHO) == 1


def test_corrections_give_the_real_error_rates_with_their_intervals(monitor):
    monitor.take(monitor.read(A), monitor.read(B), monitor.told(A, OTHER), monitor.told(B, None, "right"))
    assert monitor.error_rate() == pytest.approx(1 / 12)
    low, high = (monitor.value(f"lipsol_corrected_word_error_{end}_ratio", **WHO) for end in ("low", "high"))
    assert 0 <= low < 1 / 12 < high
    assert monitor.value("lipsol_corrected_character_error_ratio", **WHO) == pytest.approx(
        monitor.tally().characters.edits / (len(OTHER) + len(SAID))
    )
    assert monitor.value("lipsol_corrections_total", **MODEL) == 1
    assert monitor.value("lipsol_verdicts_total", reason="right", **MODEL) == 1
    assert monitor.value("lipsol_verdicts_total", reason="wrong", **MODEL) == 1
    assert monitor.value("lipsol_misled_total", **MODEL) == 1


def test_a_bare_no_is_counted_but_gives_no_error_rate(monitor):
    monitor.take(monitor.read(A), monitor.told(A, None, "wrong"))
    assert monitor.value("lipsol_verdicts_total", reason="wrong", **MODEL) == 1
    assert monitor.value("lipsol_corrections_total", **MODEL) == 0
    assert (monitor.tally().counts["wrong"], monitor.tally().words.value) == (1, None)


def test_words_that_agree_with_the_reading_say_that_it_was_right(monitor):
    monitor.take(monitor.read(A), monitor.told(A, SAID))
    assert monitor.value("lipsol_verdicts_total", reason="right", **MODEL) == 1
    assert monitor.value("lipsol_corrections_total", **MODEL) == 0


def test_who_gives_up_judges_nothing(monitor):
    gone = replace(monitor.told(A), gave_up=True, track="stable", model="grid-sentences", language="en")
    monitor.take(monitor.read(A), gone, gone, replace(gone, feedback_id="again"))
    assert monitor.value("lipsol_gave_up_total", **WHO) == 1
    assert monitor.tally().counts["gave_up"] == 1
    assert (monitor.counts().total("feedback"), monitor.counts().total("wrong")) == (0, 0)


def test_feedback_that_overtakes_its_reading_is_joined_all_the_same(monitor):
    monitor.take(monitor.told(A, OTHER))
    assert monitor.counts().total("wrong") == 0
    monitor.take(monitor.read(A))
    assert monitor.value("lipsol_verdicts_total", reason="wrong", **MODEL) == 1
    assert monitor.error_rate() == pytest.approx(1 / 6)


def test_feedback_that_tells_whose_reading_it_was_waits_for_none(monitor):
    told = replace(monitor.told(A, OTHER), track="canary", model="grid-words", language="en", confidence=0.8)
    monitor.take(told)
    tally = monitor.tally(Group("canary", "grid-words", info_of().digest, "en"))
    assert (tally.words.edits, tally.words.said, tally.counts["wrong"]) == (1, 6, 1)
    assert tally.calibration_error == pytest.approx(0.8)


def test_the_same_feedback_twice_counts_once_and_a_second_thought_replaces_the_first(monitor):
    monitor.take(monitor.read(A), monitor.told(A, OTHER), monitor.told(A, OTHER))
    assert monitor.value("lipsol_verdicts_total", reason="wrong", **MODEL) == 1
    monitor.take(monitor.told(A, SAID))
    assert monitor.error_rate() == 0
    counts = monitor.counts()
    assert [counts.total(what) for what in ("feedback", "corrections", "right", "wrong")] == [2, 1, 1, 0]


def test_a_second_thought_takes_the_first_out_of_the_window_in_which_it_was_said(monitor, clock):
    first = replace(monitor.told(A, OTHER), confidence=0.9, track="stable", model="grid-sentences", language="en")
    monitor.take(monitor.read(A), first)
    clock.advance(WIDTH_S)
    second = replace(first, feedback_id="second", text=SAID, given_at=clock.now())
    monitor.take(second, first)
    older, newer = (window.tally(GROUP) for window in monitor.windows.since(0.0))
    assert (older.words.said, older.counts["wrong"], sum(older.shown), sum(older.trust)) == (0, 0, 0, 0)
    assert (newer.words.said, newer.counts["right"], sum(newer.shown), sum(newer.came_true)) == (6, 1, 1, 1)


def test_a_deleted_clip_was_read_but_what_people_said_of_it_is_taken_back(monitor):
    monitor.take(monitor.read(A), monitor.read(B), monitor.told(A, OTHER), monitor.told(B, SAID))
    monitor.take(ClipDeleted(A))
    counts = monitor.counts()
    assert (monitor.error_rate(), counts.total("wrong"), counts.total("right")) == (0, 0, 1)
    assert (counts.readings.total(), counts.total("corrections")) == (2, 1)


def test_what_comes_late_for_a_deleted_clip_is_not_judged_by(monitor):
    monitor.take(ClipDeleted(A), monitor.told(A, OTHER), monitor.read(A))
    counts = monitor.counts()
    assert (counts.total("feedback"), counts.total("wrong"), monitor.tally().words.value) == (1, 0, None)


def test_when_the_last_corrected_clip_is_deleted_no_error_rate_is_claimed(monitor):
    monitor.take(monitor.read(A), monitor.told(A, OTHER))
    assert monitor.error_rate() == pytest.approx(1 / 6)
    monitor.take(ClipDeleted(A))
    assert math.isnan(monitor.error_rate())


def test_what_is_remembered_is_bounded_in_number(clock):
    monitor = Monitor(clock, clips=3)
    monitor.take(*(monitor.read(f"{n:032x}") for n in range(9)))
    assert len(monitor.memory) == 3
    assert monitor.tally().counts["readings"] == 9


def test_what_is_remembered_and_told_is_bounded_in_time(monitor, clock):
    monitor.take(monitor.read(A), monitor.told(A, OTHER))
    clock.advance(KEPT_S + WIDTH_S)
    monitor.take(monitor.read(B), monitor.told(B, SAID))
    assert len(monitor.memory) == 1
    assert (monitor.tally().counts["readings"], monitor.tally().words.value) == (1, 0)


def test_a_shadow_reading_is_in_no_figure_of_the_users_readings(monitor):
    shadow = replace(prediction_of(A, name="grid-words"), made_at=monitor.clock.now(), track="canary", shadow=True)
    for events in ([shadow, monitor.read(A)], [shadow]):
        monitor.take(*events)
    assert monitor.value("lipsol_shadow_readings_total", model="grid-words") == 1
    assert monitor.value("lipsol_predictions_total", **WHO) == 1
    assert monitor.value("lipsol_mouth_width_pixels") == 1
    assert monitor.counts().shadow == {"grid-words": 1}
    assert monitor.counts().readings == {("stable", "grid-sentences"): 1}


@pytest.mark.parametrize("first", ["user", "copy"])
def test_tracks_that_read_the_same_clip_are_compared_without_their_texts(monitor, first):
    copies = [replace(prediction_of(A, name="grid-words"), track="canary", shadow=True)]
    copies += [replace(prediction_of(B, OTHER, name="grid-words"), track="canary", shadow=True)]
    users = [monitor.read(A), monitor.read(B)]
    for event in users + copies if first == "user" else copies + users:
        monitor.take(replace(event, made_at=monitor.clock.now()))
    assert monitor.value("lipsol_compared_total", model="grid-words") == 2
    assert monitor.value("lipsol_disagreed_total", model="grid-words") == 1
    counts = monitor.tally(group_of(copies[0])).counts
    assert (counts["compared"], counts["disagreed"]) == (2, 1)


def test_refusals_are_counted_by_kind_and_their_particulars_are_not_told(monitor):
    reasons = ("no face for 2.1 of 3.0 s", "no face for 0.5 of 1.5 s", "codec 'h266' is not taken")
    for n, reason in enumerate((*reasons, reasons[0])):
        monitor.take(ClipRefused(f"clip-{n % 3}", "", reason, "", 0.0))
    assert monitor.counts().refused == {"no face for N of N s": 2, "codec N is not taken": 1}
    assert monitor.value("lipsol_refusals_total", reason="no face for N of N s") == 2


def test_refusals_of_ever_new_kinds_make_no_more_series_than_a_bound(monitor):
    words = [f"{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(100)]
    monitor.take(*(ClipRefused(word, "", word, "", 0.0) for word in words))
    assert len(monitor.counts().refused) == KINDS_MAX + 1
    assert monitor.counts().refused["other"] == 100 - KINDS_MAX


def test_a_message_that_died_is_counted_once_by_the_place_where_it_lay(monitor):
    letter = letter_of(A)
    other = replace(letter, origin_offset=1, kind="too-late")
    monitor.take(letter, letter, other, replace(letter, origin_offset=2, shadow=True))
    assert monitor.counts().dead_letters == {"bad-input": 1, "too-late": 1}
    assert monitor.counts().shadow_dead_letters == {"bad-input": 1}
    assert monitor.value("lipsol_dead_letters_seen_total", reason="bad-input") == 2


def test_what_comes_late_is_counted_in_the_window_in_which_it_happened(monitor, clock):
    early = monitor.read(A)
    clock.advance(2 * WIDTH_S)
    monitor.take(monitor.read(B), early)
    windows = monitor.windows.since(0.0)
    assert [window.tally(GROUP).counts["readings"] for window in windows] == [1, 1]
    assert windows[0].start <= early.made_at < windows[0].start + WIDTH_S
    assert (monitor.counts().late, monitor.value("lipsol_late_events_total", kind="late")) == ({"late": 1}, 1)


def test_what_comes_after_its_window_is_gone_is_counted_as_too_late_and_nowhere_else(monitor, clock):
    early = monitor.read(A)
    clock.advance(KEPT_S + 2 * WIDTH_S)
    monitor.take(early)
    assert (monitor.counts().late, monitor.counts().readings) == ({"too-late": 1}, {})


def test_an_event_from_the_future_counts_when_it_came(monitor, clock):
    monitor.take(replace(monitor.read(A), made_at=clock.now() + 1e6))
    (window,) = monitor.windows.since(0.0)
    assert window.start <= clock.now() < window.start + WIDTH_S
    assert (monitor.tally().counts["readings"], monitor.counts().late) == (1, {"ahead": 1})


def test_a_clock_that_was_wrong_for_a_while_pushes_out_nothing_that_is_right(monitor, clock):
    monitor.take(monitor.read(A))
    right = clock.now()
    for n in range(40):  # more windows than are kept, all in the far future
        ahead = right + 1e7 + n * WIDTH_S
        monitor.take(replace(monitor.read(f"{n:032x}"), made_at=ahead), at=ahead)
    for n in range(40, 50):
        monitor.take(monitor.read(f"{n:032x}"), at=right)
    held = [window.start for window in monitor.windows.since(0.0)]
    assert len(held) <= KEPT_S / WIDTH_S + 1
    assert sum(window.tally(GROUP).counts["readings"] for window in monitor.windows.since(0.0)[:1]) >= 10
