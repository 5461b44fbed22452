"""Where a recording is cut: at rests, at the quietest moment, and without a hole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipsol.clips.cutting import LEAD, LEAST, MOST, OVERLAP, ROOM, WIDE, Cut, cut

LIVE, STILL, GONE = 0.006, 0.0008, float("nan")


def of(*parts):
    """Frames that are lively, still or without a face, so many of each."""
    return np.concatenate([np.full(frames, value) for value, frames in parts])


def cuts(live, step=50):
    """All windows of a recording that comes `step` frames at a time, as (start, cut)."""
    start, had, found = 0, 0, []
    while start < len(live):
        ended = had >= len(live)
        end = cut(live[start:had], ended=ended)
        if end is None:
            assert not ended and had - start < ROOM
            had = min(had + step, len(live))
            had = had if had < len(live) else len(live) + 1
            continue
        found.append((start, end))
        start += end.end
    return found


def test_two_sentences_are_parted_in_the_rest_between_them():
    live = of((STILL, 12), (LIVE, 50), (STILL, 24), (LIVE, 50), (STILL, 10))
    (one, first), (two, second) = cuts(live)
    assert (one, first.kind, second.kind) == (0, "speech", "speech")
    assert two == 12 + 50 + 12
    assert (first.reach, first.end - first.back) == (two + OVERLAP, OVERLAP)


def test_a_short_stillness_is_no_rest():
    assert len(cuts(of((LIVE, 30), (STILL, 5), (LIVE, 30)))) == 1


def test_a_long_rest_is_a_window_that_nobody_reads_and_speech_keeps_a_lead():
    found = cuts(of((LIVE, 50), (STILL, 200), (LIVE, 50)))
    kinds = [end.kind for _, end in found]
    assert kinds[0] == kinds[-1] == "speech" and set(kinds[1:-1]) == {"rest"}
    assert found[0][1].end == 50 + LEAD
    assert found[-1][0] == 250 - LEAD


def test_a_twitch_is_nothing_said():
    assert {end.kind for _, end in cuts(of((STILL, 100), (LIVE, 6), (STILL, 100)))} == {"rest"}


def test_a_word_by_itself_is_a_window():
    assert "speech" in {end.kind for _, end in cuts(of((STILL, 100), (LIVE, 12), (STILL, 100)))}


def test_who_never_rests_is_cut_where_it_is_quietest_and_both_sides_keep_that_moment():
    live = of((LIVE, 400))
    live[197:204] = LIVE * 0.8
    (_, first), *_ = cuts(live)
    assert abs(first.end - 200) <= 3
    assert (first.reach, first.back) == (first.end + WIDE, first.end - WIDE)


def test_a_face_that_goes_ends_the_window_and_its_coming_back_begins_one():
    found = cuts(of((LIVE, 50), (GONE, 40), (LIVE, 50)))
    assert [(start, end.end, end.kind) for start, end in found] == [
        (0, 50, "speech"),
        (50, 40, "away"),
        (90, 50, "speech"),
    ]


def test_a_face_that_is_lost_for_a_moment_ends_nothing():
    assert [end.kind for _, end in cuts(of((LIVE, 50), (GONE, 5), (LIVE, 50)))] == ["speech"]


def test_noise_everywhere_does_not_hide_a_rest():
    noise = np.random.default_rng(1)
    live = of((LIVE * 3, 60), (STILL * 5, 30), (LIVE * 3, 60)) * noise.uniform(0.8, 1.2, 150)
    assert len(cuts(live)) == 2


@pytest.mark.parametrize("frames", [0, 1, 2])
def test_the_last_frames_are_a_window_however_few(frames):
    end = cut(of((LIVE, frames)), ended=True)
    assert (end is None) == (frames == 0)
    assert end is None or end.end == frames


PARTS = st.lists(
    st.tuples(st.sampled_from([LIVE, LIVE, STILL, STILL * 2, GONE, 0.0021]), st.integers(1, 400)),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(PARTS, st.integers(20, 120), st.integers(0, 5))
def test_every_frame_is_in_one_window_and_windows_are_in_order_and_within_bounds(parts, step, seed):
    live = of(*parts) * np.random.default_rng(seed).uniform(0.7, 1.3, sum(frames for _, frames in parts))
    found = cuts(live, step)
    at = 0
    for start, end in found:
        assert start == at
        assert end.end > 0 and 0 <= end.back <= end.end <= end.reach <= len(live) - start
        if end.kind == "speech":
            assert end.end <= MOST
            closed = start + end.end == len(live) or np.isnan(live[start + end.end])
            assert end.end >= LEAST or closed
        at += end.end
    assert at == len(live)


def test_an_end_is_told_once_there_is_room_for_it():
    assert isinstance(cut(of((LIVE, ROOM)), ended=False), Cut)
