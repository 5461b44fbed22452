"""The reading service as BentoML serves and packages it, in processes of its own, with nobody told of it.

A proxy that everything in those processes would go out by stands beside, and hears nothing.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
import yaml

from lipsol.clips.watch import Watcher
from services.inference.settings import InferenceSettings
from tests.benchmarks.batching import free_ports
from tests.conftest import read_samples

BENTOML = Path(sys.executable).with_name("bentoml")
READING = "services.inference.bento:Reading"
DRAIN_S = 20.0
PATIENCE_S = 90.0


@dataclass
class Proxy:
    """Takes the place of the internet, and writes down who is asked for."""

    asked: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            with client:
                self.asked.append(client.recv(200))

    def environment(self) -> dict[str, str]:
        """Has a process go out by this proxy; nothing in it holds its tongue by chance."""
        held_back = {"CI", "BENTOML_DO_NOT_TRACK", "ORT_DISABLE_TELEMETRY"}
        kept = {name: value for name, value in os.environ.items() if name not in held_back}
        names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
        return kept | dict.fromkeys(names, self.url) | {"NO_PROXY": "127.0.0.1,localhost"}

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    made = Proxy()
    yield made
    made.close()


@dataclass
class Served:
    """A `bentoml serve` that is ready."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int
    grpc_port: int
    metrics_port: int

    def get(self, path: str, port: int | None = None) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{port or self.port}{path}", timeout=20, trust_env=False)


@contextmanager
def served(what: str, top: Path, folder: Path, proxy: Proxy) -> Iterator[Served]:
    port, grpc_port, metrics_port = free_ports(3)
    told = proxy.environment() | {
        "BENTOML_HOME": str(folder / "bentoml"),
        "LIPSOL_INFERENCE__GRPC_PORT": str(grpc_port),
        "LIPSOL_INFERENCE__DRAIN_S": str(DRAIN_S),
        "LIPSOL_TELEMETRY__METRICS_PORT": str(metrics_port),
        "LIPSOL_TELEMETRY__LOG_FORMAT": "json",
    }
    log = folder / "serve.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [BENTOML, "serve", what, "--port", str(port)], cwd=top, env=told, stdout=out, stderr=out
        )
    try:
        found = Served(process, log, port, grpc_port, metrics_port)
        wait_until(lambda: answers(found), process, log)
        yield found
    finally:
        process.terminate()
        try:
            process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()


def answers(found: Served) -> bool:
    try:
        return found.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def wait_until(true, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while not true():
        assert process.poll() is None and time.monotonic() < until, log.read_text(errors="replace")[-3000:]
        time.sleep(0.1)


def inputs(client, mouth):
    """A mouth as either of the stock clients sends it."""
    made = []
    for name, kind in (("mouth", "UINT8"), ("lips", "FP32"), ("jaw", "FP32")):
        array = getattr(mouth, name)[np.newaxis]
        made.append(client.InferInput(name, array.shape, kind))
        made[-1].set_data_from_numpy(array)
    return made


@pytest.fixture(scope="module")
def serving(top: Path, tmp_path_factory, proxy) -> Iterator[Served]:
    with served(READING, top, tmp_path_factory.mktemp("serving"), proxy) as found:
        yield found


@pytest.mark.slow
def test_a_stock_client_has_a_sample_read_by_rest_and_by_grpc(serving):
    sample = read_samples()[0]
    mouth = Watcher().watch(sample.bytes()).mouth
    rest = tritonclient.http.InferenceServerClient(f"127.0.0.1:{serving.port}")
    rpc = tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{serving.grpc_port}")
    try:
        assert rest.is_server_ready() and rpc.is_server_ready()
        told = [
            client.infer("grid-sentences", inputs(module, mouth)).as_numpy("text")[0]
            for client, module in ((rest, tritonclient.http), (rpc, tritonclient.grpc))
        ]
    finally:
        rest.close()
        rpc.close()
    assert told == [sample.text.encode()] * 2


@pytest.mark.slow
def test_our_door_is_the_one_inside_and_figures_are_on_the_port_of_their_own_alone(serving):
    assert serving.get("/startupz").json() == {"status": "started"}
    assert serving.get("/nowhere").headers["content-type"] == "application/problem+json"
    assert serving.get("/metrics").status_code == 404
    assert "lipsol_batch_clips" in serving.get("/metrics", serving.metrics_port).text


@pytest.mark.slow
def test_told_to_leave_it_is_not_ready_first_then_goes_in_good_order_and_nobody_was_told_of_it(serving, proxy):
    serving.process.send_signal(signal.SIGTERM)
    wait_until(lambda: serving.get("/readyz").status_code == 503, serving.process, serving.log)
    assert serving.get("/healthz").status_code == 200  # it still answers whoever has not heard yet
    assert serving.process.wait(timeout=PATIENCE_S) == 0
    log = serving.log.read_text()
    assert "Traceback" not in log and "Service instance cleanup finalized" in log
    assert proxy.asked == []


@pytest.fixture(scope="module")
def bento(top: Path, tmp_path_factory, proxy) -> Path:
    """A bento, freshly built."""
    home = tmp_path_factory.mktemp("bentos")
    tools = [str(each.parent) for each in (top / "build" / "tools").glob("uv-*/bin/uv")]
    path = os.pathsep.join([*tools, os.environ["PATH"]])
    told = proxy.environment() | {"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "true", "PATH": path}
    done = subprocess.run([BENTOML, "build"], cwd=top, env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert proxy.asked == []
    (made,) = (home / "bentos" / "lipsol-inference").glob("*/bento.yaml")
    return made.parent


@pytest.mark.slow
def test_a_bento_holds_the_code_and_the_models_and_nothing_else(top, bento):
    src = bento / "src"
    assert {each.name for each in src.iterdir()} == {"bentofile.yaml", "pyproject.toml", "lipsol", "services", "models"}
    for folder in ("lipsol", "services"):
        here = {each.relative_to(top) for each in (top / folder).rglob("*.py")}
        assert {each.relative_to(src) for each in (src / folder).rglob("*.py")} == here
    models = {each.name: each.read_bytes() for each in (top / "models").glob("*.lipsol")}
    assert {each.name: each.read_bytes() for each in (src / "models").iterdir()} == models


@pytest.mark.slow
def test_a_bento_installs_what_is_pinned_and_tells_nobody(top, bento):
    def pins(text: str) -> set[str]:
        return set(re.findall(r"^[\w.-]+(?:\[[\w, -]+\])?==[^\s;]+", text, flags=re.MULTILINE))

    installed = (bento / "env" / "python" / "requirements.txt").read_text()
    wanted = (top / "requirements" / "bento.txt").read_text()
    assert pins(installed) == pins(wanted)
    assert installed.count("--hash=sha256:") == wanted.count("--hash=sha256:")
    assert "://" not in installed and "--index-url" not in installed
    image = (bento / "env" / "docker" / "Dockerfile").read_text()
    assert "ARG BENTOML_DO_NOT_TRACK=true\n" in image and "ENV BENTOML_DO_NOT_TRACK=$BENTOML_DO_NOT_TRACK" in image
    assert "COPY --chown=bentoml:bentoml ./src/pyproject.toml ./src/pyproject.toml" in image
    assert "\nUSER bentoml\n" in image


@pytest.mark.slow
def test_a_bento_is_one_worker_at_the_reading_services_port(bento):
    (service,) = yaml.safe_load((bento / "bento.yaml").read_text())["services"]
    assert service["config"]["workers"] == 1
    assert service["config"]["http"]["port"] == InferenceSettings().port


IMPORTED = """
import sys, threading
import services.inference.bento as made
assert made.DOOR.app is None
assert threading.active_count() == 1
assert not {"boto3", "kafka", "grpc"} & set(sys.modules)
"""
APART = """
from lipsol.errors import BadInput
from lipsol.runtime.settings import BusSettings, StoreSettings
from services.__main__ import ALONE
from services.inference import bento
assert ALONE["inference"].metrics_port == bento.METRICS_PORT
try:
    bento.Running(bento.BentoSettings(bus=BusSettings(kind="kafka"), store=StoreSettings(folder=None)))
except BadInput as refused:
    assert "no folder that others could see" in refused.detail
else:
    raise AssertionError
"""


@pytest.mark.parametrize("code", [IMPORTED, APART], ids=["importing-opens-nothing", "shared-bus-needs-a-shared-store"])
def test_it_declares_itself_and_no_more(top, code):
    """In a process of its own: BentoML can't be imported without a warning, which here is an error."""
    subprocess.run([sys.executable, "-c", code], cwd=top, check=True)
