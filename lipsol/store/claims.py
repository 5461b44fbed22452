"""The claim check: few bytes ride inside an event, many go to the store and the event carries the check for them.

https://www.enterpriseintegrationpatterns.com/patterns/messaging/StoreInLibrary.html. What is cashed is what was kept,
or it is refused: a digest travels with the check, and what the store gives must match it.
"""

import hashlib
import time
from collections.abc import Callable

from lipsol.errors import BadInput, NotFound
from lipsol.events import Claim
from lipsol.store.port import Store

INLINE_MAX_BYTES = 256 * 1024  # what rides inside an event: a quarter of what a message may hold
MARGIN_S = 3600.0  # that the store keeps longer than the topic: a message read at its last moment is still handled


class Claims:
    """Makes checks and cashes them; safe to share between threads. `now`: Unix time, seconds."""

    def __init__(
        self, store: Store, inline_max_bytes: int = INLINE_MAX_BYTES, now: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._inline_max_bytes = inline_max_bytes
        self._now = now

    def keep(self, key: str, data: bytes, retention_s: float) -> Claim:
        """The claim for data: inline, or kept under key longer than a message lives (retention_s of its topic).

        Raises BadInput for an unsafe key, Transient when the store is away.
        """
        digest = hashlib.sha256(data).hexdigest()
        if len(data) <= self._inline_max_bytes:
            return Claim(data, "", digest, len(data), 0.0)
        ttl_s = retention_s + MARGIN_S
        self._store.put(key, data, ttl_s)
        return Claim(b"", key, digest, len(data), self._now() + ttl_s)

    def cash(self, claim: Claim) -> bytes:
        """The bytes of a claim.

        Raises BadInput if they are gone or not those that were kept, Transient when the store is away.
        """
        data = self._fetch(claim) if claim.ref else claim.inline
        digest = hashlib.sha256(data).hexdigest()
        if digest != claim.digest:
            raise BadInput(
                f"{len(data)} bytes with digest {digest[:12]}, announced were {claim.size_bytes} bytes with"
                f" {claim.digest[:12]}",
                "send the clip again",
            )
        return data

    def _fetch(self, claim: Claim) -> bytes:
        try:
            return self._store.get(claim.ref)
        except NotFound as gone:
            raise BadInput(
                f"the {claim.size_bytes} bytes are gone: deleted, or waited for too long", "send the clip again"
            ) from gone
