"""Is the canary worse than its baseline? Each measure by the interval of a difference, and a margin that matters.

Evidence is looked at many times, and by several measures; both would make chance look like a fault. So the k-th look
spends 6 / (pi k)^2 of `alpha`, which all looks together never exceed, and the measures share what a look may spend
(Bonferroni). A measure says "worse" where the difference is surely above 0 and larger than its margin, "fine" where it
is at most the margin, and else "unclear": then more evidence is waited for.

What never has a baseline (`opposed`) must surely be above its margin itself: some of it is natural, and how much
nobody knows. Where a baseline is still to come, a canary that surely gives up most clips, or reads most without a word,
is worse all the same. What people say comes when they say it: of few words of theirs nothing is known, and nothing
waited for, unless the difference is sure all the same.

Languages that are judged beside the main one share what a look may spend with it. Of them only what is worse is told:
nobody knows how much of them will come, so nothing of them is waited for.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from pydantic import ConfigDict
from scipy import stats

from lipsol.errors import BadInput
from lipsol.rollout.evidence import Evidence, Moments, Tally

Said = Literal["worse", "fine", "unclear", "nothing known"]
LOG_MAX = 700.0  # of a number that fits into 64 bits
LEAST = 5  # readings of a side without which the interval of a mean says more than is known: few look alike by chance
MOST = 0.5  # of its clips: a share that no baseline excuses
TOLD = 20  # clips of a side that people judged: of fewer, one unhappy person is the whole difference


@dataclass(frozen=True)
class Gates:
    """How much worse a canary may be, as a difference to its baseline, and how sure one must be.

    alpha         chance that a canary that is no worse is aborted, over a whole step
    died          share of clips given up
    empty         share of readings without a word
    abstained     share of readings in which it was not sure
    confidence    how far its mean may fall
    latency       by what factor its readings may take longer, less one: 0.25 is a quarter longer
    wrong         share of the readings that people called wrong, of those they judged; `TOLD` at each side, or else it
                  neither holds nor speaks for the canary: it aborts where that is sure, and is not known where it isn't
    opposed       share of clips on which it is sure of other words than stable, of those both read (a bound of its own:
                  there is no baseline for it)
    """

    alpha: float = 0.05
    died: float = 0.01
    empty: float = 0.02
    abstained: float = 0.10
    confidence: float = 0.05
    latency: float = 0.25
    wrong: float = 0.10
    opposed: float = 0.10

    __pydantic_config__ = ConfigDict(extra="forbid")  # a slip of the pen in the chart's values is no gate

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise BadInput(f"an alpha of {self.alpha:g}", "give a chance between 0 and 1")
        for name in MEASURES:
            if getattr(self, name) < 0:
                raise BadInput(f"a margin of {getattr(self, name):g} for {name}", "give 0 or more")


@dataclass(frozen=True)
class Finding:
    """What one measure says.

    measure           its name; with the language behind it, as "died (ur)", where that is judged by itself
    canary, baseline  the measure at each side; None: not known. Of latency the geometric mean, ms
    low, high         the interval of how much worse the canary is; None: not known. Of latency the factor, less one
    margin            how much is let pass
    """

    measure: str
    canary: float | None
    baseline: float | None
    low: float | None
    high: float | None
    margin: float
    said: Said

    @property
    def sentence(self) -> str:
        """For people."""
        if self.canary is None:
            return f"{self.measure}: nothing known"
        against = "" if self.baseline is None else f" against {self.baseline:.3g}"
        return f"{self.measure} {self.canary:.3g}{against}, at most {self.margin:g} worse: {self.said}"


@dataclass(frozen=True)
class _Difference:
    """A measure at both sides, and the interval of how much worse the canary is. alone: a baseline is still to come."""

    canary: float
    baseline: float | None
    worse_by: float
    low: float
    high: float
    alone: bool = False


def judge(evidence: Evidence, gates: Gates, look: int) -> tuple[Finding, ...]:
    """What every measure says at the `look`-th look (from 1) at this step's evidence; and what is worse in others."""
    if look < 1:
        raise BadInput(f"look {look}", "count looks from 1")
    alpha = gates.alpha * 6 / (math.pi * look) ** 2 / len(MEASURES) / (1 + len(evidence.others))
    found = list(_findings(evidence, gates, alpha))
    for language, other in evidence.others.items():
        worse = (each for each in _findings(other, gates, alpha) if each.said == "worse")
        found += [replace(each, measure=f"{each.measure} ({language})") for each in worse]
    return tuple(found)


def _findings(evidence: Evidence, gates: Gates, alpha: float) -> Iterator[Finding]:
    for name, measured in MEASURES.items():
        yield _finding(name, measured(evidence, alpha), _margin(name, gates))


def _margin(name: str, gates: Gates) -> float:
    return math.log1p(gates.latency) if name == "latency" else float(getattr(gates, name))


def _finding(name: str, found: _Difference | None, margin: float) -> Finding:
    if found is None:
        return _shown(Finding(name, None, None, None, None, margin, "nothing known"))
    said: Said = "unclear"
    if found.alone:
        margin, said = MOST, "worse" if found.low > MOST else "nothing known"
    elif found.worse_by <= margin:
        said = "fine"
    elif found.low > (margin if found.baseline is None else 0.0):
        said = "worse"
    return _shown(Finding(name, found.canary, found.baseline, found.low, found.high, margin, said))


def _shown(finding: Finding) -> Finding:
    """A finding as people read it: latency is judged by its logarithms."""
    if finding.measure != "latency":
        return finding
    return replace(
        finding,
        canary=_raised(finding.canary, math.exp),
        baseline=_raised(finding.baseline, math.exp),
        low=_raised(finding.low, math.expm1),
        high=_raised(finding.high, math.expm1),
        margin=math.expm1(finding.margin),
    )


def _raised(value: float | None, by: Callable[[float], float]) -> float | None:
    """At most as large as a number can be told."""
    return None if value is None else by(min(value, LOG_MAX))


def _share(
    part: Callable[[Tally], int], of: Callable[[Tally], int], *, alone: bool = False
) -> Callable[[Evidence, float], _Difference | None]:
    """Of a share: the difference of two, with Newcombe's interval (1998, method 10).

    alone: without a baseline it is the share itself, with its exact interval.
    """

    def measured(evidence: Evidence, alpha: float) -> _Difference | None:
        sides = [(part(side), of(side)) for side in (evidence.canary, evidence.baseline)]
        (hits, count), (base_hits, base_count) = sides
        if not count:
            return None
        if not base_count:
            return replace(_itself(hits, count, alpha), alone=True) if alone else None
        low, high = wilson(hits, count, alpha)
        base_low, base_high = wilson(base_hits, base_count, alpha)
        share, base = hits / count, base_hits / base_count
        below = math.hypot(share - low, base_high - base)
        above = math.hypot(high - share, base - base_low)
        return _Difference(share, base, share - base, share - base - below, share - base + above)

    return measured


def _mean(of: Callable[[Tally], Moments], sign: int) -> Callable[[Evidence, float], _Difference | None]:
    """Of a mean: the difference of two, with Welch's interval (1947). sign: 1 where more is worse, -1 where less is."""

    def measured(evidence: Evidence, alpha: float) -> _Difference | None:
        canary, baseline = of(evidence.canary), of(evidence.baseline)
        if min(canary.count, baseline.count) < LEAST:
            return None
        error, base_error = canary.variance / canary.count, baseline.variance / baseline.count
        worse_by = sign * (canary.mean - baseline.mean)
        spread = math.sqrt(error + base_error)
        if spread == 0:
            return _Difference(canary.mean, baseline.mean, worse_by, worse_by, worse_by)
        freedom = (error + base_error) ** 2 / (error**2 / (canary.count - 1) + base_error**2 / (baseline.count - 1))
        half = float(stats.t.ppf(1 - alpha / 2, freedom)) * spread
        return _Difference(canary.mean, baseline.mean, worse_by, worse_by - half, worse_by + half)

    return measured


def _wrong(evidence: Evidence, alpha: float) -> _Difference | None:
    """Of what people said; not known where few said anything and the canary isn't surely worse by that."""
    found = _called_wrong(evidence, alpha)
    few = min(evidence.canary.told, evidence.baseline.told) < TOLD
    return None if found is None or (few and found.low <= 0) else found


def _opposed(evidence: Evidence, alpha: float) -> _Difference | None:
    """By the exact interval (Clopper and Pearson 1934): one clip of one is no evidence of more than one in ten."""
    pairs = evidence.pairs
    if not pairs.compared:
        return None
    return _itself(pairs.opposed, pairs.compared, alpha)


def _itself(hits: int, count: int, alpha: float) -> _Difference:
    """A share that is compared with nothing."""
    low, high = stats.binomtest(hits, count).proportion_ci(1 - alpha, method="exact")
    return _Difference(hits / count, None, hits / count, low, high)


def wilson(hits: int, count: int, alpha: float) -> tuple[float, float]:
    """The two-sided interval of a share at level 1 - alpha (Wilson 1927)."""
    z = float(stats.norm.ppf(1 - alpha / 2))
    share, spread = hits / count, z * z / count
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / count + spread / (4 * count))
    return max(0.0, middle - half), min(1.0, middle + half)


_called_wrong = _share(lambda side: side.wrong, lambda side: side.told)

MEASURES: Mapping[str, Callable[[Evidence, float], _Difference | None]] = MappingProxyType(
    {
        "died": _share(lambda side: side.died, lambda side: side.clips, alone=True),
        "empty": _share(lambda side: side.empty, lambda side: side.readings, alone=True),
        "abstained": _share(lambda side: side.abstained, lambda side: side.readings),
        "confidence": _mean(lambda side: side.confidence, -1),
        "latency": _mean(lambda side: side.log_ms, 1),
        "wrong": _wrong,
        "opposed": _opposed,
    }
)
"""Every measure, by the name of its margin."""
