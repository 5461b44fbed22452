"""`card.json`: what a bundle must say of itself to be read with, and whether that fits this LipSol.

A card says more (scores, data, training, licence), which is for people and passes through untouched.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lipsol.archive import FETCH
from lipsol.clips import landmarks
from lipsol.errors import BadInput, LipsolError, ModelError
from lipsol.text.alphabet import ALPHABETS, Alphabet, described, normalise
from lipsol.text.grammar import Grammar
from lipsol.validation import told

FORMAT = 2  # of the card; a reader refuses what it doesn't know
UNGILDED = 1  # the format before golden answers; `lipsol models gild` makes FORMAT of it
GILD = "give it golden answers: `lipsol models gild`"

Kind = Literal["words", "sentences"]
Way = Literal["grammar", "free", "words"]


@dataclass(frozen=True)
class Scale:
    """Platt scaling (Platt 1999): raw probability p -> 1 / (1 + exp(-(slope * logit(p) + offset)))."""

    slope: float
    offset: float


@dataclass(frozen=True)
class Confidence:
    """How raw probabilities of one way of decoding become confidences, and when the reader abstains.

    sentence, word        scales for a speaker like the known one
    stranger, stranger_word   scales for an unfamiliar speaker, fitted on speakers that training had left out
    threshold             the reader abstains below this confidence; the same bound for an unfamiliar speaker's scale
    """

    sentence: Scale
    word: Scale
    stranger: Scale
    stranger_word: Scale
    threshold: float
    stranger_threshold: float


@dataclass(frozen=True)
class Answer:
    """What a golden clip is read as, one way of decoding, and the confidence of that reading."""

    way: Way
    text: str
    confidence: float


class GoldenTold(BaseModel):
    """One golden clip as the card tells of it; its mouth lies among the others in the bundle."""

    clip: str
    frames: int = Field(ge=1)
    answers: tuple[Answer, ...] = Field(min_length=1)


class Card(BaseModel):
    """The part of a card that a reader needs."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: int = FORMAT
    name: str
    version: str
    kind: Kind
    language: str
    characters: str
    words: tuple[str, ...]
    grammar: str
    grammar_document: dict[str, Any] | None
    landmarks: str
    confidence: Mapping[str, Confidence]
    golden: tuple[GoldenTold, ...] = ()


def parsed(file: str, data: bytes) -> dict[str, Any]:
    """The whole card as JSON. Raises ModelError, naming the file, if it is no JSON object."""
    try:
        card = json.loads(data)
    except (ValueError, RecursionError) as fault:
        raise ModelError(f"{file} has a card that is no JSON ({fault})", FETCH) from fault
    if not isinstance(card, dict):
        raise ModelError(f"{file} has a card that is no JSON object", FETCH)
    return card


def checked(file: str, card: Mapping[str, Any], *, ungilded: bool = False) -> Card:
    """What a reader needs of a card. ungilded: whether one without golden answers will do.

    Raises ModelError naming the file, its fault and the cure: another format, something missing or odd, no golden
    answers, landmarks or letters that are not those of this LipSol.
    """
    known = card.get("format")
    if known != FORMAT and not (ungilded and known == UNGILDED):
        cure = GILD if known == UNGILDED else "use a bundle of this release, or the release of this bundle"
        raise ModelError(f"{file} has card format {known}, this LipSol reads {FORMAT}", cure)
    try:
        held = Card.model_validate(card)
    except ValidationError as fault:
        raise ModelError(
            f"{file} has a card that says too little, or something odd ({told(fault, 3)})", FETCH
        ) from fault
    if not held.golden and not ungilded:
        raise ModelError(f"{file} has no golden answers, so nothing shows that it reads as it did", GILD)
    _check_landmarks(file, held)
    _check_letters(file, held)
    return held


def _check_landmarks(file: str, card: Card) -> None:
    if card.landmarks != landmarks.MODEL:
        raise ModelError(
            f"{file} was trained on the landmarks of {card.landmarks!r}, here they come from {landmarks.MODEL!r}",
            "weights are bound to their landmark model: use a bundle trained on this one",
        )


def _check_letters(file: str, card: Card) -> None:
    """Refuse a language, a letter or a spelling that this LipSol has not, and words that the bundle can't spell."""
    installed = ALPHABETS.get(card.language)
    if installed is None:
        raise ModelError(
            f"{file} reads {card.language!r}, and here are the alphabets of {', '.join(sorted(ALPHABETS))}",
            "use a bundle of one of these, or a LipSol that has its alphabet",
        )
    strange = sorted(set(card.characters) - set(installed.characters))
    if strange:
        raise ModelError(
            f"{file} spells with {', '.join(map(described, strange[:3]))}, not in the alphabet {card.language!r} here",
            "use a bundle trained with this alphabet, or the LipSol that it was trained with",
        )
    try:
        alphabet = Alphabet(card.language, card.characters)
        words = card.words if card.grammar_document is None else (*card.words, *_grammar(card).words)
        for word in dict.fromkeys(words):
            alphabet.encode(word)
            if normalise(word, card.language) != word:
                raise BadInput(f"{word!r} is spelt {normalise(word, card.language)!r} here")
    except LipsolError as fault:
        raise ModelError(
            f"{file} has words that can't be spelt here: {fault.detail}",
            "use a bundle trained with this alphabet and spelling, or the LipSol that it was trained with",
        ) from fault


def _grammar(card: Card) -> Grammar:
    grammar = Grammar.from_json(json.dumps(card.grammar_document, ensure_ascii=False))
    if grammar.language != card.language:
        raise BadInput(f"its grammar is of {grammar.language!r}, it reads {card.language!r}")
    return grammar
