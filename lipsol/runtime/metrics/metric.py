"""What a metric is, and the bounds of the histograms.

A name ends in its unit: `_seconds`, `_bytes`, `_ratio` (0 to 1), `_total` (a count that only grows), or, where it
measures or counts things, in what they are (`_messages`, `_clips`, `_pixels`, `_degrees`, `_levels` and so on).
Labels are closed sets, never an id, a session or a text: each value of a label is a series that is kept for ever.
`word` and `character` are those of a bundle's own vocabulary and alphabet, the commonest few, and "other" for the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Family = Literal["software", "input", "output"]

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "stage": "part of the platform, or step of a clip's way",
        "reason": "kind of fault, refusal or death",
        "track": "stable or canary",
        "model": "name of a bundle",
        "mode": "of the traffic policy, or degree of automation",
        "language": "as BCP 47",
        "kind": "of drift, of action, of certificate, of late event, of rehearsed fault",
        "measure": "what was compared",
        "method": "by which test or distance",
        "codec": "as the decoder names it",
        "character": "of the bundle's alphabet, or other",
        "word": "of the bundle's vocabulary, or other",
        "gpu": "number of the accelerator in this machine",
        "version": "of LipSol",
    }
)

FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds of one step
SLOW = (0.01, 0.05, 0.25, 1.0, 5.0, 30.0, 120.0, 600.0)  # seconds of a look at everything
TENTHS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)  # of a ratio, finer where readers are sure
SMALL = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)  # of a ratio that is mostly small
PIXELS = (14.0, 20.0, 28.0, 40.0, 56.0, 80.0, 112.0, 160.0, 320.0)  # below 14 a clip is refused
DEGREES = (5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0)  # above 50 a clip is refused
LEVELS = (20.0, 40.0, 60.0, 80.0, 100.0, 130.0, 160.0, 200.0, 255.0)  # of gray
SPREADS = (5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 80.0, 128.0)  # standard deviations of gray
VARIANCES = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1280.0, 5120.0)  # of a Laplacian of gray
RATES = (10.0, 12.0, 15.0, 20.0, 24.0, 25.0, 30.0, 50.0, 60.0, 120.0)  # frames a second
LENGTHS = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0, 15.0, 30.0)  # seconds of a clip
COUNTS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)  # clips
FEW = (0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)  # frames, faces, words
LETTERS = (0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 60.0, 100.0, 200.0)  # characters of a text
SIZES = tuple(float(1 << power) for power in range(14, 29, 2))  # bytes, 16 KiB to 256 MiB


@dataclass(frozen=True)
class Metric:
    """One metric.

    what     what it counts or measures, in a sentence
    why      why somebody looks at it: the question that it answers
    unit     of its value
    family   whose health it tells of: the software's, of what comes in, or of what goes out
    labels   by which it is told apart
    buckets  a histogram's upper bounds
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    family: Family
    unit: str
    what: str
    why: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = FAST


def counter(family: Family, name: str, unit: str, what: str, why: str, *labels: str) -> Metric:
    """A count that only grows while its process lives."""
    return Metric(name, "counter", family, unit, what, why, labels)


def gauge(family: Family, name: str, unit: str, what: str, why: str, *labels: str) -> Metric:
    """A value that goes up and down."""
    return Metric(name, "gauge", family, unit, what, why, labels)


def histogram(
    family: Family, name: str, unit: str, what: str, why: str, *labels: str, buckets: tuple[float, ...] = FAST
) -> Metric:
    """How often a measurement fell below each bound."""
    return Metric(name, "histogram", family, unit, what, why, labels, buckets)
