"""How often quiet traffic pages somebody: weeks in which nothing happens, through the same detector and episodes.

The reference is the one that the shipped bundle brings, made of s1's training and validation clips; the traffic is
drawn from s1's test clips, which it does not hold, each any number of times. Without a reference each week deals the
clips anew into two halves that share none: of one the week's reference is made, of the other its traffic. That is
harder than life: a hundred clips tell little of what others are like, and the detector has to know how little.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from scipy.stats import chi2

from lipsol.drift.budget import BLOCK, MONTH_DAYS, Sensitivity
from lipsol.drift.detector import Detector
from lipsol.drift.episodes import Began, Episodes
from lipsol.drift.reference import Reference
from lipsol.drift.sketch import Block
from lipsol.runtime.cpus import available_cpus
from tests.detection.following import DAY_S, TELLING, reference_of
from tests.detection.pools import Seen

WEEKS = 50
WEEK_DAYS = 7
A_WEEK = round(WEEK_DAYS * Sensitivity().clips_a_day)  # clips
SURE = 0.95  # of the interval


@dataclass(frozen=True)
class Paged:
    """False pages over some weeks. low, high: 95 % interval of the pages a month (exact, Poisson: Garwood 1936)."""

    weeks: float
    clips: int
    pages: int
    a_month: float
    low: float
    high: float
    by: dict[str, int]  # what was told, and by which measure


def false_alarms(seen: Sequence[Seen], reference: Reference | None, weeks: int = WEEKS, clips: int = A_WEEK) -> Paged:
    """Weeks of so many clips each; reference: None, dealt anew each week."""
    asked = [(seen, reference, week, clips) for week in range(weeks)]
    workers = min(available_cpus(), weeks)
    if workers > 1:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            told = list(pool.map(week_of, *zip(*asked, strict=True)))
    else:
        told = [week_of(*each) for each in asked]
    by = Counter(name for names in told for name in names)
    return paged(weeks * clips / A_WEEK, weeks * clips, by)


def paged(weeks: float, clips: int, by: Mapping[str, int]) -> Paged:
    """What was told in so many weeks, as a rate."""
    months, pages = weeks * WEEK_DAYS / MONTH_DAYS, sum(by.values())
    low = chi2.ppf((1 - SURE) / 2, 2 * pages) / 2 if pages else 0.0
    high = chi2.ppf((1 + SURE) / 2, 2 * pages + 2) / 2
    return Paged(weeks, clips, pages, pages / months, float(low) / months, float(high) / months, dict(by))


def week_of(seen: Sequence[Seen], reference: Reference | None, week: int, clips: int) -> list[str]:
    """What a quiet week tells."""
    chance = np.random.default_rng((7, week))
    if reference is None:
        known, seen = ([seen[n] for n in half] for half in np.array_split(chance.permutation(len(seen)), 2))
        reference = reference_of(known)
    return [
        f"{each.verdict.kind}: {each.verdict.evidence[0].measure}" for each in told_of(seen, reference, clips, chance)
    ]


def told_of(seen: Sequence[Seen], reference: Reference, clips: int, chance: np.random.Generator) -> Iterator[Began]:
    """What is told of clips drawn from these, and of users who tell the right words of some.

    A block's clips but for the last are taken in as sums that were made before, which are the same sums: one by one
    they would take most of the time.
    """
    layout, sensitivity = reference.layout, Sensitivity()
    own = np.stack([Block.of([each.observed], [], reference).sums for each in seen])
    words = np.stack([Block.of([], [each.told] if each.told else [], reference).sums for each in seen])
    detector, episodes = Detector(reference, sensitivity), Episodes(sensitivity)
    for block in range(clips // BLOCK):
        drawn, at = chance.integers(len(seen), size=BLOCK), block * BLOCK * DAY_S / sensitivity.clips_a_day
        tells = chance.random(BLOCK) < TELLING
        detector._open = Block(layout.key, own[drawn[:-1]].sum(axis=0) + words[drawn[tells]].sum(axis=0))
        detector.add(seen[drawn[-1]].observed, at)
        told = episodes.look(detector.look(), at)
        if isinstance(told, Began):
            yield told
