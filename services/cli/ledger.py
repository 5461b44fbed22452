"""The ledger of a batch: what was sent, clip by clip, in the store that the services share.

    batches/{batch}/head.json            how the batch is to be read
    batches/{batch}/clips/{clip}.json    one entry a clip: written once the clip is on its way, so that whoever goes on
                                         after an interruption sends nothing twice
    batches/{batch}/files/{clip}         the video, until the edge has taken it or its time is up

A clip's id follows from batch, path and content, so the same clip of the same batch has the same name whoever sends it.
What became of a clip is not here: that is the edge's own result.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from lipsol.errors import BadInput, NotFound
from lipsol.store.claims import MARGIN_S
from lipsol.store.port import Store
from lipsol.topics import CLIPS

NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")  # of a batch: a part of a store's key
FILE_S = CLIPS.retention_s + MARGIN_S  # that a video waits to be taken: longer than the event that points at it lives
ENTRY_S = (
    2 * FILE_S
)  # that a batch is known: its last clip may be taken as late as that, and its result is kept as long


@dataclass(frozen=True)
class Head:
    """How a batch is to be read: model, grammar and language as `ClipReceived` has them."""

    batch: str
    model: str
    grammar: str
    language: str


@dataclass(frozen=True)
class Entry:
    """A clip of a batch.

    path     what the one who sent it calls it
    source   where it lies: `s3://bucket/key`, or a key of the store
    text     what is really said in it, and speaker; "": nobody told
    sent_at  when it was sent, Unix seconds
    reason   why it could not be sent, and cure; "": it was
    """

    clip_id: str
    path: str
    source: str
    digest: str
    size_bytes: int
    text: str
    speaker: str
    language: str
    session: str
    sent_at: float
    reason: str = ""
    cure: str = ""


def checked_name(name: str) -> str:
    """The batch's name itself. Raises BadInput."""
    if not NAME.fullmatch(name):
        raise BadInput(
            f"a batch called {name[:80]!r}", "name it by 1 to 64 letters, digits, '.', '_', '-'; no '.' first"
        )
    return name


def clip_id_of(batch: str, path: str, content: str) -> str:
    """The clip's id: 128 bits of a hash over the batch, its path and its content's digest ("": not known)."""
    return hashlib.sha256(f"{batch}\n{content}\n{path}".encode()).hexdigest()[:32]


class Ledger:
    """One batch's ledger; safe to share between threads and processes. Raises Transient when the store is away."""

    def __init__(self, store: Store, batch: str) -> None:
        self._store = store
        self.batch = checked_name(batch)

    def open(self, head: Head) -> None:
        """Begin the batch, or go on with it. Raises BadInput if it was begun to be read in another way."""
        try:
            before = self.head()
        except NotFound:
            self._put("head", _heads().dump_json(head))
            return
        if before != head:
            raise BadInput(
                f"batch {self.batch} was begun as {_wishes(before)}, not as {_wishes(head)}", "give another --name"
            )

    def head(self) -> Head:
        """How the batch is read. Raises NotFound if there is no such batch (any more)."""
        try:
            return _heads().validate_json(self._store.get(self._key("head")))  # type: ignore[no-any-return]
        except NotFound as unknown:
            raise NotFound(
                f"no batch {self.batch!r} is known (any more)", "name one that `lipsol batch submit` has told"
            ) from unknown

    def ids(self) -> list[str]:
        """The ids of all its clips."""
        keys = self._store.list(f"batches/{self.batch}/clips/")
        return [key.rpartition("/")[2].removesuffix(".json") for key in keys]

    def entry(self, clip_id: str) -> Entry | None:
        """A clip's entry; None if there is none (any more)."""
        try:
            return _entries().validate_json(self._store.get(self._key(f"clips/{clip_id}")))  # type: ignore[no-any-return]
        except NotFound:
            return None

    def entries(self) -> Iterator[Entry]:
        """All entries, one by one."""
        return (entry for clip_id in self.ids() if (entry := self.entry(clip_id)) is not None)

    def write(self, entry: Entry) -> None:
        """Put an entry down."""
        self._put(f"clips/{entry.clip_id}", _entries().dump_json(entry))

    def strike(self, clip_id: str) -> None:
        """Take an entry out."""
        self._store.delete(self._key(f"clips/{clip_id}"))

    def file_key(self, clip_id: str) -> str:
        """Where a clip's video waits to be taken."""
        return f"batches/{self.batch}/files/{clip_id}"

    def _put(self, name: str, data: bytes) -> None:
        self._store.put(self._key(name), data, ENTRY_S)

    def _key(self, name: str) -> str:
        return f"batches/{self.batch}/{name}.json"


@cache
def _heads() -> Any:  # a TypeAdapter[Head]
    return TypeAdapter(Head)


@cache
def _entries() -> Any:  # a TypeAdapter[Entry]
    return TypeAdapter(Entry)


def _wishes(head: Head) -> str:
    return ", ".join(f"{name} {value[:40]!r}" for name, value in asdict(head).items() if name != "batch")
