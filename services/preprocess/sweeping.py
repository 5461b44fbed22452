"""What nothing refers to any more is collected: by every replica, now and then, and harmlessly by several at once.

- What has expired can't be read already; here it leaves the store for good.
- A clip that was never begun nor settled, though what is kept of it is an hour old, is one whose edge died at it, or
  died while it was deleted. No event tells of it, since a clip is begun before any does. A clip older than its
  retention is no such one: it was begun, maybe, and its mouth may be waited for; it expires by itself.
- Such a clip is collected only when a second pass finds it too. The first one forgets its idempotency key, so that no
  client can have brought it back meanwhile.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from threading import Event as Flag
from threading import Thread

import structlog

from lipsol.errors import Transient
from lipsol.runtime.clock import Clock, SystemClock
from lipsol.runtime.telemetry import Telemetry
from lipsol.store.claims import MARGIN_S
from lipsol.store.port import Kept, Store
from lipsol.topics import STABLE_MOUTHS
from services.preprocess.keeping import CLIPS, KNOWN, Keeper
from services.preprocess.repeats import Repeats

ORPHAN_S = 3600.0  # from which age on a clip that was never begun is an orphan; watching one takes a minute at most
FIRST_S = 60.0  # until the first pass at most, so that a process that restarts often sweeps too

log = structlog.get_logger()


class Sweeper:
    """A thread that sweeps the store every `every_s` seconds; start it once, stop it once.

    retention_s  seconds for which the edge keeps results, and all else of a clip but its mouth
    """

    def __init__(
        self, store: Store, *, retention_s: float, every_s: float, telemetry: Telemetry, clock: Clock | None = None
    ) -> None:
        self._store = store
        self._retention_s = retention_s
        self._every_s = every_s
        self._telemetry = telemetry
        self._clock = clock or SystemClock()
        self._keeper = Keeper(store, retention_s)
        self._repeats = Repeats(store, retention_s)
        self._suspects: frozenset[str] = frozenset()
        self._stopping = Flag()
        self._thread: Thread | None = None

    @property
    def fault(self) -> str | None:
        """None: a store that is not swept is no reason to read no clips. The figures tell of it."""
        return None

    def start(self) -> None:
        """Begin to sweep, soon."""
        self._thread = Thread(target=self._run, name="sweeper", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Sweep no more; whether the pass in hand ended within timeout_s."""
        self._stopping.set()
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def sweep(self) -> None:
        """One pass. Raises Transient when the store is away."""
        with self._telemetry.timed("lipsol_sweep_seconds"):
            # Nothing is put for a shorter time than the shorter of these two.
            older_s = min(self._retention_s, STABLE_MOUTHS.retention_s + MARGIN_S)
            self._count("expired", self._store.sweep(older_s))
            found = frozenset(self._orphans())
            for clip_id in found & self._suspects:
                if self._is_orphan(list(self._store.survey(f"{CLIPS}{clip_id}/"))):
                    self._count("orphan", self._keeper.forget(clip_id))
            for clip_id in found - self._suspects:
                self._repeats.forget(clip_id)
            self._suspects = found - self._suspects
        self._telemetry.set("lipsol_last_sweep_timestamp_seconds", self._clock.now())

    def _run(self) -> None:
        wait_s = min(FIRST_S, self._every_s)
        while not self._clock.wait(self._stopping, wait_s):
            wait_s = self._every_s
            try:
                self.sweep()
            except Transient as away:
                self._telemetry.add("lipsol_sweeps_failed_total")
                log.warning("sweep-failed", reason=away.detail)
            except Exception:
                self._telemetry.add("lipsol_sweeps_failed_total")
                log.exception("sweep-failed")

    def _orphans(self) -> Iterator[str]:
        """The clips of which something is kept, and that nobody ever began."""
        for clip_id, kept in groupby(self._store.survey(CLIPS), lambda each: each.key.split("/")[1]):
            if self._is_orphan(list(kept)):
                yield clip_id

    def _is_orphan(self, kept: Sequence[Kept]) -> bool:
        ages = [each.age_s for each in kept]
        return (
            bool(kept)
            and min(ages) >= ORPHAN_S
            and max(ages) < self._retention_s
            and not any(each.key.rpartition("/")[2] in KNOWN for each in kept)
        )

    def _count(self, reason: str, swept: int) -> None:
        self._telemetry.add("lipsol_objects_swept_total", swept, reason=reason)
