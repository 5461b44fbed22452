"""One model as one file: everything that a reader needs to read, and a person to judge it.

A bundle is a zip of two members: `card.json` (name, alphabet, grammar, landmark model, calibration, threshold, scores,
data, training, licence) and `model.onnx`. Its digest is the SHA-256 of the file. Data alone tells an Urdu bundle from
an English one.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from lipsol.clips import face
from lipsol.errors import ModelError

FORMAT = 1  # of the card; a reader refuses what it doesn't know
CARD, NETWORK = "card.json", "model.onnx"
MAX_BYTES = 256 * 2**20  # of the network once unpacked: a bundle is not a place for a zip bomb

Kind = Literal["words", "sentences"]


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
class Bundle:
    """A loaded bundle. `confidence` by way of decoding: "grammar", "free" (sentences) or "words"."""

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

    @classmethod
    def load(cls, path: Path) -> "Bundle":
        """Read and check a bundle. Raises ModelError if damaged, of another format or bound to other landmarks."""
        try:
            data = path.read_bytes()
            with zipfile.ZipFile(path) as held:
                card = json.loads(held.read(CARD))
                if held.getinfo(NETWORK).file_size > MAX_BYTES:
                    raise ModelError(
                        f"{path.name} holds a network of over {MAX_BYTES} bytes",
                        "use a bundle that `lipsol train` wrote",
                    )
                network = held.read(NETWORK)
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as fault:
            raise ModelError(f"{path.name} is no bundle ({type(fault).__name__})", "fetch or train it again") from fault
        return _of_card(path.name, card, network, hashlib.sha256(data).hexdigest())

    def save(self, path: Path) -> str:
        """Write the bundle; the same content gives the same bytes. Returns the digest."""
        card = {**self.card, **_identity(self)}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
            for name, data in (
                (CARD, json.dumps(card, ensure_ascii=False, indent=1).encode()),
                (NETWORK, self.network),
            ):
                info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                out.writestr(info, data)
        return hashlib.sha256(path.read_bytes()).hexdigest()


def _identity(bundle: Bundle) -> dict[str, Any]:
    """The part of the card that a reader needs."""
    return {
        "format": FORMAT,
        "name": bundle.name,
        "version": bundle.version,
        "kind": bundle.kind,
        "language": bundle.language,
        "characters": bundle.characters,
        "words": list(bundle.words),
        "grammar": json.loads(bundle.grammar)["name"] if bundle.grammar else "",
        "grammar_document": json.loads(bundle.grammar) if bundle.grammar else None,
        "landmarks": bundle.landmarks,
        "confidence": {way: asdict(held) for way, held in bundle.confidence.items()},
    }


def _of_card(file: str, card: dict[str, Any], network: bytes, digest: str) -> Bundle:
    if card.get("format") != FORMAT:
        raise ModelError(
            f"{file} has card format {card.get('format')}, this LipSol reads {FORMAT}", "use a bundle of this release"
        )
    if card.get("landmarks") != face.MODEL:
        raise ModelError(
            f"{file} was trained on the landmarks of {card.get('landmarks')!r}, here they come from {face.MODEL!r}",
            "weights are bound to their landmark model: use a bundle trained on this one",
        )
    try:
        confidence = {way: _confidence(held) for way, held in card["confidence"].items()}
        return Bundle(
            name=card["name"], version=card["version"], kind=card["kind"], language=card["language"],
            characters=card["characters"], words=tuple(card["words"]),
            grammar=json.dumps(card["grammar_document"], ensure_ascii=False) if card["grammar_document"] else "",
            landmarks=card["landmarks"], confidence=confidence, card=card, network=network, digest=digest,
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError) as fault:
        raise ModelError(f"{file} has a card without or with a wrong {fault}", "fetch or train it again") from fault


def _confidence(held: dict[str, Any]) -> Confidence:
    scales = {name: Scale(**held[name]) for name in ("sentence", "word", "stranger", "stranger_word")}
    return Confidence(**scales, threshold=held["threshold"], stranger_threshold=held["stranger_threshold"])
