"""How clips become sums: which bins, which random features, which words. Fixed by a reference, shared by its blocks.

Bins are the reference's quantiles, so each holds about as many of its clips; their edges lie half a grain beside the
values that occur, so that ties and rounding fall into one bin; beyond what occurs, wider and wider ones tell how far.
The embedding is whitened by the reference and turned into random Fourier features (Rahimi & Recht 2007), the mean of
which is the kernel mean that MMD compares (Gretton et al. 2012).
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from jaxtyping import Float

from lipsol.drift.features import GRAINS, NUMBERS, OUTPUTS, Observation

FEATURES = (*NUMBERS, *OUTPUTS)
QUANTILES = 32
BEYOND = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)  # edges beyond the reference's ends, in its spreads
EDGES = QUANTILES + 2 + 2 * len(BEYOND)  # of a feature at most; the rest is infinite
BINS = EDGES + 1
FREQUENCIES = 64
WORDS = 400  # that are counted by themselves at most; the others are counted together
RARE = 0.02  # of the clips: words in fewer are counted together, for chi-square misleads where few are expected
SHRINK = 0.05  # of the embedding's covariance towards its diagonal, where clips are few
SURE = 10  # bins of confidence
CALIBRATION = (SURE, 3)  # of each bin: how many were told of, sum of confidence, how many were right
ERRORS = (2, 5)  # words, characters: edits, length, edits squared, length squared, edits times length


@dataclass(frozen=True)
class Layout:
    """edges  float64, shape (features, EDGES), ascending, infinite where there are fewer
    spreads   float64, shape (features,): the reference's standard deviation, a grain at least
    middle    float32, shape (numbers,): the reference's mean embedding; of no numbers if it had none
    waves     float32, shape (numbers, FREQUENCIES): embedding - middle -> phases
    words     the words that are counted by themselves, sorted
    mmd, mix  float64, shape (3,): traces of the first three powers of the covariance of one clip's random features,
              and of one clip's word counts weighted for chi-square: what chance alone makes of them
    weights   float64, shape (words + 1,): that weighting, one over a word's expected count a clip
    """

    edges: Float[np.ndarray, "features edges"]
    spreads: Float[np.ndarray, "features"]
    middle: Float[np.ndarray, "numbers"]
    waves: Float[np.ndarray, "numbers frequencies"]
    words: tuple[str, ...]
    mmd: Float[np.ndarray, "3"]
    mix: Float[np.ndarray, "3"]
    weights: Float[np.ndarray, "counted"]
    places: Mapping[str, int] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", {word: n for n, word in enumerate(self.words)})

    @cached_property
    def sections(self) -> Mapping[str, tuple[slice, tuple[int, ...]]]:
        """Where each sum lies in a block, and its shape."""
        numbers = len(self.middle)
        shapes: dict[str, tuple[int, ...]] = {
            "clips": (), "abstained": (), "told": (), "read": (), "spoke": (), "embedded": (),
            "bins": (len(FEATURES), BINS), "sums": (len(FEATURES),), "numbers": (2, numbers),
            "waves": (2 * FREQUENCIES,), "words": (len(self.words) + 1,),
            "calibration": CALIBRATION, "errors": ERRORS,
        }  # fmt: skip
        sections, start = {}, 0
        for name, shape in shapes.items():
            stop = start + int(np.prod(shape))
            sections[name] = (slice(start, stop), shape)
            start = stop
        return sections

    @cached_property
    def size(self) -> int:
        """Numbers of a block."""
        return sum(int(np.prod(shape)) for _, shape in self.sections.values())

    @cached_property
    def key(self) -> str:
        """The same for the same layout: blocks of another one do not add up."""
        parts = (self.edges, self.middle, self.waves, self.weights)
        told = b"".join(np.ascontiguousarray(part).tobytes() for part in parts) + "\0".join(self.words).encode()
        return hashlib.sha256(told).hexdigest()[:16]

    def binned(self, values: Float[np.ndarray, "features"]) -> np.ndarray:
        """The bin of each feature's value; NaN falls into none, which the caller must leave out."""
        return np.asarray((values[:, np.newaxis] > self.edges).sum(axis=1))

    def features(self, embedding: Float[np.ndarray, "numbers"]) -> Float[np.ndarray, "waves"]:
        """Random Fourier features of one embedding, of length 1."""
        phases = (embedding - self.middle) @ self.waves
        return np.asarray(np.concatenate([np.cos(phases), np.sin(phases)]) / np.sqrt(FREQUENCIES))

    def counts(self, words: Mapping[str, int]) -> Float[np.ndarray, "counted"]:
        """A reading's words, counted."""
        counts = np.zeros(len(self.words) + 1)
        for word, count in words.items():
            counts[self.places.get(word, len(self.words))] += count
        return counts


def values_of(observation: Observation) -> Float[np.ndarray, "features"]:
    """A clip's features in their order; NaN where one is not known."""
    told = {**observation.numbers, **observation.outputs}
    return np.array([told.get(name, np.nan) for name in FEATURES])


def layout_of(observations: Sequence[Observation], rows: Float[np.ndarray, "clips features"], seed: int) -> Layout:
    """The layout that these clips ask for; rows: their `values_of`."""
    edges = np.stack([_edges(rows[:, n], GRAINS[name]) for n, name in enumerate(FEATURES)])
    spreads = np.array([_spread(rows[:, n], GRAINS[name]) for n, name in enumerate(FEATURES)])
    embeddings = np.array([each.embedding for each in observations if each.embedding])
    middle, waves = _waves(embeddings, np.random.default_rng(seed))
    said = [each.words for each in observations if each.words]
    common = Counter(word for words in said for word in words).most_common(WORDS)
    words = tuple(sorted(word for word, clips in common if clips >= RARE * len(said)))
    bare = Layout(edges, spreads, middle, waves, words, np.zeros(3), np.zeros(3), np.zeros(len(words) + 1))
    counts = np.array([bare.counts(each) for each in said]).reshape(len(said), len(words) + 1)
    weights = 1 / np.maximum(counts.mean(axis=0), RARE) if said else np.ones(1)
    mix = _traces(counts * np.sqrt(weights))
    mmd = _traces(np.array([bare.features(each) for each in embeddings]).reshape(len(embeddings), 2 * FREQUENCIES))
    return Layout(edges, spreads, middle, waves, words, mmd, mix, weights)


def _known(values: Float[np.ndarray, "clips"]) -> Float[np.ndarray, "known"]:
    return np.asarray(values[np.isfinite(values)])


def _spread(values: Float[np.ndarray, "clips"], grain: float) -> float:
    known = _known(values)
    return max(float(known.std()), grain) if len(known) else grain


def _edges(values: Float[np.ndarray, "clips"], grain: float) -> Float[np.ndarray, "edges"]:
    """The edges of one feature's bins; all infinite for one that is not known."""
    known, spread = _known(values), _spread(values, grain)
    edges = np.full(EDGES, np.inf)
    if len(known):
        centre = float(np.median(known))
        at = np.quantile(known, np.linspace(0, 1, QUANTILES + 1))
        cells = np.round((at - centre) / grain)
        within = centre + grain * (np.unique([cells[0] - 1, *cells]) + 0.5)
        beyond = spread * np.array(BEYOND)
        found = np.concatenate([(within[0] - beyond)[::-1], within, within[-1] + beyond])
        edges[: len(found)] = found
    return edges


def _waves(embeddings: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Mean, and directions that whiten and then take a Gaussian kernel's frequencies, as wide as clips lie apart."""
    if len(embeddings) < 2:
        return np.zeros(0, np.float32), np.zeros((0, FREQUENCIES), np.float32)
    middle = embeddings.mean(axis=0)
    covariance = np.cov(embeddings, rowvar=False)
    covariance = (1 - SHRINK) * covariance + SHRINK * np.diag(np.diag(covariance)) + 1e-8 * np.eye(len(middle))
    values, vectors = np.linalg.eigh(covariance)
    whiten = vectors / np.sqrt(values)
    white = (embeddings - middle) @ whiten
    pairs = rng.integers(0, len(white), (2, 1000))
    apart = np.linalg.norm(white[pairs[0]] - white[pairs[1]], axis=1)
    width = max(float(np.median(apart)), 1e-3)
    frequencies = rng.standard_normal((len(middle), FREQUENCIES)) / width
    return middle.astype(np.float32), (whiten @ frequencies).astype(np.float32)


def _traces(rows: Float[np.ndarray, "clips numbers"]) -> Float[np.ndarray, "3"]:
    """tr C, tr C^2 and tr C^3 of the rows' covariance C."""
    if len(rows) < 2 or not rows.shape[1]:
        return np.zeros(3)
    values = np.maximum(np.linalg.eigvalsh(np.atleast_2d(np.cov(rows, rowvar=False))), 0)
    return np.array([values.sum(), (values**2).sum(), (values**3).sum()])
