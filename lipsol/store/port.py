"""The store: bytes by key, for what is too big for a message and for results until their time is up.

The law: a `put` is seen whole or not at all, by everyone, from its return on. A key is a relative name of one or more
parts between slashes (`clips/ab12/mouth`); a prefix ends with a slash, so that `clips/1/` can't mean `clips/10` too.
What has expired is gone at once for every reader, and from the disk a little later. Every method may be called from
any thread, and deleting what is not there is harmless. Each raises BadInput for an unsafe key or prefix, and
Transient when the store is away.

What is out of time is removed for good by `sweep`; nobody else does it, so somebody must call it now and then. Several
may at once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from lipsol.errors import BadInput

KEY_MAX = 512  # characters of a key; S3 allows 1024 bytes, folders 255 a part
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True)
class Kept:
    """What a survey tells of a key: how many bytes are kept under it, and how many seconds ago they were put."""

    key: str
    size_bytes: int
    age_s: float


@runtime_checkable
class Store(Protocol):
    """Bytes by key."""

    def put(self, key: str, data: bytes, ttl_s: float | None = None) -> None:
        """Keep data under key, in place of what was there, for ttl_s seconds (None: until deleted).

        Raises BadInput if ttl_s is not above zero.
        """
        ...

    def get(self, key: str, max_bytes: int | None = None) -> bytes:
        """What is kept under key. Raises NotFound, and BadInput, before it is read, if it has over max_bytes bytes."""
        ...

    def exists(self, key: str) -> bool:
        """Whether `get` would find it."""
        ...

    def delete(self, key: str) -> None:
        """Forget key."""
        ...

    def delete_prefix(self, prefix: str) -> int:
        """Forget every key that begins with prefix (`""` is refused); returns how many there were."""
        ...

    def list(self, prefix: str) -> list[str]:
        """Every key that begins with prefix (`""`: all), sorted."""
        ...

    def survey(self, prefix: str) -> Iterator[Kept]:
        """Every key that begins with prefix (`""`: all), as far as it goes; what shares a prefix comes together.

        Made for sweepers: it asks for no key's expiry, so it may tell of what has expired and was not swept yet.
        """
        ...

    def sweep(self, older_s: float = 0.0) -> int:
        """Remove for good what has expired and was put at least older_s ago; returns how many keys that were.

        Where nothing is put for a shorter time than older_s, that spares the store a look at all the others.
        """
        ...

    def close(self) -> None:
        """Let go of what the store holds open. Twice is harmless."""
        ...


def check_key(key: str) -> str:
    """The key itself, if it is safe. Raises BadInput naming the part that is not."""
    if len(key) > KEY_MAX:
        raise BadInput(f"a store key of {len(key)} characters", f"use at most {KEY_MAX}")
    for part in key.split("/"):
        if not _PART.fullmatch(part):
            raise BadInput(
                f"store key {key!r} with the part {part!r}", "use letters, digits, '.', '_', '-'; no leading '.'"
            )
    return key


def check_size(key: str, size_bytes: int, max_bytes: int | None) -> None:
    """Raise BadInput if a key's bytes are over the bound (None: there is none)."""
    if max_bytes is not None and size_bytes > max_bytes:
        raise BadInput(f"{size_bytes} bytes under {key!r}, at most {max_bytes} are taken", "put less there")


def check_ttl(key: str, ttl_s: float | None) -> None:
    """Raise BadInput unless there is time to live."""
    if ttl_s is not None and ttl_s <= 0:
        raise BadInput(f"a time to live of {ttl_s} s for {key!r}", "give more than 0 s, or None to keep it")


def check_prefix(prefix: str) -> str:
    """The prefix itself, if it is safe and ends with a slash. Raises BadInput."""
    if not prefix.endswith("/"):
        raise BadInput(f"store prefix {prefix!r}", "end it with '/'")
    check_key(prefix.removesuffix("/"))
    return prefix
