"""Which groups of clips fare worse than the others, by how much, and whether that is more than chance.

A slice is compared with all other clips of its group, read the same way. Each picture fact is cut into thirds by the
group's own clips. Whether a difference is chance is asked by drawing which clips belong to the slice anew (permutation
test, two-sided, Phipson and Smyth 2010 for the p of a drawn one), and answered after Holm's correction (Holm 1979,
Scandinavian Journal of Statistics 6) for all slices tested together. Clips of a speaker go together, so a slice that
holds few speakers tells of them as much as of the light.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
from jaxtyping import Float64

from lipsol.evaluation.reading import NEW, SPREAD
from lipsol.evaluation.records import ClipRead, Found, Slice
from lipsol.evaluation.scores import error_rate

FEWEST = 20  # recordings, in a slice and outside it, below which nothing is tested
LEVEL = 0.05  # of the tests together
DRAWS = 2000
FACTS: Mapping[str, tuple[str, str]] = {  # fact -> how a person calls it, and its unit
    "brightness": ("brightness", "of 255"),
    "mouth_px": ("mouth size", "px"),
    "yaw_deg": ("yaw", "degrees"),
    "seconds": ("length", "s"),
    "face_found": ("face found", "of the frames"),
}

TWO: Mapping[str, tuple[str, str]] = {  # fact that is 0 or 1 -> how a person calls it, and the clips where it is 0
    SPREAD: ("wording", "one of the alphabet's first"),
    NEW: ("sentence", "said in training by somebody"),
}

Member = Callable[[ClipRead], bool]


def members(clips: Sequence[ClipRead]) -> dict[tuple[str, str], Member]:
    """(by, name) -> whether a clip belongs to that slice: each speaker, and the thirds of each fact that differs.

    Where a fact parts the clips in two, the lower part stands for both.
    """
    held: dict[tuple[str, str], Member] = {}
    speakers = sorted({clip.speaker for clip in clips})
    if len(speakers) > 1:
        held |= {("speaker", name): partial(_spoken_by, name) for name in speakers}
    for fact, (called, lower) in TWO.items():
        if len({clip.facts.get(fact) for clip in clips}) > 1:
            held[called, lower] = partial(_within, fact, -np.inf, 0.0)
    for fact, (called, unit) in FACTS.items():
        for low, high in _thirds([abs(clip.facts[fact]) for clip in clips if fact in clip.facts]):
            held[called, f"{_range(low, high)} {unit}"] = partial(_within, fact, low, high)
    return held


def slices_of(clips: Sequence[ClipRead]) -> list[Slice]:
    """Every slice of clips of one group, read one way; the verdicts stand after Holm's correction.

    Words cut out of one recording belong to a slice, and are drawn, together.
    """
    recordings: dict[str, list[ClipRead]] = {}
    for clip in clips:
        recordings.setdefault(clip.recording, []).append(clip)
    whole = list(recordings.values())
    orders = np.argsort(np.random.default_rng(0).random((DRAWS, len(whole))), axis=1)
    named = members(clips).items()
    return _judged([_slice(by, name, whole, [member(own[0]) for own in whole], orders) for (by, name), member in named])


def _slice(
    by: str, name: str, recordings: Sequence[Sequence[ClipRead]], belongs: Sequence[bool], orders: np.ndarray
) -> Slice:
    """One slice; belongs: for each recording; orders: drawn orders of all recordings, shape (draws, recordings)."""
    inside = np.array(belongs)
    own = [clip for whole, held in zip(recordings, belongs, strict=True) if held for clip in whole]
    others = [clip for whole, held in zip(recordings, belongs, strict=True) if not held for clip in whole]
    made = Slice(
        by, name, own[0].group, own[0].way, len(own), len({clip.speaker for clip in own}),
        error_rate(own), error_rate(others), None, None, None, "too small",
    )  # fmt: skip
    size = int(inside.sum())
    if min(size, len(inside) - size) < FEWEST or made.wer is None or made.rest is None:
        return made
    amounts = np.array([[sum(c.word_edits for c in whole), sum(c.words for c in whole)] for whole in recordings], float)
    apart = _gap(amounts[inside].sum(0), amounts[~inside].sum(0))
    chosen = (orders < size) @ amounts
    drawn = _gap(chosen, amounts.sum(0) - chosen)
    p = (1 + np.count_nonzero(np.abs(drawn) >= abs(float(apart)) - 1e-12)) / (1 + DRAWS)
    return replace(made, interval=_interval(amounts[inside], amounts[~inside]), p=round(float(p), 5))


def _gap(own: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Difference of the two error rates; shape of what comes in, (..., 2): edits and words."""
    return np.asarray(own[..., 0] / own[..., 1] - others[..., 0] / others[..., 1])


def _interval(own: Float64[np.ndarray, "own 2"], others: Float64[np.ndarray, "others 2"]) -> tuple[float, float]:
    """95 % percentile bootstrap of the difference, clips drawn anew on either side."""
    rng = np.random.default_rng(1)
    sums = [rng.multinomial(len(side), np.full(len(side), 1 / len(side)), size=DRAWS) @ side for side in (own, others)]
    low, high = np.quantile(_gap(*sums), [0.025, 0.975])
    return round(float(low), 4), round(float(high), 4)


def _judged(found: Sequence[Slice]) -> list[Slice]:
    """Holm: the n-th smallest of m p-values is multiplied by m - n + 1, and never falls below the one before."""
    tested = sorted((held.p, n) for n, held in enumerate(found) if held.p is not None)
    judged, least = list(found), 0.0
    for place, (p, n) in enumerate(tested):
        least = max(least, min(1.0, p * (len(tested) - place)))
        judged[n] = replace(found[n], adjusted=round(least, 5), found=_verdict(found[n], least))
    return judged


def _verdict(held: Slice, adjusted: float) -> Found:
    if adjusted > LEVEL or held.wer is None or held.rest is None:
        return "no difference shown"
    return "worse" if held.wer > held.rest else "better"


def _thirds(values: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Bounds (low not within, high within) of the low, middle and high third; fewer where many share a value."""
    distinct = sorted(set(values))
    inner = {float(edge) for edge in np.quantile(values, [1 / 3, 2 / 3], method="lower")} if values else set()
    edges = sorted(edge for edge in inner if edge < distinct[-1]) or distinct[-2:-1]
    parts = list(pairwise([-np.inf, *edges, np.inf])) if edges else []
    yield from parts[:1] if len(parts) == 2 else parts


def _range(low: float, high: float) -> str:
    if low == -np.inf:
        return f"up to {high:.4g}"
    return f"above {low:.4g}" if high == np.inf else f"{low:.4g} to {high:.4g}"


def _spoken_by(speaker: str, clip: ClipRead) -> bool:
    return clip.speaker == speaker


def _within(fact: str, low: float, high: float, clip: ClipRead) -> bool:
    return fact in clip.facts and low < abs(clip.facts[fact]) <= high
