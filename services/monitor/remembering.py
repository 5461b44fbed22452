"""What is remembered of each clip: just enough that repeats change nothing and a person's last word replaces the first.

No text, no id: clips and feedback go by hashes, readings by marks that are let go once both tracks' are compared.
The last `most` clips are remembered, and none longer than `seconds` by the bus's time.
"""

import base64
import hashlib
import json
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any

from lipsol.text.rates import Rate
from services.monitor.group import Group
from services.monitor.observing import Judged

CHUNK = 1000  # things that are kept as one part of the state
TOLD_MAX = 32  # feedbacks of one clip that are known by their names
NAME_BYTES = 8
PART = "clips/"  # begins the names of the parts


def named(*parts: str) -> bytes:
    """A short name for a clip, a feedback or a place: equal where that is equal, and not to be turned back."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=NAME_BYTES).digest()


@dataclass(slots=True)
class Remembered:
    """One clip, or one message that died.

    serial   its number among all that were ever remembered
    at       when it was first heard of, Unix seconds by the bus
    kind     "clip" or "letter"
    reader, mark    whose reading users got, and the mark of its text (b"": let go); None: not read yet
    copied, shadow  the same of a shadow copy
    told     names of what people told of it, oldest first
    judged   what the last of them said
    group, window  where that is counted: whose reading it was, and when the window began; None: nowhere (yet)
    refused, deleted, gave_up  the edge refused it; a person took it back; a person gave up on it
    """

    serial: int
    at: float
    kind: str = "clip"
    reader: Group | None = None
    mark: bytes = b""
    copied: Group | None = None
    shadow: bytes = b""
    told: tuple[bytes, ...] = ()
    judged: Judged | None = None
    group: Group | None = None
    window: float | None = None
    refused: bool = False
    deleted: bool = False
    gave_up: bool = False


class Memory:
    """Clips by their names, the oldest making way. One thread writes."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._known: OrderedDict[bytes, Remembered] = OrderedDict()
        self._serial = 0
        self._changed: set[int] = set()  # chunks

    def __len__(self) -> int:
        return len(self._known)

    @property
    def clips(self) -> int:
        """How many of them are clips."""
        return sum(each.kind == "clip" for each in list(self._known.values()))

    def take(self, name: bytes, at: float, kind: str = "clip") -> Remembered:
        """What is known of it, to be written to; new, if nothing is."""
        self._expire(at)
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = Remembered(self._serial, at, kind)
            self._serial += 1
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        self._changed.add(known.serial // CHUNK)
        return known

    def knows(self, name: bytes) -> bool:
        """Whether it was heard of."""
        return name in self._known

    def _expire(self, at: float) -> None:
        while self._known and at - next(iter(self._known.values())).at > self._seconds:
            self._known.popitem(last=False)

    def parts(self) -> set[str]:
        """The names of all parts of it."""
        if not self._known:
            return set()
        first, last = next(iter(self._known.values())).serial // CHUNK, (self._serial - 1) // CHUNK
        return {f"{PART}{number}" for number in range(first, last + 1)}

    def changed(self) -> dict[str, bytes]:
        """The parts that changed since this was asked last."""
        chunks, self._changed = self._changed, set()
        held: dict[int, list[tuple[bytes, Remembered]]] = {number: [] for number in chunks}
        if chunks:
            for name, each in self._known.items():
                if each.serial // CHUNK in held:
                    held[each.serial // CHUNK].append((name, each))
        alive = self.parts()
        return {f"{PART}{n}": _packed(things) for n, things in held.items() if f"{PART}{n}" in alive}

    def restore(self, parts: Mapping[str, bytes]) -> None:
        """Undo `changed`: know that, and nothing else."""
        things = [each for name, data in parts.items() if name.startswith(PART) for each in _unpacked(data)]
        things.sort(key=lambda thing: thing[1].serial)
        self._known = OrderedDict(things[-self._most :])
        self._serial = things[-1][1].serial + 1 if things else 0
        self._changed = set()


def _packed(things: list[tuple[bytes, Remembered]]) -> bytes:
    groups = {group: n for n, group in enumerate({g: None for _, t in things for g in (t.reader, t.copied, t.group)})}
    rows = [_row(name, each, groups) for name, each in things]
    told = [None if group is None else astuple(group) for group in groups]
    return zlib.compress(json.dumps({"groups": told, "rows": rows}, separators=(",", ":")).encode(), 1)


def _row(name: bytes, each: Remembered, groups: Mapping[Group | None, int]) -> list[Any]:
    judged = each.judged
    return [
        _text(name),
        each.serial,
        each.at,
        each.kind,
        groups[each.reader],
        _text(each.mark),
        groups[each.copied],
        _text(each.shadow),
        [_text(told) for told in each.told],
        judged
        and [judged.right, judged.corrected, judged.confidence, astuple(judged.words), astuple(judged.characters)],
        groups[each.group],
        each.window,
        each.refused,
        each.deleted,
        each.gave_up,
    ]


def _unpacked(data: bytes) -> list[tuple[bytes, Remembered]]:
    kept = json.loads(zlib.decompress(data))
    groups = [None if told is None else Group(*told) for told in kept["groups"]]
    return [_thing(row, groups) for row in kept["rows"]]


def _thing(row: list[Any], groups: list[Group | None]) -> tuple[bytes, Remembered]:
    name, serial, at, kind, reader, mark, copied, shadow, told, judged, group, window, *flags = row
    said = None
    if judged is not None:
        right, corrected, confidence, words, characters = judged
        said = Judged(right, corrected, confidence, Rate(*words), Rate(*characters))
    return _bytes(name), Remembered(
        serial,
        at,
        kind,
        groups[reader],
        _bytes(mark),
        groups[copied],
        _bytes(shadow),
        tuple(map(_bytes, told)),
        said,
        groups[group],
        window,
        *flags,
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
