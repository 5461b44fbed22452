"""Idempotency keys: a client that repeats its request gets the clip of the first one, not a second clip.

The record lies in the store under the key's hash, since the key itself may tell something of the client, and beside
the clip lies the record's name, so that deleting the clip removes both.
"""

import hashlib
from collections.abc import Sequence

from pydantic import BaseModel

from lipsol.errors import BadInput, NotFound
from lipsol.store.port import Store

KEY_MAX = 255  # characters of an Idempotency-Key


class _Record(BaseModel):
    clip_id: str
    body: str


class Repeats:
    """Which clip belongs to which idempotency key, remembered for `retention_s` seconds."""

    def __init__(self, store: Store, retention_s: float) -> None:
        self._store = store
        self._retention_s = retention_s

    def clip_of(self, key: str, body: str) -> str | None:
        """The clip that this key has named before, or None. Raises BadInput if it came with another body then."""
        try:
            record = _Record.model_validate_json(self._store.get(_record_key(key)))
        except NotFound:
            return None
        if record.body != body:
            raise BadInput("this Idempotency-Key was used for another request", "use a new key for a new request")
        return record.clip_id

    def remember(self, key: str, body: str, clip_id: str) -> None:
        """This key names this clip from now on."""
        record = _Record(clip_id=clip_id, body=body)
        self._store.put(_named_key(clip_id), _record_key(key).encode(), self._retention_s)
        self._store.put(_record_key(key), record.model_dump_json().encode(), self._retention_s)

    def forget(self, clip_id: str) -> None:
        """No key names this clip any more. Call it before the clip's own prefix is removed."""
        try:
            record_key = self._store.get(_named_key(clip_id)).decode()
        except NotFound:
            return
        self._store.delete(record_key)
        self._store.delete(_named_key(clip_id))


def checked_key(key: str) -> str:
    """The key itself. Raises BadInput unless it is 1 to `KEY_MAX` printable ASCII characters."""
    if not 0 < len(key) <= KEY_MAX or not key.isascii() or not key.isprintable():
        raise BadInput(f"an Idempotency-Key of {len(key)} characters", f"use 1 to {KEY_MAX} printable ASCII characters")
    return key


def body_digest(data: bytes, fields: Sequence[str]) -> str:
    """What tells one request's body from another's: sha256 over the clip and the fields beside it, hex."""
    digest = hashlib.sha256(data)
    for field in fields:
        digest.update(b"\0" + hashlib.sha256(field.encode()).digest())
    return digest.hexdigest()


def _record_key(key: str) -> str:
    return f"idempotency/{hashlib.sha256(key.encode()).hexdigest()}"


def _named_key(clip_id: str) -> str:
    return f"clips/{clip_id}/request"
