"""How boards are fitted and judged, on made-up evidence."""

import numpy as np
import pytest

from lipsol.model.boards import Fit, Fits
from lipsol.model.decoding import Decoded, Evidence, Hypothesis
from lipsol.model.emissions import Emissions
from lipsol.reader import Heard
from lipsol.text.wording import Wording
from lipsol.training.boards import KINDS, PHRASES, Trial, bound_of, figures, fitted, others_of

NOTHING = Heard(Emissions(np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32), "", ()), 0.0, 1)
SLOTS = ["bin lay place set", "blue green red white", "at by in with", "a b c d e f", "one two three", "again now"]


def trial(truth, missed, shares=(0.9, 0.1)):
    """A board of "a" and "b" that misses so much."""
    other = Hypothesis("b", shares[1])
    decoded = Decoded("a", shares[0], (), (other,), Evidence(-missed, -missed))
    return Trial("known speaker, validation", "far", truth, NOTHING, Wording(), decoded)


def test_what_misses_much_is_fitted_as_none():
    rng = np.random.default_rng(0)
    trials = [trial("a", abs(rng.normal(1, 1))) for _ in range(60)] + [trial("", rng.normal(40, 9)) for _ in range(60)]
    fits = Fits(fitted(trials, both=True), fitted(trials, both=False), threshold=0.5)
    assert fits.both.inside(Evidence(-1.0, -1.0)) > 0.95 > 0.05 > fits.both.inside(Evidence(-40.0, -40.0))
    assert fits.characters.words == 0
    told = figures(fits, trials)
    assert (told["right"], told["none, truth off"], told["AUC of none"]) == (1.0, 1.0, 1.0)
    assert told["ECE of none"] < 0.05 and told["answered, truth off"] == 0


def test_shares_that_boast_are_made_modest():
    boasts = [trial("a", 1.0, (0.999, 0.001)) for _ in range(6)] + [trial("b", 1.0, (0.999, 0.001)) for _ in range(4)]
    assert fitted(boasts, both=True).among([0.999, 0.001])[0] == pytest.approx(0.6, abs=0.1)


def test_the_bound_lies_above_those_that_are_wrong():
    fit = Fit(4.0, 1.0, 1.0, 1.0)
    right, wrong = [trial("a", 0.1, (0.99, 0.01))] * 300, [trial("b", 0.1, (0.7, 0.3))] * 100
    bound = bound_of(Fits(fit, fit, 0.0), [*right, *wrong])
    assert 0.7 < bound <= 0.99


@pytest.mark.parametrize("kind", KINDS)
def test_a_board_never_holds_what_was_said_twice(kind):
    said = "bin blue at f two now"
    others = others_of(said, kind, [slot.split() for slot in SLOTS], np.random.default_rng(1))
    assert len(others) == PHRASES and said not in others
    differ = sorted(sum(a != b for a, b in zip(said.split(), other.split(), strict=True)) for other in others)
    assert differ[0] >= 1 and (kind != "near" or differ[-1] <= 3)
