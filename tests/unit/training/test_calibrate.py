import numpy as np
import pytest

from lipsol.model.decoding import Decoded, Timed
from lipsol.reader import scaled
from lipsol.text.scoring import expected_calibration_error
from lipsol.training.calibrate import KNOWN_WRONG, LOWEST, NEVER, Trial, confidence_of, platt, telling


def _trial(truth, text, probability):
    words = tuple(Timed(word, n, n + 1, probability) for n, word in enumerate(text.split()))
    return Trial(truth, Decoded(text, probability, words, ()))


def _trials(count, honesty, seed):
    """Trials whose true probability of being right is the raw one's logit times `honesty`."""
    rng = np.random.default_rng(seed)
    raw = rng.uniform(0.5, 0.999, count)
    really = 1 / (1 + np.exp(-honesty * np.log(raw / (1 - raw))))
    said = [f"a b{n}" for n in range(count)]
    return [_trial(t, t if rng.random() < p else "a c", float(q)) for t, p, q in zip(said, really, raw, strict=True)]


@pytest.mark.parametrize("honesty", [0.4, 1.0, 2.0], ids=["overconfident", "honest", "too modest"])
def test_scaling_makes_raw_probabilities_believable(honesty):
    trials = _trials(2000, honesty, 0)
    scale = platt(np.array([t.decoded.probability for t in trials]), np.array([t.right for t in trials]))
    fresh = _trials(2000, honesty, 1)
    confidences = [scaled(scale, trial.decoded.probability) for trial in fresh]
    assert expected_calibration_error(confidences, [trial.right for trial in fresh]) < 0.04
    assert scale.slope == pytest.approx(honesty, rel=0.25)


def test_all_right_and_all_wrong_stay_finite():
    for right in (True, False):
        scale = platt(np.full(10, 0.9), np.full(10, right))
        assert 0 < scaled(scale, 0.9) < 1 and (scaled(scale, 0.9) > 0.5) == right


def test_the_bound_keeps_sure_and_wrong_under_its_share():
    trials = _trials(1000, 1.0, 2)
    held = confidence_of(trials, trials, ["a", "b"])
    sure = [scaled(held.sentence, trial.decoded.probability) >= held.threshold for trial in trials]
    wrong = sum(given and not trial.right for given, trial in zip(sure, trials, strict=True))
    assert wrong <= KNOWN_WRONG * len(trials) < 0.2 * sum(sure)
    assert LOWEST <= held.threshold < 1


def test_nothing_is_sure_where_everything_was_wrong():
    wrong = [_trial("a b", "a c", 0.9)] * 20
    held = confidence_of(_trials(200, 1.0, 3), wrong, ["a", "b"])
    assert scaled(held.stranger, 0.999) < held.stranger_threshold


def test_strangers_who_said_too_little_of_the_vocabulary_are_never_answered():
    trials = _trials(1000, 1.0, 2)
    known = [f"b{n}" for n in range(1000)]
    assert confidence_of(trials, trials, known).stranger_threshold < NEVER
    assert confidence_of(trials, trials, [*known, *(f"c{n}" for n in range(1000))]).stranger_threshold == NEVER


def test_what_many_strangers_say_tells_nothing_of_one():
    said = [_trial("bin", "bin", 0.9)] * 10 + [_trial(word, "x", 0.9) for word in "abcdefghijklmnopqrst"]
    assert {trial.truth for trial in telling(said)} == set("abcdefghijklmnopqrst")


def test_a_word_is_right_at_its_own_place_only():
    trial = Trial("a b c", Decoded("b c", 0.5, (Timed("b", 0, 1, 0.9), Timed("c", 1, 2, 0.8)), ()))
    assert trial.words() == [(0.9, True), (0.8, True)]
    swapped = Trial("a b", Decoded("a a", 0.5, (Timed("a", 0, 1, 0.9), Timed("a", 1, 2, 0.8)), ()))
    assert swapped.words() == [(0.9, True), (0.8, False)]
