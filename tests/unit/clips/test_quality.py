import dataclasses

import numpy as np
import pytest

from lipsol.clips.clip import Clip
from lipsol.clips.quality import Quality, require_face, require_readable
from lipsol.errors import BadInput

GOOD = Quality(
    seconds=3.0, source_fps=25.0, dropped_frames=0.0, brightness=130.0, contrast=22.0, sharpness=30.0, face_found=1.0,
    mouth_px=40.0, yaw_deg=5.0, motion=0.03,
)  # fmt: skip


def _gray(level: int) -> Clip:
    return Clip(np.full((75, 20, 20, 3), level, np.uint8))


def test_a_good_clip_is_readable():
    require_readable(GOOD)
    require_face(_gray(120), 1.0)


@pytest.mark.parametrize(
    ("level", "found", "said", "cure"),
    [
        (120, 0.3, "no face for 2.1 of 3.0 s", "face the camera, and light your face from the front"),
        (3, 0.0, "brightness 3 of 255, at least 20", "light your face"),
    ],
    ids=["away", "dark"],
)
def test_a_missing_face_is_refused_in_a_persons_words(level, found, said, cure):
    with pytest.raises(BadInput) as refusal:
        require_face(_gray(level), found)
    assert said in refusal.value.detail
    assert cure in refusal.value.cure


@pytest.mark.parametrize(
    ("change", "said", "cure"),
    [
        ({"mouth_px": 9.0}, "9 pixels wide, at least 14", "come closer"),
        ({"yaw_deg": -62.0}, "62 degrees away, at most 50", "face the camera"),
        ({"motion": 0.001}, "motion 0.0010 of the mouth's width, at least 0.004", "record while speaking"),
    ],
    ids=["far", "turned away", "still"],
)
def test_what_cannot_be_read_is_refused_with_value_bound_and_cure(change, said, cure):
    with pytest.raises(BadInput) as refusal:
        require_readable(dataclasses.replace(GOOD, **change))
    assert said in refusal.value.detail
    assert cure in refusal.value.cure


def test_one_short_word_need_not_move_the_lips():
    require_readable(dataclasses.replace(GOOD, seconds=0.2, motion=0.0))


def test_the_record_is_plain_rounded_numbers():
    record = dataclasses.replace(GOOD, motion=0.0312345).as_dict()
    assert record["motion"] == 0.0312
    assert set(record) == {field.name for field in dataclasses.fields(Quality)}
