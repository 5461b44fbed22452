"""From settings to adapters."""

from pathlib import Path

from lipsol.bus.memory import MemoryBus
from lipsol.registry.local import LocalRegistry
from lipsol.runtime.settings import BusSettings, RegistrySettings, Settings, StoreSettings
from lipsol.runtime.wiring import open_bus, open_registry, open_store, shipped_models
from lipsol.store.local import LocalStore


def test_the_adapters_are_those_that_the_settings_name(tmp_path: Path):
    settings = Settings(
        bus=BusSettings(capacity=2),
        store=StoreSettings(folder=tmp_path / "store"),
        registry=RegistrySettings(folder=tmp_path / "models"),
    )
    bus, store, registry = open_bus(settings), open_store(settings), open_registry(settings)
    assert isinstance(bus, MemoryBus)
    assert isinstance(store, LocalStore)
    assert isinstance(registry, LocalRegistry)
    store.put("a", b"")
    assert (tmp_path / "store" / "a=").exists()
    assert registry.models() == []
    bus.close()


def test_the_models_of_a_checkout_are_found_from_everywhere(top: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shipped_models() in {top / "models", tmp_path / "models"}
    assert (shipped_models() == top / "models") == (top / "models").is_dir()
