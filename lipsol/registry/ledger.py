"""A history of promotions in a folder: a numbered file each, made once and never touched again.

Two writers can't take the same number: a file appears under it whole or not at all, and only where none is yet. So the
history has one order, and who lost the race looks at what has changed before trying the next number.
"""

import os
import re
import tempfile
from pathlib import Path

from lipsol.errors import BadInput
from lipsol.promotion import MAX_BYTES, Promotion
from lipsol.registry.naming import Entry, entry_of
from lipsol.signing import Keys

NUMBERED = re.compile(r"(\d{8,})\.json")
Stamp = tuple[int, int]


class Ledger:
    """The numbered records of a folder, each read once; not safe to share between threads."""

    def __init__(self, folder: Path, keys: Keys | None) -> None:
        self._folder = folder
        self._keys = keys
        self._read: dict[str, tuple[Stamp, Entry]] = {}

    def entries(self) -> tuple[int, list[Entry]]:
        """The last number that is taken (0: none), and all records, newest first."""
        found = [(int(match[1]), each) for each in _files(self._folder) if (match := NUMBERED.fullmatch(each.name))]
        self._read = {each.name: self._entry(each) for _, each in found}
        ordered = sorted(found, reverse=True, key=lambda pair: pair[0])
        return (ordered[0][0] if ordered else 0), [self._read[each.name][1] for _, each in ordered]

    def add(self, number: int, promotion: Promotion) -> bool:
        """Keep the promotion under that number; False if it is taken. Raises BadInput where nothing can be kept."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".") as whole:
                whole.write(promotion.to_json())
                whole.flush()
                os.fsync(whole.fileno())
                Path(whole.name).chmod(0o644)  # a promotion is no secret, and services read it as other users
                os.link(whole.name, self._folder / f"{number:08}.json")
        except FileExistsError:
            return False
        except OSError as fault:
            raise BadInput(f"{self._folder} keeps no promotion ({fault.strerror})", "name a folder that can") from fault
        return True

    def _entry(self, path: Path) -> tuple[Stamp, Entry]:
        facts = path.stat()
        stamp = (facts.st_size, facts.st_mtime_ns)
        known = self._read.get(path.name)
        if known is not None and known[0] == stamp:
            return known
        with path.open("rb") as file:
            return stamp, entry_of(file.read(MAX_BYTES + 1), path.name, self._keys)


def _files(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
