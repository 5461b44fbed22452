"""What a group's clips come to in one window: counts, sums and small histograms. No clip's own numbers survive.

Tallies add up, and what a person's former word added can be taken away again.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field
from math import ceil
from typing import Any, Self

from lipsol.events import PredictionMade
from lipsol.runtime.metrics import CATALOGUE
from lipsol.text.rates import NO_RATE, Rate
from services.monitor.observing import INPUTS, OUTPUTS, Judged

BOUNDS: Mapping[str, tuple[float, ...]] = {name: CATALOGUE[name].buckets for name in (*INPUTS, *OUTPUTS)}
BINS = 10  # of confidence, to hold it against how often a reading was right
CODECS_MAX = 16  # different ones that are told apart
OTHER = "other"


@dataclass
class Summary:
    """One measure: how often, how much in sum, and how often up to each bound of its histogram, and beyond the last."""

    bins: list[int]
    total: float = 0.0

    @property
    def count(self) -> int:
        """How many measurements."""
        return sum(self.bins)

    @property
    def mean(self) -> float | None:
        """Their mean; None where there are none."""
        count = self.count
        return self.total / count if count else None

    def add(self, other: "Summary") -> None:
        """Take another's measurements in."""
        self.bins = [a + b for a, b in zip(self.bins, other.bins, strict=True)]
        self.total += other.total

    def quantile(self, share: float, bounds: tuple[float, ...]) -> float | None:
        """The value below which that share of the measurements lies, within its bin as if they were spread evenly."""
        left = share * self.count
        if not self.count:
            return None
        for at, held in enumerate(self.bins):
            if held and left <= held:
                low = bounds[at - 1] if at else min(0.0, bounds[0])
                high = bounds[at] if at < len(bounds) else bounds[-1]
                return low + (high - low) * left / held
            left -= held
        return bounds[-1]


@dataclass
class Tally:
    """One group in one window, or several windows together.

    counts      readings, abstained, empty, redone, gave_up, feedback, corrections, right, wrong, compared, disagreed
    measures    histogram of the catalogue -> its summary
    codecs      clips by how the picture was coded
    words, characters  the error rates of what people told last of each clip
    shown, came_true   by bin of confidence: the clips that were judged, and those of them that were right
    trust       by bin of confidence: its sum over those clips, in thousandths, so that it can be taken away exactly
    """

    counts: Counter[str] = field(default_factory=Counter)
    measures: dict[str, Summary] = field(default_factory=dict)
    codecs: Counter[str] = field(default_factory=Counter)
    words: Rate = NO_RATE
    characters: Rate = NO_RATE
    shown: list[int] = field(default_factory=lambda: [0] * BINS)
    came_true: list[int] = field(default_factory=lambda: [0] * BINS)
    trust: list[int] = field(default_factory=lambda: [0] * BINS)

    @property
    def calibration_error(self) -> float | None:
        """ECE of the clips that were judged, as `lipsol.text.scoring` has it; None where none were."""
        judged = sum(self.shown)
        gaps = sum(abs(sure / 1000 - right) for sure, right in zip(self.trust, self.came_true, strict=True))
        return gaps / judged if judged else None

    def read(self, made: PredictionMade, measured: Mapping[str, float]) -> None:
        """Take a reading in; `measured`: histogram -> value."""
        for name, value in measured.items():
            bounds = BOUNDS[name]
            summary = self.measures.get(name)
            if summary is None:
                summary = self.measures[name] = Summary([0] * (len(bounds) + 1))
            summary.bins[bisect_left(bounds, value)] += 1
            summary.total += value
        counts = self.counts
        counts["readings"] += 1
        counts["abstained"] += made.abstained
        counts["empty"] += not made.text
        counts["redone"] += made.redo
        if made.codec:
            codec = made.codec if made.codec in self.codecs or len(self.codecs) < CODECS_MAX else OTHER
            self.codecs[codec] += 1

    def judge(self, judged: Judged, sign: int = 1) -> None:
        """Take a person's word in; sign -1: take it out again."""
        self.counts["right" if judged.right else "wrong"] += sign
        if sign > 0:
            self.words, self.characters = self.words + judged.words, self.characters + judged.characters
        else:
            self.words, self.characters = self.words - judged.words, self.characters - judged.characters
        if judged.confidence is not None:
            at = min(BINS - 1, max(0, ceil(judged.confidence * BINS) - 1))
            self.shown[at] += sign
            self.came_true[at] += sign * judged.right
            self.trust[at] += sign * round(1000 * judged.confidence)

    def add(self, other: "Tally") -> None:
        """Take another's in."""
        self.counts.update(other.counts)
        self.codecs.update(other.codecs)
        self.words, self.characters = self.words + other.words, self.characters + other.characters
        self.shown = [a + b for a, b in zip(self.shown, other.shown, strict=True)]
        self.came_true = [a + b for a, b in zip(self.came_true, other.came_true, strict=True)]
        self.trust = [a + b for a, b in zip(self.trust, other.trust, strict=True)]
        for name, summary in other.measures.items():
            self.measures.setdefault(name, Summary([0] * len(summary.bins))).add(summary)

    @classmethod
    def of(cls, tallies: "Iterable[Tally]") -> Self:
        """Many as one."""
        made = cls()
        for tally in tallies:
            made.add(tally)
        return made

    def as_json(self) -> dict[str, Any]:
        """As plain values; `from_json` undoes it."""
        return {
            "counts": dict(self.counts),
            "measures": {name: [summary.total, *summary.bins] for name, summary in self.measures.items()},
            "codecs": dict(self.codecs),
            "words": astuple(self.words),
            "characters": astuple(self.characters),
            "shown": self.shown,
            "came_true": self.came_true,
            "trust": self.trust,
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Undo `as_json`. A measure whose bounds were others then is left out."""
        kept = {name: Summary(bins, total) for name, (total, *bins) in told["measures"].items()}
        return cls(
            Counter(told["counts"]),
            {name: each for name, each in kept.items() if len(each.bins) == len(BOUNDS.get(name, ())) + 1},
            Counter(told["codecs"]),
            Rate(*told["words"]),
            Rate(*told["characters"]),
            list(told["shown"]),
            list(told["came_true"]),
            list(told["trust"]),
        )
