"""What all tests share: the samples, the data if it is here, and a clock that stands still."""

import csv
import os
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from lipsol.bus.kafka_client import Link
from services.local.broker import Broker
from services.local.mlflow import LocalMlflow
from services.local.s3 import BUCKET, CREDENTIALS, S3Server

TESTS = Path(__file__).resolve().parent
TOP = TESTS.parent
DATA = TOP.parent / "shared" / "data"
CLIENTS = ("kafka-", "lipsol-network-thread")  # how the threads of Kafka clients are called
settings.register_profile("busy", deadline=None)  # on a busy machine any example may take long
settings.load_profile("busy")

CLOSE_S = 20.0  # that a client which is being closed may take


ORDER = ("unit", "contract", "integration", "e2e")  # what is quick to run, and quick to mend, comes first


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick tests first, slow ones last."""
    items.sort(
        key=lambda item: (
            item.get_closest_marker("slow") is not None,
            ORDER.index(item.path.relative_to(TESTS).parts[0]),
        )
    )


@dataclass(frozen=True)
class Sample:
    """A clip of `samples/`, and what is said in it."""

    path: Path
    text: str
    speaker: str
    language: str

    def bytes(self) -> bytes:
        """The video file."""
        return self.path.read_bytes()


class FixedClock:
    """A clock that moves only when it is told to."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def now(self) -> float:
        """Unix time, seconds."""
        return self._seconds

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._seconds += seconds


def link_to(servers: str, prefix: str = "", session_s: float = 10.0) -> Link:
    """A link with patience: on a busy machine a broker takes seconds to say that it is there."""
    return Link(servers, prefix, connect_s=60.0, publish_s=60.0, session_s=session_s)


def read_samples() -> list[Sample]:
    """All of `samples/truth.csv`."""
    with (TOP / "samples" / "truth.csv").open(newline="") as rows:
        return [Sample(TOP / "samples" / row.pop("path"), **row) for row in csv.DictReader(rows)]


@pytest.fixture(scope="session")
def top() -> Path:
    """The repository's root."""
    return TOP


@pytest.fixture(scope="session")
def samples() -> list[Sample]:
    """The dozen GRID clips, with what is said in them."""
    return read_samples()


@pytest.fixture(scope="session")
def sample(samples: list[Sample]) -> Sample:
    """One clip of the speaker that the models know."""
    return samples[0]


@pytest.fixture(scope="session")
def grid() -> Path:
    """The GRID corpus, where it lies beside the repository."""
    return _present(DATA / "grid")


@pytest.fixture(scope="session")
def urdu() -> Path:
    """The Urdu sentences, where they lie beside the repository."""
    return _present(DATA / "urdu")


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Kafka: the one that LIPSOL_TEST_KAFKA names, else one of this session's own.

    All tests share it: each puts a prefix of its own before topics and groups, and none ends it.
    """
    running = os.environ.get("LIPSOL_TEST_KAFKA")
    if running:
        yield running
        return
    if missing := [program for program in ("java", "mvn") if shutil.which(program) is None]:
        pytest.skip(f"no {' and no '.join(missing)} here to run Kafka")
    with Broker.start(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker.servers
        left = _kafka_clients(CLOSE_S)
    assert not left, f"clients of Kafka that no test closed: {', '.join(left)}"


def _kafka_clients(patience_s: float) -> list[str]:
    """Threads of Kafka clients in this process that are still there after so long."""
    until = time.monotonic() + patience_s
    while left := [held.name for held in threading.enumerate() if held.name.startswith(CLIENTS)]:
        if time.monotonic() > until:
            break
        time.sleep(0.1)
    return left


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """A real S3 API on this machine with the bucket `lipsol`, and the credentials for it in the environment."""
    with S3Server.start() as server, pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        server.make_bucket(BUCKET)
        yield server


@pytest.fixture(scope="session")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalMlflow]:
    """A real MLflow server. All tests share it: each takes names that nobody else has, and none ends it."""
    with LocalMlflow.start(tmp_path_factory.mktemp("mlflow")) as server:
        yield server


@pytest.fixture
def clock() -> FixedClock:
    """The 21st of November 2026, 09:00 UTC, for as long as the test likes."""
    return FixedClock(1_795_251_600.0)


def _present(folder: Path) -> Path:
    if not folder.is_dir():
        pytest.skip(f"no {folder.relative_to(TOP.parent)} beside the repository")
    return folder
