"""The door to objects that clients name: `s3://bucket/key`, or a key of the platform's own store.

A client must not make the platform read what was not meant for it. So buckets are opened only if the operator named
them (`LIPSOL_STORE__READABLE`; the store's own bucket is among them), and nothing that the platform keeps for itself
(`PRIVATE`) is opened in any way. What is too big is refused before it is fetched.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from lipsol.errors import BadInput
from lipsol.store.port import Kept, Store, check_key, check_prefix

SCHEME = "s3://"
PRIVATE = ("clips/", "idempotency/")  # what the platform keeps of clips; nobody's video lies there
NAME_MAX = 1024  # bytes of an object's name in a bucket
_BUCKET = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")  # letters of a bucket's name


@runtime_checkable
class Opened(Protocol):
    """`lipsol.store.buckets.Buckets`, as far as it is needed here."""

    def read(self, bucket: str, name: str, max_bytes: int) -> bytes:
        """An object's bytes. Raises NotFound, Transient, and BadInput if there are over max_bytes."""
        ...

    def walk(self, bucket: str, prefix: str) -> Iterator[Kept]:
        """Every object whose name begins with prefix, by name. Raises Transient."""
        ...


@dataclass(frozen=True)
class Listed:
    """An object that can be fetched: `source` names it, `size_bytes` is how big it is."""

    source: str
    size_bytes: int


class Objects:
    """Fetches what clients name; safe to share between threads.

    store     the platform's own
    buckets   an S3-compatible server; None: there is none
    readable  names of the buckets that may be read
    own       bucket and prefix of `store`, where it lies in a bucket itself
    """

    def __init__(
        self,
        store: Store,
        buckets: Opened | None = None,
        readable: Set[str] = frozenset(),
        own: tuple[str, str] | None = None,
    ) -> None:
        self._store = store
        self._buckets = buckets
        self._readable = readable
        self._own = own

    def fetch(self, source: str, max_bytes: int) -> bytes:
        """The bytes of one object: `s3://bucket/key`, or a key of the platform's own store.

        Raises BadInput for a name that can't be or may not be read and for more than max_bytes, NotFound if nothing
        is there, Transient when the store or server is away.
        """
        if not source.startswith(SCHEME):
            return self._store.get(_public(check_key(source)), max_bytes)
        bucket, name = self._place(source)
        if not name or name.endswith("/"):
            raise BadInput(f"{source!r} names no object", "give s3://bucket/key, as `aws s3 ls` shows it")
        return self._open(bucket).read(bucket, name, max_bytes)

    def walk(self, source: str) -> Iterator[Listed]:
        """Every object whose name begins with `s3://bucket/prefix` (or with a prefix `a/b/` of the own store), by name.

        What stands for a folder is left out. Raises as `fetch`; a prefix without objects is no error.
        """
        if not source.startswith(SCHEME):
            for kept in self._store.survey(_public(check_prefix(source))):
                yield Listed(kept.key, kept.size_bytes)
            return
        bucket, prefix = self._place(source)
        for kept in self._open(bucket).walk(bucket, prefix):
            if not kept.key.endswith("/") and not self._is_private(bucket, kept.key):
                yield Listed(f"{SCHEME}{bucket}/{kept.key}", kept.size_bytes)

    def _place(self, source: str) -> tuple[str, str]:
        """Bucket and name of an s3:// source that may be read. Raises BadInput."""
        bucket, _, name = source.removeprefix(SCHEME).partition("/")
        if not bucket or not set(bucket) <= _BUCKET or not name.isprintable() or len(name.encode()) > NAME_MAX:
            raise BadInput(f"{source[:NAME_MAX]!r} names no object", "give s3://bucket/key, as `aws s3 ls` shows it")
        if bucket not in self._readable:
            raise BadInput(
                f"the platform may not read from the bucket {bucket!r}",
                "put the clip into a bucket that it may read, or let the operator name this one in"
                " LIPSOL_STORE__READABLE",
            )
        if self._is_private(bucket, name):
            raise BadInput(f"{source!r} is the platform's own", "name a video that you put there")
        return bucket, name

    def _is_private(self, bucket: str, name: str) -> bool:
        own_bucket, prefix = self._own or ("", "")
        return bucket == own_bucket and any(name.startswith(prefix + private) for private in PRIVATE)

    def _open(self, bucket: str) -> Opened:
        if self._buckets is None:
            raise BadInput(f"there is no server for the bucket {bucket!r}", "set LIPSOL_STORE__READABLE")
        return self._buckets


def _public(key: str) -> str:
    if any(key.startswith(private) for private in PRIVATE):
        raise BadInput(f"{key!r} is the platform's own", "name a video that you put there")
    return key
