"""A board's probabilities: each phrase's, and that it was none of them. Together they are 1.

That it was one of them at all is judged by how much of what the clip could be the board misses, by each head; which one
it was, by the phrases' exact shares of the board. Both are calibrated: see `Fit`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from lipsol.errors import ModelError
from lipsol.model.decoding import Evidence

LEAST = 1e-30  # a phrase's share that is smaller counts as this


@dataclass(frozen=True)
class Fit:
    """How evidence becomes a probability, as logistic regression (Cox 1958) of its logs has it.

    offset, characters, words  log odds that it was one of the phrases: offset - characters * c - words * w, where c and
                               w are what the board misses by each head (`missed`)
    sharpness                  exponent of the phrases' shares, normalised again (a temperature, Guo et al. 2017)
    """

    offset: float
    characters: float
    words: float
    sharpness: float

    def inside(self, evidence: Evidence) -> float:
        """Probability that one of the phrases was said, in (0, 1)."""
        odds = self.offset - self.characters * missed(evidence.characters) - self.words * missed(evidence.words)
        return 1 / (1 + math.exp(min(-odds, 700.0)))

    def among(self, shares: Sequence[float]) -> Float64[np.ndarray, "phrases"]:
        """Probability of each phrase if it was one of them, in their order."""
        logs = self.sharpness * np.log(np.maximum(np.asarray(shares, np.float64), LEAST))
        return np.asarray(np.exp(logs - np.logaddexp.reduce(logs)))


@dataclass(frozen=True)
class Fits:
    """The fits of one kind of speaker, and the confidence below which the reader abstains.

    both        where both heads can say the phrases
    characters  where the word head does not know all of their words
    """

    both: Fit
    characters: Fit
    threshold: float

    def of(self, evidence: Evidence) -> Fit:
        """The fit for this evidence."""
        return self.characters if evidence.words is None else self.both


# Fitted for grid-sentences 1.0.0 by `python -m lipsol.training.boards --fit`, on boards of 40 phrases, half of them
# without what was said: on s1's validation clips, and on the clips of s2, s3 and s5 that training left out. They are
# for bundles without a section "board" on their card. No stranger is answered for sure: lipsol/training/calibrate.py.
FAMILIAR = Fits(Fit(8.374, 1.6, 2.248, 0.356), Fit(4.418, 2.507, 0.0, 0.356), threshold=0.7963)
STRANGER = Fits(Fit(6.505, 0.533, 1.675, 0.219), Fit(3.849, 1.485, 0.0, 0.219), threshold=1.0)


def missed(share: float | None) -> float:
    """What a board misses: log(1 + m), m the negative log of its share; 0 where a head is silent."""
    return 0.0 if share is None else math.log1p(max(-share, 0.0))


def fits_of(card: Mapping[str, Any], *, stranger: bool) -> Fits:
    """Those on a bundle's card, else the ones above; to a model of drawn mouths everybody is a stranger.

    Raises ModelError for a section that can't be read.
    """
    held = card.get("board")
    if held is None:
        return STRANGER if stranger or card.get("synthetic") is True else FAMILIAR
    try:
        told = held["stranger" if stranger else "familiar"]
        return Fits(Fit(**told["both"]), Fit(**told["characters"]), float(told["threshold"]))
    except (KeyError, TypeError, ValueError) as fault:
        raise ModelError("the bundle's card has a section `board` that is none", "fetch or train it again") from fault
