"""One measure of a window beside the reference's, and how large a difference must be to matter."""

from dataclasses import dataclass
from typing import Literal

Method = Literal["ks", "psi", "wasserstein", "mmd", "chi-square", "share", "mean", "mirror", "ratio"]
FLOORS: dict[Method, float] = {  # what may differ without anybody minding, beyond what chance does in a window
    "ks": 0.1,  # of the clips
    "psi": 0.5,  # the trade calls 0.25 significant
    "wasserstein": 0.25,  # of the reference's spread
    "mmd": 0.05,  # of 2 at most: what a quarter of the clips do that are of people who look otherwise
    "chi-square": 0.1,  # phi squared: three letters in five that are no more said, where one word of six is a letter
    "share": 0.05,  # of the clips
    "ratio": 0.05,  # of an error rate
    "mean": 0.04,  # of the mouth picture's side: 4 pixels
    "mirror": 0.5,  # three times nearer to the mirrored reference than to itself
}
FEW = 20  # clips of either side that a measure must know
FEW_READ = 100  # the same of words, of which there are many kinds


@dataclass(frozen=True)
class Comparison:
    """One measure of a window beside the reference's.

    measure    what: a feature's name, "embedding", "place", "mirror", "words", "abstained", "calibration", "wer", "cer"
    method     by which test or distance
    value      what it came to
    threshold  what it had to stay below: what chance does at the look's alpha, and beyond that what nobody minds
    share      the part of the clips that are different by it, in [0, 1]; 0.0: not told
    drifted    value is over threshold
    change     by how much the measure itself rose (below 0: fell), in its own unit; 0.0: it has no direction
    was        the reference's own mean of the measure, in its own unit; 0.0: it has none
    """

    measure: str
    method: Method
    value: float
    threshold: float
    share: float
    drifted: bool
    change: float = 0.0
    was: float = 0.0

    @property
    def strength(self) -> float:
        """How many times over its threshold."""
        return self.value / self.threshold if self.threshold > 0 else 0.0
