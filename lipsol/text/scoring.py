"""How good readings are, and how far their confidences can be believed.

Texts are compared as they are given: normalise both first (`lipsol.text.alphabet.normalise`). Error rates are of the
whole corpus, all edits over everything that was said, so they can pass 1. A list without a word in it has no rate.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from jaxtyping import Float64, Int64

from lipsol.errors import BadInput

T = TypeVar("T", bound=Hashable)

BOOTSTRAP_DRAWS = 2000  # enough for two digits of a 95 % interval (Efron and Tibshirani 1993, section 14.3)


@dataclass(frozen=True)
class Step(Generic[T]):
    """One step of an alignment. truth None: the reading added a token; reading None: it left one out."""

    truth: T | None
    reading: T | None

    @property
    def right(self) -> bool:
        """Both are the same token."""
        return self.truth == self.reading


def align(truth: Sequence[T], reading: Sequence[T]) -> list[Step[T]]:
    """The steps of a shortest edit script (Levenshtein 1966) that makes the reading of the truth, in order.

    Of scripts equally short, the one that replaces as late as it can: the same input gives the same steps. Time and
    memory grow with the product of the two lengths.
    """
    cost = _edit_table(truth, reading)
    i, j = len(truth), len(reading)
    steps: list[Step[T]] = []
    while i or j:
        if i and j and cost[i][j] == cost[i - 1][j - 1] + (truth[i - 1] != reading[j - 1]):
            i, j = i - 1, j - 1
            steps.append(Step(truth[i], reading[j]))
        elif i and cost[i][j] == cost[i - 1][j] + 1:
            i -= 1
            steps.append(Step(truth[i], None))
        else:
            j -= 1
            steps.append(Step(None, reading[j]))
    return steps[::-1]


def edits(truth: Sequence[Hashable], reading: Sequence[Hashable]) -> int:
    """How many tokens must be put in, taken out or replaced to make the reading of the truth.

    What both begin or end with alike changes nothing, and is most of it where they differ little.
    """
    shorter = min(len(truth), len(reading))
    first = next((n for n in range(shorter) if truth[n] != reading[n]), shorter)
    last = next((n for n in range(shorter - first) if truth[-1 - n] != reading[-1 - n]), shorter - first)
    return _edit_table(truth[first : len(truth) - last], reading[first : len(reading) - last])[-1][-1]


def _edit_table(truth: Sequence[Hashable], reading: Sequence[Hashable]) -> list[list[int]]:
    """table[i][j]: edits between the first i tokens of the truth and the first j of the reading."""
    table = [list(range(len(reading) + 1))]
    for i, said in enumerate(truth, start=1):
        above, row = table[-1], [i]
        for j, read in enumerate(reading, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (said != read)))
        table.append(row)
    return table


def word_error_rate(truths: Sequence[str], readings: Sequence[str]) -> float:
    """Corpus WER: all word edits over all true words (not the mean of the clips' own rates).

    Raises BadInput if the two differ in length or no truth holds a word.
    """
    return _error_rate(truths, readings, str.split, "word")


def character_error_rate(truths: Sequence[str], readings: Sequence[str]) -> float:
    """Corpus CER: all character edits over all true characters, spaces among them. Raises as `word_error_rate` does."""
    return _error_rate(truths, readings, list, "character")


def _error_rate(
    truths: Sequence[str], readings: Sequence[str], tokens: Callable[[str], Sequence[str]], unit: str
) -> float:
    _check_pairs(truths, readings)
    said = sum(len(tokens(truth)) for truth in truths)
    if not said:
        raise BadInput(f"{len(truths)} truths hold no {unit}", f"give at least one {unit} that was said")
    return sum(edits(tokens(truth), tokens(read)) for truth, read in zip(truths, readings, strict=True)) / said


def sentence_accuracy(truths: Sequence[str], readings: Sequence[str]) -> float:
    """Share of readings that are wholly right. Raises BadInput if the two differ in length or are empty."""
    _check_pairs(truths, readings)
    return sum(truth == read for truth, read in zip(truths, readings, strict=True)) / len(truths)


def _check_pairs(truths: Sequence[object], readings: Sequence[object]) -> None:
    if len(truths) != len(readings):
        raise BadInput(f"{len(truths)} truths for {len(readings)} readings", "give one reading a truth")
    if not truths:
        raise BadInput("0 truths and readings", "give at least one of each")


def bootstrap_interval(
    amounts: Sequence[float],
    totals: Sequence[float] | None = None,
    groups: Sequence[Hashable] | None = None,
    *,
    level: float = 0.95,
    draws: int = BOOTSTRAP_DRAWS,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of sum(amounts) / sum(totals), one amount and total a clip.

    WER: amounts are each clip's word edits, totals its true words (Bisani and Ney 2004, ICASSP, "Bootstrap estimates
    for confidence intervals in ASR performance evaluation"). Without totals: of the mean, as for accuracies of 0 and 1.
    Whole clips are drawn anew; with groups (speakers) whole groups, since clips of a speaker go wrong together. Draws
    whose total is 0 don't count; (nan, nan) if all are so. Raises BadInput for no clips or lists of unlike length.
    """
    totals = [1.0] * len(amounts) if totals is None else totals
    groups = range(len(amounts)) if groups is None else groups
    if not len(amounts) == len(totals) == len(groups) > 0:
        said = f"{len(amounts)} amounts, {len(totals)} totals and {len(groups)} groups"
        raise BadInput(said, "give one of each for every clip, at least one clip")
    sums = _summed(np.column_stack([amounts, totals]).astype(np.float64), groups)
    drawn = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=draws)
    amount, total = (drawn @ sums).T
    if not total.any():
        return float("nan"), float("nan")
    low, high = np.quantile(amount[total > 0] / total[total > 0], [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _summed(clips: Float64[np.ndarray, "clips 2"], groups: Sequence[Hashable]) -> Float64[np.ndarray, "groups 2"]:
    numbers = {group: n for n, group in enumerate(dict.fromkeys(groups))}
    sums = np.zeros((len(numbers), 2))
    np.add.at(sums, [numbers[group] for group in groups], clips)
    return sums


def expected_calibration_error(confidences: Sequence[float], rights: Sequence[bool], bins: int = 10) -> float:
    """Mean gap between confidence and accuracy over equal-width bins, each weighted by its share of the clips.

    ECE of Guo et al. 2017 (ICML, "On calibration of modern neural networks"), equation 3: bin m of M holds confidences
    in ((m - 1) / M, m / M]; 0 goes into the first. Raises BadInput if the lists differ in length, are empty, or a
    confidence is no probability.
    """
    sure, right = _trusted(confidences, rights)
    at = np.clip(np.ceil(sure * bins).astype(np.int64) - 1, 0, bins - 1)
    gaps = np.bincount(at, weights=sure - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(sure))


@dataclass(frozen=True)
class RiskCoverage:
    """What is wrong among the readings that are given, for each bound below which a reader would abstain.

    bounds    confidences, falling; a reading is given if it is at least this sure
    coverage  share of clips that are given, in (0, 1]
    risk      share of the given that is wrong
    area      mean risk over coverages 1/n, 2/n ... 1 (AURC, Geifman, Uziel and El-Yaniv 2019): 0 is best; clips with
              the same confidence are given together
    """

    bounds: Float64[np.ndarray, "points"]
    coverage: Float64[np.ndarray, "points"]
    risk: Float64[np.ndarray, "points"]
    area: float


def risk_coverage(confidences: Sequence[float], rights: Sequence[bool]) -> RiskCoverage:
    """The curve of El-Yaniv and Wiener 2010 (JMLR 11) and the area below it. Raises as the calibration error does."""
    sure, right = _trusted(confidences, rights)
    order = np.argsort(-sure, kind="stable")
    bounds = sure[order]
    last: Int64[np.ndarray, "points"] = np.append(np.flatnonzero(np.diff(bounds)), len(sure) - 1).astype(np.int64)
    given = last + 1
    risk = np.cumsum(1 - right[order])[last] / given
    area = float(np.repeat(risk, np.diff(given, prepend=0)).mean())
    return RiskCoverage(bounds[last], given / len(sure), risk, area)


def _trusted(
    confidences: Sequence[float], rights: Sequence[bool]
) -> tuple[Float64[np.ndarray, "clips"], Float64[np.ndarray, "clips"]]:
    _check_pairs(rights, confidences)
    sure, right = np.asarray(confidences, np.float64), np.asarray(rights, np.float64)
    wrong = sure[~((sure >= 0) & (sure <= 1))]
    if len(wrong):
        raise BadInput(f"the confidence {wrong[0]} is no probability", "give numbers from 0 to 1")
    return sure, right
