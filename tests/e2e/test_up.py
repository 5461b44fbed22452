"""`make up`: Kafka and the three services as processes of their own, over a real Kafka."""

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from services.local.broker import free_port
from services.local.up import SERVICES, choose

PATIENCE_S = 120.0


@dataclass
class Up:
    """The platform as `make up` runs it, and what it has said so far."""

    process: subprocess.Popen[bytes]
    client: httpx.Client
    log: Path

    def said(self, pattern: str) -> bool:
        return re.search(pattern, self.log.read_text()) is not None

    def await_said(self, pattern: str) -> None:
        until = time.monotonic() + PATIENCE_S
        while not self.said(pattern):
            assert time.monotonic() < until and self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)

    def services(self) -> dict[str, psutil.Process]:
        children = psutil.Process(self.process.pid).children()
        return {each.cmdline()[-1]: each for each in children if each.cmdline()[1:3] == ["-m", "services"]}


@contextmanager
def up(top: Path, folder: Path, servers: str) -> Iterator[Up]:
    ports = {f"LIPSOL_{name.upper()}__PORT": str(free_port()) for name in SERVICES}
    told = {
        "LIPSOL_BUS__SERVERS": servers, "LIPSOL_BUS__PREFIX": f"up-{uuid.uuid4().hex[:8]}.",
        "LIPSOL_STORE__FOLDER": str(folder / "store"), "LIPSOL_TELEMETRY__METRICS_PORT": "0",
        "LIPSOL_PREPROCESS__GRPC_PORT": "0",
        "LIPSOL_INFERENCE__GRPC_PORT": "0",
    }  # fmt: skip
    log = folder / "up.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.local", "up"],
            cwd=top, env=os.environ | ports | told, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    url = f"http://127.0.0.1:{ports['LIPSOL_PREPROCESS__PORT']}"
    with process:
        try:
            with httpx.Client(base_url=url, timeout=PATIENCE_S) as client:
                yield Up(process, client, log)
        finally:
            process.kill()


@pytest.mark.slow
def test_a_clip_is_read_by_three_processes_that_leave_in_good_order(top, tmp_path, kafka, sample):
    with up(top, tmp_path, kafka) as platform:
        platform.await_said(r"up +\| all are ready; the page is at http://127\.0\.0\.1:\d+/ and the board at ")
        assert set(platform.services()) == set(SERVICES)
        answer = platform.client.post("/v1/clips", params={"wait": "true"}, files={"file": sample.bytes()})
        assert (answer.status_code, answer.json()["state"]) == (200, "read")
        platform.process.send_signal(signal.SIGTERM)
        assert platform.process.wait(PATIENCE_S) == 0
    ended = re.findall(r"up +\| (\w+) has left after [\d.]+ s \(exit code 0\)", platform.log.read_text())
    assert ended == list(SERVICES)


@pytest.mark.slow
def test_a_service_that_dies_takes_the_rest_along(top, tmp_path, kafka):
    with up(top, tmp_path, kafka) as platform:
        platform.await_said("all are ready")
        services = platform.services()
        services["monitor"].kill()
        assert platform.process.wait(PATIENCE_S) == 1
        assert platform.said(r"up +\| monitor ended with exit code -9; the others end with it")
        assert not [name for name, process in services.items() if process.is_running()]


def test_what_the_environment_says_is_left_as_it_is():
    chosen = choose({"LIPSOL_PREPROCESS__HOST": "0.0.0.0", "LIPSOL_STORE__KIND": "s3"})
    assert chosen["LIPSOL_PREPROCESS__HOST"] == "0.0.0.0"
    assert chosen["LIPSOL_MONITOR__HOST"] == "127.0.0.1"
    assert chosen["LIPSOL_BUS__KIND"] == "kafka"
    assert "LIPSOL_STORE__FOLDER" not in chosen


@pytest.mark.parametrize(
    ("name", "value"), [("LIPSOL_BUS__KIND", "memory"), ("LIPSOL_MONITOR__PORT", "0"), ("LIPSOL_BUS__KIND", "smoke")]
)
def test_settings_that_make_no_platform_are_refused_before_anything_starts(top, name, value):
    done = subprocess.run(
        [sys.executable, "-m", "services.local", "up"],
        cwd=top, env=os.environ | {name: value}, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert f"{name}={value}" in done.stderr
