"""Why a clip is decoded on one thread: what frame threads would save of one clip's time, and cost a full machine.

FFmpeg decoding alone, outside the sandbox (which lets nothing start a thread), without scaling and handing on.
"""

import io
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import av

from tests.benchmarks.figures import Figure
from tests.benchmarks.ground import Ground

ROUNDS = 3  # times through the clips


def measure(ground: Ground) -> list[Figure]:
    """Milliseconds for a clip alone, and clips a second with one on every core; with one thread, and one a core."""
    clips, cores = ROUNDS * ground.clips, ground.threads
    figures = []
    for name, threads in (("one_thread", 1), ("frame_threads", cores)):
        figures += [
            Figure(
                f"decode_{name}_alone", round(statistics.median(_took_ms(clip, threads) for clip in clips), 1), "ms"
            ),
            Figure(f"decode_{name}_full", round(_rate(clips, threads, cores), 1), "clips/s"),
        ]
    return figures


def _took_ms(clip: bytes, threads: int) -> float:
    began = time.perf_counter()
    decode(clip, threads)
    return (time.perf_counter() - began) * 1e3


def _rate(clips: Sequence[bytes], threads: int, at_once: int) -> float:
    with ThreadPoolExecutor(at_once) as pool:
        began = time.perf_counter()
        list(pool.map(lambda clip: decode(clip, threads), clips))
        return len(clips) / (time.perf_counter() - began)


def decode(clip: bytes, threads: int) -> int:
    """How many frames there are."""
    with av.open(io.BytesIO(clip)) as file:
        stream = file.streams.video[0]
        stream.codec_context.thread_count = threads
        stream.codec_context.thread_type = "FRAME"
        return sum(1 for _ in file.decode(stream))
