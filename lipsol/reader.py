"""MouthClip -> Prediction, batched, by onnxruntime; never needs torch.

What the network says becomes words by one of three ways of decoding (grammar, beam, or the word model's own choice),
and raw probabilities become confidences by the bundle's calibration, which knows a familiar speaker from a stranger.
Below the bundle's threshold the reader abstains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

import numpy as np
import onnxruntime
from jaxtyping import Shaped

from lipsol.bundle import Bundle, Confidence, Scale
from lipsol.clips.clip import FPS, MouthClip
from lipsol.errors import BadInput, ModelError
from lipsol.model.decoding import Blend, Decoded, Hypothesis, Timed, decode_beam, decode_grammar
from lipsol.model.emissions import Emissions
from lipsol.model.prediction import Alternative, Prediction, Word
from lipsol.text.grammar import Grammar

MAX_BATCH = 8  # clips of similar length that go through the network together
BLEND = Blend(words=0.7, scale=0.8)  # of the two heads: the least area under validation's risk-coverage curve
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

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        """threads: of one onnxruntime session. Raises ModelError if the bundle's network can't be run."""
        self.bundle = bundle
        self.grammar = Grammar.from_json(bundle.grammar) if bundle.grammar else None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.add_session_config_entry(
            "session.intra_op.allow_spinning", "0"
        )  # spinning starves neighbours on shared cores
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(bundle.network, options, providers=["CPUExecutionProvider"])
        except Exception as fault:  # onnxruntime raises classes of its own that share no public base
            raise ModelError(
                f"the network of {bundle.name} can't be loaded ({fault})", "fetch or train the bundle again"
            ) from fault

    def read(self, mouth: MouthClip, grammar: Bound = BUNDLE_GRAMMAR) -> Prediction:
        """Read one mouth. Raises BadInput for a clip too short or a grammar that the bundle's alphabet can't spell."""
        return self.read_many([mouth], [grammar])[0]

    def read_many(self, mouths: Sequence[MouthClip], grammars: Sequence[Bound]) -> list[Prediction]:
        """Read several mouths, each under its own grammar (None: free reading), in the order given."""
        bounds = [self._bound(grammar) for grammar in grammars]
        heard = self.hear(mouths)
        return [
            self._calibrated(self._decode(each, bound), self._held(bound), each.strangeness > 0, bound)
            for each, bound in zip(heard, bounds, strict=True)
        ]

    def decode_many(self, mouths: Sequence[MouthClip], grammars: Sequence[Bound]) -> list[Decoded]:
        """Readings with raw probabilities: what calibration is fitted on."""
        return [
            self._decode(heard, self._bound(grammar))
            for heard, grammar in zip(self.hear(mouths), grammars, strict=True)
        ]

    def hear(self, mouths: Sequence[MouthClip]) -> list[Heard]:
        """What the network says of each mouth, before any decoding; clips of similar length share a batch."""
        for mouth in mouths:
            if len(mouth) < MIN_FRAMES:
                raise BadInput(
                    f"the clip has {len(mouth)} frame at 25 a second, at least {MIN_FRAMES} are needed",
                    "send a longer clip",
                )
        order = sorted(range(len(mouths)), key=lambda n: len(mouths[n]))
        heard: dict[int, Heard] = {}
        for at in range(0, len(order), MAX_BATCH):
            group = order[at : at + MAX_BATCH]
            heard.update(zip(group, self._run([mouths[n] for n in group]), strict=True))
        return [heard[n] for n in range(len(mouths))]

    def _run(self, mouths: Sequence[MouthClip]) -> list[Heard]:
        length = np.array([len(mouth) for mouth in mouths], np.int64)
        feeds = {name: _padded([getattr(mouth, name) for mouth in mouths]) for name in ("mouth", "lips", "jaw")}
        outputs = self._session.run(None, {**feeds, "length": length})
        return [self._heard(int(frames), [out[n] for out in outputs]) for n, frames in enumerate(length)]

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


def _padded(arrays: Sequence[Shaped[np.ndarray, "..."]]) -> np.ndarray:
    """Arrays of different length stacked, zeros after each one's end."""
    longest = max(len(array) for array in arrays)
    out = np.zeros((len(arrays), longest, *arrays[0].shape[1:]), arrays[0].dtype)
    for row, array in zip(out, arrays, strict=True):
        row[: len(array)] = array
    return out
