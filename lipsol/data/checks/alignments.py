"""Word times: those of the transcript's words, in order, inside the clip, and where the lips say them.

Where the lips say them: each word's typical movements are learned from the other clips (means of the lips' shape and
speed over thirds of the word, five folds, so that no clip vouches for itself), and each alignment is moved back and
forth until it fits best. One that fits best elsewhere, and much better there, lies beside what the lips do. It is an
alignment of one state a third of a word, with equal variances: crude, and enough. An error that all alignments share
it can't see.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from scipy.ndimage import gaussian_filter1d

from lipsol.data.checks.rules import Found, Rules, share
from lipsol.data.checks.traits import Traits
from lipsol.data.dataset import Dataset, Item
from lipsol.text.alphabet import normalise

FOLDS, THIRDS, AXES = 5, 3, 8  # AXES: principal components of the lips' shape; 8 hold 99 % of GRID's
FARTHEST = 20  # frames that an alignment is moved either way
PRIOR = 6.0  # frames of the overall mean that each state's mean is drawn towards
FEWEST = 30  # aligned clips below which nothing typical can be learned
GAIN = 30.0  # natural logarithm of likelihood that the better place must win; chance brings GRID's good ones under it


def alignments(dataset: Dataset, traits: Mapping[str, Traits], rules: Rules) -> Iterator[Found]:
    """What is wrong with the word times."""
    total = len(dataset.items)
    aligned = [item for item in dataset.items if item.words]
    yield share("unaligned", {item.name: "has no word times" for item in dataset.items if not item.words}, total)
    yield share("words", _unlike(aligned, dataset.language), total)
    yield share("order", {item.name: said for item in aligned if (said := _disorder(item))}, total)
    watched = [item for item in aligned if item.name in traits]
    late = {
        item.name: f"ends at frame {item.words[-1].end} of {traits[item.name].frames}"
        for item in watched
        if max(word.end for word in item.words) > traits[item.name].frames
    }
    yield share("inside", late, total)
    yield share(
        "timing", _beside([item for item in watched if item.name not in late], traits, rules.each("timing")), total
    )


def _unlike(items: Sequence[Item], language: str) -> dict[str, str]:
    """Alignments of other words than the transcript's, both normalised."""
    said = {item.name: " ".join(word.text for word in item.words) for item in items}
    return {
        item.name: f"says {item.text!r}, and {said[item.name]!r} by its word times"
        for item in items
        if said[item.name].split() != item.text.split() and not _same(said[item.name], item.text, language)
    }


def _same(one: str, other: str, language: str) -> bool:
    return normalise(one, language) == normalise(other, language)


def _disorder(item: Item) -> str:
    for one, other in zip(item.words, item.words[1:], strict=False):
        if other.start < one.end:
            return f"has {other.text!r} begin at {other.start}, before {one.text!r} ends at {one.end}"
    return ""


def _beside(items: Sequence[Item], traits: Mapping[str, Traits], bound: float) -> dict[str, str]:
    """Alignments that fit better elsewhere."""
    if len(items) < FEWEST:
        return {}
    series = _series(items, traits)
    states = {text: n for n, text in enumerate(sorted({word.text for item in items for word in item.words}))}
    found = {}
    for fold in range(FOLDS):
        lips = _Lips.of([item for n, item in enumerate(items) if n % FOLDS != fold], series, states)
        for item in items[fold::FOLDS]:
            moved, gain = _best(item, lips.likelihood(series[item.name]), states)
            if abs(moved) > bound and gain > GAIN:
                found[item.name] = f"fits {abs(moved)} frames {'later' if moved > 0 else 'earlier'}"
    return {item.name: found[item.name] for item in items if item.name in found}


def _series(items: Sequence[Item], traits: Mapping[str, Traits]) -> dict[str, Float64[np.ndarray, "frames axes"]]:
    """Item name -> the lips' shape and its speed in each frame, each in its speaker's own unit."""
    lips = {item.name: gaussian_filter1d(traits[item.name].lips.astype(np.float64), 1.0, axis=0) for item in items}
    of_speaker: dict[str, list[str]] = {}
    for item in items:
        of_speaker.setdefault(item.speaker, []).append(item.name)
    for names in of_speaker.values():
        mean = np.concatenate([lips[name] for name in names]).mean(0)
        lips.update({name: lips[name] - mean for name in names})
    axes = np.linalg.svd(np.concatenate(list(lips.values()))[::7], full_matrices=False)[2][:AXES].T
    shapes = {name: each @ axes for name, each in lips.items()}
    series = {name: np.hstack([each, np.gradient(each, axis=0)]) for name, each in shapes.items()}
    for names in of_speaker.values():
        unit = np.concatenate([series[name] for name in names]).std(0)
        series.update({name: series[name] / np.maximum(unit, 1e-9) for name in names})
    return series


@dataclass(frozen=True)
class _Lips:
    """Typical movements: a mean for silence and for each third of each word, and one variance for all."""

    means: Float64[np.ndarray, "states axes"]
    variance: Float64[np.ndarray, "axes"]

    @classmethod
    def of(
        cls, items: Sequence[Item], series: Mapping[str, Float64[np.ndarray, "_ axes"]], states: Mapping[str, int]
    ) -> "_Lips":
        """Learned from these items, as they are aligned."""
        values = np.concatenate([series[item.name] for item in items])
        labels = np.concatenate([_labels(item, len(series[item.name]), states) for item in items])
        sums, counts = np.zeros((1 + THIRDS * len(states), values.shape[1])), np.zeros(1 + THIRDS * len(states))
        np.add.at(sums, labels, values)
        np.add.at(counts, labels, 1)
        means = (sums + PRIOR * values.mean(0)) / (counts + PRIOR)[:, np.newaxis]
        return cls(means, np.maximum(((values - means[labels]) ** 2).mean(0), 1e-9))

    def likelihood(self, series: Float64[np.ndarray, "frames axes"]) -> Float64[np.ndarray, "frames states"]:
        """Logarithm of each frame's likelihood in each state, but for a constant of the frame."""
        scaled = self.means / self.variance
        return np.asarray(series @ scaled.T - (self.means * scaled).sum(1) / 2)


def _labels(item: Item, frames: int, states: Mapping[str, int], moved: int = 0) -> Int64[np.ndarray, "frames"]:
    """The state of each frame, the alignment being moved by so many frames; 0 is silence."""
    labels = np.zeros(frames, np.int64)
    for word in item.words:
        start, end = word.start + moved, word.end + moved
        at = np.arange(max(start, 0), min(end, frames))
        labels[at] = 1 + states[word.text] * THIRDS + (at - start) * THIRDS // max(end - start, 1)
    return labels


def _best(item: Item, likelihood: Float64[np.ndarray, "frames states"], states: Mapping[str, int]) -> tuple[int, float]:
    """By how many frames the alignment must be moved to fit best, and how much better it fits there."""
    frames = np.arange(len(likelihood))
    moves = range(-FARTHEST, FARTHEST + 1)
    fits = [float(likelihood[frames, _labels(item, len(frames), states, moved)].sum()) for moved in moves]
    best = int(np.argmax(fits))
    return moves[best], fits[best] - fits[FARTHEST]
