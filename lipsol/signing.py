"""Who vouches for a bundle, or for any other bytes: Ed25519 (RFC 8032), and the only door to `cryptography`.

A key is a PEM file as OpenSSL writes it: a private one in PKCS #8, under a passphrase or not; a public one as
SubjectPublicKeyInfo. A key's id is the first 16 hex digits of the SHA-256 of its public half in DER. What is signed is
always one line that says for what, `lipsol-PURPOSE-v1`, and then the bytes; so a signature under one thing is none
under another. A signature tells who, never when: an older thing that was signed once stays signed.
"""

import base64
import binascii
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from lipsol.errors import BadInput, ModelError

ALGORITHM = "Ed25519"
BUNDLE = "bundle"  # a purpose
ID_DIGITS = 16  # hex digits of a key's id: 64 bits, among the few keys that one operator trusts
SIGNATURE_BYTES = 64  # RFC 8032, section 5.1.6
MAX_PEM_BYTES = 1 << 20
PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


@dataclass(frozen=True)
class Signature:
    """Which key signed, and the 64 bytes that only it could make."""

    key: str
    value: bytes = field(repr=False)

    def to_json(self) -> bytes:
        """As it is kept: a JSON object of algorithm, key and signature (Base64)."""
        held = {"algorithm": ALGORITHM, "key": self.key, "signature": base64.b64encode(self.value).decode()}
        return json.dumps(held, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes, what: str) -> "Signature":
        """Undo `to_json`. Raises ModelError, naming `what` was signed, if that is no signature of ours."""
        try:
            held = json.loads(data)
            if held["algorithm"] != ALGORITHM:
                raise ValueError(f"algorithm {held['algorithm']!r}, here it is {ALGORITHM}")
            value = base64.b64decode(held["signature"], validate=True)
            if len(value) != SIGNATURE_BYTES or not isinstance(held["key"], str):
                raise ValueError(f"{len(value)} bytes, {ALGORITHM} makes {SIGNATURE_BYTES}")
        except (KeyError, TypeError, ValueError, binascii.Error) as fault:
            raise ModelError(f"{what} has a signature that is none ({fault})", "sign it again") from fault
        return cls(held["key"], value)


class SigningKey:
    """A private key. It is never shown: what may be known of it is its id and its public half."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def new(cls) -> "SigningKey":
        """A key that nobody has."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path, passphrase: bytes = b"") -> "SigningKey":
        """The key of a PEM file. Raises BadInput naming the file, for a wrong passphrase too."""
        try:
            key = load_pem_private_key(_read(path), passphrase or None)
        except (ValueError, TypeError) as fault:
            said = (
                "no private key that this passphrase opens" if passphrase else "no private key, or needs a passphrase"
            )
            raise BadInput(f"{path} holds {said}", "name the file that `lipsol models keys new` wrote") from fault
        if not isinstance(key, Ed25519PrivateKey):
            raise BadInput(f"{path} holds a key of another kind", f"make one of {ALGORITHM}: `lipsol models keys new`")
        return cls(key)

    @property
    def id(self) -> str:
        """The id of this key and its public half."""
        return key_id(self._key.public_key())

    def save(self, path: Path, passphrase: bytes = b"") -> None:
        """Write the private key, for its owner's eyes only, where no file is yet. Raises BadInput if there is one."""
        how = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as fault:
            raise BadInput(f"{path} is there already", "name another file: a key is never overwritten") from fault
        except OSError as fault:
            raise BadInput(f"{path} can't be written ({fault.strerror})", "name a place that can be") from fault
        with os.fdopen(file, "wb") as out:
            out.write(self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how))

    def public_pem(self) -> bytes:
        """The public half, for whoever verifies."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, purpose: str, data: bytes) -> Signature:
        """A signature under `data`, for one purpose; the same every time."""
        return Signature(self.id, self._key.sign(message(purpose, data)))


@dataclass(frozen=True)
class Keys:
    """Public keys that are trusted: key id -> the key's 32 bytes; `source` says where they came from."""

    public: Mapping[str, bytes]
    source: str

    @classmethod
    def load(cls, path: Path) -> "Keys":
        """All public keys of a PEM file, or of the `*.pem` files of a folder.

        Raises BadInput naming the file: none there, no key in it, a key of another kind, or a private key, which has
        no business where things are verified.
        """
        files = sorted(path.glob("*.pem")) if path.is_dir() else [path]
        public = {key_id(key): key.public_bytes_raw() for file in files for key in _public_keys(file)}
        if not public:
            raise BadInput(f"no public key is in {path}", "put one there as *.pem: `lipsol models keys new` makes it")
        return cls(public, str(path))

    def verify(self, purpose: str, data: bytes, signature: Signature, what: str) -> None:
        """Raise ModelError, naming `what`, unless a trusted key signed just these bytes for this purpose."""
        held = self.public.get(signature.key)
        if held is None:
            raise ModelError(
                f"{what} is signed by the key {signature.key}, {self.source} trusts {', '.join(sorted(self.public))}",
                "have it signed by one of those, or put its public key there if you trust it",
            )
        try:
            Ed25519PublicKey.from_public_bytes(held).verify(signature.value, message(purpose, data))
        except InvalidSignature as fault:
            raise ModelError(
                f"{what} is not what the key {signature.key} signed: it was altered, or its signature is another's",
                "fetch it again from whoever signed it",
            ) from fault


def message(purpose: str, data: bytes) -> bytes:
    """The very bytes that a signature stands under."""
    return f"lipsol-{purpose}-v1\n".encode() + data


def key_id(key: Ed25519PublicKey) -> str:
    """A key's id, as `openssl pkey -pubin -in FILE -outform DER | sha256sum` begins."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()[:ID_DIGITS]


def is_locked(path: Path) -> bool:
    """Whether a private key's file needs a passphrase. Raises BadInput if it can't be read."""
    return b"-----BEGIN ENCRYPTED PRIVATE KEY-----" in _read(path)


def _public_keys(file: Path) -> list[Ed25519PublicKey]:
    """The public keys of one file, which must hold nothing else."""
    keys = []
    for block in PEM.finditer(_read(file)):
        if b"PRIVATE" in block[1]:
            raise BadInput(f"{file} holds a private key", "keep it where you sign, and put only its .pub.pem here")
        try:
            key = load_pem_public_key(block[0])
        except ValueError as fault:
            raise BadInput(f"{file} holds what is no public key", "fetch it again, or take it away") from fault
        if not isinstance(key, Ed25519PublicKey):
            raise BadInput(f"{file} holds a public key of another kind", f"put one of {ALGORITHM} there")
        keys.append(key)
    return keys


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PEM_BYTES + 1)
    except OSError as fault:
        raise BadInput(f"{path} can't be read ({fault.strerror})", "name a PEM file that is there") from fault
    if len(data) > MAX_PEM_BYTES:
        raise BadInput(f"{path} has over {MAX_PEM_BYTES} bytes", "name a PEM file: a key has some hundred")
    return data
