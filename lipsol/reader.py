"""MouthClip -> Prediction: `hear` lets the network run, batched; `decode` makes words of that. Never needs torch.

What the network says becomes words by one of three ways of decoding (grammar, beam, or the word model's own choice),
and raw probabilities become confidences by the bundle's calibration, which knows a familiar speaker from a stranger.
Below the bundle's threshold the reader abstains.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Shaped

from lipsol.bundle import Bundle
from lipsol.clips.clip import MouthClip
from lipsol.engine import Engine
from lipsol.errors import BadInput
from lipsol.model.boards import fits_of
from lipsol.model.calibrated import FOUND, NEVER_QUITE, Place, scaled, told, told_board
from lipsol.model.decoding import Blend, Decoded, choose, decode_beam, decode_board, decode_grammar, share
from lipsol.model.emissions import Emissions
from lipsol.model.prediction import Prediction
from lipsol.text.grammar import Grammar
from lipsol.text.wording import BUNDLE_GRAMMAR, Bound, BundleGrammar, Wording, wording_of

__all__ = ["BUNDLE_GRAMMAR", "MAX_BATCH", "NEVER_QUITE", "Bound", "Heard", "Reader", "check_length", "scaled"]

MAX_BATCH = 8  # clips of similar length that go through the network together
BLEND = Blend(words=0.7, scale=0.8)  # of the two heads: the least area under validation's risk-coverage curve
SEEN = ("mouth", "lips", "jaw")  # the parts of a MouthClip that networks look at
MIN_FRAMES = 2  # of a clip; GRID's shortest words last two frames


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
        wording = self._wording(grammar)
        return self._told(self._decode(heard, wording), wording, stranger=heard.strangeness > 0)

    def decode_many(self, mouths: Sequence[MouthClip], grammars: Sequence[Bound]) -> list[Decoded]:
        """Readings with raw probabilities: what calibration is fitted on."""
        return [self.decode_raw(heard, grammar) for heard, grammar in zip(self.hear(mouths), grammars, strict=True)]

    def decode_raw(self, heard: Heard, grammar: Bound = BUNDLE_GRAMMAR) -> Decoded:
        """The same of what was heard."""
        return self._decode(heard, self._wording(grammar))

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

    def _wording(self, bound: Bound) -> Wording:
        """What is asked for, with the bundle's own grammar in its place."""
        wording = wording_of(bound)
        return replace(wording, grammar=self.grammar) if wording.grammar is BUNDLE_GRAMMAR else wording

    def _decode(self, heard: Heard, wording: Wording) -> Decoded:
        grammar, hotwords = _settled(wording), wording.hotwords
        if self.bundle.kind == "words":
            return choose(heard.emissions, heard.frames, wording, FOUND)
        if grammar is None:
            return decode_beam(heard.emissions, alternatives=FOUND, hotwords=hotwords)
        if wording.board:
            return decode_board(heard.emissions, grammar, BLEND, hotwords)
        return decode_grammar(heard.emissions, grammar, FOUND, BLEND, hotwords)

    def _told(self, decoded: Decoded, wording: Wording, *, stranger: bool) -> Prediction:
        grammar = _settled(wording)
        words = self.bundle.kind == "words"
        held = self.bundle.confidence["words" if words else "free" if grammar is None else "grammar"]
        place = Place(self.bundle.language, grammar, self.bundle.words)
        if decoded.evidence is None:
            return told(decoded, held, place, stranger=stranger)
        raw = [decoded.probability, *(other.probability for other in decoded.alternatives)]
        if words:
            inside = scaled(held.stranger if stranger else held.sentence, share(decoded.evidence.words or 0.0))
            return told_board(decoded, inside, raw, held.stranger_threshold if stranger else held.threshold, place)
        fits = fits_of(self.bundle.card, stranger=stranger)
        fit = fits.of(decoded.evidence)
        return told_board(decoded, fit.inside(decoded.evidence), fit.among(raw).tolist(), fits.threshold, place)


def _settled(wording: Wording) -> Grammar | None:
    """The grammar of a wording in which the bundle's own stands already."""
    return None if isinstance(wording.grammar, BundleGrammar) else wording.grammar


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
