import itertools

import numpy as np
import pytest

from lipsol.errors import BadInput, ModelError
from lipsol.model.decoding import ctc_align
from lipsol.model.decoding.chain import ctc_probability, encode
from tests.unit.model.counted import certain, collapsed, ctc_texts, noise


@pytest.mark.parametrize("seed", range(3))
def test_the_probability_of_every_text_is_that_of_its_alignments_together(seed):
    logp = noise(frames=5, classes=3, seed=seed)
    counted = ctc_texts(logp)
    assert sum(counted.values()) == pytest.approx(1, abs=1e-5)
    for ids, probability in counted.items():
        assert ctc_probability(logp, ids) == pytest.approx(probability, rel=1e-6)


def test_a_text_longer_than_the_clip_has_no_probability():
    assert ctc_probability(noise(3, 3, seed=0), [1, 2, 1, 2]) == 0


def test_a_doubled_letter_needs_a_blank_between():
    logp = noise(frames=3, classes=2, seed=1)
    assert ctc_probability(logp[:2], [1, 1]) == 0
    assert ctc_probability(logp, [1, 1]) == pytest.approx(np.exp(float(logp[0, 1] + logp[1, 0] + logp[2, 1])), rel=1e-6)


@pytest.mark.parametrize("ids", [(), (1,), (1, 2), (1, 1), (2, 1, 2), (1, 1, 2), (1, 1, 1)])
@pytest.mark.parametrize("seed", range(3))
def test_characters_are_laid_on_the_likeliest_alignment(ids, seed):
    logp = noise(frames=6, classes=3, seed=seed)
    fitting = [path for path in itertools.product(range(3), repeat=6) if collapsed(path) == ids]
    best = max(fitting, key=lambda path: sum(float(logp[t, n]) for t, n in enumerate(path)))
    runs, end = [], 0
    for n, group in itertools.groupby(best):
        start, end = end, end + len(list(group))
        if n:
            runs.append([start, end])
    assert ctc_align(logp, ids).tolist() == runs


def test_a_text_is_not_laid_over_a_clip_that_is_too_short_for_it():
    with pytest.raises(BadInput, match="3 frames"):
        ctc_align(noise(3, 3, seed=0), [1, 1, 2])


def test_a_very_long_clip_stays_finite_and_keeps_its_times():
    labels = np.zeros(2000, int)
    labels[[100, 900, 1900]] = [1, 2, 1]
    with np.errstate(all="raise", under="ignore"):
        assert ctc_align(certain(labels, 3), [1, 2, 1]).tolist() == [[100, 101], [900, 901], [1900, 1901]]
        assert 0 <= ctc_probability(noise(2000, 28, seed=0), [1, 2, 3]) <= 1


def test_a_clip_without_frames_is_refused():
    with pytest.raises(BadInput, match="0 frames"):
        ctc_align(np.zeros((0, 3), np.float32), [1])


def test_a_network_that_gives_no_numbers_is_refused():
    logp = noise(4, 3, seed=0)
    logp[2, 1] = np.nan
    with pytest.raises(ModelError, match="no numbers"):
        ctc_align(logp, [1])


def test_a_character_that_the_model_can_not_write_is_named():
    assert encode("ba", "ab") == [2, 1]
    with pytest.raises(BadInput, match="'é'"):
        encode("cafe é", "acef ")
