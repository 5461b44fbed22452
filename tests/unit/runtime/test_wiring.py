"""From settings to adapters."""

from pathlib import Path

import pytest

from lipsol.bus.kafka import KafkaBus, Link
from lipsol.bus.memory import MemoryBus
from lipsol.errors import BadInput
from lipsol.registry.local import LocalRegistry
from lipsol.runtime.settings import BusSettings, RegistrySettings, Settings, StoreSettings
from lipsol.runtime.wiring import kafka_link, open_bus, open_registry, open_store, shipped_models
from lipsol.signing import SigningKey
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


def test_a_kafka_is_reached_as_the_settings_say_and_need_not_be_there():
    bus = BusSettings(kind="kafka", servers="127.0.0.1:1", prefix="blue.", password="s3cret", buffer_mib=2)
    settings = Settings(bus=bus)
    opened = open_bus(settings)
    assert isinstance(opened, KafkaBus)
    opened.close()
    link = kafka_link(settings)
    assert (link.servers, link.prefix, link.password) == ("127.0.0.1:1", "blue.", "s3cret")
    assert (link.buffer, link.buffer_bytes) == (256, 2 << 20)
    assert Link() == kafka_link(Settings(bus=BusSettings(kind="kafka")))
    assert "s3cret" not in repr(settings)


def test_a_registry_has_the_keys_that_the_settings_name(tmp_path: Path):
    key = SigningKey.new()
    (tmp_path / "key.pem").write_bytes(key.public_pem())
    keys = open_registry(Settings(registry=RegistrySettings(keys=tmp_path))).keys
    assert keys is not None
    assert list(keys.public) == [key.id]
    assert open_registry(Settings()).keys is None
    with pytest.raises(BadInput, match="nowhere.pem can't be read"):
        open_registry(Settings(registry=RegistrySettings(keys=tmp_path / "nowhere.pem")))


def test_the_models_of_a_checkout_are_found_from_everywhere(top: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shipped_models() in {top / "models", tmp_path / "models"}
    assert (shipped_models() == top / "models") == (top / "models").is_dir()
