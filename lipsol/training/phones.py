"""GRID's 51 words in phones (ARPAbet, after the CMU Pronouncing Dictionary): a teaching aid for the networks only."""

PHONES_OF: dict[str, tuple[str, ...]] = {
    word: tuple(phones.split())
    for word, phones in {
        "bin": "b ih n", "lay": "l ey", "place": "p l ey s", "set": "s eh t",
        "blue": "b l uw", "green": "g r iy n", "red": "r eh d", "white": "w ay t",
        "at": "ae t", "by": "b ay", "in": "ih n", "with": "w ih dh",
        "a": "ey", "b": "b iy", "c": "s iy", "d": "d iy", "e": "iy", "f": "eh f", "g": "jh iy", "h": "ey ch",
        "i": "ay", "j": "jh ey", "k": "k ey", "l": "eh l", "m": "eh m", "n": "eh n", "o": "ow", "p": "p iy",
        "q": "k y uw", "r": "aa r", "s": "eh s", "t": "t iy", "u": "y uw", "v": "v iy", "x": "eh k s", "y": "w ay",
        "z": "z eh d",
        "zero": "z ih r ow", "one": "w ah n", "two": "t uw", "three": "th r iy", "four": "f ao r", "five": "f ay v",
        "six": "s ih k s", "seven": "s eh v ah n", "eight": "ey t", "nine": "n ay n",
        "again": "ah g eh n", "now": "n aw", "please": "p l iy z", "soon": "s uw n",
    }.items()
}  # fmt: skip

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
