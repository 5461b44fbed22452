"""What the platform costs: clips a second through events, bus and store, against plain calls on as many threads."""

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from lipsol.clips.watch import Watcher
from lipsol.errors import LipsolError
from services.embedded import Embedded
from tests.benchmarks.figures import Figure
from tests.benchmarks.ground import Ground

ROUNDS = 5  # times that both are measured, in turns, so that a busy neighbour slows both alike
REPEATS = 3  # times that a round goes through the clips
SHARE = 0.85  # of the bare pipeline's clips a second that the platform must reach


def measure(ground: Ground) -> list[Figure]:
    """Clips a second bare and embedded, and the median of the rounds' shares."""
    many = [clip for _ in range(REPEATS) for clip in ground.clips]
    reader, watcher = ground.reader, Watcher()
    with ThreadPoolExecutor(ground.threads) as pool, Embedded() as platform:

        def bare() -> None:
            for _ in pool.map(lambda clip: reader.read(watcher.watch(clip).mouth), many):
                pass

        def embedded() -> None:
            for outcome in platform.read_many(many):
                if isinstance(outcome, LipsolError):
                    raise outcome

        for warm in (bare, embedded):
            warm()
        pairs = [(_rate(bare, len(many)), _rate(embedded, len(many))) for _ in range(ROUNDS)]
    plain, events = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    share = statistics.median(through / direct for direct, through in pairs)
    return [
        Figure("bare_throughput", round(plain, 2), "clips/s"),
        Figure("embedded_throughput", round(events, 2), "clips/s"),
        Figure("embedded_share_of_bare", round(share, 3), "share", SHARE),
    ]


def _rate(work: Callable[[], None], clips: int) -> float:
    began = time.perf_counter()
    work()
    return clips / (time.perf_counter() - began)
