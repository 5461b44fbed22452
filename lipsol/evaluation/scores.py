"""How good a bundle is, on clips it was not trained on: what its card and its evaluation tell."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lipsol.clips.clip import MouthClip
from lipsol.evaluation.records import ClipRead
from lipsol.model.prediction import Prediction
from lipsol.reader import Bound, Reader
from lipsol.text.scoring import (
    align,
    bootstrap_interval,
    edits,
    expected_calibration_error,
    risk_coverage,
)

CURVE_POINTS = 10  # of the risk-coverage curve that the card keeps
SPEAKERS_TO_TRUST = 5  # from which on an interval by speaker says something of other people
ONE = ""  # stands for the clip itself as a count
BINS = 10  # of the reliability diagram, of equal width, as the calibration error has them

RATES: Mapping[str, tuple[str, str]] = {  # rate -> the two counts of a clip whose sums it is, one over the other
    "wer": ("word_edits", "words"),
    "cer": ("character_edits", "characters"),
    "word_accuracy": ("right_words", "words"),
    "sentence_accuracy": ("right", ONE),
}

Figures = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """A mouth and what it really said."""

    mouth: MouthClip
    text: str


def score(reader: Reader, groups: Mapping[str, Sequence[Said]], ways: Mapping[str, Bound]) -> dict[str, Any]:
    """Group -> way of decoding -> scores (`scores_of`)."""
    return {name: _score(reader, group, ways) for name, group in groups.items() if group}


def _score(reader: Reader, group: Sequence[Said], ways: Mapping[str, Bound]) -> dict[str, Figures]:
    heard = reader.hear([said.mouth for said in group])
    read = {way: [reader.decode(each, bound) for each in heard] for way, bound in ways.items()}
    return {
        way: scores_of([compared("", "", "", way, said.text, told) for said, told in zip(group, own, strict=True)])
        for way, own in read.items()
    }


def compared(name: str, speaker: str, group: str, way: str, truth: str, read: Prediction) -> ClipRead:
    """A reading beside its truth, both spelt alike."""
    said, words = truth.split(), read.text.split()
    return ClipRead(
        name=name, speaker=speaker, group=group, way=way, truth=truth, reading=read.text,
        alternatives=tuple(other.text for other in read.alternatives),
        confidence=read.confidence, abstained=read.abstained,
        word_edits=edits(said, words), words=len(said), right_words=sum(step.right for step in align(said, words)),
        character_edits=edits(truth, read.text), characters=len(truth),
    )  # fmt: skip


def scores_of(clips: Sequence[ClipRead]) -> Figures:
    """Error rates over all clips, answered or not, with 95 % intervals by clip; abstaining; calibration; risk curve.

    top3: share of clips whose truth is the reading or one of its first two alternatives. sure_wrong: share of all clips
    that were answered and wrong.
    """
    right = [clip.right for clip in clips]
    sure = [clip.confidence for clip in clips]
    kept = [clip for clip in clips if not clip.abstained]
    figures: Figures = {
        "n": len(clips),
        "wer": _rate(clips, *RATES["wer"]),
        "cer": _rate(clips, *RATES["cer"]),
        "sentence_accuracy": _rate(clips, *RATES["sentence_accuracy"]),
        "top3": _mean(clip.truth in (clip.reading, *clip.alternatives[:2]) for clip in clips),
        "abstained": _rounded(1 - len(kept) / len(clips)),
        "answered_wer": _rate(kept, *RATES["wer"])["value"] if kept else None,
        "sure_wrong": _mean(not clip.abstained and not clip.right for clip in clips),
        "ece": _rounded(expected_calibration_error(sure, right)),
    }
    curve = risk_coverage(sure, right)
    at = np.unique(np.linspace(0, len(curve.coverage) - 1, CURVE_POINTS).round().astype(int))
    figures["risk_coverage"] = {
        "area": _rounded(curve.area),
        "points": [[_rounded(curve.coverage[n]), _rounded(curve.risk[n]), _rounded(curve.bounds[n])] for n in at],
    }
    return figures


def evaluated(clips: Sequence[ClipRead]) -> Figures:
    """The same with intervals by speaker, and word accuracy and reliability besides.

    A rate is {"value", "interval", "by", "speakers"}. Whole speakers are drawn anew, since clips of one go wrong
    together; of one speaker alone whole clips are (`by` says which), and then the interval tells of other clips of that
    speaker, not of other people. word_accuracy: words of the truth that were read at their place. reliability: of each
    bin of confidences that holds clips, their mean confidence, the share that is right, and how many.
    """
    speakers = len({clip.speaker for clip in clips})
    drawn = [clip.speaker if speakers > 1 else clip.recording for clip in clips]
    by = {"by": "speaker" if speakers > 1 else "clip", "speakers": speakers}
    told = {name: {**_rate(clips, *counts, drawn), **by} for name, counts in RATES.items()}
    return {**scores_of(clips), **told, "reliability": _reliability(clips)}


def error_rate(clips: Iterable[ClipRead]) -> float | None:
    """Word error rate; None without a word."""
    counts = [(clip.word_edits, clip.words) for clip in clips]
    words = sum(said for _, said in counts)
    return _rounded(sum(wrong for wrong, _ in counts) / words) if words else None


def _rate(clips: Sequence[ClipRead], amount: str, total: str, groups: Sequence[str] | None = None) -> Figures:
    """One sum over another, and its interval; groups: what is drawn together (None: each clip by itself)."""
    wrong, said = ([float(getattr(clip, count)) if count else 1.0 for clip in clips] for count in (amount, total))
    drawn = bootstrap_interval(wrong, said, groups)
    return {
        "value": _rounded(sum(wrong) / sum(said)),
        "interval": None if any(map(math.isnan, drawn)) else [_rounded(bound) for bound in drawn],
    }


def _reliability(clips: Sequence[ClipRead]) -> list[list[float]]:
    sure = np.array([clip.confidence for clip in clips])
    right = np.array([clip.right for clip in clips])
    at = np.clip(np.ceil(sure * BINS).astype(int) - 1, 0, BINS - 1)
    held = [at == n for n in range(BINS)]
    return [[_rounded(sure[own].mean()), _rounded(right[own].mean()), float(own.sum())] for own in held if own.any()]


def _mean(facts: Iterable[bool]) -> float:
    return _rounded(np.mean(list(facts)))


def _rounded(value: float | np.floating[Any]) -> float:
    return round(float(value), 4)
