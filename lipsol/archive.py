"""The file around a bundle: a zip of five known members, read under bounds and written the same every time.

Laws: a member that is not in MEMBERS, or that is there twice, is refused; none is unpacked beyond its bound, whatever
the zip says of its size; the digest is the SHA-256 of the file. What is signed is `statement`: a line for each member
but the signature, in the order of their names, `SHA-256 in hex, two spaces, name, newline`. That is what `sha256sum`
prints of them, so a signature can be checked without LipSol (docs/models.md shows how).
"""

import hashlib
import io
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lipsol.errors import ModelError
from lipsol.signing import BUNDLE, Keys, Signature, SigningKey

CARD, NETWORK, GOLDEN, SIGNATURE = "card.json", "model.onnx", "golden.npz", "signature.json"
REFERENCE = "reference.npz"
MEMBERS: Mapping[str, int] = {  # what a bundle holds, and how many bytes of each once unpacked: no place for a zip bomb
    CARD: 4 << 20,  # with all its curves a card has some 50 KiB
    NETWORK: 256 << 20,
    GOLDEN: 4 << 20,  # four hundred frames; two clips have sixty
    REFERENCE: 2 << 20,  # eight hundred clips' numbers have 0.2 MB
    SIGNATURE: 4 << 10,
}
MAX_BYTES = sum(MEMBERS.values()) + (64 << 10)  # of the file: every member stored as it is, and the zip's own tables
EPOCH = (1980, 1, 1, 0, 0, 0)  # the time of every member, so that the same content is the same bytes
FETCH = "fetch it again, or train it again"


@dataclass(frozen=True)
class Archive:
    """What a bundle file holds, byte for byte. `file`: its name, for messages; `digest`: SHA-256 of the file, hex."""

    file: str
    members: Mapping[str, bytes] = field(repr=False)
    digest: str

    @classmethod
    def read(cls, path: Path) -> "Archive":
        """Unpack a bundle file. Raises ModelError naming the file, what is wrong with it, and the cure."""
        data = _bytes(path)
        with _opened(path.name, data) as held:
            members = {info.filename: _unpacked(path.name, held, info) for info in held.infolist()}
        return cls(path.name, members, hashlib.sha256(data).hexdigest())

    def statement(self) -> bytes:
        """What a signature of this bundle is under: names and contents of all members but the signature."""
        lines = (
            f"{hashlib.sha256(self.members[name]).hexdigest()}  {name}\n"
            for name in sorted(self.members)
            if name != SIGNATURE
        )
        return "".join(lines).encode()

    def signature(self) -> Signature | None:
        """The signature, None for an unsigned bundle. Raises ModelError if it is none."""
        held = self.members.get(SIGNATURE)
        return None if held is None else Signature.from_json(held, self.file)

    def verify(self, keys: Keys) -> None:
        """Raise ModelError, naming the file and the cure, unless one of these keys signed this very content."""
        signature = self.signature()
        if signature is None:
            raise ModelError(
                f"{self.file} is unsigned, and {keys.source} says whose signature a bundle must have",
                "sign it (`lipsol models sign`), or fetch it signed",
            )
        keys.verify(BUNDLE, self.statement(), signature, self.file)

    def signed(self, key: SigningKey) -> dict[str, bytes]:
        """The same members with this key's signature in place of any other; to be written."""
        unsigned = {name: data for name, data in self.members.items() if name != SIGNATURE}
        return {**unsigned, SIGNATURE: key.sign(BUNDLE, self.statement()).to_json()}


def write(path: Path, members: Mapping[str, bytes]) -> str:
    """Write a bundle file in one step (whoever reads it meanwhile has the old one whole); returns its digest."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as held:
        for name in (name for name in MEMBERS if name in members):
            info = zipfile.ZipInfo(name, date_time=EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            held.writestr(info, members[name])
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as beside:
        try:
            beside.write(out.getvalue())
            Path(beside.name).chmod(0o644)  # a bundle is no secret, and services read it as other users
            Path(beside.name).replace(path)
        except BaseException:
            Path(beside.name).unlink(missing_ok=True)
            raise
    return hashlib.sha256(out.getvalue()).hexdigest()


def card_of(path: Path) -> tuple[bytes, str]:
    """The card alone and the file's digest: what it takes to list a bundle. Raises ModelError as `Archive.read`."""
    data = _bytes(path)
    with _opened(path.name, data) as held:
        return _unpacked(path.name, held, held.getinfo(CARD)), hashlib.sha256(data).hexdigest()


def member_of(path: Path, name: str) -> bytes:
    """One member alone, empty where the bundle brings none. Raises ModelError as `Archive.read`."""
    with _opened(path.name, _bytes(path)) as held:
        return _unpacked(path.name, held, held.getinfo(name)) if name in held.namelist() else b""


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ModelError(f"{path.name} has {size} bytes, a bundle has at most {MAX_BYTES}", FETCH)
        return path.read_bytes()
    except OSError as fault:
        raise ModelError(f"{path.name} can't be read ({fault.strerror})", "put a bundle there") from fault


def _opened(file: str, data: bytes) -> zipfile.ZipFile:
    """The zip, if its members are those of a bundle."""
    try:
        held = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError) as fault:
        raise ModelError(f"{file} is no bundle, or a part of one ({fault})", FETCH) from fault
    names = [info.filename for info in held.infolist()]
    strange = sorted({name for name in names if name not in MEMBERS or names.count(name) > 1})
    if strange:
        raise ModelError(f"{file} holds {', '.join(strange[:3])}, which no bundle holds (or not twice)", FETCH)
    for needed in (CARD, NETWORK):
        if needed not in names:
            raise ModelError(f"{file} is no bundle: it holds no {needed}", FETCH)
    return held


def _unpacked(file: str, held: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """One member, of which no more is unpacked than its bound."""
    bound = MEMBERS[info.filename]
    data = b""
    if info.file_size <= bound:
        try:
            with held.open(info) as member:
                data = member.read(bound + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as fault:
            raise ModelError(f"{file} has a damaged {info.filename} ({fault})", FETCH) from fault
    if max(info.file_size, len(data)) > bound:
        raise ModelError(f"{file} holds a {info.filename} of over {bound} bytes once unpacked", FETCH)
    return data
