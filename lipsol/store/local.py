"""The store in a folder of this machine.

A key's parts are folders; its file ends with "=", which no key may hold, so that `a` and `a/b` can both be kept. A
file begins with eight bytes, the time it expires (Unix seconds as a big-endian double, infinite for never), so that
data and expiry are written in one atomic step. Several processes may share a folder. Nothing is synced to the disk: a
power cut may take what was put last.
"""

import math
import os
import shutil
import struct
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from lipsol.errors import BadInput, NotFound, Transient
from lipsol.store.port import check_key, check_prefix

SUFFIX = "="  # ends the name of every data file
PARTIAL = ".partial"  # folder of files that are still being written; no key begins with a dot
TRIES = 5  # times that a put starts over when another thread's delete took its folder away

_EXPIRY = struct.Struct(">d")


class LocalStore:
    """Files in a folder.

    folder   where; None: a folder of this store alone, removed at `close` or when the process ends
    sweep_s  seconds between two looks for expired files, taken at a `put`
    now      what the time is, Unix seconds
    """

    def __init__(self, folder: Path | None = None, sweep_s: float = 60.0, now: Callable[[], float] = time.time) -> None:
        own = folder is None
        self._folder = Path(tempfile.mkdtemp(prefix="lipsol-")) if folder is None else folder
        self._sweep_s = sweep_s
        self._now = now
        self._swept_at = now()
        self._sweeping = Lock()
        with _away(self._folder):
            (self._folder / PARTIAL).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True) if own else None

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self._folder

    def put(self, key: str, data: bytes, ttl_s: float | None = None) -> None:
        path = self._path(key)
        if ttl_s is not None and ttl_s <= 0:
            raise BadInput(f"a time to live of {ttl_s} s for {key!r}", "give more than 0 s, or None to keep it")
        expires = math.inf if ttl_s is None else self._now() + ttl_s
        with _away(self._folder):
            self._write(path, _EXPIRY.pack(expires), data)
        if self._now() - self._swept_at >= self._sweep_s:
            self.sweep()

    def get(self, key: str) -> bytes:
        path = self._path(key)
        with _away(self._folder):
            try:
                with path.open("rb") as file:
                    if self._lives(file.read(_EXPIRY.size)):
                        return file.read()
            except (FileNotFoundError, NotADirectoryError):
                pass
        raise NotFound(f"nothing is kept under {key!r} (any more)", "put it again")

    def exists(self, key: str) -> bool:
        path = self._path(key)
        with _away(self._folder):
            return self._is_live(path)

    def delete(self, key: str) -> None:
        path = self._path(key)
        with _away(self._folder):
            self._unlink(path)

    def delete_prefix(self, prefix: str) -> int:
        root = self._folder / check_prefix(prefix)
        with _away(self._folder):
            live = 0
            for path in list(_files(root)):
                live += self._is_live(path)
                self._unlink(path)
            return live

    def list(self, prefix: str) -> list[str]:
        root = self._folder / check_prefix(prefix) if prefix else self._folder
        with _away(self._folder):
            return sorted(self._key(path) for path in _files(root) if self._is_live(path))

    def sweep(self) -> int:
        """Remove what has expired; returns how many files that were."""
        with self._sweeping, _away(self._folder):
            self._swept_at = self._now()
            expired = [path for path in _files(self._folder) if not self._is_live(path)]
            for path in expired:
                self._unlink(path)
            return len(expired)

    def close(self) -> None:
        if self._remove is not None:
            self._remove()

    def _path(self, key: str) -> Path:
        return self._folder / (check_key(key) + SUFFIX)

    def _key(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix().removesuffix(SUFFIX)

    def _lives(self, head: bytes) -> bool:
        return len(head) == _EXPIRY.size and float(_EXPIRY.unpack(head)[0]) > self._now()

    def _is_live(self, path: Path) -> bool:
        with suppress(FileNotFoundError, NotADirectoryError), path.open("rb") as file:
            return self._lives(file.read(_EXPIRY.size))
        return False

    def _write(self, path: Path, head: bytes, data: bytes) -> None:
        with tempfile.NamedTemporaryFile(dir=self._folder / PARTIAL, delete=False) as file:
            partial = Path(file.name)
            try:
                file.write(head)
                file.write(data)
                file.flush()
                _move(partial, path)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise

    def _unlink(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        with suppress(OSError):  # a folder that is not empty, or gone already, stays as it is
            for folder in path.parents:
                if folder == self._folder:
                    break
                folder.rmdir()


def _files(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):  # unlike Path.rglob it bears folders that vanish meanwhile
        yield from (Path(folder, name) for name in names if name.endswith(SUFFIX))


def _move(partial: Path, path: Path) -> None:
    for left in reversed(range(TRIES)):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.replace(path)
        except FileNotFoundError:
            if not left:
                raise
        else:
            return


@contextmanager
def _away(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        why = fault.strerror or type(fault).__name__
        raise Transient(f"the store's folder {folder.name} fails: {why}", "see to its disk space and rights") from fault
