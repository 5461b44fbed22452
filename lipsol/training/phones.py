"""A vocabulary's words as frames of phones: a teaching aid for the networks only."""

from collections.abc import Sequence

from lipsol.text.phones import VOWELS, phones_of


def inventory(vocabulary: Sequence[str], language: str) -> tuple[str, ...]:
    """The phones of all the words, sorted: a network's classes. Raises NotFound for a language without phones."""
    return tuple(sorted({phone for word in vocabulary for phone in phones_of(word, language)}))


def phone_frames(phones: Sequence[str], frames: int, classes: Sequence[str]) -> list[int]:
    """Class (1 + index in `classes`) of each of a word's frames: its span cut by its phones, vowels twice as long."""
    weights = [2 if phone in VOWELS else 1 for phone in phones]
    ends = [sum(weights[: n + 1]) / sum(weights) for n in range(len(phones))]
    at = [next(n for n, end in enumerate(ends) if (frame + 0.5) / frames <= end + 1e-9) for frame in range(frames)]
    return [1 + classes.index(phones[n]) for n in at]
