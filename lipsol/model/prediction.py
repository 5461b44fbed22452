"""What a reader says: the words, how sure it is of each, and what else they could have been."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Word:
    """One word as it was spoken: start_s and end_s in seconds from the clip's start, confidence in [0, 1].

    alike  other words that could stand in its place and look the same on the lips
    """

    text: str
    start_s: float
    end_s: float
    confidence: float
    alike: tuple[str, ...] = ()


@dataclass(frozen=True)
class Alternative:
    """Another reading of the same clip, and the calibrated probability that it is the right one, in [0, 1].

    look  the same for readings that look the same on the lips; 1: like the prediction's own text; 0: not told
    """

    text: str
    confidence: float
    look: int = 0


@dataclass(frozen=True)
class Prediction:
    """A reading of one clip.

    text          the best reading, also when the reader abstains (ask `abstained` before you show it as sure)
    confidence    calibrated probability that all of `text` is right, in [0, 1]
    abstained     True: not sure; offer `text` and the first alternatives as possibilities, never as the answer
    alternatives  other readings, most probable first, without `text` itself; at least three where the grammar has them,
                  of a board every other phrase
    words         `text` word by word with times
    grammar       name of the grammar that bound the reading; None: free reading
    none          of a board: the calibrated probability that none of its phrases was said; else None
    """

    text: str
    confidence: float
    abstained: bool
    alternatives: tuple[Alternative, ...]
    words: tuple[Word, ...]
    language: str
    grammar: str | None
    none: float | None = None
