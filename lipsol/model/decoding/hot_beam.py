"""What hotwords add to a prefix of a beam: all for those that are complete, a part for one that is being spelled.

The part is the share of its letters that stand already, as a promise that keeps the prefix alive among better ones; it
is taken back where the word goes on otherwise.
"""

import math
from dataclasses import dataclass, field

from lipsol.text.hotwords import Hotwords

SPACE = " "


@dataclass
class _Node:
    """A beginning of hotwords, letter by letter.

    gain     log of what is gained where a word ends here
    promise  log of what a prefix that ends here is worth: the best of the hotwords that begin so, by their share
    """

    after: dict[str, "_Node"] = field(default_factory=dict)
    gain: float = 0.0
    promise: float = 0.0


@dataclass(frozen=True)
class Standing:
    """A prefix among hotwords: what it has gained for words that are over, and the beginnings that end with it."""

    gained: float
    begun: tuple[_Node, ...]
    fresh: bool  # at a word's beginning


class HotPrefixes:
    """The hotwords, ready for a beam."""

    def __init__(self, hotwords: Hotwords) -> None:
        self._root = _Node()
        for words, times in hotwords.weights:
            text, node = " ".join(words), self._root
            for n, letter in enumerate(text, start=1):
                node = node.after.setdefault(letter, _Node())
                node.promise = max(node.promise, math.log(times) * n / len(text))
            node.gain += math.log(times)

    def empty(self) -> Standing:
        """Of the empty prefix."""
        return Standing(0.0, (self._root,), True)

    def longer(self, standing: Standing, letter: str) -> Standing:
        """Of a prefix with one character more."""
        if letter == SPACE:
            if standing.fresh:
                return standing
            begun = tuple(node.after[SPACE] for node in standing.begun if SPACE in node.after)
            return Standing(self.whole(standing), (*begun, self._root), True)
        return Standing(standing.gained, tuple(n.after[letter] for n in standing.begun if letter in n.after), False)

    def worth(self, standing: Standing) -> float:
        """What the prefix is preferred by while it may still grow."""
        return standing.gained + max((node.promise for node in standing.begun), default=0.0)

    def whole(self, standing: Standing) -> float:
        """What it is preferred by if its last word ends here."""
        return standing.gained + sum(node.gain for node in standing.begun)

    def children(self, standing: Standing) -> dict[str, float]:
        """What the prefix is preferred by with one character more, for those that don't leave it at `gained`."""
        letters = {letter for node in standing.begun for letter in node.after} | {SPACE}
        return {letter: self.worth(self.longer(standing, letter)) for letter in letters}
