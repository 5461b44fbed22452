"""The same film twice: byte for byte, or encoded anew; and the same clip in two splits.

Two takes of one sentence by one speaker look much alike and are no copies, so the perceptual hash of the mouth only
sieves; what decides is whether everything moves alike: the picture's change, the lips, the mouth's way through the
picture. Copies that were cut, turned or mirrored are not found.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from lipsol.data.checks.rules import Found, Rules, share
from lipsol.data.checks.traits import Traits
from lipsol.data.dataset import Item

SIEVE = 100  # of 512 bits; copies at CRF 35 differ in at most 84, a quarter of GRID's pairs in less than 100
BLOCK = 512  # clips that are compared with all others at a time


def copies(items: Sequence[Item], traits: Mapping[str, Traits], rules: Rules) -> Iterator[Found]:
    """Clips that are there twice, and those of them that are in two splits."""
    by_name = {item.name: item for item in items}
    same = {name: (other, "byte for byte") for name, other in _same_bytes(items).items()}
    alike = {
        name: (other, f"(likeness {likeness:.2f})")
        for name, (other, likeness) in _alike(
            [name for name in by_name if name in traits], traits, rules.each("films")
        ).items()
        if name not in same
    }
    total = len(items)
    yield share("copies", {name: f"is {other} {how}" for name, (other, how) in same.items()}, total)
    yield share("films", {name: f"is {other} encoded anew {how}" for name, (other, how) in alike.items()}, total)
    leaked = {
        name: f"({by_name[name].split}) is {other} ({by_name[other].split})"
        for name, (other, _) in (same | alike).items()
        if by_name[name].split != by_name[other].split
    }
    yield share("leaked clips", leaked, total)


def _same_bytes(items: Sequence[Item]) -> dict[str, str]:
    """Item name -> an item before it with the same bytes."""
    first: dict[str, str] = {}
    found = {}
    for item in items:
        digest = digest_of(item.path)
        if digest in first:
            found[item.name] = first[digest]
        else:
            first[digest] = item.name
    return found


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _alike(names: Sequence[str], traits: Mapping[str, Traits], bound: float) -> dict[str, tuple[str, float]]:
    """Name -> the name before it that is most like it, and how much, for those above the bound."""
    if len(names) < 2:
        return {}
    prints = np.stack([traits[name].print for name in names])
    moves = [np.stack([traits[name].moves[n] for name in names]) for n in range(3)]
    found = {}
    for start in range(0, len(names), BLOCK):
        rows = slice(start, start + BLOCK)
        near = _bits(prints[rows], prints) <= SIEVE
        likeness = np.where(near, likeness_of([each[rows] for each in moves], moves), 0)
        likeness[np.arange(len(names)) >= start + np.arange(len(likeness))[:, np.newaxis]] = 0  # only those before
        for n, best in enumerate(likeness.argmax(1)):
            if likeness[n, best] > bound:
                found[names[start + n]] = (names[best], float(likeness[n, best]))
    return found


def _bits(rows: np.ndarray, all_: np.ndarray) -> np.ndarray:
    """How many bits differ between each of the rows and each of all."""
    return np.stack([np.bitwise_count(row ^ all_).sum(1, dtype=np.int64) for row in rows])


def likeness_of(
    rows: Sequence[Float32[np.ndarray, "rows _"]], all_: Sequence[Float32[np.ndarray, "clips _"]]
) -> np.ndarray:
    """Mean correlation of what moves in both (zeros: does not)."""
    total = np.zeros((len(rows[0]), len(all_[0])))
    counted = np.zeros_like(total)
    for own, others in zip(rows, all_, strict=True):
        both = np.outer(own.any(1), others.any(1))
        total += np.where(both, own @ others.T, 0)
        counted += both
    return np.asarray(total / np.maximum(counted, 1))
