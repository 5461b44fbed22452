"""Real recordings, window by window."""

import itertools

import numpy as np
import pytest

from lipsol.clips.clip import Clip
from lipsol.clips.recording import HELD, Reel, windows
from lipsol.clips.video import frames
from lipsol.clips.watch import Watcher
from lipsol.errors import BadInput
from tests.clips_made import counted, film, spliced, turned


@pytest.fixture(scope="module")
def watcher():
    return Watcher()


@pytest.fixture(scope="module")
def three(samples):
    return spliced([sample.path for sample in samples[1:4]])


def spoken(found):
    return [window for window in found if window.watched is not None]


def whole(found, seconds):
    """Windows follow each other without a hole, from the first frame to the last."""
    assert [window.number for window in found] == list(range(len(found)))
    assert found[0].start_s == 0.0
    assert all(one.end_s == pytest.approx(two.start_s) for one, two in itertools.pairwise(found))
    assert found[-1].end_s == pytest.approx(seconds)
    return True


def test_each_sentence_is_a_window_that_holds_all_of_it(watcher, three):
    found = list(watcher.windows(three))
    assert whole(found, 9.0)
    assert len(spoken(found)) == 3
    for number, window in enumerate(spoken(found)):
        middle = 3 * number + 1.3  # GRID's sentences are said from about 0.5 to 2.1 s
        assert window.start_s < middle < window.end_s
        assert window.clip_s <= window.start_s
        assert len(window.watched.mouth) >= round(25 * (window.end_s - window.start_s))
        assert window.watched.faces == 1 and window.watched.quality.face_found == 1.0
        assert window.watched.codec == "h264"


def test_a_mirrored_recording_at_another_rate_has_the_same_sentences(watcher, samples):
    paths = [sample.path for sample in samples[1:3]]
    found = list(watcher.windows(turned(spliced(paths, fps=30), 0, mirrored=True)))
    assert whole(found, 5.0)
    assert len(spoken(found)) == 2


def test_a_face_that_vanishes_leaves_a_gap_with_its_reason_and_comes_back(watcher, three):
    clips = np.concatenate([clip.frames for clip in frames(three)])
    clips = np.concatenate([clips[:75], np.full_like(clips[:60], 128), clips[75:150]])
    found = list(watcher.windows(film(list(clips))))
    assert whole(found, len(clips) / 25)
    kinds = ["speech" if window.watched else "gap" if window.fault else "rest" for window in found]
    assert [kind for kind in kinds if kind != "rest"] == ["speech", "gap", "speech"]
    (gap,) = [window for window in found if window.fault]
    assert "no face" in gap.fault.detail
    assert (gap.start_s, gap.end_s) == (pytest.approx(3.0, abs=0.3), pytest.approx(5.4, abs=0.5))


def test_nobody_at_all_is_one_gap_after_the_other(watcher):
    found = list(watcher.windows(counted(400)))
    assert whole(found, 16.0)
    assert all(window.fault is not None for window in found)


def test_a_file_that_breaks_off_is_read_until_there(watcher, three):
    broken = iter(list(frames(three))[:3])

    def breaking():
        yield from broken
        raise BadInput("the file is damaged", "record it anew")

    found = list(windows(breaking(), lambda seen: watcher._finder().follow(seen)))
    assert len(spoken(found)) == 2
    assert found[-1].fault.detail == "the file is damaged"
    assert found[-1].start_s == found[-1].end_s == pytest.approx(6.0)


def test_a_file_of_which_nothing_can_be_decoded_is_refused(watcher):
    with pytest.raises(BadInput):
        next(watcher.windows(counted(60)[:900]))


def test_whoever_was_read_is_read_on_though_another_comes(watcher, samples):
    one = np.concatenate([clip.frames for clip in frames(spliced([samples[1].path, samples[2].path]))])
    other = np.concatenate([clip.frames for clip in frames(spliced([samples[-1].path, samples[-2].path]))])
    other[:75] = 128
    both = np.concatenate([one, other], axis=2)
    found = spoken(watcher.windows(film(list(both))))
    assert len(found) == 2 and found[1].watched.faces == 2
    assert all((window.watched.mouth.outline[..., 0] < 0.5).all() for window in found)


def test_what_is_held_does_not_grow(watcher, three):
    reel, most = Reel(), 0
    for clip in frames(three):
        reel.add(clip, watcher._finder().follow(clip.frames))
        most = max(most, reel.count)
        reel.drop(reel.count)
    assert most <= HELD and reel.began == 225
    assert isinstance(reel.clip(0), Clip)
