import numpy as np
import pytest

from lipsol.clips.face import EYE_CORNERS, FaceFinder
from lipsol.clips.video import decode


@pytest.fixture(scope="module")
def finder():
    return FaceFinder()


@pytest.fixture(scope="module")
def frames(samples):
    return decode(samples[0].bytes()).frames[:24]


@pytest.fixture(scope="module")
def other_frames(samples):
    return decode(next(sample for sample in samples if sample.speaker == "s4").bytes()).frames[:24]


def test_the_face_of_a_sample_is_found_in_every_frame_with_level_eyes(finder, frames):
    (track,) = finder.follow(frames)
    assert track.found.all()
    eyes = track.points[:, EYE_CORNERS]
    assert (eyes[:, 1, 0] - eyes[:, 0, 0] > 50).all()
    assert np.abs(eyes[:, 1, 1] - eyes[:, 0, 1]).max() < 15


def test_two_people_are_two_faces_each_on_their_own_side(finder, frames, other_frames):
    both = np.concatenate([frames, other_frames], axis=2)
    tracks = finder.follow(both)
    assert len(tracks) == 2
    sides = sorted(float(track.points[track.found].mean((0, 1))[0]) for track in tracks)
    assert sides[0] < frames.shape[2] < sides[1]


def test_an_empty_picture_has_no_face(finder, frames):
    noise = np.random.default_rng(0).integers(0, 256, frames.shape, dtype=np.uint8)
    assert finder.follow(noise) == []
    assert finder.follow(np.zeros_like(frames)) == []


def test_a_face_that_goes_and_comes_back_is_one_face_with_a_gap(finder, frames):
    gone = frames.copy()
    gone[8:13] = 0
    (track,) = finder.follow(gone)
    assert track.found[:8].all() and not track.found[8:13].any() and track.found[13:].all()


def test_points_move_with_the_picture(finder, frames):
    moved = np.roll(frames, 20, axis=2)
    before, after = finder.follow(frames)[0].points, finder.follow(moved)[0].points
    assert np.abs((after - before).mean((0, 1)) - [20, 0]).max() < 2
