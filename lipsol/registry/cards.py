"""Bundle files as a registry knows them: by their cards, each read once for as long as it stays as it is."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from lipsol.archive import card_of
from lipsol.errors import ModelError
from lipsol.registry.port import ModelInfo

SUFFIX = ".lipsol"
Stamp = tuple[int, int]  # bytes, and time of the last change in ns

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
    """A file as it was when it was last read. info: None if it is no bundle, and `reason` says why."""

    path: Path
    stamp: Stamp
    info: ModelInfo | None
    reason: str = ""


class Shelf:
    """Bundle files, read again only when size or time have changed; not safe to share between threads."""

    def __init__(self) -> None:
        self._held: dict[Path, Held] = {}

    def look(self, paths: Iterable[Path]) -> list[Held]:
        """Those of these files that are there, as they are now; a broken one is told of when it is first seen."""
        stamps = {path: stamp for path in paths if (stamp := _stamp(path)) is not None}
        self._held = {path: self._read(path, stamp) for path, stamp in stamps.items()}
        return list(self._held.values())

    def _read(self, path: Path, stamp: Stamp) -> Held:
        known = self._held.get(path)
        if known is not None and known.stamp == stamp:
            return known
        try:
            return Held(path, stamp, info_of(path))
        except ModelError as fault:
            log.warning("bundle-passed-over", file=path.name, reason=fault.detail, cure=fault.cure)
            return Held(path, stamp, None, f"{fault.detail}; {fault.cure}")


def info_of(path: Path) -> ModelInfo:
    """What a bundle file's card says, never as a default. Raises ModelError for a file that is no bundle."""
    return info_of_card(*card_of(path), path.name)


def info_of_card(data: bytes, digest: str, what: str) -> ModelInfo:
    """What the card of the bundle of that digest says, never as a default. Raises ModelError, naming `what`."""
    try:
        document = json.loads(data)
        card = Card.model_validate(document)
    except (ValueError, RecursionError) as fault:
        raise ModelError(f"{what} is no bundle ({_why(fault)})", "fetch or train it again") from fault
    return ModelInfo(
        card.name, card.version, digest, card.kind, card.language, card.grammar or "", default=False, card=document
    )


def _stamp(path: Path) -> Stamp | None:
    try:
        facts = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None  # taken away since the folder was listed
    return facts.st_size, facts.st_mtime_ns


def _why(fault: Exception) -> str:
    if isinstance(fault, ValidationError):
        return "; ".join(f"{'.'.join(map(str, error['loc'])) or 'card'}: {error['msg']}" for error in fault.errors())
    return str(fault) or type(fault).__name__
