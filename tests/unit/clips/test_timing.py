"""Which frame each 40 ms slot shows, and what becomes of bad timestamps."""

import pytest

from lipsol.clips.timing import Timeline, slots_before


def shown(stamps: list[float | None], header_fps: float | None = 25.0) -> list[int]:
    """The frame that each slot shows."""
    timeline = Timeline(header_fps)
    starts = [timeline.add(stamp) for stamp in stamps]
    ends = [*starts[1:], timeline.end]
    return [frame for frame, end in enumerate(ends) for _ in range(slots_before(end) - slots_before(starts[frame]))]


def test_25_frames_a_second_pass_one_by_one():
    assert shown([number / 25 for number in range(750)]) == list(range(750))


def test_jitter_of_almost_half_a_frame_changes_nothing():
    late = [0.019 if number % 3 else 0.0 for number in range(75)]
    assert shown([number / 25 + by for number, by in enumerate(late)]) == list(range(75))


def test_a_start_far_from_zero_changes_nothing():
    assert shown([95443.7 + number / 25 for number in range(75)]) == list(range(75))


def test_a_hole_is_filled_with_what_was_last_seen():
    assert shown([0.0, 0.04, 0.20, 0.24]) == [0, 1, 1, 1, 1, 2, 3]


def test_the_last_frame_is_shown_for_as_long_as_frames_usually_are():
    assert shown([0.0, 0.1, 0.2]) == [0, 0, 1, 1, 1, 2, 2]


def test_missing_timestamps_follow_the_headers_rate():
    assert shown([None] * 50, header_fps=50.0) == list(range(1, 50, 2))


@pytest.mark.parametrize("header_fps", [None, 0.0, 90000.0], ids=["none", "zero", "absurd"])
def test_a_rate_that_can_not_be_believed_counts_as_25(header_fps):
    assert shown([None] * 10, header_fps) == list(range(10))


def test_a_splice_that_jumps_back_goes_on_from_where_it_was():
    twice = [number / 25 for number in range(10)] * 2
    assert shown(twice) == list(range(20))


def test_the_mean_rate_counts_distances_not_frames():
    timeline = Timeline(None)
    for number in range(2):
        timeline.add(number / 30)
    assert timeline.mean_fps == pytest.approx(30)


def test_frames_that_a_camera_dropped_are_counted():
    timeline = Timeline(25.0)
    for number in (0, 1, 2, 5, 6, 8):
        timeline.add(number / 25)
    assert timeline.dropped == 3
