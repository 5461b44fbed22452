"""Makes bundles that must be refused, of one that is fine, and says what each refusal must tell."""

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lipsol.archive import CARD, GOLDEN, NETWORK, SIGNATURE, Archive
from lipsol.signing import SigningKey

FILE = "model.lipsol"
SHIPPED = Path(__file__).resolve().parents[1] / "models"


@dataclass(frozen=True)
class Bench:
    """A fine bundle, signed by a key that is trusted, and where to put what becomes of it."""

    held: Archive
    trusted: SigningKey
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / FILE

    @property
    def keys(self) -> Path:
        """The public key that is trusted, as an operator has it."""
        return self.folder / "trusted.pub.pem"

    def put(self, members: Mapping[str, bytes], key: SigningKey | None = None) -> None:
        """Write a bundle of any members, not deflated; key: who signs it (None: as it is)."""
        signed = members if key is None else Archive(FILE, members, "").signed(key)
        with zipfile.ZipFile(self.file, "w") as out:
            for name, data in signed.items():
                out.writestr(name, data)

    def put_card(self, change: Callable[[dict], object], key: SigningKey | None) -> None:
        """The fine bundle with another card; signed by `key`, or with the signature that the old card had."""
        card = json.loads(self.held.members[CARD])
        change(card)
        self.put({**self.held.members, CARD: json.dumps(card).encode()}, key)

    def flip(self, member: str) -> None:
        """One byte of a member's data becomes another."""
        self.put(self.held.members)
        with zipfile.ZipFile(self.file) as held:
            at = held.getinfo(member).header_offset + 30 + len(member) + 20  # a local header has 30 bytes and the name
        data = bytearray(self.file.read_bytes())
        data[at] ^= 0x01
        self.file.write_bytes(data)


def bench(folder: Path) -> Bench:
    """The shipped word model, signed by a key made for it."""
    trusted = SigningKey.new()
    shipped = Archive.read(SHIPPED / "grid-words.lipsol")
    made = Bench(Archive(FILE, shipped.signed(trusted), ""), trusted, folder)
    made.keys.write_bytes(trusted.public_pem())
    return made


@dataclass(frozen=True)
class Fault:
    """How a bundle is broken; what its refusal says is wrong, and what it says helps."""

    make: Callable[[Bench], None]
    told: str
    cure: str


def _truncated(bench: Bench) -> None:
    bench.put(bench.held.members)
    bench.file.write_bytes(bench.file.read_bytes()[:-1000])


def _bomb(bench: Bench) -> None:
    with zipfile.ZipFile(bench.file, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in bench.held.members.items():
            out.writestr(name, bytes(50 << 20) if name == GOLDEN else data, compresslevel=1)


def _lying_bomb(bench: Bench) -> None:
    """The same, but the zip says that its member is small."""
    _bomb(bench)
    data = bench.file.read_bytes()
    size = (50 << 20).to_bytes(4, "little")
    bench.file.write_bytes(data.replace(size, (1000).to_bytes(4, "little")))


def _other_network(bench: Bench) -> None:
    network = Archive.read(SHIPPED / "grid-sentences.lipsol").members[NETWORK]
    bench.put({**bench.held.members, NETWORK: network}, bench.trusted)


def _other_weights(bench: Bench) -> None:
    network = bytearray(bench.held.members[NETWORK])
    middle = len(network) // 2
    network[middle : middle + 40_000] = bytes(40_000)
    bench.put({**bench.held.members, NETWORK: bytes(network)}, bench.trusted)


def _golden(card: dict, **answer: object) -> None:
    card["golden"][0]["answers"][0].update(answer)


def _ungilded(bench: Bench) -> None:
    card = json.loads(bench.held.members[CARD])
    card.update(format=1)
    del card["golden"]
    members = {name: data for name, data in bench.held.members.items() if name not in (GOLDEN, SIGNATURE)}
    bench.put({**members, CARD: json.dumps(card).encode()}, bench.trusted)


def _changed(**fields: object) -> Callable[[Bench], None]:
    """Another card, signed anew by who is trusted: what is refused then is not the signature."""
    return lambda bench: bench.put_card(lambda card: card.update(fields), bench.trusted)


TRAIN = "train it again"
FAULTS: Mapping[str, Fault] = {
    "truncated": Fault(_truncated, "is no bundle, or a part of one", TRAIN),
    "flipped card": Fault(lambda bench: bench.flip(CARD), "a damaged card.json", TRAIN),
    "flipped network": Fault(lambda bench: bench.flip(NETWORK), "a damaged model.onnx", TRAIN),
    "flipped golden clips": Fault(lambda bench: bench.flip(GOLDEN), "a damaged golden.npz", TRAIN),
    "flipped signature": Fault(lambda bench: bench.flip(SIGNATURE), "a damaged signature.json", TRAIN),
    "unsigned": Fault(
        lambda bench: bench.put({name: data for name, data in bench.held.members.items() if name != SIGNATURE}),
        "is unsigned, and",
        "lipsol models sign",
    ),
    "signed by who is not trusted": Fault(
        lambda bench: bench.put(bench.held.members, SigningKey.new()),
        "is signed by the key",
        "put its public key there",
    ),
    "altered after signing": Fault(
        lambda bench: bench.put_card(lambda card: card.update(version="9"), None),
        "it was altered",
        "fetch it again from whoever signed it",
    ),
    "no signature at all": Fault(
        lambda bench: bench.put({**bench.held.members, SIGNATURE: b"{}"}), "a signature that is none", "sign it again"
    ),
    "other landmarks": Fault(_changed(landmarks="dlib-68"), "the landmarks of 'dlib-68'", "trained on this one"),
    "other alphabet": Fault(_changed(characters=" abcñ"), "spells with 'ñ' (U+00F1", "trained with this alphabet"),
    "other language": Fault(
        _changed(language="fr"), "reads 'fr', and here are the alphabets of en, ur", "of one of these"
    ),
    "other spelling": Fault(
        _changed(words=["Bin"]), "words that can't be spelt here: 'B'", "trained with this alphabet"
    ),
    "other format": Fault(_changed(format=99), "card format 99, this LipSol reads 2", "of this release"),
    "no golden answers": Fault(_ungilded, "card format 1, this LipSol reads 2", "lipsol models gild"),
    "golden clips left out": Fault(_changed(golden=[]), "no golden answers", "lipsol models gild"),
    "other golden text": Fault(
        lambda bench: bench.put_card(lambda card: _golden(card, text="bin"), bench.trusted),
        "golden clip 's1-lriq8p' (words) as it did when it was packed: expected 'bin' at ",
        "fetch it again",
    ),
    "other golden confidence": Fault(
        lambda bench: bench.put_card(lambda card: _golden(card, confidence=0.99), bench.trusted),
        "expected 'please' at 0.9900, got 'please' at 0.36",
        "lipsol models gild",
    ),
    "another network": Fault(_other_network, "is not that of a words model", TRAIN),
    "other weights": Fault(_other_weights, "does not read its golden clip", "fetch it again"),
    "bomb": Fault(_bomb, "a golden.npz of over 4194304 bytes", TRAIN),
    "bomb that lies": Fault(_lying_bomb, "a damaged golden.npz", TRAIN),
    "member that no bundle has": Fault(
        lambda bench: bench.put({**bench.held.members, "run.py": b""}), "holds run.py, which no bundle holds", TRAIN
    ),
}
