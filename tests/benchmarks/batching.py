"""Our batcher behind REST and gRPC against BentoML's own, under the load of 64 clients, and against no batching at all.

The same machine, network, decoding, onnxruntime settings and clips on both sides, one process each, and the same client
process asking. All are up at once and take turns, so that a busy neighbour slows all alike; what counts is the ratio
within a turn. Two processes of BentoML's, with a model and a batcher each, are shown beside: they fill two CPUs too.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from lipsol.clips.clip import MouthClip
from lipsol.clips.watch import Watcher
from lipsol.proto.oip import inference_pb2 as pb
from services.inference.oip.bodies import HEADER_LENGTH
from tests.benchmarks.clients import Load
from tests.benchmarks.figures import Figure
from tests.benchmarks.ground import MODEL, Ground
from tests.conftest import TOP

CLIENTS = 64
ROUNDS = 4
SECONDS = 4.0  # of one side's turn
WARM_S = 3.0  # under load, before anything counts: BentoML learns how long a batch takes
START_S = 60.0  # that a server may take to be ready
FASTER = 1.5  # times BentoML's requests a second that ours must answer
SIDES = ("bentoml", "bentoml_twice", "rest", "grpc", "unbatched")
OWN = "import sys; from tests.benchmarks.batching import serve; serve()"


@dataclass(frozen=True)
class Turn:
    """Requests a second, and the 99th percentile of the seconds that one took."""

    rate: float
    p99_s: float

    @classmethod
    def of(cls, load: Load) -> "Turn":
        return cls(load.answered / SECONDS, float(np.percentile(load.took_s, 99)))


def measure(ground: Ground) -> list[Figure]:
    """Requests a second and p99 of each side, and the medians of the turns' ratios."""
    watcher = Watcher()
    mouths = [watcher.watch(clip).mouth for clip in ground.clips]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        bento = stack.enter_context(bentoml_server(ground.model, folder))
        twice = stack.enter_context(bentoml_server(ground.model, folder, processes=2))
        ours, ours_rpc = stack.enter_context(own_server(folder))
        alone, _ = stack.enter_context(own_server(folder, {"LIPSOL_INFERENCE__BATCH": "1"}))
        rest = written(folder, "rest", [over_rest(mouth) for mouth in mouths])
        plain = written(folder, "bentoml", [over_bentoml(mouth) for mouth in mouths])
        asked = {
            "bentoml": ("http", bento, plain),
            "bentoml_twice": ("http", twice, plain),
            "rest": ("http", ours, rest),
            "grpc": ("grpc", ours_rpc, written(folder, "grpc", [over_grpc(mouth) for mouth in mouths])),
            "unbatched": ("http", alone, rest),
        }
        for each in asked.values():
            loaded(*each, WARM_S)
        turns = [{side: Turn.of(loaded(*asked[side], SECONDS)) for side in SIDES} for _ in range(ROUNDS)]
    return figures_of(turns)


def figures_of(turns: Sequence[Mapping[str, Turn]]) -> list[Figure]:
    """Each side's own medians, then ours over BentoML's and batched over unbatched."""
    figures = []
    for side in SIDES:
        figures += [
            Figure(f"{side}_rate", round(statistics.median(turn[side].rate for turn in turns), 1), "requests/s"),
            Figure(f"{side}_p99", round(statistics.median(turn[side].p99_s for turn in turns) * 1e3), "ms"),
        ]
    for side in ("rest", "grpc"):
        rate = statistics.median(turn[side].rate / turn["bentoml"].rate for turn in turns)
        p99 = statistics.median(turn[side].p99_s / turn["bentoml"].p99_s for turn in turns)
        figures += [
            Figure(f"{side}_rate_over_bentoml", round(rate, 2), "times", FASTER),
            Figure(f"{side}_p99_over_bentoml", round(p99, 2), "times", 1.0, below=True),
        ]
    gain = statistics.median(turn["rest"].rate / turn["unbatched"].rate for turn in turns)
    return [*figures, Figure("batched_over_unbatched", round(gain, 2), "times")]


def loaded(kind: str, port: int, requests: Sequence[Path], seconds: float) -> Load:
    """What came of that time under load; the clients are a process of their own."""
    told = {"kind": kind, "port": port, "requests": list(map(str, requests)), "clients": CLIENTS, "seconds": seconds}
    command = [sys.executable, "-m", "tests.benchmarks.clients", json.dumps(told)]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False, timeout=seconds + START_S)
    if done.returncode:
        raise RuntimeError(f"the clients of port {port} gave up: {done.stderr[-2000:]}")
    return Load(*json.loads(done.stdout))


def written(folder: Path, side: str, requests: Sequence[bytes]) -> list[Path]:
    """The files that hold these requests."""
    files = [folder / f"{side}-{n}" for n in range(len(requests))]
    for file, request in zip(files, requests, strict=True):
        file.write_bytes(request)
    return files


def over_bentoml(mouth: MouthClip) -> bytes:
    """One mouth as the BentoML service takes it: its tensors, one behind the other."""
    body = b"".join(data for *_, data in _tensors(mouth))
    return _http("/read", {"content-type": "application/octet-stream"}, body)


def over_rest(mouth: MouthClip) -> bytes:
    """One mouth by the Open Inference Protocol, its tensors in binary."""
    tensors = _tensors(mouth)
    inputs = [
        {"name": name, "shape": shape, "datatype": kind, "parameters": {"binary_data_size": len(data)}}
        for name, kind, shape, data in tensors
    ]
    head = json.dumps({"inputs": inputs}).encode()
    body = head + b"".join(data for *_, data in tensors)
    headers = {"content-type": "application/octet-stream", HEADER_LENGTH: str(len(head))}
    return _http(f"/v2/models/{MODEL}/infer", headers, body)


def over_grpc(mouth: MouthClip) -> bytes:
    """The same as a gRPC message."""
    tensors = _tensors(mouth)
    asked = pb.ModelInferRequest(model_name=MODEL, raw_input_contents=[data for *_, data in tensors])
    for name, kind, shape, _ in tensors:
        asked.inputs.add(name=name, datatype=kind, shape=shape)
    return bytes(asked.SerializeToString())


def _tensors(mouth: MouthClip) -> list[tuple[str, str, list[int], bytes]]:
    kinds = {"mouth": "UINT8", "lips": "FP32", "jaw": "FP32"}
    arrays = [(name, kind, getattr(mouth, name)[np.newaxis]) for name, kind in kinds.items()]
    return [(name, kind, list(array.shape), array.tobytes()) for name, kind, array in arrays]


def _http(path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    told = {"host": "127.0.0.1", **headers, "content-length": str(len(body))}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items()), "", ""]
    return "\r\n".join(lines).encode() + body


@contextmanager
def bentoml_server(model: Path, folder: Path, processes: int = 1) -> Iterator[int]:
    """BentoML's side; its port."""
    (port,) = free_ports(1)
    command = [Path(sys.executable).with_name("bentoml"), "serve", "tests.benchmarks.bento_side:Reading"]
    told = {"BENTO_SIDE_MODEL": str(model), "BENTO_SIDE_WORKERS": str(processes)}
    told |= {"BENTOML_HOME": str(folder), "BENTOML_DO_NOT_TRACK": "true"}
    with _server([*command, "--port", str(port)], told, port, folder / f"bentoml-{port}.log"):
        yield port


@contextmanager
def own_server(folder: Path, told: Mapping[str, str] | None = None) -> Iterator[tuple[int, int]]:
    """Our side: the reading service as ever, over a bus that nobody else is on; its ports for REST and gRPC."""
    port, rpc_port, metrics = free_ports(3)
    ports = {"INFERENCE__PORT": port, "INFERENCE__GRPC_PORT": rpc_port, "TELEMETRY__METRICS_PORT": metrics}
    env = {f"LIPSOL_{name}": str(value) for name, value in ports.items()} | dict(told or {})
    with _server([sys.executable, "-c", OWN], env, port, folder / f"own-{port}.log"):
        yield port, rpc_port


def serve() -> None:
    """The reading service alone, on the memory bus: what this measures comes over its other doors."""
    from lipsol.runtime.logs import set_up_logging
    from lipsol.runtime.settings import load
    from lipsol.runtime.wiring import open_bus
    from services.__main__ import serve_alone
    from services.embedded import EmbeddedSettings

    settings = load(EmbeddedSettings)
    set_up_logging(settings.telemetry)
    serve_alone("inference", settings, open_bus(settings))


@contextmanager
def _server(command: Sequence[object], told: Mapping[str, str], port: int, log: Path) -> Iterator[None]:
    """A process that serves, from when it is ready until it has left."""
    with log.open("wb") as out:
        process = subprocess.Popen(list(map(str, command)), cwd=TOP, env=os.environ | told, stdout=out, stderr=out)
    try:
        until = time.monotonic() + START_S
        while not _ready(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{command} was not ready: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on just now."""
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in held]
