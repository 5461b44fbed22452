import io
import zipfile

import numpy as np
import pytest

from lipsol.clips.clip import LAYOUT, Clip, MouthClip
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


def _packed(compressed=False, **other):
    """An .npz of a mouth clip's arrays, some of them others."""
    whole = _mouth(3)
    arrays = {name: getattr(whole, name) for name in LAYOUT} | other
    out = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(out, **arrays)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (_packed(mouth=np.zeros((3, 96, 95), np.uint8)), r"mouth is uint8\(3, 96, 95\), not uint8\(3, 96, 96\)"),
        (_packed(lips=np.zeros((2, 40, 2), np.float32)), "lips is"),
        (_packed(jaw=np.zeros((3, 16, 2))), "jaw is float64"),
        (_packed(seen=np.bool_(1)), r"not uint8\(1, 96, 96\)"),
        (_packed(seen=np.array([None, None, None])), "allow_pickle"),
        (_packed(compressed=True), "deflated"),
    ],
    ids=["size", "length", "type", "no array", "pickle", "deflated"],
)
def test_arrays_that_are_not_one_mouth_s_are_refused_by_name(data, said):
    with pytest.raises(BadInput, match=said):
        MouthClip.from_bytes(data)


def test_an_array_that_claims_to_be_huge_is_refused():
    out, claim = io.BytesIO(_packed()), io.BytesIO()
    shape = (10**13, 96, 96)
    np.lib.format.write_array_header_1_0(claim, {"descr": "|u1", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(out) as whole:
        members = {name: whole.read(name) for name in whole.namelist()} | {"mouth.npy": claim.getvalue()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as changed:
        for name, data in members.items():
            changed.writestr(name, data)
    with pytest.raises(BadInput, match="no mouth clip"):
        MouthClip.from_bytes(out.getvalue())


def test_a_cut_holds_the_frames_asked_for():
    whole = _mouth(9)
    part = whole.cut(2, 5)
    assert len(part) == 3
    np.testing.assert_array_equal(part.lips, whole.lips[2:5])


def test_a_clip_is_as_long_as_its_frames_take():
    assert Clip(np.zeros((50, 4, 6, 3), np.uint8)).seconds == 2.0
