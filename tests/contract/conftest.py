"""The adapters that the contract suites hold to their ports. A new adapter is one more parameter here."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.bus.port import Bus
from lipsol.registry.local import LocalRegistry
from lipsol.registry.port import Registry
from lipsol.store.local import LocalStore
from lipsol.store.port import Store
from lipsol.topics import TOPICS, Topic
from tests.s3_made import s3_store


@dataclass(frozen=True)
class BusUnderTest:
    """A bus with fresh topics: `wide` has four partitions, `narrow` one, and the catalogue's are there too.

    patience_s  how long its slowest honest answer takes (joining a group, say)
    """

    bus: Bus
    wide: str = "test.wide.v1"
    narrow: str = "test.narrow.v1"
    patience_s: float = 2.0


@dataclass(frozen=True)
class RegistryUnderTest:
    """A registry, and the folder from which it gets what the tests put there."""

    registry: Registry
    folder: Path


@pytest.fixture(params=["memory"])
def ground(request: pytest.FixtureRequest) -> Iterator[BusUnderTest]:
    """Each bus there is."""
    adapters = {"memory": _memory_bus}
    under_test = adapters[request.param]()
    yield under_test
    under_test.bus.close()


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock) -> Iterator[Store]:
    """Each store there is, by the standing clock."""
    if request.param == "s3":
        with s3_store(request.getfixturevalue("s3"), clock) as opened:
            yield opened
    else:
        local = LocalStore(tmp_path / "store", now=clock.now)
        yield local
        local.close()


@pytest.fixture(params=["local"])
def held(request: pytest.FixtureRequest, tmp_path: Path) -> RegistryUnderTest:
    """Each registry there is."""
    adapters = {"local": lambda: RegistryUnderTest(LocalRegistry(tmp_path), tmp_path)}
    return adapters[request.param]()


def _memory_bus() -> BusUnderTest:
    made = [_topic(BusUnderTest.wide, partitions=4), _topic(BusUnderTest.narrow, partitions=1)]
    return BusUnderTest(MemoryBus([*TOPICS.values(), *made]))


def _topic(name: str, partitions: int) -> Topic:
    return Topic(name, "any", partitions, 3600.0, ("tests",), ("tests",))
