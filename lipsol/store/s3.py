"""The store in a bucket of an S3-compatible server.

A key is an object's name, behind the store's prefix; when it expires stands in the object's metadata, so that data and
expiry are put in one step. S3 by itself knows days alone: what is out of time is refused to every reader by our own
clock, and `sweep` removes it. A lifecycle rule on the bucket is a net below that, for when nobody sweeps any more.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from lipsol.errors import NotFound
from lipsol.store.buckets import Buckets
from lipsol.store.port import Kept, check_key, check_prefix, check_ttl

EXPIRES = "lipsol-expires-at"  # the metadata that says when an object expires, Unix seconds; without it: never
ASKING = 8  # objects whose expiry is asked for at once
CHUNK = 256  # of them that are handed out together


class S3Store:
    """Objects in a bucket. `prefix`: before every key, "" or ending in a slash; `now`: Unix time, seconds."""

    def __init__(self, buckets: Buckets, bucket: str, prefix: str = "", now: Callable[[], float] = time.time) -> None:
        self.buckets = buckets
        self._bucket = bucket
        self._prefix = prefix
        self._now = now

    def check(self) -> None:
        """Raise BadInput if the server refuses us the bucket or has none, Transient when no server answers."""
        self.buckets.check(self._bucket)

    def put(self, key: str, data: bytes, ttl_s: float | None = None) -> None:
        name = self._name(key)
        check_ttl(key, ttl_s)
        notes = {} if ttl_s is None else {EXPIRES: repr(self._now() + ttl_s)}
        self.buckets.put(self._bucket, name, data, notes)

    def get(self, key: str, max_bytes: int | None = None) -> bytes:
        name = self._name(key)
        with suppress(NotFound):
            data, notes = self.buckets.get(self._bucket, name, max_bytes)
            if self._lives(notes.get(EXPIRES)):
                return data
        raise NotFound(f"nothing is kept under {key!r} (any more)", "put it again")

    def exists(self, key: str) -> bool:
        return self._is_live(self._name(key))

    def delete(self, key: str) -> None:
        self.buckets.delete(self._bucket, [self._name(key)])

    def delete_prefix(self, prefix: str) -> int:
        names = [kept.key for kept in self.buckets.walk(self._bucket, self._prefix + check_prefix(prefix))]
        live = sum(lives for _, lives in self._asked(names))
        self.buckets.delete(self._bucket, names)
        return live

    def list(self, prefix: str) -> list[str]:
        keys = [kept.key for kept in self.survey(prefix)]
        asked = self._asked(self._prefix + key for key in keys)
        return sorted(key for key, (_, lives) in zip(keys, asked, strict=True) if lives)

    def survey(self, prefix: str) -> Iterator[Kept]:
        root = self._prefix + (check_prefix(prefix) if prefix else "")
        for kept in self.buckets.walk(self._bucket, root):
            yield Kept(kept.key.removeprefix(self._prefix), kept.size_bytes, kept.age_s)

    def sweep(self, older_s: float = 0.0) -> int:
        old = (kept.key for kept in self.buckets.walk(self._bucket, self._prefix) if kept.age_s >= older_s)
        expired = [name for name, lives in self._asked(old) if not lives]
        self.buckets.delete(self._bucket, expired)
        return len(expired)

    def close(self) -> None:
        self.buckets.close()

    def _name(self, key: str) -> str:
        return self._prefix + check_key(key)

    def _lives(self, expires: str | None) -> bool:
        try:
            return expires is None or float(expires) > self._now()
        except ValueError:
            return False

    def _is_live(self, name: str) -> bool:
        with suppress(NotFound):
            return self._lives(self.buckets.notes(self._bucket, name).get(EXPIRES))
        return False

    def _asked(self, names: Iterable[str]) -> Iterator[tuple[str, bool]]:
        """Each object with whether it is live, some asked for at once; in the order given."""
        waiting: list[str] = []
        with ThreadPoolExecutor(ASKING, "store-s3") as threads:
            for name in names:
                waiting.append(name)
                if len(waiting) == CHUNK:
                    yield from zip(waiting, threads.map(self._is_live, waiting), strict=True)
                    waiting = []
            yield from zip(waiting, threads.map(self._is_live, waiting), strict=True)
