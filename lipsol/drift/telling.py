"""What people told of a window, beside what is known of the reference: is confidence still deserved, are words right?

People mostly tell of what was read wrong, and by that every model looks worse than it is. So a window is held against a
bundle's reference, of which every clip is told, only where people told of at least TOLD_SHARE of it; what a site has
accepted as its own normal has the site's own habits in it.
"""

from collections.abc import Iterator

import numpy as np

from lipsol.drift import chance
from lipsol.drift.comparison import FEW, FLOORS, Comparison
from lipsol.drift.reference import Reference
from lipsol.drift.sketch import Block

TOLD_SHARE = 0.5


def calibration(window: Block, reference: Reference, alpha: float) -> Iterator[Comparison]:
    """How far the share that was right lies from the mean confidence, beyond what the reference's own does."""
    layout = reference.layout
    now, was = (own.part("calibration", layout) for own in (window, reference.block))
    clips, known = float(now[:, 0].sum()), float(was[:, 0].sum())
    if not _enough(window, reference, clips, known):
        return
    change = _gap(now) - _gap(was)
    noise = chance.normal(alpha) * float(np.sqrt(_variance(now) + _variance(was)))
    value, bound = abs(change), FLOORS["share"] + noise
    yield Comparison("calibration", "share", value, bound, value, value > bound, change, _gap(was))


def error_rates(window: Block, reference: Reference, alpha: float) -> Iterator[Comparison]:
    """Corrected word and character error rates: how much higher than the reference's, a clip's errors as one draw."""
    layout = reference.layout
    pairs = zip(window.part("errors", layout), reference.block.part("errors", layout), strict=True)
    for measure, (now, was) in zip(("wer", "cer"), pairs, strict=True):
        if not _enough(window, reference, float(window.told), float(reference.block.told)) or not (now[1] and was[1]):
            continue
        rate, old = now[0] / now[1], was[0] / was[1]
        both = now + was
        clips = window.told + reference.block.told
        pooled = both[0] / both[1]
        residual = (both[2] - 2 * pooled * both[4] + pooled**2 * both[3]) / clips
        length = both[1] / clips
        spread = float(chance.apart(float(window.told), float(reference.block.told)))
        noise = chance.normal(alpha) * float(np.sqrt(max(residual, 0) * spread) / length)
        value, bound = float(rate - old), FLOORS["ratio"] + noise
        yield Comparison(measure, "ratio", value, bound, 0.0, value > bound, value, float(old))


def _enough(window: Block, reference: Reference, clips: float, known: float) -> bool:
    told = reference.learned == "accepted" or window.told >= TOLD_SHARE * window.clips
    return told and min(clips, known) >= FEW


def _gap(bins: np.ndarray) -> float:
    return float((bins[:, 2].sum() - bins[:, 1].sum()) / bins[:, 0].sum())


def _variance(bins: np.ndarray) -> float:
    """Of the gap: each bin's clips are right with about its mean confidence."""
    sure = (bins[:, 1] + 0.5) / (bins[:, 0] + 1)
    return float((bins[:, 0] * sure * (1 - sure)).sum() / bins[:, 0].sum() ** 2)
