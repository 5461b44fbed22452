"""The store: bytes by key, for what is too big for a message and for results until their time is up.

The law: a `put` is seen whole or not at all, by everyone, from its return on. A key is a relative name of one or more
parts between slashes (`clips/ab12/mouth`); a prefix ends with a slash, so that `clips/1/` can't mean `clips/10` too.
What has expired is gone at once for every reader, and from the disk a little later. Every method may be called from
any thread, and deleting what is not there is harmless. Each raises BadInput for an unsafe key or prefix, and
Transient when the store is away.
"""

import re
from typing import Protocol, runtime_checkable

from lipsol.errors import BadInput

KEY_MAX = 512  # characters of a key; S3 allows 1024 bytes, folders 255 a part
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")


@runtime_checkable
class Store(Protocol):
    """Bytes by key."""

    def put(self, key: str, data: bytes, ttl_s: float | None = None) -> None:
        """Keep data under key, in place of what was there, for ttl_s seconds (None: until deleted).

        Raises BadInput if ttl_s is not above zero.
        """
        ...

    def get(self, key: str) -> bytes:
        """What is kept under key. Raises NotFound."""
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


def check_prefix(prefix: str) -> str:
    """The prefix itself, if it is safe and ends with a slash. Raises BadInput."""
    if not prefix.endswith("/"):
        raise BadInput(f"store prefix {prefix!r}", "end it with '/'")
    check_key(prefix.removesuffix("/"))
    return prefix
