"""What Kubernetes or the brokers do not answer just now is asked again, for a while."""

from collections.abc import Callable
from threading import Event as Flag
from typing import TypeVar

import structlog

from lipsol.errors import Transient
from lipsol.runtime.clock import Clock

AGAIN_S = 1.0  # between two tries

log = structlog.get_logger()

T = TypeVar("T")


def patiently(clock: Clock, most_s: float, do: Callable[[], T]) -> T:
    """Do it, trying again where something is away. Raises as it does, and its Transient once most_s are over."""
    until, never = clock.monotonic() + most_s, Flag()
    while True:
        try:
            return do()
        except Transient as away:
            if clock.monotonic() >= until:
                raise
            log.warning("away-trying-again", reason=away.detail)
            clock.wait(never, AGAIN_S)
