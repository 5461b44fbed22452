"""The adapters that the contract suites hold to their ports. A new adapter is one more parameter here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from lipsol.bus.kafka import KafkaBus, Link, create_topics
from lipsol.bus.memory import MemoryBus
from lipsol.bus.port import Bus
from lipsol.mlflow import MlflowServer
from lipsol.registry.local import LocalRegistry
from lipsol.registry.mlflow import MlflowRegistry
from lipsol.registry.pinned import PinnedRegistry
from lipsol.registry.port import NONE, Registry
from lipsol.signing import Keys
from lipsol.store.local import LocalStore
from lipsol.store.port import Store
from lipsol.topics import TOPICS, Topic
from tests.bundles_made import bundle
from tests.s3_made import s3_store


def _topic(name: str, partitions: int, *, compacted: bool = False) -> Topic:
    return Topic(name, "any", partitions, 1.0 if compacted else 3600.0, ("tests",), ("tests",), compacted=compacted)


MADE = (
    _topic("test.wide.v1", partitions=4),
    _topic("test.narrow.v1", partitions=1),
    _topic("test.state.v1", partitions=1, compacted=True),
)


@dataclass(frozen=True)
class BusUnderTest:
    """A bus with fresh topics: `wide` has four partitions, `narrow` and `state` one; `state` is compacted.

    patience_s  how long its slowest honest answer takes (joining a group, say)
    quiet_s     how long to listen before one may say that nothing comes
    pace_s      in which a worker gets something done and not all
    """

    bus: Bus
    wide: str = "test.wide.v1"
    narrow: str = "test.narrow.v1"
    state: str = "test.state.v1"
    patience_s: float = 30.0
    quiet_s: float = 0.05
    pace_s: float = 0.02
    create: Callable[[Sequence[Topic]], object] = list  # makes topics, where they are not there already

    def have(self, *topics: Topic) -> None:
        """See to it that topics of the catalogue are there."""
        self.create(topics)


@dataclass(frozen=True)
class RegistryUnderTest:
    """A registry, and others over the same place.

    folder  where the tests make what they register
    opened  the same place once more, trusting these keys
    """

    registry: Registry
    folder: Path
    opened: Callable[[Keys | None], Registry]

    def put(
        self, file: str = "one", *, candidate: bool = False, files: Mapping[str, Path] = NONE, **card: object
    ) -> str:
        """Make a bundle and register it; its digest."""
        digest = bundle(self.folder, file, **card)
        assert self.registry.register(self.folder / f"{file}.lipsol", files, candidate=candidate).digest == digest
        return digest


@pytest.fixture(params=["memory", "kafka"])
def ground(request: pytest.FixtureRequest) -> Iterator[BusUnderTest]:
    """Each bus there is. No Java, no Kafka: then that half is skipped."""
    under_test = kafka_bus(request.getfixturevalue("kafka")) if request.param == "kafka" else _memory_bus()
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


@pytest.fixture(params=["local", "pinned", "mlflow"])
def held(request: pytest.FixtureRequest, tmp_path: Path) -> RegistryUnderTest:
    """Each registry there is, empty; `pinned` has no pins, and is as the one below it."""
    made = tmp_path / "made"
    made.mkdir()
    opened: Callable[..., Registry] = partial(LocalRegistry, tmp_path / "models")
    if request.param == "pinned":
        opened = lambda keys=None: PinnedRegistry(LocalRegistry(tmp_path / "models", keys), ())  # noqa: E731 - as partial
    if request.param == "mlflow":
        server = MlflowServer(request.getfixturevalue("mlflow").uri)
        opened = partial(MlflowRegistry, server, tmp_path / "cache", prefix=f"{uuid4().hex[:8]}.")
    return RegistryUnderTest(opened(), made, opened)


def kafka_bus(servers: str) -> BusUnderTest:
    """A bus on a real broker, behind a prefix that nobody else has. The numbers make it quick, not other."""
    link = Link(servers, prefix=f"{uuid4().hex[:8]}.", session_s=12.0, connect_s=60.0, publish_s=60.0, handover_s=20.0)
    create_topics(link, topics=MADE)
    bus = KafkaBus(link)

    return BusUnderTest(bus, patience_s=60.0, quiet_s=1.0, pace_s=1.0, create=partial(create_topics, link, ""))


def _memory_bus() -> BusUnderTest:
    return BusUnderTest(MemoryBus([*TOPICS.values(), *MADE]))
