"""When the whole picture is searched for faces; what is followed in between is where a search would find it."""

import cv2
import numpy as np
import pytest

from lipsol.clips.clip import Clip
from lipsol.clips.face import JUMP, LOOK_EVERY, _Follower, _Mesh
from lipsol.clips.video import decode
from tests.benchmarks.preprocess import CENTRE_PX, Counting, crops_apart


@pytest.fixture(scope="module")
def finder():
    return Counting()


@pytest.fixture(scope="module")
def frames(samples):
    return decode(samples[0].bytes()).frames


def searched(finder, frames) -> int:
    finder.searches = 0
    finder.follow(frames)
    return finder.searches


def test_a_face_in_plain_view_is_searched_for_at_the_start_and_then_once_a_second(finder, frames):
    assert searched(finder, frames[:LOOK_EVERY]) == 1
    assert searched(finder, frames) == len(frames) // LOOK_EVERY


def test_a_lost_face_is_searched_for_in_every_frame_until_it_is_back(finder, frames):
    gone = frames[:20].copy()
    gone[5:10] = 0
    assert searched(finder, gone) == 1 + 5 + 1  # at the start, while it is away, and when it is back


def test_a_face_that_jumps_is_searched_for(finder, frames):
    moved = frames[:20].copy()
    width = np.ptp(finder.follow(frames[:1])[0].points[0, :, 0])
    moved[10:] = np.roll(moved[10:], round(1.4 * JUMP * width), axis=2)
    assert searched(finder, moved) == 2


@pytest.mark.parametrize(("presence", "doubtful"), [(0.99, False), (0.8, True)], ids=["sure", "unsure"])
def test_a_face_of_which_the_mesh_is_not_sure_is_searched_for(presence, doubtful):
    points = np.array([[0, 0], [100, 120]], np.float32)
    mesh = _Mesh(points, points.reshape(4), presence)
    assert _Follower(0, [mesh, mesh]).doubtful is doubtful


def test_a_second_person_who_comes_in_is_found_within_a_second(finder, frames, samples):
    other = decode(next(sample for sample in samples if sample.speaker == "s4").bytes()).frames[: len(frames)].copy()
    other[:5] = 0
    tracks = finder.follow(np.concatenate([frames[:40], other[:40]], axis=2))
    assert len(tracks) == 2
    assert np.flatnonzero(tracks[1].found)[0] <= LOOK_EVERY


@pytest.fixture(scope="module")
def speakers(samples):
    """A second of each of four people."""
    names = ("s1", "s2", "s4", "s5")
    found = [next(sample for sample in samples if sample.speaker == name) for name in names]
    return [Clip(decode(sample.bytes()).frames[20:45]) for sample in found]


def test_mouths_are_where_a_search_in_every_frame_has_them_once_the_mesh_has_settled(finder, speakers):
    for clip in speakers:
        assert np.percentile(crops_apart(finder, clip, passes=2), 95) < CENTRE_PX / 2


def test_mouths_of_a_moving_head_are_where_a_search_in_every_frame_would_have_them(finder, frames):
    height, width = frames.shape[1:3]
    swayed = []
    for at, frame in enumerate(frames[:40]):
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), 8 * np.sin(at / 5), 1.0)
        turn[:, 2] += (12 * np.sin(at / 7), 5 * np.cos(at / 4))
        swayed.append(cv2.warpAffine(frame, turn, (width, height)))
    assert np.percentile(crops_apart(finder, Clip(np.stack(swayed)), passes=2), 95) < CENTRE_PX
