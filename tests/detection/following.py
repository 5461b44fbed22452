"""A stream of clips through the monitor's own detector and episodes, at their defaults."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lipsol.drift.budget import BLOCK, WINDOWS, Sensitivity
from lipsol.drift.detector import Detector
from lipsol.drift.episodes import Began, Episodes
from lipsol.drift.reference import Reference
from tests.detection.pools import Pools, Seen, Shift

TELLING = 0.05  # share of the clips of which a user gives the right words
QUIET = (max(WINDOWS) + 4) * BLOCK  # clips before the change: every window is full
AFTER = 400  # clips that are followed after it
WITHIN = 200  # in which it has to be found
SEEDS = 20
DAY_S = 86_400.0


@dataclass(frozen=True)
class Found:
    """What became of one change. delay: clips from it to what was told; None: nothing was told."""

    delay: int | None
    kind: str
    before: int  # told of while nothing had changed


@dataclass(frozen=True)
class Detected:
    """What became of one shift over all seeds.

    detected      share of the seeds in which it was told within WITHIN clips
    median_delay  clips, over those seeds in which it was told at all; None: in none
    named         what most of the seeds named it; named_right: whether that is right
    share_right   share of the seeds that named it right
    before        told of while nothing had changed, over all seeds
    """

    kind: str
    right: str
    median_delay: float | None
    detected: float
    named: str
    named_right: bool
    share_right: float
    before: int


def reference_of(seen: Sequence[Seen]) -> Reference:
    """One of these clips alone, whose right words are all known."""
    told = [each.told for each in seen if each.told is not None]
    return Reference.of([each.observed for each in seen], told, digest_of_data="tests.detection")


def follow(reference: Reference, stream: Iterable[Seen], chance: np.random.Generator) -> Iterator[tuple[int, Began]]:
    """What is told of a stream, and after how many of its clips."""
    sensitivity = Sensitivity()
    detector, episodes = Detector(reference, sensitivity), Episodes(sensitivity)
    apart_s = DAY_S / sensitivity.clips_a_day
    for n, seen in enumerate(stream, start=1):
        at = n * apart_s
        if seen.told is not None and chance.random() < TELLING:
            detector.tell(seen.told)
        if detector.add(seen.observed, at):
            told = episodes.look(detector.look(), at)
            if isinstance(told, Began):
                yield n, told


def drawn(
    pool: Sequence[Seen], clips: int, chance: np.random.Generator, weights: np.ndarray | None = None
) -> Iterator[Seen]:
    """Clips of a pool, each any number of times; nothing is made up."""
    return (pool[n] for n in chance.choice(len(pool), clips, p=weights))


def changed(reference: Reference, clean: Sequence[Seen], shift: Shift, seed: int) -> Found:
    """A quiet stream that changes into the shifted one."""
    chance = np.random.default_rng(seed)
    pool = shift.pools[seed % len(shift.pools)]
    after = drawn(pool, AFTER, chance, shift.weights(pool, chance))
    stream = [*drawn(clean, QUIET, chance), *after]
    before = 0
    for n, began in follow(reference, stream, chance):
        if n > QUIET:
            return Found(n - QUIET, began.verdict.kind, before)
        before += 1
    return Found(None, "", before)


def detect(reference: Reference, pools: Pools, shift: Shift, seeds: int = SEEDS) -> Detected:
    """A shift over all seeds."""
    found = [changed(reference, pools.clean, shift, seed) for seed in range(seeds)]
    delays = [each.delay for each in found if each.delay is not None]
    kinds = Counter(each.kind for each in found if each.kind)
    named = kinds.most_common(1)[0][0] if kinds else ""
    return Detected(
        kind=shift.name,
        right=shift.kind,
        median_delay=float(np.median(delays)) if delays else None,
        detected=sum(delay <= WITHIN for delay in delays) / seeds,
        named=named,
        named_right=named == shift.kind,
        share_right=kinds[shift.kind] / seeds,
        before=sum(each.before for each in found),
    )
