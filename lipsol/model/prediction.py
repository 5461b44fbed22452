"""What a reader says: the words, how sure it is of each, and what else they could have been."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """One word as it was spoken: start_s and end_s in seconds from the clip's start, confidence in [0, 1]."""

    text: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True)
class Alternative:
    """Another reading of the same clip, and the calibrated probability that it is the right one, in [0, 1]."""

    text: str
    confidence: float


@dataclass(frozen=True)
class Prediction:
    """A reading of one clip.

    text          the best reading, also when the reader abstains (ask `abstained` before you show it as sure)
    confidence    calibrated probability that all of `text` is right, in [0, 1]
    abstained     True: not sure; offer `text` and the first alternatives as possibilities, never as the answer
    alternatives  other readings, most probable first, without `text` itself; at least three where the grammar has them
    words         `text` word by word with times
    grammar       name of the grammar that bound the reading; None: free reading
    """

    text: str
    confidence: float
    abstained: bool
    alternatives: tuple[Alternative, ...]
    words: tuple[Word, ...]
    language: str
    grammar: str | None
