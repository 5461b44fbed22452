"""The network on this machine's GPU: clips a second by batch size, how busy the chip is, and how far from its roofline.

`make bench-gpu` runs it with the GPU image's packages. Inputs come from the host's memory each time and outputs go
back, as in the service. The engine is the service's own, so what could not be had on the GPU is refused, not measured
on the CPU. How busy the chip is, nvidia-smi says: the share of the time in which at least one kernel ran. By operator
only onnxruntime's profiler knows; it times the host, which waits for the chip where it has to.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime

from lipsol.bundle import Bundle
from lipsol.clips.clip import JAW_POINTS, LIP_POINTS, MOUTH_PX
from lipsol.engine import Engine, Feeds
from lipsol.errors import ModelError
from tests.benchmarks.figures import Figure
from tests.benchmarks.ground import Ground
from tests.benchmarks.roofline import GBPS, TFLOPS, nodes_of, roof_of, seconds_by_operator, work_of

FRAMES = 75  # of a clip: GRID's 3 s
BATCHES = (1, 2, 4, 8, 16, 32, 64)
SECONDS = 3.0  # at each batch size, once it is warm
WARM = 5  # runs before that
LOOK_MS = 100  # between two of nvidia-smi's looks at how busy the chip is
ASK = ["nvidia-smi", "--id=0", "--format=csv,noheader,nounits"]


def measure(ground: Ground) -> list[Figure]:
    """Every figure, in single precision and in half."""
    name = gpu_name()
    if name is None:
        sys.exit("no NVIDIA GPU answers here (nvidia-smi lists none), so nothing is measured")
    network = Bundle.load(ground.model).network
    figures: list[Figure] = []
    for fp16 in (False, True):
        try:
            figures += _of_precision(network, name, fp16=fp16)
        except ModelError as fault:
            sys.exit(f"{fault.detail}; {fault.cure}")
    return figures


def _of_precision(network: bytes, name: str, *, fp16: bool) -> list[Figure]:
    said = "gpu_fp16" if fp16 else "gpu"
    session = Engine("cuda", fp16=fp16, batch=max(BATCHES)).session(network, name)
    roof = roof_of(name, fp16=fp16)
    if roof is None:
        print(f"nobody knows the roofline of {name} here: say {TFLOPS} and {GBPS} for it", file=sys.stderr)
    figures = []
    for clips in BATCHES:
        feeds = feeds_of(clips)
        with busy() as looks:
            took_s = _seconds(session.run, feeds)
        least_s = None if roof is None else roof.seconds(work_of(network, feeds))
        figures += figures_of(f"{said}_b{clips}", clips, took_s, looks, least_s, feeds)
    return figures if fp16 else [*figures, *_by_operator(network, feeds_of(max(BATCHES)))]


def figures_of(
    said: str, clips: int, took_s: float, looks: Sequence[float], least_s: float | None, feeds: Feeds
) -> list[Figure]:
    """What one batch size came to.

    took_s   of a batch
    looks    at how busy the chip was, each a share of the time
    least_s  that the chip's roofline allows a batch; None: nobody knows it
    """
    figures = [
        Figure(f"{said}_rate", round(clips / took_s, 1), "clips/s"),
        Figure(f"{said}_data", round(sum(array.nbytes for array in feeds.values()) / took_s / 2**20, 1), "MiB/s"),
    ]
    if looks:
        figures.append(Figure(f"{said}_in_kernels", round(statistics.mean(looks), 3), "share"))
    if least_s is not None:
        figures.append(Figure(f"{said}_of_roofline", float(f"{least_s / took_s:.3g}"), "share"))
    return figures


def _seconds(run: Callable[[Feeds], object], feeds: Feeds) -> float:
    """Seconds that one run takes, warm; the mean over SECONDS."""
    for _ in range(WARM):
        run(feeds)
    began, runs = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < SECONDS or not runs:
        run(feeds)
        runs += 1
    return spent / runs


def _by_operator(network: bytes, feeds: Feeds) -> list[Figure]:
    """The three operators that take the most of a run, by onnxruntime's profiler."""
    with TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.enable_profiling, options.profile_file_prefix = True, str(Path(folder) / "profile")
        providers = [("CUDAExecutionProvider", {"use_tf32": "0"}), "CPUExecutionProvider"]
        session = onnxruntime.InferenceSession(network, options, providers=providers)
        for _ in range(WARM):
            session.run(None, dict(feeds))
        spent = seconds_by_operator(nodes_of(Path(session.end_profiling())))
    whole = sum(spent.values())
    return [Figure(f"gpu_time_in_{kind}", round(each / whole, 3), "share") for kind, each in list(spent.items())[:3]]


def gpu_name() -> str | None:
    """The first GPU, as nvidia-smi calls it; None: there is none."""
    try:
        done = subprocess.run([*ASK, "--query-gpu=name"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None


@contextmanager
def busy() -> Iterator[list[float]]:
    """How busy the GPU was within the block, a share for each look; filled when it ends."""
    command = [*ASK, "--query-gpu=utilization.gpu", f"--loop-ms={LOOK_MS}"]
    looking = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    looks: list[float] = []
    try:
        yield looks
    finally:
        looking.terminate()
        looks += shares_of(looking.communicate()[0])


def shares_of(told: str) -> list[float]:
    """nvidia-smi's percentages as shares; what it could not tell is left out."""
    return [int(each) / 100 for each in told.split("\n") if each.strip().isdecimal()]


def feeds_of(clips: int, frames: int = FRAMES) -> dict[str, np.ndarray]:
    """A batch of noise: what is in a clip changes nothing of how long the network takes."""
    noise = np.random.default_rng(clips)
    return {
        "mouth": noise.integers(0, 255, (clips, frames, MOUTH_PX, MOUTH_PX), np.uint8),
        "lips": noise.normal(0, 0.1, (clips, frames, LIP_POINTS, 2)).astype(np.float32),
        "jaw": noise.normal(0, 0.1, (clips, frames, JAW_POINTS, 2)).astype(np.float32),
        "length": np.full(clips, frames, np.int64),
    }
