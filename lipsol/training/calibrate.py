"""Raw probabilities -> confidences that can be believed, and the bound below which the reader abstains.

The known speaker's scales are fitted on clips that training never saw; a stranger's on speakers that training had left
out. Both bounds are the lowest that keep sentences given as sure and wrong under a share of all clips.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64
from scipy.optimize import minimize

from lipsol.card import Confidence, Scale
from lipsol.model.decoding import Decoded
from lipsol.reader import NEVER_QUITE, scaled
from lipsol.text.scoring import align

KNOWN_WRONG, STRANGER_WRONG = 0.012, 0.03  # shares of all clips that may be sure and wrong where bounds are chosen
FREE_WRONG = KNOWN_WRONG / 2  # for free readings, whose probabilities tell less
EXPECTED = 1.4  # by this factor more may be expected wrong: a few dozen clips make scales modest
VARIED = 0.75  # share of the vocabulary that strangers must have said before one is answered at all
NEVER = 1.0  # the bound that no confidence reaches
COMMON = 0.06  # share of the trials above which a truth is a commonplace
LOWEST = 0.5  # no bound lies below: more likely wrong than right is never sure
PULL = 0.05  # weight that pulls a scale towards the identity, in clips


@dataclass(frozen=True)
class Trial:
    """A clip that was read, and what was really said."""

    truth: str
    decoded: Decoded

    @property
    def right(self) -> bool:
        """Whether the whole reading is right."""
        return self.truth == self.decoded.text

    def words(self) -> list[tuple[float, bool]]:
        """Raw probability of each word that was read, and whether it stands in the truth at its place."""
        said = [word.text for word in self.decoded.words]
        steps = [step for step in align(self.truth.split(), said) if step.reading is not None]
        return [
            (word.probability, step.truth == step.reading) for word, step in zip(self.decoded.words, steps, strict=True)
        ]


def confidence_of(
    known: Sequence[Trial], strangers: Sequence[Trial], vocabulary: Sequence[str], wrong: float = KNOWN_WRONG
) -> Confidence:
    """Scales and bounds from trials of the known speaker and of speakers that were left out.

    wrong: share of the known speaker's clips that may be sure and wrong.

    Strangers whose trials hold too little of the vocabulary don't tell how the rest of it is read: then the reader
    abstains for every stranger.
    """
    strangers = telling(strangers)
    said = {word for trial in strangers for word in trial.truth.split()}
    varied = len(said) >= VARIED * len(vocabulary)
    sentence, word = _scales(known)
    stranger, stranger_word = _scales(strangers)
    return Confidence(
        sentence, word, stranger, stranger_word,
        threshold=_bound(sentence, known, wrong),
        stranger_threshold=_bound(stranger, strangers, STRANGER_WRONG) if varied else NEVER,
    )  # fmt: skip


def never_sure(confidence: Confidence) -> Confidence:
    """The same scales, but every reading is abstained from: of a model that nobody real was ever read with."""
    return replace(confidence, threshold=NEVER, stranger_threshold=NEVER)


def telling(trials: Sequence[Trial]) -> list[Trial]:
    """Trials whose truth is no commonplace: what many of them say may be known by the wording, not by the lips.

    The other speakers' sentences nearly all begin alike (the data's trap): read right, their "bin" and "blue" tell
    nothing of how well a stranger is read.
    """
    said = Counter(trial.truth for trial in trials)
    return [trial for trial in trials if said[trial.truth] <= max(1, COMMON * len(trials))]


def _scales(trials: Sequence[Trial]) -> tuple[Scale, Scale]:
    sentences = [(trial.decoded.probability, trial.right) for trial in trials]
    return _scale(sentences), _scale([word for trial in trials for word in trial.words()])


def _scale(pairs: Sequence[tuple[float, bool]]) -> Scale:
    return platt(np.array([each[0] for each in pairs], float), np.array([each[1] for each in pairs], bool))


def platt(probabilities: Float64[np.ndarray, "trials"], rights: Bool[np.ndarray, "trials"]) -> Scale:
    """Platt's scale by maximum likelihood with his smoothed targets (Platt 1999, section 2.2)."""
    kept = np.clip(probabilities, NEVER_QUITE, 1 - NEVER_QUITE)
    logits = np.log(kept / (1 - kept))
    right, wrong = float(rights.sum()), float((~rights).sum())
    targets = np.where(rights, (right + 1) / (right + 2), 1 / (wrong + 2))

    def loss(scale: Float64[np.ndarray, "2"]) -> float:
        z = scale[0] * logits + scale[1]
        fit = np.logaddexp(0, z) - targets * z
        return float(fit.sum() + PULL * ((scale[0] - 1) ** 2 + scale[1] ** 2))

    best = minimize(loss, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=[(0.05, 5.0), (-10.0, 10.0)]).x
    return Scale(round(float(best[0]), 4), round(float(best[1]), 4))


def _bound(scale: Scale, trials: Sequence[Trial], wrong_share: float) -> float:
    """Lowest confidence above which both the wrong trials and the expected wrong ones stay under the share of all."""
    confidences = np.array([scaled(scale, trial.decoded.probability) for trial in trials])
    order = np.argsort(-confidences, kind="stable")
    wrong = np.cumsum([not trials[n].right for n in order])
    expected = np.cumsum(1 - confidences[order])
    fine = np.flatnonzero(np.maximum(wrong, expected / EXPECTED) <= wrong_share * len(trials))
    answered = confidences[order[: fine[-1] + 1]] if len(fine) else np.array([NEVER])
    return round(max(LOWEST, float(answered[-1])), 4)
