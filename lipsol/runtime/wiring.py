"""From settings to adapters: the one place that knows which there are. The caller closes what it opened."""

from pathlib import Path

import lipsol
from lipsol.bus.memory import MemoryBus
from lipsol.bus.port import Bus
from lipsol.registry.local import LocalRegistry
from lipsol.registry.port import Registry
from lipsol.runtime.settings import Settings
from lipsol.store.local import LocalStore
from lipsol.store.port import Store


def open_bus(settings: Settings) -> Bus:
    """The bus that the settings ask for."""
    return MemoryBus(capacity=settings.bus.capacity)


def open_store(settings: Settings) -> Store:
    """The store that the settings ask for. Raises Transient if it can't be written to."""
    return LocalStore(settings.store.folder, settings.store.sweep_s)


def open_registry(settings: Settings) -> Registry:
    """The registry that the settings ask for."""
    return LocalRegistry(settings.registry.folder or shipped_models())


def shipped_models() -> Path:
    """The folder of the models that came with LipSol: beside the package, as in a checkout, else where we stand."""
    beside = Path(lipsol.__file__).resolve().parents[1] / "models"
    return beside if beside.is_dir() else Path.cwd() / "models"
