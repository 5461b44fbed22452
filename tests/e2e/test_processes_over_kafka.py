"""Services as processes over a real Kafka, whenever they are told to leave."""

import hashlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from pathlib import Path

import pytest

from lipsol.bus.kafka import KafkaBus, create_topics
from lipsol.events import Claim
from lipsol.runtime.envelope import unwrap, wrap
from lipsol.topics import PREDICTIONS
from services.local.broker import free_port
from services.local.processes import Process
from tests.conftest import link_to
from tests.services_made import mouth_of, ready_of

PATIENCE_S = 120.0
GRACE_S = 30.0
MOUTHS = 60

SLOW_INFERENCE = """
import sys, time
from lipsol.runtime.settings import load
from lipsol.runtime.wiring import open_bus
from services.__main__ import serve_alone
from services.embedded import EmbeddedSettings
from tests.services_made import MadeReader

class SlowReader(MadeReader):
    def hear(self, mouths, at_once):
        time.sleep(0.1 * len(mouths))
        return super().hear(mouths, at_once)

settings = load(EmbeddedSettings)
serve_alone("inference", settings, open_bus(settings), open_reader=lambda _path, _info: SlowReader())
"""


def environment(name: str, port: int, servers: str, prefix: str, folder: Path) -> dict[str, str]:
    told = {
        f"{name}__PORT": port, f"{name}__HOST": "127.0.0.1", f"{name}__GRACE_S": GRACE_S,
        "PREPROCESS__GRPC_PORT": 0, "INFERENCE__GRPC_PORT": 0, "STORE__FOLDER": folder / "store",
        "TELEMETRY__METRICS_PORT": 0, "TELEMETRY__METRICS_HOST": "127.0.0.1",
        "BUS__KIND": "kafka", "BUS__SERVERS": servers, "BUS__PREFIX": prefix,
        "BUS__CONNECT_S": 60, "BUS__SESSION_S": 30,
    }  # fmt: skip
    return os.environ | {f"LIPSOL_{key.upper()}": str(value) for key, value in told.items()}


@pytest.mark.slow
def test_sigterm_during_work_loses_nothing_doubles_nothing_and_ends_in_time(top, tmp_path, kafka):
    link = link_to(kafka, f"sigterm-{uuid.uuid4().hex[:8]}.")
    create_topics(link)
    bus = KafkaBus(link)
    made = bus.consumer([PREDICTIONS.name], "watchers")
    data = mouth_of().to_bytes()
    claim = Claim(data, "", hashlib.sha256(data).hexdigest(), len(data), 0.0)
    bus.publish_all([wrap(ready_of(f"{n:032x}", mouth=claim), "tests", time.time()) for n in range(MOUTHS)])
    told = environment("inference", free_port(), kafka, link.prefix, tmp_path)
    read: list[str] = []
    leaving: list[float] = []
    while len(set(read)) < MOUTHS:
        with Process(
            [sys.executable, "-c", SLOW_INFERENCE], environment=told, folder=top, output=subprocess.DEVNULL
        ) as service:
            goal = min(MOUTHS, len(read) + MOUTHS // 3)
            end = time.monotonic() + PATIENCE_S
            while len(read) < goal:
                assert time.monotonic() < end and service.alive
                read += [unwrap(message).key for message in made.poll(MOUTHS, 0.2)]
            began = time.monotonic()
            service.signal(signal.SIGTERM)
            assert service.wait(2 * GRACE_S) == 0
            leaving.append(time.monotonic() - began)
        read += [unwrap(message).key for message in made.poll(MOUTHS, 3.0)]
    bus.close()
    assert Counter(read) == dict.fromkeys((f"{n:032x}" for n in range(MOUTHS)), 1)
    assert len(leaving) >= 2 and max(leaving) < 2 * GRACE_S
