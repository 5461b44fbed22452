"""What was decoded -> what is told: raw probabilities become confidences that can be believed, or the reader abstains.

Laws, of every prediction:
- The confidences of all its readings, and of none of them where it tells that, are 1 together at most.
- They fall from one alternative to the next, and none is over the reading's own unless hotwords chose the reading.
- No hotword adds to a confidence. A reading that hotwords alone brought to the top is always abstained from.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lipsol.card import Confidence, Scale
from lipsol.clips.clip import FPS
from lipsol.model.alike import looks_of, varied, words_alike
from lipsol.model.decoding import Decoded, Timed
from lipsol.model.prediction import Alternative, Prediction, Word
from lipsol.text.grammar import Grammar

NEVER_QUITE = 1e-6  # probabilities stay this far from 0 and 1
FOUND, KEPT = 12, 5  # readings beside the best that are looked for, so that those which are kept look different
DIGITS, BOARD_DIGITS = 4, 6  # of a confidence; a board may have hundreds


@dataclass(frozen=True)
class Place:
    """Where a reading was made: the language, the grammar that bound it (None: free), and the words that are known."""

    language: str
    grammar: Grammar | None
    known: Sequence[str]


def told(decoded: Decoded, held: Confidence, place: Place, *, stranger: bool) -> Prediction:
    """A reading under a grammar or free. held: the calibration of that way of decoding."""
    sentence, word = (held.stranger, held.stranger_word) if stranger else (held.sentence, held.word)
    texts, raw = _readings(decoded)
    sure = shared(sentence, raw)
    words = [max(sure[0], scaled(word, each.probability)) for each in decoded.words]
    kept = varied(texts, place.language, KEPT)
    return Prediction(
        text=decoded.text,
        confidence=_down(sure[0], DIGITS),
        abstained=_unsure(decoded, sure[0], held.stranger_threshold if stranger else held.threshold),
        alternatives=_alternatives([texts[n] for n in kept], [sure[n] for n in kept], place.language, DIGITS),
        words=_words(decoded.words, words, place),
        language=place.language,
        grammar=place.grammar.name if place.grammar is not None else None,
    )


def told_board(decoded: Decoded, inside: float, among: Sequence[float], threshold: float, place: Place) -> Prediction:
    """A reading of a board, with every phrase among the alternatives.

    inside: probability that one of the phrases was said; among: of the reading and each alternative, if one was.
    """
    texts, _ = _readings(decoded)
    every = [inside * share for share in among]
    sure = [_down(each, BOARD_DIGITS) for each in every]
    words = [_at_place(word.text, n, texts, every) for n, word in enumerate(decoded.words)]
    order = [0, *sorted(range(1, len(texts)), key=lambda n: -sure[n])]
    return Prediction(
        text=decoded.text,
        confidence=sure[0],
        abstained=_unsure(decoded, every[0], threshold),
        alternatives=_alternatives([texts[n] for n in order], [every[n] for n in order], place.language, BOARD_DIGITS),
        words=_words(decoded.words, words, place),
        language=place.language,
        grammar=place.grammar.name if place.grammar is not None else None,
        none=round(max(0.0, 1 - sum(sure)), BOARD_DIGITS),
    )


def scaled(scale: Scale, probability: float) -> float:
    """A raw probability after Platt scaling, in (0, 1): never quite 1, so that a bound of 1 is never reached."""
    kept = _inside(probability)
    return _inside(float(1 / (1 + np.exp(-(scale.slope * np.log(kept / (1 - kept)) + scale.offset)))))


def shared(scale: Scale, raw: Sequence[float]) -> list[float]:
    """The confidence of each reading: of the likeliest by the scale; the others share what it leaves, in proportion."""
    best = int(np.argmax(raw))
    sure, left = scaled(scale, raw[best]), max(1 - raw[best], NEVER_QUITE)
    return [sure if n == best else min(sure, (1 - sure) * min(each / left, 1.0)) for n, each in enumerate(raw)]


def _readings(decoded: Decoded) -> tuple[list[str], list[float]]:
    every = [(decoded.text, decoded.probability), *((other.text, other.probability) for other in decoded.alternatives)]
    return [text for text, _ in every], [probability for _, probability in every]


def _unsure(decoded: Decoded, confidence: float, threshold: float) -> bool:
    """Whether a reading is offered as a possibility alone: empty, below the bound, or on top by hotwords alone."""
    chosen = any(other.probability > decoded.probability for other in decoded.alternatives)
    return not decoded.text or chosen or confidence < threshold


def _alternatives(texts: Sequence[str], sure: Sequence[float], language: str, digits: int) -> tuple[Alternative, ...]:
    """texts: the reading itself, then the others, likeliest first."""
    looks = looks_of(texts, language)
    rows = list(zip(texts, sure, looks, strict=True))[1:]
    return tuple(Alternative(text, _down(share, digits), look) for text, share, look in rows)


def _words(timed: Sequence[Timed], sure: Sequence[float], place: Place) -> tuple[Word, ...]:
    alike = words_alike([each.text for each in timed], place.grammar, place.known, place.language)
    return tuple(
        Word(each.text, each.start / FPS, each.end / FPS, round(share, DIGITS), others)
        for each, share, others in zip(timed, sure, alike, strict=True)
    )


def _at_place(word: str, place: int, texts: Sequence[str], sure: Sequence[float]) -> float:
    """Probability that a word stands at a place of what was said: that of all phrases in which it does."""
    return min(1.0, sum(share for text, share in zip(texts, sure, strict=True) if text.split()[place:][:1] == [word]))


def _down(share: float, digits: int) -> float:
    """Rounded, never up: so that no sum is over what it was."""
    return math.floor(share * 10.0**digits) / 10.0**digits


def _inside(probability: float) -> float:
    return min(max(probability, NEVER_QUITE), 1 - NEVER_QUITE)
