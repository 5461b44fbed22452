import numpy as np
import pytest

from lipsol.drift.features import Observation, Told
from lipsol.drift.sketch import Block
from lipsol.errors import BadInput
from tests.unit.drift.observations_made import Drawn, reference_made


@pytest.fixture(scope="module")
def reference():
    return reference_made()


def test_blocks_add_up_to_the_block_of_all_their_clips(reference):
    clips, told = Drawn(2).clips(50), Drawn(3).told(20)
    whole = Block.of(clips, told, reference)
    parts = Block.of(clips[:30], told[:5], reference) + Block.of(clips[30:], told[5:], reference)
    assert (parts.clips, parts.told, parts.abstained) == (50, 20, sum(each.abstained for each in clips))
    assert np.allclose(parts.sums, whole.sums)


def test_a_block_comes_back_from_its_bytes_and_is_small(reference):
    block = Block.of(Drawn(2).clips(25), Drawn(3).told(3), reference)
    data = block.to_bytes()
    again = Block.from_bytes(data)
    assert np.array_equal(again.sums, block.sums) and again.key == block.key
    assert len(data) < 5000


def test_blocks_of_different_layouts_do_not_add_up(reference):
    other = reference_made(seed=9)
    with pytest.raises(BadInput, match="does not add to one laid out by"):
        _ = Block.empty(reference.layout) + Block.empty(other.layout)


@pytest.mark.parametrize("data", [b"", b"\xff" * 40, b"0" * 16 + b"no zlib"], ids=["nothing", "noise", "a key alone"])
def test_bytes_that_are_no_block_are_refused(data):
    with pytest.raises(BadInput, match="no block"):
        Block.from_bytes(data)


def test_what_is_not_known_of_a_clip_is_counted_nowhere(reference):
    block = Block.of([Observation({}, (), {}, abstained=False, words={})], [], reference)
    parts = block.parts(reference.layout)
    assert block.clips == 1
    assert not any(parts[name].any() for name in ("bins", "sums", "numbers", "waves", "words", "read", "embedded"))


def test_what_people_told_is_summed_by_confidence(reference):
    block = Block.of([], [Told(0.95, True, 0, 3, 0, 15), Told(None, False, 2, 3, 6, 15)], reference)
    parts = block.parts(reference.layout)
    assert block.told == 2
    assert parts["calibration"][9].tolist() == [1, 0.95, 1]
    assert parts["errors"].tolist() == [[2, 6, 4, 18, 6], [6, 30, 36, 450, 90]]


def test_nothing_of_one_clip_can_be_found_in_the_sums_of_many(reference):
    clips = Drawn(2).clips(25)
    held = set(Block.of(clips, [], reference).sums.tolist())
    own = {value for each in clips for value in (*each.numbers.values(), *each.embedding) if value % 1}
    assert not held & own
