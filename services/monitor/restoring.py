"""What a new process of the monitor knows of what an older one had seen: it reads it again from the bus.

Only what the group has committed is read, since all the rest comes by itself; both change nothing twice. Counters are
muted meanwhile: they begin at zero with the process and count what is new, as their readers expect. One monitor counts
at a time: of two, each would know what it had seen itself.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog

from lipsol.bus.port import Bus
from lipsol.errors import BadInput
from lipsol.runtime.envelope import unwrap
from services.monitor.figures import Figures
from services.monitor.handler import Handler

log = structlog.get_logger()


def restorer(
    bus: Bus, topics: Sequence[str], group: str, handler: Handler, figures: Figures, now: Callable[[], float]
) -> Callable[[], None]:
    """What reads a window's worth again. Raises as `Bus.replay` does; calling it once more does no harm."""

    def restore() -> None:
        read = 0
        with figures.muted():
            for message in bus.replay(topics, now() - handler.window.seconds, before=group):
                with suppress(BadInput):  # that one was given up long ago
                    handler.take(unwrap(message), message.timestamp)
                    read += 1
        handler.window.settle()
        if read:
            log.info("window-restored", events=read, clips=len(handler.window))

    return restore
