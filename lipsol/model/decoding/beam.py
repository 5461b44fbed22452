"""Free reading by prefix beam search (Hannun et al. 2014): alignments of the same text are summed, in log space."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float64, Int

from lipsol.model.decoding.chain import ctc_align, encode, timed_words
from lipsol.model.decoding.decoded import NEVER, Decoded, Hypothesis, floored, share
from lipsol.model.decoding.hot_beam import HotPrefixes
from lipsol.model.emissions import BLANK, Emissions
from lipsol.text.hotwords import NO_HOTWORDS, Hotwords

Hot = Float64[np.ndarray, "..."]


def decode_beam(
    emissions: Emissions, width: int = 16, alternatives: int = 5, hotwords: Hotwords = NO_HOTWORDS
) -> Decoded:
    """The likeliest texts that a beam of `width` prefixes finds; with hotwords the one that they prefer comes first.

    Probabilities are normalised over the final beam, so they are the share among what was found, not CTC's own
    probability; hotwords don't count in them. Times are those of the best text's likeliest alignment.
    """
    logp = floored(emissions.char_logp)
    found = beam_search(logp, emissions.characters, width)
    if hotwords:
        masses = dict(found)
        for text, mass in beam_search(logp, emissions.characters, width, HotPrefixes(hotwords)):
            masses[text] = max(mass, masses.get(text, NEVER))
        first = max(masses, key=lambda text: masses[text] + hotwords.boost(text.split()))
        found = sorted(masses.items(), key=lambda item: (item[0] != first, -item[1]))
    whole = np.logaddexp.reduce([mass for _, mass in found])
    readings = [Hypothesis(text, share(float(mass - whole))) for text, mass in found]
    best = readings[0]
    ids = encode(best.text, emissions.characters)
    words = timed_words(best.text, ids, ctc_align(logp, ids), logp)
    others = tuple(other for other in readings[1:] if other.text)[:alternatives]
    return Decoded(best.text, best.probability, words, others)


def beam_search(
    logp: Float64[np.ndarray, "frames classes"], characters: str, width: int, hot: HotPrefixes | None = None
) -> list[tuple[str, float]]:
    """Texts and their log-masses, likeliest first. Exact if no prefix had to be dropped.

    hot: what is preferred when prefixes are dropped; the masses don't count it. Texts that differ in needless spaces
    alone count as one.
    """
    prefixes = _Prefixes() if hot is None else _HotPrefixes(hot, characters)
    beam = _Beam.empty()
    for frame in logp:
        beam = _advance(beam, frame, prefixes, width)
    masses: dict[str, float] = {}
    for name, mass in zip(beam.names, np.logaddexp(beam.blank, beam.voiced), strict=True):
        text = " ".join("".join(characters[n - 1] for n in prefixes.classes(name)).split())
        masses[text] = float(np.logaddexp(masses.get(text, NEVER), mass))
    return sorted(masses.items(), key=lambda item: -item[1])


@dataclass
class _Prefixes:
    """A tree of texts; each has a number, the empty one 0."""

    parents: list[int] = field(default_factory=lambda: [0])
    last: list[int] = field(default_factory=lambda: [BLANK])
    numbers: dict[tuple[int, int], int] = field(default_factory=dict)

    def longer(self, name: int, character: int) -> int:
        """The number of a prefix with one character more."""
        number = self.numbers.setdefault((name, character), len(self.parents))
        if number == len(self.parents):
            self.parents.append(name)
            self.last.append(character)
        return number

    def classes(self, name: int) -> list[int]:
        """A prefix, spelled."""
        spelled: list[int] = []
        while name:
            spelled.append(self.last[name])
            name = self.parents[name]
        return spelled[::-1]

    def preferences(self, names: list[int], classes: int) -> tuple[Hot, Hot] | None:
        """What each prefix is preferred by, and what it would be with each class more; None: all are alike."""
        del names, classes
        return None


class _HotPrefixes(_Prefixes):
    """Prefixes that know what hotwords add to them."""

    def __init__(self, hot: HotPrefixes, characters: str) -> None:
        super().__init__()
        self._hot = hot
        self._characters = characters
        self._standing = [hot.empty()]

    def longer(self, name: int, character: int) -> int:
        number = super().longer(name, character)
        if number == len(self._standing):
            self._standing.append(self._hot.longer(self._standing[name], self._characters[character - 1]))
        return number

    def preferences(self, names: list[int], classes: int) -> tuple[Hot, Hot] | None:
        standing = [self._standing[name] for name in names]
        stay = np.array([self._hot.worth(each) for each in standing])
        grow = np.repeat(np.array([[each.gained] for each in standing]), classes, axis=1)
        for row, each in enumerate(standing):
            for letter, worth in self._hot.children(each).items():
                if letter in self._characters:
                    grow[row, self._characters.index(letter) + 1] = worth
        return stay, grow


@dataclass(frozen=True)
class _Beam:
    """The prefixes alive after a frame.

    names   their numbers
    last    int, shape (alive,): class of each one's last character, BLANK for the empty prefix
    blank   float, shape (alive,): log-mass of the alignments that end in a blank
    voiced  float, shape (alive,): of those that end in the last character itself
    """

    names: list[int]
    last: Int[np.ndarray, "alive"]
    blank: Float64[np.ndarray, "alive"]
    voiced: Float64[np.ndarray, "alive"]

    @classmethod
    def empty(cls) -> "_Beam":
        """Before the first frame: the empty prefix alone."""
        return cls([0], np.zeros(1, np.intp), np.zeros(1), np.full(1, NEVER))


def _advance(beam: _Beam, frame: Float64[np.ndarray, "classes"], prefixes: _Prefixes, width: int) -> _Beam:
    """One frame on: each prefix stays as it is or grows by a character; the likeliest `width` live on."""
    whole = np.logaddexp(beam.blank, beam.voiced)
    blank = whole + frame[BLANK]
    voiced = np.where(beam.last == BLANK, NEVER, beam.voiced + frame[beam.last])
    grown = whole[:, None] + frame[None, :]
    rows = np.arange(len(beam.names))
    grown[rows, beam.last] = beam.blank + frame[beam.last]  # a repeat needs a blank in between
    grown[:, BLANK] = NEVER
    row_of = {name: row for row, name in enumerate(beam.names)}
    for row, name in enumerate(beam.names):
        parent = row_of.get(prefixes.parents[name]) if name else None
        if parent is not None:  # grown from its parent it is a prefix that is alive already
            voiced[row] = np.logaddexp(voiced[row], grown[parent, beam.last[row]])
            grown[parent, beam.last[row]] = NEVER
    masses = np.concatenate([np.logaddexp(blank, voiced), grown.ravel()])
    hot = prefixes.preferences(beam.names, grown.shape[1])
    scores = masses if hot is None else masses + np.concatenate([hot[0], hot[1].ravel()])
    best = np.argsort(-scores, kind="stable")[:width]
    best = best[masses[best] > NEVER / 2]
    return _survivors(beam, best, np.stack([blank, voiced]), grown, prefixes)


def _survivors(
    beam: _Beam,
    best: Int[np.ndarray, "kept"],
    stayed: Float64[np.ndarray, "2 alive"],
    grown: Float64[np.ndarray, "alive classes"],
    prefixes: _Prefixes,
) -> _Beam:
    """The next beam. best: indexes into the prefixes that stayed, followed by those that grew, row by row."""
    alive, classes = grown.shape
    same, longer = best[best < alive], best[best >= alive] - alive
    rows, characters = np.divmod(longer, classes)
    names = [beam.names[row] for row in same.tolist()]
    names += [prefixes.longer(beam.names[row], n) for row, n in zip(rows.tolist(), characters.tolist(), strict=True)]
    return _Beam(
        names,
        np.concatenate([beam.last[same], characters]),
        np.concatenate([stayed[0, same], np.full(len(longer), NEVER)]),
        np.concatenate([stayed[1, same], grown[rows, characters]]),
    )
