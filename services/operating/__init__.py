"""What an operator does to a platform that runs: traffic, dead letters, a clip's story. `open_operations` finds it.

Over a bus that is shared everything is done on the bus itself. The memory bus ends at its process's edge, so the
embedded platform opens a door for it (`door`), and the command line goes there (`remote`): the same methods either way.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from lipsol.runtime.settings import Settings
from lipsol.runtime.wiring import open_bus, open_store
from services.operating.operations import Operating, Operations
from services.operating.remote import Remote
from services.operating.settings import OperatingSettings


class OperatorSettings(Settings):
    """What is needed to reach a platform."""

    operating: OperatingSettings = OperatingSettings()


@contextmanager
def open_operations(settings: OperatorSettings) -> Iterator[Operating]:
    """The operations on the platform that the settings lead to. Raises Transient where nobody answers."""
    if settings.bus.private:
        yield Remote(settings.operating.port)
        return
    bus, store = open_bus(settings), open_store(settings)
    try:
        yield Operations(bus, store)
    finally:
        bus.close()
        store.close()
