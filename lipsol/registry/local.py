"""The registry in a folder: every `*.lipsol` file there is a released model; or one such file alone.

    FOLDER/*.lipsol                            released: put there by hand, or registered as no candidate
    FOLDER/records/DIGEST/model.lipsol         a candidate, promoted or not
    FOLDER/records/DIGEST/evaluation.json ...  what was registered with a bundle
    FOLDER/promotions/00000001.json ...        the history (`ledger`)

A bundle is a zip with `card.json` at its top; only that is read here. The folder is looked at anew on each call, so
what is put there is found at once; a file is hashed once, and again when its size or time changes. A file that is no
bundle is passed over with a warning, and kept for `faults`: one broken file must not take the others away.
"""

import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from lipsol.errors import BadInput, NotFound
from lipsol.promotion import Promotion, of_name
from lipsol.registry.cards import SUFFIX, Held, Shelf, info_of
from lipsol.registry.ledger import Ledger
from lipsol.registry.naming import PLAIN, Named, check, check_files, matches, name_all, sha256, waiting
from lipsol.registry.port import NONE, ModelInfo
from lipsol.signing import Keys

RECORDS, PROMOTIONS, MODEL = "records", "promotions", "model" + SUFFIX
DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class _Seen:
    """The folder as it is now. last: number of the last promotion."""

    files: tuple[Held, ...]
    named: Named
    last: int


class LocalRegistry:
    """Bundles in a folder, or one bundle file; what is not there holds none."""

    def __init__(self, folder: Path, keys: Keys | None = None) -> None:
        self._folder = folder
        self._keys = keys
        self._lock = Lock()
        self._shelf = Shelf()
        self._waiting = Shelf()
        self._ledger = Ledger(folder / PROMOTIONS, keys)

    @property
    def keys(self) -> Keys | None:
        return self._keys

    def models(self) -> list[ModelInfo]:
        return list(self._look().named.models)

    def candidates(self) -> list[ModelInfo]:
        return waiting((held.info for held in self._recorded() if held.info is not None), self._look().named)

    def faults(self) -> list[str]:
        seen = self._look()
        return [held.reason for held in seen.files if held.info is None] + list(seen.named.faults)

    def find(self, name_or_digest: str) -> ModelInfo:
        named = self._look().named
        found = named.find(name_or_digest) or self._candidate(name_or_digest)
        if found is None:
            raise named.missing(name_or_digest)
        return found

    def default(self, language: str) -> ModelInfo:
        return self._look().named.default(language)

    def champion(self, name: str) -> ModelInfo | None:
        return self._look().named.champion(name)

    def path(self, digest: str) -> Path:
        for held in (*self._look().files, *self._recorded()):
            if held.info is not None and held.info.digest == digest:
                return held.path
        raise NotFound(f"no model with the digest {digest!r}", "ask for one that `models` names")

    def file(self, digest: str, name: str) -> Path:
        folder = self._folder / RECORDS / digest
        there = [each.name for each in folder.iterdir()] if DIGEST.fullmatch(digest) and folder.is_dir() else []
        told = sorted(each for each in there if PLAIN.fullmatch(each) and each != MODEL)
        if name not in told:
            raise NotFound(
                f"no file {name!r} is with {digest[:12]}", f"ask for {', '.join(told) or 'nothing: none is'}"
            )
        return folder / name

    def register(self, path: Path, files: Mapping[str, Path] = NONE, *, candidate: bool = True) -> ModelInfo:
        info = info_of(path)
        self._check_files(info, files)
        record = self._folder / RECORDS / info.digest
        here = {held.info.digest: held.path for held in self._look().files if held.info is not None}
        if not candidate and here.get(info.digest, record).parent != self._folder:
            _copy(path, self._folder / (info.digest + SUFFIX))
        elif info.digest not in here:
            _copy(path, record / MODEL)
        for name, file in files.items():
            _copy(file, record / name)
        return self.find(info.digest)

    def promote(self, promotion: Promotion) -> None:
        if self._folder.is_file():
            raise BadInput(f"{self._folder} is one bundle alone", "name a folder of bundles to promote in")
        while True:
            seen = self._look()
            check(promotion, self.find(promotion.digest), seen.named, self._keys)
            if self._ledger.add(seen.last + 1, promotion):
                return

    def history(self, name: str = "") -> list[Promotion]:
        return of_name(self._look().named.history, name)

    def _look(self) -> _Seen:
        with self._lock:
            last, entries = self._ledger.entries()
            digests = {entry.promotion.digest for entry in entries if entry.promotion is not None}
            promoted = [self._folder / RECORDS / each / MODEL for each in sorted(digests) if DIGEST.fullmatch(each)]
            files = self._shelf.look([*bundle_files(self._folder), *promoted])
        good = [(held, held.info) for held in files if held.info is not None]
        released = [info for held, info in good if held.path not in promoted]
        return _Seen(tuple(files), name_all(released, {info.digest: info for _, info in good}, entries), last)

    def _recorded(self) -> list[Held]:
        """Every bundle that was registered as a candidate, in its own place."""
        with self._lock:
            found = self._waiting.look(sorted((self._folder / RECORDS).glob(f"*/{MODEL}")))
        return [held for held in found if held.info is not None and held.info.digest == held.path.parent.name]

    def _candidate(self, digest: str) -> ModelInfo | None:
        return next((held.info for held in self._recorded() if held.info and matches(held.info, digest)), None)

    def _check_files(self, info: ModelInfo, files: Mapping[str, Path]) -> None:
        """Raise BadInput for what `register` can't keep, before anything is kept."""
        if self._folder.is_file():
            raise BadInput(f"{self._folder} is one bundle alone", "name a folder of bundles to register in")
        record = self._folder / RECORDS / info.digest
        check_files(info, files, lambda name: sha256(record / name), self.history(info.name))


def bundle_files(folder: Path) -> list[Path]:
    """The files that should be bundles: those of a folder by name, or the one that is named itself."""
    return [folder] if folder.is_file() else sorted(folder.glob("*" + SUFFIX))


def _copy(source: Path, target: Path) -> None:
    """A copy that appears whole or not at all. Raises BadInput where nothing can be kept."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", delete=False) as beside:
            try:
                with source.open("rb") as file:
                    shutil.copyfileobj(file, beside)
                beside.flush()
                Path(beside.name).chmod(0o644)  # no secret, and services read it as other users
                Path(beside.name).replace(target)
            except BaseException:
                Path(beside.name).unlink(missing_ok=True)
                raise
    except OSError as fault:
        raise BadInput(f"{target} can't be written ({fault.strerror})", "name a registry that can be") from fault
