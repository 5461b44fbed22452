"""Who speaks: nobody may be unseen and known at once, under one name or two, or under another's name."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float32, Float64

from lipsol.data.checks.rules import Found, Rules, share
from lipsol.data.checks.traits import Traits
from lipsol.data.dataset import Item

BLOCK = 512  # clips that are compared with all others at a time


def speakers(items: Sequence[Item], traits: Mapping[str, Traits], rules: Rules) -> Iterator[Found]:
    """Leaks by name, and by what mouths look like (a suspicion: a person should look)."""
    yield _leaks(items)
    watched = [item for item in items if item.name in traits]
    names = np.array([item.speaker for item in watched])
    if len(set(names.tolist())) < 2:
        return
    distances = _distances(np.stack([traits[item.name].look for item in watched]))
    yield _strangers(watched, names, distances, round(rules.each("speaker")), len(items))
    yield _one_person(names, distances, rules.each("person"))


def _leaks(items: Sequence[Item]) -> Found:
    """Unseen speakers whom other splits have too."""
    unseen = {item.speaker for item in items if item.split == "unseen"}
    both = sorted(unseen & {item.speaker for item in items if item.split != "unseen"})
    clips = {item.name: item for item in items if item.speaker in both and item.split == "unseen"}
    told = f"{', '.join(both)}: unseen in {len(clips)} clips, and in other splits too" if both else "none"
    return Found("leaked speakers", float(len(both)), told, tuple(clips))


def _distances(looks: Float32[np.ndarray, "clips pixels"]) -> Float64[np.ndarray, "clips clips"]:
    """Euclidean distances of all mouths at rest; of each to itself infinite."""
    wide = looks.astype(np.float64)
    size = (wide**2).sum(1)
    squared = size[:, np.newaxis] + size - 2 * wide @ wide.T
    np.fill_diagonal(squared, np.inf)
    return np.asarray(np.sqrt(np.maximum(squared, 0)))


def _strangers(
    items: Sequence[Item], names: np.ndarray, distances: Float64[np.ndarray, "clips clips"], nearest: int, total: int
) -> Found:
    """Clips whose nearest mouths are all of one other name, which is near them."""
    found = {}
    for item, own in zip(items, distances, strict=True):
        at = np.argsort(own)[:nearest]
        near = set(names[at].tolist())
        if len(at) == nearest and len(near) == 1 and item.speaker not in near:
            found[item.name] = f"looks like {near.pop()}"
    return share("speaker", found, total)


def _one_person(names: np.ndarray, distances: Float64[np.ndarray, "clips clips"], bound: float) -> Found:
    """Pairs of names as near to each other as each is to itself."""
    held = [name for name in sorted(set(names.tolist())) if np.count_nonzero(names == name) > 2]

    def apart(one: str, other: str) -> float:
        return float(np.median(distances[np.ix_(names == one, names == other)].min(1)))

    pairs = {}
    for one, other in combinations(held, 2):
        within = max(apart(one, one), apart(other, other), 1e-9)
        ratio = max(apart(one, other), apart(other, one)) / within
        if ratio < bound:
            pairs[f"{one} and {other}"] = ratio
    told = "; ".join(
        f"{pair} may be one person ({ratio:.1f} times as far apart as within)" for pair, ratio in pairs.items()
    )
    return Found("person", float(len(pairs)), told or "none")
