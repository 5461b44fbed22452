"""Error rates as sums, held to those that are computed from the clips themselves."""

import numpy as np
import pytest

from lipsol.text.rates import Rate, character_rate, word_rate
from lipsol.text.scoring import bootstrap_interval, character_error_rate, word_error_rate

TRUTHS = ["bin blue at f two now", "set red by a one please", "lay white in z nine soon", "place green"]
READINGS = ["bin blue at f two now", "set red by b one please", "lay", "place green with a six again"]


def total(rates):
    return sum(rates, Rate())


def test_sums_give_the_corpus_rates():
    words = total(map(word_rate, TRUTHS, READINGS))
    characters = total(map(character_rate, TRUTHS, READINGS))
    assert words.value == pytest.approx(word_error_rate(TRUTHS, READINGS))
    assert characters.value == pytest.approx(character_error_rate(TRUTHS, READINGS))


def test_what_a_clip_added_can_be_taken_away():
    three = total(map(word_rate, TRUTHS[:3], READINGS[:3]))
    assert three + word_rate(TRUTHS[3], READINGS[3]) - word_rate(TRUTHS[3], READINGS[3]) == three
    assert (three - three, (three - three).value, (three - three).interval()) == (Rate(), None, None)


def test_a_clip_without_a_word_adds_nothing():
    assert word_rate("", "bin") == Rate()


@pytest.mark.parametrize("wrong", [0.02, 0.15, 0.6])
def test_the_interval_is_like_the_bootstraps_where_that_can_be_trusted(wrong):
    noise = np.random.default_rng(7)
    said = noise.integers(4, 8, 800)
    bad = noise.random(800) < 0.5  # half of the clips have all the errors
    found = np.where(bad, noise.binomial(said, min(1.0, 2 * wrong)), 0)
    low, high = total(Rate.of(int(e), int(n)) for e, n in zip(found, said, strict=True)).interval()
    expected = bootstrap_interval([*map(float, found)], [*map(float, said)])
    assert (low, high) == pytest.approx(expected, abs=0.15 * (expected[1] - expected[0]))


def test_few_clips_without_an_error_promise_little():
    low, high = total([Rate.of(0, 6)] * 10).interval()
    assert low == 0
    assert 0.2 < high < 0.4  # by clips, not by 60 words: those would promise 0.06


def test_a_rate_beyond_one_has_an_interval_around_it():
    rate = total([Rate.of(9, 6), Rate.of(6, 6), Rate.of(12, 6)])
    low, high = rate.interval()
    assert low < rate.value < high
    assert rate.value == 1.5
