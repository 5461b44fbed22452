import cv2
import numpy as np
import pytest

from lipsol.clips.clip import Clip
from lipsol.clips.face import FaceFinder, FaceTrack
from lipsol.clips.mouth import INNER_LIP, LIPS, OUTER_LIP, _steady_transforms, follow_mouth, lip_motion, talking_face
from lipsol.clips.video import decode


@pytest.fixture(scope="module")
def clip(samples):
    return Clip(decode(samples[0].bytes()).frames[:30])


@pytest.fixture(scope="module")
def track(clip):
    return FaceFinder().follow(clip.frames)[0]


def test_the_mouth_sits_in_the_middle_of_its_picture(clip, track):
    mouth = follow_mouth(clip, track)
    assert mouth.mouth.shape == (30, 96, 96)
    assert np.abs(mouth.lips.mean((0, 1))).max() < 0.03
    width = np.linalg.norm(mouth.lips[:, 10] - mouth.lips[:, 0], axis=-1)
    assert ((width > 0.35) & (width < 0.75)).all()


def test_each_lip_ring_goes_around_from_corner_to_corner(clip, track):
    points = track.points[0]
    for ring in (OUTER_LIP, INNER_LIP):
        left, below, right, above = (points[ring[n]] for n in (0, 5, 10, 15))
        assert left[0] < below[0] < right[0] and above[1] < below[1]


@pytest.mark.parametrize(
    ("angle", "scale"), [(15, 1.0), (-20, 1.3), (0, 0.7)], ids=["tilted", "tilted and near", "far"]
)
def test_a_tilted_nearer_or_farther_head_gives_the_same_mouth(clip, track, angle, scale):
    height, width = clip.frames.shape[1:3]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
    frames = np.stack([cv2.warpAffine(frame, turn, (width, height)) for frame in clip.frames])
    points = (track.points @ turn[:, :2].T + turn[:, 2]).astype(np.float32)
    before, after = follow_mouth(clip, track), follow_mouth(Clip(frames), FaceTrack(points, track.found))
    np.testing.assert_allclose(after.lips, before.lips, atol=2e-3)
    assert np.abs(after.mouth[:, 24:72, 24:72].astype(float) - before.mouth[:, 24:72, 24:72]).mean() < 4


@pytest.mark.parametrize(
    ("across", "down", "scale"),
    [(0, 0, 1.0), (-170, 0, 1.0), (90, 190, 2.5), (400, -400, 0.3)],
    ids=["inside", "half out", "near and half out", "out"],
)
def test_gray_is_made_where_the_mouth_is_taken_from_and_of_all_of_that(clip, track, across, down, scale):
    points = ((track.points - 180) * scale + [180 + across, 180 + down]).astype(np.float32)
    mouth = follow_mouth(clip, FaceTrack(points, track.found))
    for frame, move, made in zip(clip.frames, _steady_transforms(points), mouth.mouth, strict=True):
        gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        whole = cv2.warpAffine(gray, move, (96, 96), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        np.testing.assert_array_equal(made, whole)


def test_a_gap_is_filled_from_both_sides_and_marked(clip, track):
    found = track.found.copy()
    found[[0, 10, 11, 29]] = False
    points = track.points.copy()
    points[~found] = 0
    filled = follow_mouth(clip, FaceTrack(points, found))
    whole = follow_mouth(clip, track)
    np.testing.assert_array_equal(filled.seen, found)
    assert np.abs(filled.outline - whole.outline).max() < 0.02


def test_the_outline_lies_on_the_lips_in_the_picture(clip, track):
    height, width = clip.frames.shape[1:3]
    outline = follow_mouth(clip, track).outline * [width, height]
    np.testing.assert_allclose(outline, track.points[:, LIPS], atol=0.05)


def test_of_two_faces_the_one_whose_lips_move_is_talking(track):
    still = FaceTrack(np.repeat(track.points[:1], len(track.points), axis=0), track.found)
    assert lip_motion(still) == pytest.approx(0, abs=1e-6) and lip_motion(track) > 0.01
    assert talking_face([still, track]) is track
