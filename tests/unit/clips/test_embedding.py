from dataclasses import replace

import numpy as np
import pytest

from lipsol.bundle import Bundle
from lipsol.clips.clip import MOUTH_PX, MouthClip
from lipsol.clips.embedding import DIGITS, EVENS, ODDS, PLACE, SIZE, embed

SHIFT_PX = 8


@pytest.fixture(scope="module")
def mouths(top) -> list[MouthClip]:
    return [clip.mouth for clip in Bundle.load(top / "models" / "grid-sentences.lipsol").golden]


def test_a_mouth_is_a_few_finite_numbers_and_always_the_same(mouths):
    for mouth in mouths:
        numbers = embed(mouth)
        assert len(numbers) == SIZE <= 48
        assert all(np.isfinite(each) and abs(each) < 5 and round(each, DIGITS) == each for each in numbers)
        assert embed(mouth) == numbers


def test_two_people_s_mouths_lie_at_the_same_place_and_look_otherwise(mouths):
    one, other = (np.array(embed(mouth)) for mouth in mouths)
    assert np.abs(one[PLACE] - other[PLACE]).max() < 0.03
    assert np.abs(one[EVENS] - other[EVENS]).max() > 0.1


@pytest.mark.parametrize("axis", [1, 2], ids=["down", "sideways"])
def test_a_shifted_picture_lies_elsewhere(mouths, axis):
    for mouth in mouths:
        moved = embed(replace(mouth, mouth=np.roll(mouth.mouth, SHIFT_PX, axis=axis)))
        off = np.abs(np.array(moved) - embed(mouth))[PLACE]
        assert off.max() == pytest.approx(SHIFT_PX / MOUTH_PX, abs=0.025)


def test_points_that_are_shifted_or_mirrored_lie_elsewhere(mouths):
    for mouth in mouths:
        shifted = replace(mouth, lips=mouth.lips + np.float32(SHIFT_PX / MOUTH_PX))
        mirrored = replace(mouth, lips=mouth.lips * np.array([-1, 1], np.float32))
        for changed in (shifted, mirrored):
            assert np.abs(np.array(embed(changed)) - embed(mouth))[PLACE].max() > 0.05


def test_mirroring_turns_the_odd_part_round_and_leaves_the_even_one(mouths):
    for mouth in mouths:
        own = np.array(embed(mouth))
        flipped = np.array(embed(replace(mouth, mouth=np.ascontiguousarray(mouth.mouth[:, :, ::-1]))))
        assert np.abs(flipped[EVENS] - own[EVENS]).max() < 0.03
        assert np.linalg.norm(flipped[ODDS] + own[ODDS]) < np.linalg.norm(own[ODDS]) / 2  # but for a thinned pixel


def test_light_is_not_what_a_mouth_looks_like(mouths):
    for mouth in mouths:
        darker = embed(replace(mouth, mouth=(mouth.mouth * np.float32(0.7)).astype(np.uint8)))
        assert np.abs(np.array(darker) - embed(mouth)).max() < 0.05


@pytest.mark.parametrize("frames", [1, 2, 75])
def test_a_picture_in_which_nothing_is_to_be_seen_has_numbers_too(mouths, frames):
    mouth = mouths[0].cut(0, 1)
    blank = MouthClip(
        *(np.repeat(np.zeros_like(part), frames, axis=0) for part in (mouth.mouth, mouth.lips, mouth.jaw)),
        np.repeat(mouth.outline, frames, axis=0),
        np.repeat(mouth.seen, frames),
    )
    assert len(embed(blank)) == SIZE and np.isfinite(embed(blank)).all()
