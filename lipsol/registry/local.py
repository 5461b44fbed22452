"""The registry in a folder: every `*.lipsol` file there is a model; or one such file alone.

A bundle is a zip with `card.json` at its top; only that is read here. The folder is looked at anew on each call, so a
bundle that is put there is found at once; a file is hashed once, and again when its size or time changes. A file that
is no bundle is passed over with a warning, and kept for `faults`: one broken file must not take the others away.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Literal

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from lipsol.archive import card_of
from lipsol.errors import ModelError, NotFound
from lipsol.registry.port import ModelInfo
from lipsol.signing import Keys

SUFFIX = ".lipsol"
DIGEST_MIN = 12  # hex digits that may stand for a whole digest

log = structlog.get_logger()


class Card(BaseModel):
    """What a card must say for its model to be found; `created` is ISO 8601, so that later is larger."""

    model_config = ConfigDict(extra="ignore")

    name: str
    version: str
    kind: Literal["words", "sentences"]
    language: str
    grammar: str | None
    created: str


@dataclass(frozen=True)
class Held:
    """A bundle file as it was when it was last read."""

    path: Path
    stamp: tuple[int, int]
    created: str
    info: ModelInfo


@dataclass(frozen=True)
class Broken:
    """A file that is no bundle, as it was when it was last read, and why."""

    stamp: tuple[int, int]
    reason: str


class LocalRegistry:
    """Bundles in a folder, or one bundle file; what is not there holds none."""

    def __init__(self, folder: Path, keys: Keys | None = None) -> None:
        self._folder = folder
        self._keys = keys
        self._lock = Lock()
        self._held: dict[Path, Held | Broken] = {}

    @property
    def keys(self) -> Keys | None:
        return self._keys

    def models(self) -> list[ModelInfo]:
        return [held.info for held in self._look()]

    def faults(self) -> list[str]:
        self._look()
        with self._lock:
            return [held.reason for held in self._held.values() if isinstance(held, Broken)]

    def find(self, name_or_digest: str) -> ModelInfo:
        found = self._look()
        for held in found:
            if held.info.name == name_or_digest:
                return held.info
        for held in found:
            if len(name_or_digest) >= DIGEST_MIN and held.info.digest.startswith(name_or_digest):
                return held.info
        raise NotFound(f"no model {name_or_digest!r}", f"ask for {_list(held.info.name for held in found)}")

    def default(self, language: str) -> ModelInfo:
        found = self.models()
        for info in found:
            if info.default and info.language == language:
                return info
        raise NotFound(f"no model reads {language!r}", f"ask for {_list(info.language for info in found)}")

    def path(self, digest: str) -> Path:
        for held in self._look():
            if held.info.digest == digest:
                return held.path
        raise NotFound(f"no model with the digest {digest!r}", "ask for one that `models` names")

    def _look(self) -> list[Held]:
        """What is in the folder now, by name, newest first."""
        with self._lock:
            stamps = _stamps(self._folder)
            self._held = {path: self._read(path, stamp) for path, stamp in stamps.items()}
            good = [held for held in self._held.values() if isinstance(held, Held)]
        newest_first = sorted(good, key=lambda held: (held.created, held.info.digest), reverse=True)
        return _with_defaults(sorted(newest_first, key=lambda held: held.info.name))

    def _read(self, path: Path, stamp: tuple[int, int]) -> Held | Broken:
        known = self._held.get(path)
        if known is not None and known.stamp == stamp:
            return known
        try:
            return _read(path, stamp)
        except ModelError as fault:
            log.warning("bundle-passed-over", file=path.name, reason=fault.detail, cure=fault.cure)
            return Broken(stamp, f"{fault.detail}; {fault.cure}")


def bundle_files(folder: Path) -> list[Path]:
    """The files that should be bundles: those of a folder by name, or the one that is named itself."""
    return [folder] if folder.is_file() else sorted(folder.glob("*" + SUFFIX))


def _stamps(folder: Path) -> dict[Path, tuple[int, int]]:
    stamps = {}
    for path in bundle_files(folder):
        try:
            facts = path.stat()
        except FileNotFoundError:
            continue  # taken away since the folder was listed
        stamps[path] = (facts.st_size, facts.st_mtime_ns)
    return stamps


def _read(path: Path, stamp: tuple[int, int]) -> Held:
    data, digest = card_of(path)
    try:
        document = json.loads(data)
        card = Card.model_validate(document)
    except (ValueError, RecursionError) as fault:
        raise ModelError(f"{path.name} is no bundle ({_why(fault)})", "fetch or train it again") from fault
    info = ModelInfo(
        card.name, card.version, digest, card.kind, card.language, card.grammar or "", default=False, card=document
    )
    return Held(path, stamp, card.created, info)


def _why(fault: Exception) -> str:
    if isinstance(fault, ValidationError):
        return "; ".join(f"{'.'.join(map(str, error['loc'])) or 'card'}: {error['msg']}" for error in fault.errors())
    return str(fault) or type(fault).__name__


def _with_defaults(found: list[Held]) -> list[Held]:
    """The same, with the default of each language marked: sentences before words, then the newest."""
    best: dict[str, Held] = {}
    for held in sorted(found, key=lambda held: (held.info.kind == "sentences", held.created, held.info.digest)):
        best[held.info.language] = held
    return [replace(held, info=replace(held.info, default=best[held.info.language] is held)) for held in found]


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names))) or "nothing: no model is here"
