"""Idempotency keys: a client that repeats its request gets the clip of the first one, not a second clip.

The clip's id follows from key and body, so whichever replica takes a repeat, and even if two take it at once, it is
the same clip: all that is done twice for it is done to the same things. What was done is marked only when it is out:
until the mark stands (because the replica died, say, or is at it right now) a repeat does it all again, and after
that it waits for what was done. So no point at which a replica can die leaves a clip that nobody reads.

That a key came with another body is known by a record under the key's hash, since the key itself may tell something of
the client; beside the clip lies the record's name, so that deleting the clip removes both.
"""

import hashlib
from collections.abc import Sequence

from pydantic import BaseModel

from lipsol.errors import BadInput, NotFound
from lipsol.store.port import Store

KEY_MAX = 255  # characters of an Idempotency-Key


class _Record(BaseModel):
    body: str


class _Mark(BaseModel):
    deadline_at: float


class Repeats:
    """Which requests came before, remembered for `retention_s` seconds."""

    def __init__(self, store: Store, retention_s: float) -> None:
        self._store = store
        self._retention_s = retention_s

    def remember(self, key: str, body: str) -> str:
        """The id of the clip that this key and body name, and have named ever since.

        Raises BadInput if the key came with another body before.
        """
        clip_id = named(key, body)
        try:
            record = _Record.model_validate_json(self._store.get(_record_key(key)))
        except NotFound:
            self._store.put(_named_key(clip_id), _record_key(key).encode(), self._retention_s)
            self._put(_record_key(key), _Record(body=body))
            return clip_id
        if record.body != body:
            raise BadInput("this Idempotency-Key was used for another request", "use a new key for a new request")
        return clip_id

    def mark(self, clip_id: str, deadline_at: float) -> None:
        """The clip was handed on, with that deadline (Unix seconds; 0.0: none): a repeat has nothing left to do."""
        self._put(_mark_key(clip_id), _Mark(deadline_at=deadline_at))

    def handed_on(self, clip_id: str, now: float) -> bool:
        """Whether the clip was handed on, and its deadline has not passed since."""
        try:
            mark = _Mark.model_validate_json(self._store.get(_mark_key(clip_id)))
        except NotFound:
            return False
        return mark.deadline_at == 0 or now < mark.deadline_at

    def forget(self, clip_id: str) -> None:
        """No key names this clip any more. Call it before the clip's own prefix is removed."""
        try:
            record_key = self._store.get(_named_key(clip_id)).decode()
        except NotFound:
            return
        self._store.delete(record_key)
        self._store.delete(_named_key(clip_id))

    def _put(self, key: str, what: BaseModel) -> None:
        self._store.put(key, what.model_dump_json().encode(), self._retention_s)


def named(key: str, body: str) -> str:
    """The clip id of a key and the digest of a body: nobody guesses it who has not the clip itself."""
    return hashlib.sha256(f"{key}\n{body}".encode()).hexdigest()[:32]


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


def unmark(store: Store, clip_id: str) -> None:
    """What a clip was handed on to is no more (a bus that ended with its process): it is to be handed on again."""
    store.delete(_mark_key(clip_id))


def _mark_key(clip_id: str) -> str:
    return f"clips/{clip_id}/handed-on.json"
