"""The claim check: few bytes ride inside an event, many go to the store and the event carries the check for them.

https://www.enterpriseintegrationpatterns.com/patterns/messaging/StoreInLibrary.html. What is cashed is what was kept,
byte for byte, or it is refused with the reason: size and digest travel with the check, and what the store gives must
match both. The store keeps it longer than any message that names it can live.
"""

import hashlib
import time
from collections.abc import Callable

from lipsol.errors import BadInput, NotFound
from lipsol.events import Claim
from lipsol.store.port import Store

INLINE_MAX_BYTES = 256 * 1024  # what rides inside an event: about a quarter of what a message may hold
MARGIN_S = 3600.0  # that the store keeps longer than the topic: a message read at its last moment is still handled
CURE = "send the clip again"


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

        A key that may be kept twice should be named by its data, or else the second makes the first claim worthless.
        Raises BadInput for an unsafe key, Transient when the store is away.
        """
        digest = hashlib.sha256(data).hexdigest()
        if len(data) <= self._inline_max_bytes:
            return Claim(data, "", digest, len(data), 0.0)
        ttl_s = retention_s + MARGIN_S
        expires_at = self._now() + ttl_s
        self._store.put(key, data, ttl_s)
        return Claim(b"", key, digest, len(data), expires_at)

    def cash(self, claim: Claim) -> bytes:
        """The bytes of a claim.

        Raises BadInput if they are gone, or not those that were kept: truncated, altered, others. Raises Transient
        when the store is away.
        """
        data = self._fetch(claim) if claim.ref else claim.inline
        if len(data) != claim.size_bytes:
            raise BadInput(f"{len(data)} bytes where {claim.size_bytes} were announced", CURE)
        digest = hashlib.sha256(data).hexdigest()
        if digest != claim.digest:
            raise BadInput(
                f"{len(data)} bytes with the digest {digest[:12]} where {claim.digest[:12]} was announced", CURE
            )
        return data

    def _fetch(self, claim: Claim) -> bytes:
        if claim.inline:
            raise BadInput(f"{len(claim.inline)} bytes inside the event, and others under {claim.ref!r}", CURE)
        try:
            return self._store.get(claim.ref, claim.size_bytes)
        except NotFound as gone:
            late_s = self._now() - claim.expires_at
            why = f"expired {late_s:.0f} s ago" if late_s >= 0 else "are gone: lost, or deleted with their clip"
            raise BadInput(f"the {claim.size_bytes} bytes that the event refers to {why}", CURE) from gone
        except BadInput as fault:
            raise BadInput(f"not the {claim.size_bytes} bytes that were announced: {fault.detail}", CURE) from fault
