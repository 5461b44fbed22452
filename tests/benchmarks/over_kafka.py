"""What three processes and a Kafka cost: clips a second and time for a clip, against plain calls on the same cores.

Everything runs on this machine: the broker, the services, and the client, which sends real videos over REST.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np

from lipsol.bus.kafka import Link
from lipsol.clips.watch import Watcher
from tests.benchmarks.figures import Figure
from tests.benchmarks.ground import Ground
from tests.scenarios.platform import Asked
from tests.scenarios.processes import ProcessPlatform

ROUNDS = 5  # times that both are measured, in turns, so that a busy neighbour slows both alike
REPEATS = 3  # times that a round goes through the clips
WARM = 3  # times through the clips before anything is measured over Kafka
WAITING = 4  # clients for each core: enough that no core waits for the next clip
SHARE = 0.85  # of the bare pipeline's clips a second that the platform must reach
ADDED_MS = 30.0  # that the platform may add to a clip at the median


def measure(ground: Ground) -> list[Figure]:
    """Clips a second and the median time of a clip, bare and over Kafka."""
    clips, reader, threads, watcher = ground.clips, ground.reader, ground.threads, Watcher()
    many = [clip for _ in range(REPEATS) for clip in clips]
    asked = Asked({"telemetry": {"log_level": "error"}, "bus": {"session_s": Link().session_s}}, stored=False)
    with ProcessPlatform(asked) as platform, httpx.Client(base_url=platform.url, timeout=120.0) as http:

        def bare(clip: bytes) -> None:
            reader.read(watcher.watch(clip).mouth)

        def over_kafka(clip: bytes) -> None:
            answer = http.post("/v1/clips", params={"wait": "true"}, files={"file": ("clip.mp4", clip, "video/mp4")})
            if answer.status_code != 200:
                raise RuntimeError(f"a clip was answered {answer.status_code}: {answer.text[:200]}")

        _rate(bare, many, threads)
        for _ in range(WARM):  # Java compiles what runs often while it runs
            _rate(over_kafka, many, WAITING * threads)
        pairs = [(_rate(bare, many, threads), _rate(over_kafka, many, WAITING * threads)) for _ in range(ROUNDS)]
        times = [(_took_ms(bare, clip), _took_ms(over_kafka, clip)) for _ in range(REPEATS) for clip in clips]
    share = statistics.median(through / direct for direct, through in pairs)
    direct_ms, through_ms = (float(np.percentile(held, 50)) for held in zip(*times, strict=True))
    return [
        Figure("kafka_throughput", round(statistics.median(through for _, through in pairs), 2), "clips/s"),
        Figure("kafka_share_of_bare", round(share, 3), "share", SHARE),
        Figure("bare_clip_p50", round(direct_ms, 1), "ms/clip"),
        Figure("kafka_clip_p50", round(through_ms, 1), "ms/clip"),
        Figure("kafka_added_p50", round(through_ms - direct_ms, 1), "ms/clip", ADDED_MS, below=True),
    ]


def _rate(work: Callable[[bytes], None], clips: Sequence[bytes], at_once: int) -> float:
    """Clips a second, so many at once."""
    with ThreadPoolExecutor(at_once) as pool:
        began = time.perf_counter()
        for _ in pool.map(work, clips):
            pass
        return len(clips) / (time.perf_counter() - began)


def _took_ms(work: Callable[[bytes], None], clip: bytes) -> float:
    """Milliseconds for one clip while nothing else is to be done."""
    began = time.perf_counter()
    work(clip)
    return (time.perf_counter() - began) * 1e3
