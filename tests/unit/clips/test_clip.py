import numpy as np
import pytest

from lipsol.clips.clip import Clip, MouthClip
from lipsol.errors import BadInput


def _mouth(frames: int) -> MouthClip:
    rng = np.random.default_rng(frames)
    points = rng.normal(size=(frames, 56, 2)).astype(np.float32)
    picture = rng.integers(0, 256, (frames, 96, 96), dtype=np.uint8)
    return MouthClip(picture, points[:, :40], points[:, 40:], points[:, :40] / 2, rng.random(frames) > 0.2)


def test_a_mouth_clip_survives_its_bytes():
    before = _mouth(7)
    after = MouthClip.from_bytes(before.to_bytes())
    for name in ("mouth", "lips", "jaw", "outline", "seen"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))


@pytest.mark.parametrize("data", [b"", b"not a zip", _mouth(3).to_bytes()[:200]], ids=["empty", "text", "cut off"])
def test_bytes_that_are_no_mouth_clip_are_refused(data):
    with pytest.raises(BadInput, match="no mouth clip"):
        MouthClip.from_bytes(data)


def test_a_cut_holds_the_frames_asked_for():
    whole = _mouth(9)
    part = whole.cut(2, 5)
    assert len(part) == 3
    np.testing.assert_array_equal(part.lips, whole.lips[2:5])


def test_a_clip_is_as_long_as_its_frames_take():
    assert Clip(np.zeros((50, 4, 6, 3), np.uint8)).seconds == 2.0
