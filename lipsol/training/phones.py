"""GRID's words as frames of phones: a teaching aid for the networks only."""

from lipsol.text.phones import PHONES_OF

VOWELS = frozenset("aa ae ah ao aw ay eh ey ih iy ow uw".split())
PHONES: tuple[str, ...] = tuple(sorted({phone for phones in PHONES_OF.values() for phone in phones}))


def phone_frames(word: str, frames: int) -> list[int]:
    """Class (1 + index in PHONES) of each of a word's frames: its span cut by its phones, vowels twice as long.

    [] for a word without an entry is never right, so a word that is not GRID's raises KeyError.
    """
    phones = PHONES_OF[word]
    weights = [2 if phone in VOWELS else 1 for phone in phones]
    ends = [sum(weights[: n + 1]) / sum(weights) for n in range(len(phones))]
    at = [next(n for n, end in enumerate(ends) if (frame + 0.5) / frames <= end + 1e-9) for frame in range(frames)]
    return [1 + PHONES.index(phones[n]) for n in at]
