"""What the gate measures on clips, each from the clips themselves; no figure is taken from a summary."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.special import betaincinv

from lipsol.evaluation.records import ClipRead
from lipsol.text.scoring import bootstrap_interval, expected_calibration_error

LEVEL = 0.95  # of every one-sided limit
BINS = 10  # of confidences, as the calibration error has them

Count = Callable[[ClipRead], float]
Measured = tuple[float | None, str]  # a value, None where there is none, and what it was measured on
Pair = tuple[ClipRead, ClipRead]  # one clip read by the candidate and by the champion


def limit(loss: tuple[Count, Count], both: Sequence[Pair], drawn: Sequence[str], unit: str) -> Measured:
    """Upper limit of what is lost against the champion, when clips or speakers are drawn anew."""
    amount, total = loss
    more = [float(amount(new) - amount(old)) for new, old in both]
    of = [float(total(new)) for new, _ in both]
    upper = bootstrap_interval(more, of, drawn, level=2 * LEVEL - 1)[1]
    seen = sum(more) / sum(of) if sum(of) else float("nan")
    return upper, f"{seen:+.4f}; upper {LEVEL:.0%} limit over {len(set(drawn))} {unit}"


def _share(amount: Count, total: Count) -> Callable[[Sequence[ClipRead]], Measured]:
    def measured(clips: Sequence[ClipRead]) -> Measured:
        held, said = sum(map(amount, clips)), sum(map(total, clips))
        return (held / said if said else None), f"{held:g} of {said:g}"

    return measured


def _sure_wrong(clips: Sequence[ClipRead]) -> Measured:
    """Upper limit of the share that is answered and wrong (Clopper and Pearson 1934, Biometrika 26)."""
    n, wrong, answered = len(clips), sum(map(_is_sure_wrong, clips)), sum(not clip.abstained for clip in clips)
    limit = 1.0 if wrong == n else float(betaincinv(wrong + 1, n - wrong, LEVEL))
    return limit, f"{wrong:g} of {n} were answered wrong, {answered} answered; upper {LEVEL:.0%} limit"


def _overconfidence(clips: Sequence[ClipRead]) -> Measured:
    """The part of the calibration error in which more is believed than is right."""
    sure = np.array([clip.confidence for clip in clips])
    right = np.array([clip.right for clip in clips])
    at = np.clip(np.ceil(sure * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = np.bincount(at, weights=sure - right, minlength=BINS)
    ece = expected_calibration_error(sure.tolist(), right.tolist(), BINS)
    return float(gaps.clip(min=0).sum() / len(clips)), f"of an expected calibration error of {ece:.4f}"


def _is_sure_wrong(clip: ClipRead) -> float:
    return float(not clip.abstained and not clip.right)


WER: tuple[Count, Count] = (lambda clip: clip.word_edits), (lambda clip: clip.words)
CER: tuple[Count, Count] = (lambda clip: clip.character_edits), (lambda clip: clip.characters)
AT_MOST: Mapping[str, Callable[[Sequence[ClipRead]], Measured]] = {
    "wer": _share(*WER),
    "cer": _share(*CER),
    "sure_wrong": _sure_wrong,
    "overconfidence": _overconfidence,
}
AT_LEAST: Mapping[str, Callable[[Sequence[ClipRead]], Measured]] = {
    "word_accuracy": _share(lambda clip: clip.right_words, lambda clip: clip.words),
    "sure_right": _share(lambda clip: clip.right and not clip.abstained, lambda _: 1),
}
LOSSES: Mapping[str, tuple[Count, Count]] = {
    "wer": WER,
    "cer": CER,
    "sure_wrong": (_is_sure_wrong, lambda _: 1),
    "not_helped": (lambda clip: clip.abstained or not clip.right, lambda _: 1),
}
