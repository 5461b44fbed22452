"""Which reference a bundle brings: fetched once for each digest, in a thread of its own: counting never waits."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import Literal

import structlog

from lipsol.drift.bundled import reference_of
from lipsol.drift.reference import Reference
from lipsol.errors import LipsolError
from lipsol.registry.port import Registry

RETRY_S = 60.0  # before a registry that could not tell is asked again
MOST = 64  # digests whose answers are kept


@dataclass(frozen=True)
class Away:
    """A reference that could not be had. reason: why, for people."""

    reason: str


Answer = Reference | Away | Literal["none", "loading"]

log = structlog.get_logger()


@dataclass(frozen=True)
class _Known:
    answer: Answer
    again_at: float  # by the clock; infinite: never


class References:
    """Bundles' references by digest. Safe between threads.

    now     seconds of a clock that never runs backwards
    opened  a bundle file's reference
    """

    def __init__(
        self,
        registry: Registry,
        now: Callable[[], float],
        opened: Callable[[Path], Reference | None] = reference_of,
    ) -> None:
        self._registry, self._now, self._opened = registry, now, opened
        self._known: dict[str, _Known] = {}
        self._lock = Lock()

    def of(self, digest: str) -> Answer:
        """The reference that the bundle brings; "loading": not known yet, ask again; "none": it brings none.

        What could not be had is tried again after a while, and stays that until it was.
        """
        with self._lock:
            known = self._known.get(digest)
            if known is not None and self._now() < known.again_at:
                return known.answer
            answer = "loading" if known is None else known.answer
            self._keep(digest, _Known(answer, float("inf")))
        Thread(target=self.load, args=(digest,), name="reference", daemon=True).start()
        return answer

    def load(self, digest: str) -> Answer:
        """The same, waiting for it."""
        again_at = float("inf")
        try:
            answer: Answer = self._opened(self._registry.path(digest)) or "none"
        except Exception as fault:  # noqa: BLE001 - whatever it is, counting goes on, and it is tried again
            why = fault.detail if isinstance(fault, LipsolError) else type(fault).__name__
            answer, again_at = Away(why), self._now() + RETRY_S
            log.warning("no-reference", digest=digest[:12], reason=why)
        with self._lock:
            self._keep(digest, _Known(answer, again_at))
        return answer

    def _keep(self, digest: str, known: _Known) -> None:
        self._known[digest] = known
        while len(self._known) > MOST:
            del self._known[next(iter(self._known))]
