"""MouthClip -> Prediction: `hear` lets the network run, batched; `decode` makes words of that. Never needs torch.

What the network says becomes words by one of three ways of decoding (grammar, beam, or the word model's own choice),
and raw probabilities become confidences by the bundle's calibration, which knows a familiar speaker from a stranger.
Below the bundle's threshold the reader abstains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

import numpy as np
from jaxtyping import Shaped

from lipsol.bundle import Bundle
from lipsol.card import Confidence, Scale
from lipsol.clips.clip import FPS, MouthClip
from lipsol.engine import Engine
from lipsol.errors import BadInput
from lipsol.model.decoding import Blend, Decoded, Hypothesis, Timed, decode_beam, decode_grammar
from lipsol.model.emissions import Emissions
from lipsol.model.prediction import Alternative, Prediction, Word
from lipsol.text.grammar import Grammar

MAX_BATCH = 8  # clips of similar length that go through the network together
BLEND = Blend(words=0.7, scale=0.8)  # of the two heads: the least area under validation's risk-coverage curve
SEEN = ("mouth", "lips", "jaw")  # the parts of a MouthClip that networks look at
MIN_FRAMES = 2  # of a clip; GRID's shortest words last two frames
NEVER_QUITE = 1e-6  # probabilities stay this far from 0 and 1


class BundleGrammar(Enum):
    """Stands for the grammar that the bundle itself brings."""

    OWN = "own"


BUNDLE_GRAMMAR: Final = BundleGrammar.OWN
Bound: TypeAlias = Grammar | None | BundleGrammar


@dataclass(frozen=True)
class Heard:
    """One clip as the network saw it: its emissions (of a words model one frame) and how strange its speaker is."""

    emissions: Emissions
    strangeness: float
    frames: int


class Reader:
    """Reads mouths with one bundle. Safe to share between threads."""

    def __init__(self, bundle: Bundle, engine: Engine = Engine()) -> None:  # noqa: B008 - it is frozen
        """Raises ModelError if the bundle's network can't be run by that engine."""
        self.bundle = bundle
        self.grammar = Grammar.from_json(bundle.grammar) if bundle.grammar else None
        self.engine = engine
        self._session = engine.session(bundle.network, bundle.name)

    def read(self, mouth: MouthClip, grammar: Bound = BUNDLE_GRAMMAR) -> Prediction:
        """Read one mouth. Raises BadInput for a clip too short or a grammar that the bundle's alphabet can't spell."""
        return self.read_many([mouth], [grammar])[0]

    def read_many(self, mouths: Sequence[MouthClip], grammars: Sequence[Bound]) -> list[Prediction]:
        """Read several mouths, each under its own grammar (None: free reading), in the order given."""
        heard = self.hear(mouths)
        return [self.decode(each, grammar) for each, grammar in zip(heard, grammars, strict=True)]

    def decode(self, heard: Heard, grammar: Bound = BUNDLE_GRAMMAR) -> Prediction:
        """The words of what was heard, under a grammar (None: free reading), and how sure they are.

        Raises BadInput for a grammar that the bundle's alphabet can't spell.
        """
        bound = self._bound(grammar)
        return self._calibrated(self._decode(heard, bound), self._held(bound), heard.strangeness > 0, bound)

    def decode_many(self, mouths: Sequence[MouthClip], grammars: Sequence[Bound]) -> list[Decoded]:
        """Readings with raw probabilities: what calibration is fitted on."""
        return [
            self._decode(heard, self._bound(grammar))
            for heard, grammar in zip(self.hear(mouths), grammars, strict=True)
        ]

    def hear(self, mouths: Sequence[MouthClip], at_once: int = MAX_BATCH) -> list[Heard]:
        """What the network says of each mouth, before any decoding, in the order given.

        Clips of similar length share a batch of `at_once` at most. Raises BadInput for a clip too short.
        """
        for mouth in mouths:
            check_length(mouth)
        order = sorted(range(len(mouths)), key=lambda n: len(mouths[n]))
        heard: dict[int, Heard] = {}
        for at in range(0, len(order), at_once):
            group = order[at : at + at_once]
            heard.update(zip(group, self._run([mouths[n] for n in group]), strict=True))
        return [heard[n] for n in range(len(mouths))]

    def _run(self, mouths: Sequence[MouthClip]) -> list[Heard]:
        length = [len(mouth) for mouth in mouths]
        clips, frames = self.engine.padded(len(mouths), max(length))
        feeds = {name: _padded([getattr(mouth, name) for mouth in mouths], clips, frames) for name in SEEN}
        feeds["length"] = np.array([*length, *[MIN_FRAMES] * (clips - len(mouths))], np.int64)
        outputs = self._session.run(feeds)
        return [self._heard(own, [out[n] for out in outputs]) for n, own in enumerate(length)]

    def _heard(self, frames: int, outputs: list[Any]) -> Heard:
        """outputs: of one clip, as the bundle's kind has them: arrays, then how strange its speaker is (a number)."""
        if self.bundle.kind == "words":
            words, strange = outputs
            logp = np.concatenate([np.full(1, -np.inf, np.float32), words])[np.newaxis]
            chars = np.zeros((1, 1 + len(self.bundle.characters)), np.float32)
        else:
            chars, logp, strange = outputs[0][:frames], outputs[1][:frames], outputs[2]
        return Heard(Emissions(chars, logp, self.bundle.characters, self.bundle.words), float(strange), frames)

    def _bound(self, grammar: Bound) -> Grammar | None:
        return self.grammar if isinstance(grammar, BundleGrammar) else grammar

    def _decode(self, heard: Heard, grammar: Grammar | None) -> Decoded:
        if self.bundle.kind == "words":
            return _choose(heard, grammar)
        return (
            decode_beam(heard.emissions) if grammar is None else decode_grammar(heard.emissions, grammar, blend=BLEND)
        )

    def _held(self, grammar: Grammar | None) -> Confidence:
        """The calibration of the way that a clip is decoded."""
        return self.bundle.confidence[
            "words" if self.bundle.kind == "words" else "free" if grammar is None else "grammar"
        ]

    def _calibrated(self, decoded: Decoded, held: Confidence, stranger: bool, grammar: Grammar | None) -> Prediction:
        sentence, word = (held.stranger, held.stranger_word) if stranger else (held.sentence, held.word)
        confidence = scaled(sentence, decoded.probability)
        words = tuple(
            Word(each.text, each.start / FPS, each.end / FPS, round(max(confidence, scaled(word, each.probability)), 4))
            for each in decoded.words
        )
        return Prediction(
            text=decoded.text,
            confidence=round(confidence, 4),
            abstained=not decoded.text or confidence < (held.stranger_threshold if stranger else held.threshold),
            alternatives=_alternatives(decoded, confidence),
            words=words,
            language=self.bundle.language,
            grammar=grammar.name if grammar is not None else None,
        )


def scaled(scale: Scale, probability: float) -> float:
    """A raw probability after Platt scaling, in (0, 1): never quite 1, so that a bound of 1 is never reached."""
    kept = _inside(probability)
    return _inside(float(1 / (1 + np.exp(-(scale.slope * np.log(kept / (1 - kept)) + scale.offset)))))


def _inside(probability: float) -> float:
    return min(max(probability, NEVER_QUITE), 1 - NEVER_QUITE)


def _alternatives(decoded: Decoded, confidence: float) -> tuple[Alternative, ...]:
    """The other readings share what the best one leaves, in proportion to their raw probabilities."""
    left = max(1 - decoded.probability, NEVER_QUITE)
    return tuple(
        Alternative(other.text, round(min(confidence, (1 - confidence) * min(other.probability / left, 1.0)), 4))
        for other in decoded.alternatives
    )


def _choose(heard: Heard, grammar: Grammar | None, most: int = 5) -> Decoded:
    """The likeliest words of a words model, among those of the grammar where one binds it."""
    known = heard.emissions.words
    allowed = [n for n, word in enumerate(known) if grammar is None or word in grammar.words]
    if not allowed:
        raise BadInput(
            f"the grammar {grammar.name if grammar else ''!r} has none of the model's {len(known)} words",
            "use a grammar of words that it knows",
        )
    logp = heard.emissions.word_logp[0, 1:][allowed].astype(np.float64)
    share = np.exp(logp - np.logaddexp.reduce(logp))
    order = np.argsort(-share, kind="stable")[: most + 1]
    best, *others = [(known[allowed[n]], float(share[n])) for n in order]
    return Decoded(
        best[0], best[1], (Timed(best[0], 0, heard.frames, best[1]),), tuple(Hypothesis(*other) for other in others)
    )


def check_length(mouth: MouthClip) -> None:
    """Raise BadInput for a clip too short to be read."""
    if len(mouth) < MIN_FRAMES:
        raise BadInput(
            f"the clip has {len(mouth)} frame at 25 a second, at least {MIN_FRAMES} are needed", "send a longer clip"
        )


def _padded(arrays: Sequence[Shaped[np.ndarray, "..."]], clips: int, frames: int) -> np.ndarray:
    """Arrays of different length stacked to (clips, frames, ...), zeros after each one's end and after the last one."""
    out = np.zeros((clips, frames, *arrays[0].shape[1:]), arrays[0].dtype)
    for row, array in zip(out, arrays, strict=False):
        row[: len(array)] = array
    return out
