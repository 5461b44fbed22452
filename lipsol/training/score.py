"""How good a bundle is, on clips it was not trained on: what its card tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lipsol.clips.clip import MouthClip
from lipsol.model.prediction import Prediction
from lipsol.reader import Bound, Reader
from lipsol.text.scoring import bootstrap_interval, edits, expected_calibration_error, risk_coverage

CURVE_POINTS = 10  # of the risk-coverage curve that the card keeps


@dataclass(frozen=True)
class Said:
    """A mouth and what it really said."""

    mouth: MouthClip
    text: str


def score(reader: Reader, groups: Mapping[str, Sequence[Said]], ways: Mapping[str, Bound]) -> dict[str, Any]:
    """Group -> way of decoding -> scores (`scores_of`)."""
    return {
        name: {
            way: scores_of([said.text for said in group], _readings(reader, group, bound))
            for way, bound in ways.items()
        }
        for name, group in groups.items()
        if group
    }


def _readings(reader: Reader, group: Sequence[Said], bound: Bound) -> list[Prediction]:
    return reader.read_many([said.mouth for said in group], [bound] * len(group))


def scores_of(truths: Sequence[str], readings: Sequence[Prediction]) -> dict[str, Any]:
    """Error rates over all clips, answered or not, with 95 % intervals by clip; abstaining; calibration; risk curve.

    top3: share of clips whose truth is the reading or one of its first two alternatives. sure_wrong: share of all clips
    that were answered and wrong.
    """
    right = [truth == read.text for truth, read in zip(truths, readings, strict=True)]
    sure = [read.confidence for read in readings]
    answered = [not read.abstained for read in readings]
    kept = [n for n, given in enumerate(answered) if given]
    figures: dict[str, Any] = {
        "n": len(truths),
        "wer": _rate(truths, readings, words=True),
        "cer": _rate(truths, readings, words=False),
        "sentence_accuracy": {"value": _round(np.mean(right)), "interval": _interval([float(each) for each in right])},
        "top3": _round(np.mean([truth in _three(read) for truth, read in zip(truths, readings, strict=True)])),
        "abstained": _round(1 - np.mean(answered)),
        "answered_wer": _rate([truths[n] for n in kept], [readings[n] for n in kept], words=True)["value"]
        if kept
        else None,
        "sure_wrong": _round(np.mean([given and not fine for given, fine in zip(answered, right, strict=True)])),
        "ece": _round(expected_calibration_error(sure, right)),
    }
    curve = risk_coverage(sure, right)
    at = np.unique(np.linspace(0, len(curve.coverage) - 1, CURVE_POINTS).round().astype(int))
    figures["risk_coverage"] = {
        "area": _round(curve.area),
        "points": [[_round(curve.coverage[n]), _round(curve.risk[n]), _round(curve.bounds[n])] for n in at],
    }
    return figures


def _rate(truths: Sequence[str], readings: Sequence[Prediction], words: bool) -> dict[str, Any]:
    """Corpus error rate and its interval: {"value", "interval"}."""
    pairs = [
        (t.split(), r.text.split()) if words else (list(t), list(r.text)) for t, r in zip(truths, readings, strict=True)
    ]
    wrong, said = [float(edits(t, r)) for t, r in pairs], [float(len(t)) for t, _ in pairs]
    return {"value": _round(sum(wrong) / sum(said)), "interval": _interval(wrong, said)}


def _interval(amounts: Sequence[float], totals: Sequence[float] | None = None) -> list[float]:
    return [_round(bound) for bound in bootstrap_interval(amounts, totals)]


def _three(read: Prediction) -> list[str]:
    return [read.text, *(other.text for other in read.alternatives[:2])]


def _round(value: float | np.floating[Any]) -> float:
    return round(float(value), 4)
