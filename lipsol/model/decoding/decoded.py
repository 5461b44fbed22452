"""What a decoder gives back, and the two floors of its arithmetic in log space."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from lipsol.errors import BadInput, ModelError

NEVER = -1e30  # log of "can't be": finite, so that sums and differences of it stay quiet; far below any real path
FLOOR = -1e3  # an emission below it counts as this: a network that says -inf must not forbid every sentence


@dataclass(frozen=True)
class Timed:
    """One word: said in the frames from `start` up to but without `end`, right with `probability`."""

    text: str
    start: int
    end: int
    probability: float


@dataclass(frozen=True)
class Hypothesis:
    """A reading and its probability, in [0, 1]."""

    text: str
    probability: float


@dataclass(frozen=True)
class Evidence:
    """What part of all that a clip could be a board has: logs of shares, each 0 at most; None for a silent head.

    characters  of the probability of all texts, by CTC
    words       of all ways to say any of the known words, by the word head
    """

    characters: float | None
    words: float | None


@dataclass(frozen=True)
class Decoded:
    """The best reading, word by word, and others, likeliest first, without the best itself.

    With hotwords `text` is the one that they prefer, and an alternative may be likelier: no probability counts them.
    evidence: of a board alone.
    """

    text: str
    probability: float
    words: tuple[Timed, ...]
    alternatives: tuple[Hypothesis, ...]
    evidence: Evidence | None = None


def floored(logp: Float[np.ndarray, "frames classes"]) -> Float64[np.ndarray, "frames classes"]:
    """Log-probabilities fit for sums: none below FLOOR. Raises BadInput without frames, ModelError on NaN or +inf."""
    if not len(logp):
        raise BadInput("the clip has 0 frames, at least 1 is needed", "send a longer clip")
    raised = np.maximum(logp.astype(np.float64), FLOOR)
    if not np.isfinite(raised).all():
        raise ModelError("the network gave log-probabilities that are no numbers", "fetch or train the bundle again")
    return raised


def share(logp: float) -> float:
    """A log-probability as a probability in [0, 1], whatever rounding did."""
    return float(min(1.0, np.exp(min(logp, 0.0))))
