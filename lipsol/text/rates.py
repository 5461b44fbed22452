"""Error rates that are sums: they add up, and what a clip added can be taken away again. No clip is kept."""

from dataclasses import dataclass
from math import sqrt

from lipsol.text.scoring import edits

Z95 = 1.959964  # standard normal quantile of a two-sided 95 % interval


@dataclass(frozen=True)
class Rate:
    """Edits over tokens that were said, summed over clips.

    clips   how many
    edits   all edits
    said    all true tokens
    squares, products, said_squares  sums over the clips of edits^2, edits * said, and said^2: how the clips differ
    """

    clips: int = 0
    edits: int = 0
    said: int = 0
    squares: int = 0
    products: int = 0
    said_squares: int = 0

    @classmethod
    def of(cls, wrong: int, said: int) -> "Rate":
        """One clip's; nothing where nothing was said."""
        return cls(1, wrong, said, wrong * wrong, wrong * said, said * said) if said else cls()

    def __add__(self, other: "Rate") -> "Rate":
        return self._plus(other, 1)

    def __sub__(self, other: "Rate") -> "Rate":
        return self._plus(other, -1)

    @property
    def value(self) -> float | None:
        """The corpus's rate; None where nothing was said. It can pass 1."""
        return self.edits / self.said if self.said else None

    def interval(self) -> tuple[float, float] | None:
        """Its 95 % interval; None where nothing was said.

        The words of a clip go wrong together, so it is the clips that vary: the variance is a ratio estimator's
        (Cochran 1977, "Sampling techniques", equation 6.13), and the interval Wilson's (1927) with as many words as
        would vary so much if they were independent (Korn and Graubard 1998, Survey Methodology 24). Clips that do not
        vary at all, none of them wrong among them, count as one word each. A rate of 1 or more has the normal interval.
        """
        rate = self.value
        if rate is None:
            return None
        variance = self._variance(rate)
        if rate >= 1:
            half = Z95 * sqrt(variance)
            return max(0.0, rate - half), rate + half
        words = min(float(self.said), rate * (1 - rate) / variance) if variance > 0 else float(self.clips)
        middle, spread = rate + Z95**2 / (2 * words), Z95 * sqrt(rate * (1 - rate) / words + (Z95 / (2 * words)) ** 2)
        scale = 1 + Z95**2 / words
        return max(0.0, (middle - spread) / scale), (middle + spread) / scale

    def _plus(self, other: "Rate", sign: int) -> "Rate":
        return Rate(
            self.clips + sign * other.clips,
            self.edits + sign * other.edits,
            self.said + sign * other.said,
            self.squares + sign * other.squares,
            self.products + sign * other.products,
            self.said_squares + sign * other.said_squares,
        )

    def _variance(self, rate: float) -> float:
        if self.clips < 2:
            return 0.0
        left = self.squares - 2 * rate * self.products + rate * rate * self.said_squares
        return max(0.0, left) / self.said**2 * self.clips / (self.clips - 1)


NO_RATE = Rate()


def word_rate(truth: str, reading: str) -> Rate:
    """The word error rate's share of one clip."""
    return Rate.of(edits(truth.split(), reading.split()), len(truth.split()))


def character_rate(truth: str, reading: str) -> Rate:
    """The character error rate's share of one clip, spaces among the characters."""
    return Rate.of(edits(truth, reading), len(truth))
