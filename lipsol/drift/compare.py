"""A window beside the reference, measure by measure.

Something has drifted when it differs by more than chance does at the look's alpha, and by more than nobody minds beyond
that (`lipsol.drift.comparison.FLOORS`): with many clips the smallest difference is beyond chance, and no site's clips
are drawn from the very same hat as the reference's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lipsol.clips.embedding import EVENS, ODDS, PLACE, SIZE
from lipsol.drift import chance
from lipsol.drift.comparison import FEW, FEW_READ, FLOORS, Comparison, Method
from lipsol.drift.layout import FEATURES
from lipsol.drift.reference import Reference
from lipsol.drift.sketch import Block
from lipsol.drift.telling import calibration, error_rates

__all__ = ["MEASURES", "Comparison", "Method", "compare"]

MEASURES = 3 * len(FEATURES) + 8  # comparisons of a window at most: by what alpha is shared
PARTS = 10  # of PSI
FEW_A_PART = 10  # clips of a window that PSI must know: chi-square's limit needs some in each part


def compare(window: Block, reference: Reference, alpha: float) -> tuple[Comparison, ...]:
    """Every measure of which window and reference know enough. alpha: of one of them."""
    return (
        *_features(window, reference, alpha),
        *_embedding(window, reference, alpha),
        *_words(window, reference, alpha),
        *_abstained(window, reference, alpha),
        *calibration(window, reference, alpha),
        *error_rates(window, reference, alpha),
    )


@dataclass(frozen=True)
class _Known:
    """What a reference's bins come to, made once."""

    clips: np.ndarray
    cumulative: np.ndarray
    widths: np.ndarray
    means: np.ndarray
    parts: np.ndarray
    spreads: np.ndarray


@lru_cache(maxsize=32)
def _known(reference: Reference) -> _Known:
    layout = reference.layout
    bins = reference.block.part("bins", layout)
    clips = bins.sum(axis=1)
    cumulative = np.cumsum(bins, axis=1)[:, :-1] / np.maximum(clips, 1)[:, np.newaxis]
    edges = np.where(np.isfinite(layout.edges), layout.edges, np.nan)
    steps = np.nan_to_num(np.diff(edges, axis=1))
    widths = (np.pad(steps, ((0, 0), (0, 1))) + np.pad(steps, ((0, 0), (1, 0)))) / 2 / layout.spreads[:, np.newaxis]
    means = reference.block.part("sums", layout) / np.maximum(clips, 1)
    middle = np.pad(cumulative, ((0, 0), (1, 0))) + bins / np.maximum(clips, 1)[:, np.newaxis] / 2
    parts = np.minimum((middle * PARTS).astype(int), PARTS - 1)
    return _Known(clips, cumulative, widths, means, parts, layout.spreads)


def _parted(bins: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Bins summed into PARTS, of about the same share of the reference's clips."""
    out = np.zeros((len(bins), PARTS))
    np.add.at(out, (np.arange(len(bins))[:, np.newaxis], parts), bins)
    return out


def _features(window: Block, reference: Reference, alpha: float) -> Iterator[Comparison]:
    """KS, PSI and Wasserstein of each feature."""
    layout, known = reference.layout, _known(reference)
    bins = window.part("bins", layout)
    clips = bins.sum(axis=1)
    spread = chance.apart(np.maximum(clips, 1), np.maximum(known.clips, 1))
    cumulative = np.cumsum(bins, axis=1)[:, :-1] / np.maximum(clips, 1)[:, np.newaxis]
    difference = np.abs(cumulative - known.cumulative)
    of_window = (clips / np.maximum(clips + known.clips, 1))[:, np.newaxis]
    pooled = of_window * cumulative + (1 - of_window) * known.cumulative  # a far clip widens its own bound
    change = window.part("sums", layout) / np.maximum(clips, 1) - known.means
    was = _parted(reference.block.part("bins", layout), known.parts)
    now = _parted(bins, known.parts)
    filled = (was > 0) | (now > 0)
    shares = [
        np.where(filled, (own + 0.5) / np.maximum((own + 0.5 * filled).sum(1, keepdims=True), 1), 1)
        for own in (now, was)
    ]
    psi = ((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum(axis=1)
    found: dict[Method, tuple[np.ndarray, np.ndarray]] = {
        "ks": (difference.max(axis=1), chance.kolmogorov(alpha, spread)),
        "psi": (psi, chance.population(alpha, filled.sum(axis=1), spread)),
        "wasserstein": (
            (difference * known.widths).sum(axis=1),
            chance.wasserstein(alpha, pooled, known.widths, spread),
        ),
    }
    for n, name in enumerate(FEATURES):
        if min(clips[n], known.clips[n]) < FEW:
            continue
        for method, (values, bounds) in found.items():
            if method == "psi" and clips[n] < FEW_A_PART * PARTS:
                continue
            value, bound = float(values[n]), FLOORS[method] + float(bounds[n])
            share = float(found["ks"][0][n])
            yield Comparison(name, method, value, bound, share, value > bound, float(change[n]), float(known.means[n]))


def _embedding(window: Block, reference: Reference, alpha: float) -> Iterator[Comparison]:
    """MMD of the whole, and where the mouth lies and which way round it is."""
    layout = reference.layout
    clips, known = (float(own.part("embedded", layout)) for own in (window, reference.block))
    if min(clips, known) < FEW:
        return
    spread = float(chance.apart(clips, known))
    off = window.part("waves", layout) / clips - reference.block.part("waves", layout) / known
    value = float(off @ off)
    bound = FLOORS["mmd"] + chance.quadratic(alpha, layout.mmd * spread ** np.arange(1, 4))
    yield Comparison("embedding", "mmd", value, bound, 0.0, value > bound)
    if len(layout.middle) != SIZE:
        return
    now, was = (own.part("numbers", layout) / own.part("embedded", layout) for own in (window, reference.block))
    change, noise = now[0] - was[0], np.sqrt(np.maximum(was[1] - was[0] ** 2, 0) * spread) * chance.normal(alpha)
    bounds = np.maximum(FLOORS["mean"], noise[PLACE])
    at = int(np.argmax(np.abs(change[PLACE]) / bounds))
    value, bound = abs(float(change[PLACE][at])), float(bounds[at])
    yield Comparison("place", "mean", value, bound, 0.0, value > bound, float(change[PLACE][at]))
    yield _mirror(now[0], was[0], noise)


def _mirror(now: np.ndarray, was: np.ndarray, noise: np.ndarray) -> Comparison:
    """How much nearer the mean picture's odd part is to the reference's mirrored: 1 wholly, 0 no more than to itself.

    An even part that has changed as well speaks of another mouth, not of a mirrored one.
    """
    straight, mirrored = (float(((now[ODDS] - way * was[ODDS]) ** 2).sum()) for way in (1, -1))
    even = float(((now[EVENS] - was[EVENS]) ** 2).sum())
    value = (straight - mirrored) / max(straight + mirrored + even, 1e-9)
    clear = straight > 4 * float((noise[ODDS] ** 2).sum()) / max(1.0, float(len(was[ODDS])))
    return Comparison("mirror", "mirror", value, FLOORS["mirror"], 0.0, clear and value > FLOORS["mirror"])


def _words(window: Block, reference: Reference, alpha: float) -> Iterator[Comparison]:
    """Chi-square on words, a clip's words together as one draw."""
    layout = reference.layout
    clips, known = (float(own.part("spoke", layout)) for own in (window, reference.block))
    if min(clips, known) < FEW_READ or not layout.mix[0]:
        return
    spread = float(chance.apart(clips, known))
    now, was = window.part("words", layout) / clips, reference.block.part("words", layout) / known
    length = float(was.sum())
    value = float(((now - was) ** 2 * layout.weights).sum()) / length
    traces = layout.mix * (spread / length) ** np.arange(1, 4)
    bound = chance.beyond(alpha, traces, FLOORS["chi-square"])
    share = float(np.abs(now / max(now.sum(), 1e-9) - was / length).sum()) / 2
    yield Comparison("words", "chi-square", value, bound, share, value > bound)


def _abstained(window: Block, reference: Reference, alpha: float) -> Iterator[Comparison]:
    """The share of clips on which the reader was not sure."""
    clips, known = (float(own.part("read", reference.layout)) for own in (window, reference.block))
    if min(clips, known) < FEW:
        return
    now, was = window.abstained / clips, reference.block.abstained / known
    both = (window.abstained + reference.block.abstained + 1) / (clips + known + 2)
    noise = chance.normal(alpha) * float(np.sqrt(both * (1 - both) * chance.apart(clips, known)))
    value, bound = abs(now - was), FLOORS["share"] + noise
    yield Comparison("abstained", "share", value, bound, value, value > bound, now - was, was)
