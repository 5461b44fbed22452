"""Events that nobody waits for, published beside the answer: it is not held up by them, nor spoilt when they fail.

What can't be published is logged and counted as missing; it never was part of a promise to a client.
"""

from collections.abc import Callable
from concurrent.futures import Future

import structlog

from lipsol.errors import Busy
from lipsol.events import Event
from services.preprocess.pool import Pool

ROOM = 256  # events that may wait for a bus that is away; one more is left out

log = structlog.get_logger("lipsol.preprocess")


class Aside:
    """Publishes events in a thread of its own, in the trace of who told them."""

    def __init__(self, publish: Callable[[Event], None]) -> None:
        self._publish = publish
        self._pool = Pool(1, ROOM, 1.0, lambda _: None)

    def tell(self, event: Event) -> None:
        """Have an event published some time soon; returns at once."""
        try:
            self._pool.submit(self._publish, event).add_done_callback(lambda done: _look(event, done))
        except Busy as full:
            log.warning("event-left-out", kind=type(event).__name__, reason=full.detail)

    def stop(self, timeout_s: float) -> None:
        """Publish what waits, as far as timeout_s seconds allow, and take no more."""
        self._pool.stop(timeout_s)


def _look(event: Event, done: Future[None]) -> None:
    fault = Busy("the service is leaving") if done.cancelled() else done.exception()
    if fault is not None:
        log.warning("event-left-out", kind=type(event).__name__, reason=str(fault))
