"""Corrections in a store, each with its clip's mouth: `corrections/{clip}/`, for a time, and only under a consent.

The mouth is put before the first record that names it; a mouth without one is nobody's, and expires. What was taken
back leaves its clip's id alone (`withdrawn/{clip}`, for good), so that data sets that have learned of it let it go.
"""

import hashlib
import time
from collections.abc import Callable, Iterator

from lipsol.data.corrections import Correction
from lipsol.errors import BadInput, NotFound
from lipsol.store.port import Store

CORRECTIONS, WITHDRAWN = "corrections/", "withdrawn/"
DAY_S = 86_400.0
RETENTION_S = 90 * DAY_S  # unless the edge's setting says other


class Corrections:
    """What is kept to teach; safe to share between threads and processes. `now`: Unix time, seconds."""

    def __init__(self, store: Store, retention_s: float = RETENTION_S, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._retention_s = retention_s
        self._now = now

    def keep(self, correction: Correction, mouth: bytes) -> None:
        """Keep a correction with its mouth, whose digest it names. The same again changes nothing but the time.

        What was taken back before may teach again: somebody agreed anew.
        """
        self._store.put(_mouth_key(correction), mouth, self._retention_s)
        key = f"{CORRECTIONS}{correction.clip_id}/{correction.feedback_id}.json"
        self._store.put(key, correction.to_json(), self._retention_s)
        self._store.delete(f"{WITHDRAWN}{correction.clip_id}")

    def of(self, clip_id: str) -> list[Correction]:
        """What is kept of a clip, oldest first."""
        return sorted(self._under(f"{CORRECTIONS}{clip_id}/"), key=lambda each: each.consented_at)

    def all(self) -> Iterator[Correction]:
        """All that is kept, in no order that means anything."""
        return self._under(CORRECTIONS)

    def mouth(self, correction: Correction) -> bytes:
        """The mouth clip's bytes. Raises NotFound if they are gone, BadInput if they are not those that were kept."""
        data = self._store.get(_mouth_key(correction))
        if hashlib.sha256(data).hexdigest() != correction.mouth:
            raise BadInput(f"the mouth of {correction.clip_id} is not the one that was kept", "leave it out")
        return data

    def forget(self, clip_id: str) -> int:
        """Take back all that a clip teaches; returns how many corrections that were."""
        kept = len(self.of(clip_id))
        if kept:
            self.withdraw(clip_id)
        return kept

    def withdraw(self, clip_id: str) -> None:
        """The same, also of a clip that is kept here no more, but may be in data sets."""
        self._store.put(f"{WITHDRAWN}{clip_id}", b"")
        self._store.delete_prefix(f"{CORRECTIONS}{clip_id}/")

    def withdrawn(self) -> frozenset[str]:
        """The clips whose corrections were taken back."""
        return frozenset(key.removeprefix(WITHDRAWN) for key in self._store.list(WITHDRAWN))

    def count_new(self, since: float) -> int:
        """Clips whose words were told after `since`, Unix seconds; nothing is read for it."""
        now = self._now()
        kept = (each for each in self._store.survey(CORRECTIONS) if each.key.endswith(".json"))
        return len({each.key.split("/")[1] for each in kept if now - each.age_s > since})

    def _under(self, prefix: str) -> Iterator[Correction]:
        for key in self._store.list(prefix):
            if key.endswith(".json"):
                try:
                    yield Correction.from_json(self._store.get(key))
                except NotFound:  # taken back meanwhile
                    continue


def _mouth_key(correction: Correction) -> str:
    return f"{CORRECTIONS}{correction.clip_id}/{correction.mouth[:32]}.npz"
