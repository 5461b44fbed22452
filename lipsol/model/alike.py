"""What looks the same on the lips, among readings and among the words that could stand in a place.

Readings that look the same are offered together: a person who sees three possibilities is shown three looks, not three
spellings of one, unless that is all there is.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from lipsol.text.grammar import Grammar
from lipsol.text.homophenes import homophenes, look_of

LOOKS = 3  # different looks among the readings that are kept, if there are so many


def looks_of(texts: Sequence[str], language: str) -> list[int]:
    """A number for each reading: the same for those that look the same, 1 for the first one's look, rising."""
    numbers: dict[tuple[str, ...], int] = {}
    return [numbers.setdefault(look_of(text, language), len(numbers) + 1) for text in texts]


def varied(texts: Sequence[str], language: str, most: int) -> list[int]:
    """Places of the readings to keep: the first `most`, the last of them given up for looks that are still missing.

    texts: the reading itself, then the others, likeliest first. The reading itself always stays.
    """
    looks = looks_of(texts, language)
    kept = list(range(min(len(texts), most + 1)))
    for place in range(len(kept), len(texts)):
        have = {looks[n] for n in kept}
        spare = [n for n in kept[1:] if looks[n] in {looks[other] for other in kept if other < n}]
        if len(have) >= LOOKS or not spare:
            break
        if looks[place] not in have:
            kept.remove(spare[-1])
            kept.append(place)
    return kept


def words_alike(
    said: Sequence[str], grammar: Grammar | None, known: Sequence[str], language: str
) -> list[tuple[str, ...]]:
    """For each word of a reading the others that look like it, of those that could stand in its place.

    grammar: it says which could; None: any of the `known` words.
    """
    found: list[tuple[str, ...]] = []
    ways = None if grammar is None else _ways(grammar)
    state = 0
    for word in said:
        there = dict.fromkeys(known, 0) if ways is None else ways.get(state, {})
        found.append(homophenes(word, there, language))
        state = there.get(word, 0)
    return found


@lru_cache(maxsize=16)
def _ways(grammar: Grammar) -> Mapping[int, Mapping[str, int]]:
    """Where each word leads from each state."""
    ways: dict[int, dict[str, int]] = {}
    for arc in grammar.arcs:
        ways.setdefault(arc.start, {})[arc.word] = arc.end
    return ways
