import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipsol.errors import BadInput
from lipsol.text.scoring import (
    Step,
    align,
    bootstrap_interval,
    character_error_rate,
    edits,
    expected_calibration_error,
    risk_coverage,
    sentence_accuracy,
    word_error_rate,
)

TOKENS = st.text("abc", max_size=6)
TRUSTED = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=20)


def shortest_script(truth, reading):
    """Edit distance straight from its definition."""

    @cache
    def distance(i, j):
        if not i or not j:
            return i + j
        replaced = distance(i - 1, j - 1) + (truth[i - 1] != reading[j - 1])
        return min(replaced, distance(i - 1, j) + 1, distance(i, j - 1) + 1)

    return distance(len(truth), len(reading))


@pytest.mark.parametrize(
    ("truth", "reading", "steps"),
    [
        pytest.param("", "", [], id="nothing"),
        pytest.param("bin blue", "bin blue", [("bin", "bin"), ("blue", "blue")], id="right"),
        pytest.param("bin blue at", "bin red at", [("bin", "bin"), ("blue", "red"), ("at", "at")], id="replaced"),
        pytest.param("bin blue at", "bin at", [("bin", "bin"), ("blue", None), ("at", "at")], id="left out"),
        pytest.param("bin at", "bin blue at", [("bin", "bin"), (None, "blue"), ("at", "at")], id="added"),
        pytest.param("a b", "c", [("a", None), ("b", "c")], id="replaced as late as can be"),
    ],
)
def test_words_are_aligned(truth, reading, steps):
    assert align(truth.split(), reading.split()) == [Step(*step) for step in steps]


@given(TOKENS, TOKENS)
def test_an_alignment_is_a_shortest_script_of_both_texts(truth, reading):
    steps = align(truth, reading)
    assert [step.truth for step in steps if step.truth is not None] == list(truth)
    assert [step.reading for step in steps if step.reading is not None] == list(reading)
    assert sum(not step.right for step in steps) == edits(truth, reading) == shortest_script(truth, reading)


def test_word_errors_are_counted_over_the_corpus_not_clip_by_clip():
    assert word_error_rate(["a b c d", "a"], ["a b c d", "b"]) == 1 / 5


def test_word_errors_can_pass_one():
    assert word_error_rate(["yes"], ["no no no"]) == 3


def test_an_empty_reading_misses_every_word():
    assert word_error_rate(["bin blue"], [""]) == 1


def test_spaces_are_characters():
    assert character_error_rate(["ab c", "x"], ["ab", "x"]) == 2 / 5


def test_characters_are_code_points_in_logical_order():
    assert character_error_rate(["ہے"], ["ہی"]) == 1 / 2


def test_a_sentence_is_right_as_a_whole():
    assert sentence_accuracy(["bin blue", "set red", "yes"], ["bin blue", "set", "yes"]) == pytest.approx(2 / 3)


@pytest.mark.parametrize("rate", [word_error_rate, character_error_rate, sentence_accuracy])
def test_each_truth_needs_its_reading(rate):
    with pytest.raises(BadInput, match="2 truths for 1 readings"):
        rate(["a", "b"], ["a"])
    with pytest.raises(BadInput, match="0 truths"):
        rate([], [])


@pytest.mark.parametrize(("rate", "unit"), [(word_error_rate, "word"), (character_error_rate, "character")])
def test_silence_has_no_error_rate(rate, unit):
    with pytest.raises(BadInput, match=f"2 truths hold no {unit}"):
        rate(["", ""], ["a", "b"])


def test_an_interval_of_equal_clips_has_no_width():
    assert bootstrap_interval([1.0] * 9, [4.0] * 9) == (0.25, 0.25)


def test_an_interval_is_that_of_the_binomial():
    """50 of 100: the normal approximation says 0.5 +- 1.96 * sqrt(0.25 / 100) = 0.402 to 0.598."""
    low, high = bootstrap_interval([0.0, 1.0] * 50)
    assert low == pytest.approx(0.402, abs=0.02)
    assert high == pytest.approx(0.598, abs=0.02)


def test_long_clips_weigh_more():
    low, high = bootstrap_interval([0.0, 9.0], [1.0, 9.0])
    assert (low, high) == (0.0, 1.0)
    assert bootstrap_interval([0.0, 9.0] * 500, [1.0, 9.0] * 500)[0] > 0.85


def test_a_lower_level_is_narrower():
    values = [float(n % 3 == 0) for n in range(60)]
    wide, narrow = bootstrap_interval(values), bootstrap_interval(values, level=0.5)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_speakers_are_drawn_whole():
    values, speakers = [0.0] * 50 + [1.0] * 50, ["s1"] * 50 + ["s2"] * 50
    assert bootstrap_interval(values, groups=speakers) == (0.0, 1.0)
    low, high = bootstrap_interval(values)
    assert 0.35 < low < high < 0.65


def test_a_speaker_is_the_sum_of_his_clips():
    """2 of 3 wrong and 0 of 1: drawn anew, both from the first give 2/3, both from the second 0."""
    assert bootstrap_interval([1.0, 1.0, 0.0, 0.0], groups=["s1", "s1", "s1", "s2"]) == (0.0, pytest.approx(2 / 3))


def test_a_seed_gives_its_interval_again():
    values = [float(n) for n in range(40)]
    assert (
        bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3) != bootstrap_interval(values, seed=4)
    )


def test_nineteen_of_twenty_intervals_hold_the_truth():
    random = np.random.default_rng(0)
    held = 0
    for _ in range(300):
        low, high = bootstrap_interval(random.binomial(1, 0.3, 80).astype(float).tolist(), draws=400)
        held += low <= 0.3 <= high
    assert 0.90 <= held / 300 <= 0.98


def test_an_interval_of_nothing_is_no_number():
    assert all(map(math.isnan, bootstrap_interval([0.0, 0.0], [0.0, 0.0])))


def test_draws_that_count_nothing_are_left_out():
    assert bootstrap_interval([0.0, 1.0], [0.0, 2.0]) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("amounts", "totals", "groups"),
    [([], None, None), ([1.0], [1.0, 1.0], None), ([1.0, 1.0], None, ["s1"])],
    ids=["no clip", "totals", "groups"],
)
def test_lists_of_unlike_length_have_no_interval(amounts, totals, groups):
    with pytest.raises(BadInput, match="one of each for every clip"):
        bootstrap_interval(amounts, totals, groups)


@pytest.mark.parametrize(
    ("confidences", "rights", "error"),
    [
        pytest.param([0.95, 0.95, 0.85, 0.85], [True, False, True, True], 0.3, id="2/4 * 0.45 + 2/4 * 0.15"),
        pytest.param([0.85, 0.9], [True, False], 0.375, id="a bin holds its upper edge: gap of 0.875 to 0.5"),
        pytest.param([0.0, 1.0], [False, True], 0.0, id="both ends are in bins"),
        pytest.param([0.5], [True], 0.5, id="too shy"),
        pytest.param([1.0, 1.0], [False, False], 1.0, id="sure and wrong"),
    ],
)
def test_a_calibration_error_is_the_mean_gap(confidences, rights, error):
    assert expected_calibration_error(confidences, rights) == pytest.approx(error)


@given(TRUSTED)
def test_one_bin_compares_the_means(trusted):
    confidences, rights = zip(*trusted, strict=True)
    gap = abs(sum(confidences) - sum(rights)) / len(trusted)
    assert expected_calibration_error(confidences, rights, bins=1) == pytest.approx(gap, abs=1e-9)


def test_risk_grows_with_coverage():
    """By hand: 1 of 1 right, then 2 of 3 (the two at 0.8 go together), then 2 of 4."""
    curve = risk_coverage([0.8, 0.9, 0.1, 0.8], [False, True, False, True])
    assert curve.bounds.tolist() == [0.9, 0.8, 0.1]
    assert curve.coverage.tolist() == [0.25, 0.75, 1.0]
    assert curve.risk.tolist() == pytest.approx([0, 1 / 3, 1 / 2])
    assert curve.area == pytest.approx((0 + 1 / 3 + 1 / 3 + 1 / 2) / 4)


def test_who_is_sure_of_what_is_right_has_the_smaller_area():
    rights = [True, True, True, False]
    assert risk_coverage([0.9, 0.8, 0.7, 0.1], rights).area < risk_coverage([0.1, 0.7, 0.8, 0.9], rights).area


@given(TRUSTED)
def test_the_curve_ends_with_all_clips(trusted):
    confidences, rights = zip(*trusted, strict=True)
    curve = risk_coverage(confidences, rights)
    assert curve.coverage[-1] == 1
    assert curve.risk[-1] == pytest.approx(1 - sum(rights) / len(rights))
    for bound, risk in zip(curve.bounds, curve.risk, strict=True):
        given_rights = [right for sure, right in trusted if sure >= bound]
        assert risk == pytest.approx(1 - sum(given_rights) / len(given_rights))


@pytest.mark.parametrize("measure", [expected_calibration_error, risk_coverage])
@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.nan])
def test_a_confidence_is_a_probability(measure, wrong):
    with pytest.raises(BadInput, match=f"{wrong} is no probability"):
        measure([0.5, wrong], [True, True])
