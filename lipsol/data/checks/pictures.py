"""What the pictures are like: dark, frozen, too short, at odd frame rates, without a face, or not as they were."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Float64
from scipy.stats import ks_2samp

from lipsol.data.checks.rules import Found, Rules, share
from lipsol.data.checks.traits import Facts, Traits
from lipsol.data.dataset import Item

BINS = 10  # of the previous version's values, equally full
FEWEST = 20  # clips of each version; of fewer no distribution can be told
SURE = 1e-3  # p of the two-sample Kolmogorov-Smirnov test above which a shift may be chance
COMPARED = (
    "brightness",
    "contrast",
    "sharpness",
    "face_found",
    "mouth_px",
    "yaw_deg",
    "motion",
    "seconds",
    "source_fps",
)


def pictures(items: Sequence[Item], traits: Mapping[str, Traits], rules: Rules) -> Iterator[Found]:
    """Clips whose picture is odd."""
    watched = {item.name: traits[item.name] for item in items if item.name in traits}
    total = len(items)
    for rule, fact, said in (
        ("dark", "brightness", "of 255 gray"),
        ("face", "face_found", "of its frames show a face"),
    ):
        low = {name: each.facts[fact] for name, each in watched.items() if fact in each.facts}
        bound = rules.each(rule)
        yield share(rule, {name: f"({value:.3g} {said})" for name, value in low.items() if value < bound}, total)
    longest = {name: each.still for name, each in watched.items() if each.still > rules.each("frozen")}
    yield share("frozen", {name: f"stands still for {run} frames" for name, run in longest.items()}, total)
    room = {
        item.name: watched[item.name].frames / max(len(item.text.split()), 1) for item in items if item.name in watched
    }
    few = {name: f"has {value:.1f} frames a word" for name, value in room.items() if value < rules.each("short")}
    yield share("short", few, total)
    yield share("rate", _rates(watched, rules.each("rate")), total)


def _rates(watched: Mapping[str, Traits], bound: float) -> dict[str, str]:
    """Clips of another frame rate than most, or with gaps."""
    rates = {name: each.facts["source_fps"] for name, each in watched.items() if "source_fps" in each.facts}
    usual = float(np.median(list(rates.values()))) if rates else 1.0
    odd = {}
    for name, rate in rates.items():
        lost = watched[name].facts.get("dropped_frames", 0.0) / max(watched[name].frames, 1)
        if abs(rate / usual - 1) > bound or lost > bound:
            odd[name] = f"has {rate:.4g} frames a second (usual: {usual:.4g}), {lost:.0%} of them missing"
    return odd


def shifted(now: Mapping[str, Facts], before: Mapping[str, Facts], rules: Rules) -> Found:
    """Measures of the picture whose distribution is not what it was. Both: item name -> facts."""
    moved = {}
    for fact in COMPARED:
        new, old = (_values(each, fact) for each in (now, before))
        if min(len(new), len(old)) >= FEWEST:
            index = stability_index(old, new)
            if index > rules.each("shift") and ks_2samp(old, new).pvalue < SURE:
                moved[fact] = (
                    f"{fact} (index {index:.2f}, median {np.median(old):.4g} before, {np.median(new):.4g} now)"
                )
    return Found("shift", float(len(moved)), "; ".join(moved.values()) or "none")


def _values(clips: Mapping[str, Facts], fact: str) -> Float64[np.ndarray, "clips"]:
    return np.array([facts[fact] for facts in clips.values() if fact in facts], np.float64)


def stability_index(old: Float64[np.ndarray, "old"], new: Float64[np.ndarray, "new"]) -> float:
    """PSI (Siddiqi 2006, chapter 9): sum of (q - p) ln(q / p) over bins that are equally full of the old values.

    Half a clip is put into each bin, so that an empty one is no infinity.
    """
    edges = np.unique(np.quantile(old, np.linspace(0, 1, BINS + 1)[1:-1]))
    p, q = (
        np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1) + 0.5
        for values in (old, new)
    )
    p, q = p / p.sum(), q / q.sum()
    return float(((q - p) * np.log(q / p)).sum())
