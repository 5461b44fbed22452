"""How cost grows with a clip's length and with clips at once: an exponent of 1 is linear.

Length: recordings of 1 to 600 s, made of real clips, watched window by window and read, each in a process of its own.
At once: 1 to 64 clients send a clip each to the platform over Kafka, at the same moment, until all are answered. The
exponent is the slope of a straight line through the logarithms of both (least squares).
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier
from typing import Any

import httpx
import numpy as np

from lipsol.bus.kafka import Link
from tests.benchmarks.figures import Figure
from tests.benchmarks.ground import Ground
from tests.benchmarks.latency import OK
from tests.benchmarks.long_films import spoken
from tests.conftest import TOP, read_samples
from tests.scenarios.platform import Asked
from tests.scenarios.processes import ProcessPlatform

SECONDS = (1, 3, 10, 30, 100, 300, 600)
STAGES = ("decode", "face", "mouth", "quality", "read", "all")
AT_ONCE = (1, 2, 4, 8, 16, 32, 64)
ROUNDS, WARM = 2, 3  # times that each number of clients is sent; times through the clips before
EXPONENT = 1.1  # at most
MEMORY = 1.25  # times what 30 s hold that the longest recording may
SPEAKER = "s1"


def measure(ground: Ground) -> list[Figure]:
    """The times, and the exponents that follow from them."""
    return [*_of_length(), *_of_concurrency(ground)]


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """The slope of log(cost) over log(size), by least squares."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def _of_length() -> list[Figure]:
    films = spoken([sample.bytes() for sample in read_samples() if sample.speaker == SPEAKER], SECONDS)
    told = dict(zip(SECONDS, (_read_alone(film) for film in films), strict=True))
    times = {stage: [max(told[length]["ms"].get(stage, 0.0), 0.1) for length in SECONDS] for stage in STAGES}
    held = {length: told[length]["peak_bytes"] / 2**20 for length in SECONDS}
    return [
        *(
            Figure(f"length_{stage}_{length}s", round(taken, 1), "ms")
            for stage in STAGES
            for length, taken in zip(SECONDS, times[stage], strict=True)
        ),
        *(_exponent(f"length_{stage}_exponent", SECONDS, times[stage]) for stage in STAGES),
        *(Figure(f"length_memory_{length}s", round(each, 1), "MiB") for length, each in held.items()),
        _memory(held),
    ]


def _memory(held: Mapping[int, float]) -> Figure:
    """What the longest recording holds, over what the first of half a minute or more does."""
    first = next(length for length in held if length >= 30 or length == max(held))
    return Figure("length_memory_ratio", round(held[max(held)] / held[first], 3), "times", MEMORY, below=True)


def _exponent(name: str, sizes: Sequence[float], costs: Sequence[float]) -> Figure:
    return Figure(name, round(exponent(sizes, costs), 3), "", EXPONENT, below=True)


def _read_alone(film: bytes) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        path.write_bytes(film)
        command = [sys.executable, "-m", "tests.benchmarks.length_program", str(path)]
        done = subprocess.run(command, cwd=TOP, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _of_concurrency(ground: Ground) -> list[Figure]:
    waiting = {"line": 2 * max(AT_ONCE)}  # so that nobody is turned away
    asked = {"telemetry": {"log_level": "error"}, "bus": {"session_s": Link().session_s}, "preprocess": waiting}
    limits = httpx.Limits(max_connections=max(AT_ONCE), max_keepalive_connections=max(AT_ONCE))
    with (
        ProcessPlatform(Asked(asked, stored=False)) as platform,
        httpx.Client(base_url=platform.url, timeout=120.0, limits=limits) as http,
    ):
        for clip in WARM * ground.clips:
            _send(http, clip)
        taken = [min(_together(http, ground.clips, number) for _ in range(ROUNDS)) for number in AT_ONCE]
    return [
        *(Figure(f"at_once_{number}", round(1e3 * each, 1), "ms") for number, each in zip(AT_ONCE, taken, strict=True)),
        _exponent("at_once_exponent", AT_ONCE, taken),
    ]


def _together(http: httpx.Client, clips: Sequence[bytes], number: int) -> float:
    """Seconds until so many clips, sent at the same moment, are all answered."""
    start = Barrier(number + 1)

    def send(which: int) -> None:
        start.wait()
        _send(http, clips[which % len(clips)])

    with ThreadPoolExecutor(number) as pool:
        sent = [pool.submit(send, which) for which in range(number)]
        start.wait()
        began = time.perf_counter()
        for each in sent:
            each.result()
        return time.perf_counter() - began


def _send(http: httpx.Client, clip: bytes) -> None:
    answer = http.post("/v1/clips", params={"wait": "true"}, files={"file": ("clip.mp4", clip, "video/mp4")})
    if answer.status_code != OK:
        raise RuntimeError(f"a clip was answered {answer.status_code}: {answer.text[:200]}")
