"""What speaks for and against a canary: sums over its readings, and over as many of stable's of the same time.

Sums add up, so evidence may be gathered in any order and from several looks. A side's readings are counted by whoever
gathers them; which of stable's are the baseline is a function of the clip's name, as the split itself is.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

PLACES = 2**64
SALT = "baseline:"  # so that the draw has nothing to do with the split, which hashes the same names


@dataclass(frozen=True)
class Moments:
    """Of some numbers: how many, their sum, and the sum of their squares."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, value: float) -> "Moments":
        """Of one number."""
        return cls(1, value, value * value)

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.count + other.count, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float:
        """Not a number where there are none."""
        return self.total / self.count if self.count else math.nan

    @property
    def variance(self) -> float:
        """The unbiased estimate; not a number of fewer than two."""
        if self.count < 2:
            return math.nan
        return max(0.0, (self.squares - self.total**2 / self.count) / (self.count - 1))


@dataclass(frozen=True)
class Tally:
    """One side's readings.

    readings    clips that were read
    died        clips that it gave up
    empty       readings without a word
    abstained   readings in which it was not sure
    confidence  of the readings, in [0, 1]
    log_ms      natural logarithms of the milliseconds that each took at this side
    told, wrong clips that people judged, and of them those read wrong
    """

    readings: int = 0
    died: int = 0
    empty: int = 0
    abstained: int = 0
    confidence: Moments = field(default_factory=Moments)
    log_ms: Moments = field(default_factory=Moments)
    told: int = 0
    wrong: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def clips(self) -> int:
        """All that came to it."""
        return self.readings + self.died


@dataclass(frozen=True)
class Pairs:
    """Clips that both sides read: how many, and those of which both were sure and said different words."""

    compared: int = 0
    opposed: int = 0

    def __add__(self, other: "Pairs") -> "Pairs":
        return Pairs(self.compared + other.compared, self.opposed + other.opposed)


@dataclass(frozen=True)
class Evidence:
    """All that is known in one step. others: of each language by itself, where there are others than the one judged."""

    canary: Tally = field(default_factory=Tally)
    baseline: Tally = field(default_factory=Tally)
    pairs: Pairs = field(default_factory=Pairs)
    others: Mapping[str, "Evidence"] = field(default_factory=dict)

    def __add__(self, other: "Evidence") -> "Evidence":
        others = {
            language: self.others.get(language, Evidence()) + other.others.get(language, Evidence())
            for language in (*self.others, *other.others)
        }
        return Evidence(self.canary + other.canary, self.baseline + other.baseline, self.pairs + other.pairs, others)


def in_baseline(clip_id: str, weight: float, left: float | None = None) -> bool:
    """Whether a clip that stable read is one of its baseline, while the canary reads `weight` per cent of all.

    So many are drawn that both sides are of one size: of what stable has left, the part that is as large as the
    canary's. Above 50 % all of it. left: per cent of all that stable reads; None: what the canary does not.
    """
    share = min(1.0, weight / max(100 - weight if left is None else left, 1e-9))
    drawn = int.from_bytes(hashlib.sha256((SALT + clip_id).encode()).digest()[:8], "big")
    return drawn < share * PLACES
