"""One model as one file: everything that a reader needs to read, and a person to judge it.

A bundle is a zip (lipsol/archive.py) of `card.json` (name, alphabet, grammar, landmark model, calibration, threshold,
scores, data, training, licence, and what the golden clips are read as), `model.onnx`, `golden.npz` (the golden clips'
mouths, end to end), `reference.npz` (what clips are like when all is well, for `lipsol.drift`; a bundle reads without)
and, where somebody signed it, `signature.json`. Its digest is the SHA-256 of the file. Data alone tells an Urdu bundle
from an English one. What does not fit this LipSol is refused when it is loaded: another card format, other landmarks,
an alphabet that is not installed, no golden answers. Whether it reads as it says it does is lipsol/golden.py's to find
out.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from lipsol.archive import CARD, FETCH, GOLDEN, NETWORK, REFERENCE, Archive, write
from lipsol.card import FORMAT, GILD, Answer, Card, Confidence, GoldenTold, Kind, checked, parsed
from lipsol.clips.clip import LAYOUT, MouthClip
from lipsol.errors import BadInput, ModelError
from lipsol.signing import Keys


@dataclass(frozen=True)
class GoldenClip:
    """A clip that the bundle was never trained on, and what its reader made of it when it was packed."""

    name: str
    mouth: MouthClip = field(repr=False)
    answers: tuple[Answer, ...]


Golden: TypeAlias = tuple[GoldenClip, ...]


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle. `confidence` by way of decoding: "grammar", "free" (sentences) or "words".

    golden     empty only on its way to being packed
    reference  `lipsol.drift.reference.Reference.to_bytes`, empty for a bundle that brings none
    file       name of the file that it was loaded from, for messages
    """

    name: str
    version: str
    kind: Kind
    language: str
    characters: str
    words: tuple[str, ...]
    grammar: str  # a grammar document (JSON), "" for none
    landmarks: str
    confidence: Mapping[str, Confidence]
    card: Mapping[str, Any] = field(repr=False)
    network: bytes = field(repr=False)
    digest: str = ""
    golden: Golden = field(default=(), repr=False, compare=False)
    reference: bytes = field(default=b"", repr=False, compare=False)
    file: str = field(default="", compare=False)

    @classmethod
    def load(cls, path: Path, keys: Keys | None = None) -> "Bundle":
        """Read and check a bundle; keys: one of them must have signed it (None: it may be unsigned).

        Raises ModelError naming the file, its fault and the cure: damaged, unsigned, altered, of another format, bound
        to other landmarks or to an alphabet that is not installed, without golden answers.
        """
        return _loaded(path, keys, ungilded=False)

    @classmethod
    def load_ungilded(cls, path: Path, keys: Keys | None = None) -> "Bundle":
        """The same, of a bundle that may have no golden answers yet: for whoever is about to give it some."""
        return _loaded(path, keys, ungilded=True)

    def save(self, path: Path) -> str:
        """Write the bundle, unsigned; the same content gives the same bytes. Returns the digest.

        Raises ModelError for one without golden answers, which nobody could load.
        """
        if not self.golden:
            raise ModelError(f"{self.name} has no golden answers, so it would never be loaded", GILD)
        members = {
            CARD: json.dumps(_card(self), ensure_ascii=False, indent=1).encode(),
            NETWORK: self.network,
            GOLDEN: _joined([clip.mouth for clip in self.golden]).to_bytes(),
        }
        return write(path, members | ({REFERENCE: self.reference} if self.reference else {}))


def _loaded(path: Path, keys: Keys | None, *, ungilded: bool) -> Bundle:
    held = Archive.read(path)
    if keys is not None:
        held.verify(keys)  # first of all: nothing that nobody vouches for is looked into
    card = parsed(held.file, held.members[CARD])
    told = checked(held.file, card, ungilded=ungilded)
    return Bundle(
        name=told.name, version=told.version, kind=told.kind, language=told.language, characters=told.characters,
        words=told.words, landmarks=told.landmarks, confidence=told.confidence,
        grammar="" if told.grammar_document is None else json.dumps(told.grammar_document, ensure_ascii=False),
        card=card, network=held.members[NETWORK], digest=held.digest, file=held.file,
        golden=_golden(held.file, told.golden, held.members.get(GOLDEN, b"")),
        reference=held.members.get(REFERENCE, b""),
    )  # fmt: skip


def _card(bundle: Bundle) -> dict[str, Any]:
    """The whole card: what a reader needs, as the bundle has it, and all else that stood there."""
    document = json.loads(bundle.grammar) if bundle.grammar else None
    golden = tuple(GoldenTold(clip=clip.name, frames=len(clip.mouth), answers=clip.answers) for clip in bundle.golden)
    held = Card(
        format=FORMAT, name=bundle.name, version=bundle.version, kind=bundle.kind, language=bundle.language,
        characters=bundle.characters, words=bundle.words, grammar=document["name"] if document else "",
        grammar_document=document, landmarks=bundle.landmarks, confidence=bundle.confidence,
        golden=golden,
    )  # fmt: skip
    return {**bundle.card, **held.model_dump(mode="json")}


def _golden(file: str, told: tuple[GoldenTold, ...], data: bytes) -> Golden:
    """The golden clips: what the card tells of them, cut from the mouths that lie end to end in `data`."""
    if not told and not data:
        return ()
    frames = sum(each.frames for each in told)
    try:
        mouths = MouthClip.from_bytes(data)
    except BadInput as fault:
        raise ModelError(f"{file} has a {GOLDEN} of {fault.detail}", FETCH) from fault
    if len(mouths) != frames:
        raise ModelError(f"{file} tells of {frames} golden frames on its card, and has {len(mouths)}", FETCH)
    clips, start = [], 0
    for each in told:
        clips.append(GoldenClip(each.clip, mouths.cut(start, start + each.frames), each.answers))
        start += each.frames
    return tuple(clips)


def _joined(mouths: Sequence[MouthClip]) -> MouthClip:
    """Clips end to end."""
    return MouthClip(**{name: np.concatenate([getattr(mouth, name) for mouth in mouths]) for name in LAYOUT})
