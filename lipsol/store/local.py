"""The store in a folder of this machine.

A key's parts are folders; its file ends with "=", which no key may hold, so that `a` and `a/b` can both be kept. A
file begins with eight bytes, the time it expires (Unix seconds as a big-endian double, infinite for never), so that
data and expiry are written in one atomic step; the file's time is when it was put. Several processes may share a
folder. Nothing is synced to the disk: a power cut may take what was put last.
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

from lipsol.errors import NotFound, Transient
from lipsol.store.port import Kept, check_key, check_prefix, check_size, check_ttl

SUFFIX = "="  # ends the name of every data file
PARTIAL = ".partial"  # folder of files that are still being written; no key begins with a dot
PARTIAL_MAX_S = 3600.0  # after which a file that is still being written is one whose writer died
TRIES = 100  # times that a put starts over when another thread's delete took its folder away

_EXPIRY = struct.Struct(">d")


class LocalStore:
    """Files in a folder.

    folder  where; None: a folder of this store alone, removed at `close` or when the process ends
    now     what the time is, Unix seconds
    """

    def __init__(self, folder: Path | None = None, now: Callable[[], float] = time.time) -> None:
        own = folder is None
        self._folder = Path(tempfile.mkdtemp(prefix="lipsol-")) if folder is None else folder
        self._now = now
        with _away(self._folder):
            (self._folder / PARTIAL).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True) if own else None

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self._folder

    def put(self, key: str, data: bytes, ttl_s: float | None = None) -> None:
        path = self._path(key)
        check_ttl(key, ttl_s)
        expires = math.inf if ttl_s is None else self._now() + ttl_s
        with _away(self._folder):
            self._write(path, _EXPIRY.pack(expires), data)

    def get(self, key: str, max_bytes: int | None = None) -> bytes:
        path = self._path(key)
        with _away(self._folder):
            try:
                with path.open("rb") as file:
                    if self._lives(file.read(_EXPIRY.size)):
                        check_size(key, os.fstat(file.fileno()).st_size - _EXPIRY.size, max_bytes)
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
        root = self._root(prefix)
        with _away(self._folder):
            return sorted(self._key(path) for path in _files(root) if self._is_live(path))

    def survey(self, prefix: str) -> Iterator[Kept]:
        root = self._root(prefix)
        with _away(self._folder):
            for path in _files(root):
                with suppress(FileNotFoundError):
                    told = path.stat()
                    yield Kept(self._key(path), max(0, told.st_size - _EXPIRY.size), self._age_s(told))

    def sweep(self, older_s: float = 0.0) -> int:
        swept = 0
        with _away(self._folder):
            self._sweep_partial()
            for path in _files(self._folder):
                with suppress(FileNotFoundError):
                    if self._age_s(path.stat()) >= older_s and not self._is_live(path):
                        self._unlink(path)
                        swept += 1
        return swept

    def close(self) -> None:
        if self._remove is not None:
            self._remove()

    def _path(self, key: str) -> Path:
        return self._folder / (check_key(key) + SUFFIX)

    def _root(self, prefix: str) -> Path:
        return self._folder / check_prefix(prefix) if prefix else self._folder

    def _key(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix().removesuffix(SUFFIX)

    def _age_s(self, told: os.stat_result) -> float:
        return max(0.0, self._now() - told.st_mtime)

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
                os.utime(file.fileno(), (self._now(),) * 2)
                _move(partial, path)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise

    def _sweep_partial(self) -> None:
        """Remove what writers left that died; by the machine's own time, as their files have no other."""
        for path in (self._folder / PARTIAL).iterdir():
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > PARTIAL_MAX_S:
                    path.unlink()

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
        except (FileNotFoundError, FileExistsError):  # the folder went between mkdir's own two looks at it
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
