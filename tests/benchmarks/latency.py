"""How long a 3 s clip takes over REST and Kafka, where the time goes, and how many clips a second are answered in time.

Broker, services and client share this machine.
"""

import math
import statistics
import time
from collections.abc import Callable, Sequence

import httpx
import numpy as np

from lipsol.bus.kafka import Link
from lipsol.topics import PREDICTIONS, STABLE_MOUTHS
from tests.benchmarks.figures import Figure
from tests.benchmarks.ground import Ground
from tests.benchmarks.way import STAGES, Way, stages_ms
from tests.scenarios.pace import WORKERS, Answer, pace
from tests.scenarios.platform import Asked, Platform
from tests.scenarios.processes import ProcessPlatform

WARM = 5  # times through the clips before anything counts: Java compiles what runs often while it runs
ALONE = 6  # times through the clips, one after the other
PAUSE_S = 0.05  # between two of those, so that none meets what is left to be done of the one before
P50_MS, P95_MS = 350.0, 700.0  # that a clip may take while nothing else is to be done
IN_TIME_S = 2.0  # that the 95th percentile may take under load
HELD_S, STEPS = 15.0, 5  # each rate is held so long; how many rates are tried
FAR = 1.5  # times what goes through while nobody waits longer than for two clips: surely too much
OK = 200


def measure(ground: Ground) -> list[Figure]:
    """The time of a clip alone, stage by stage; and the rate at which the 95th percentile passes `IN_TIME_S`."""
    asked = Asked({"telemetry": {"log_level": "error"}, "bus": {"session_s": Link().session_s}}, stored=False)
    limits = httpx.Limits(max_connections=WORKERS, max_keepalive_connections=WORKERS)
    with ProcessPlatform(asked) as platform, httpx.Client(base_url=platform.url, timeout=120.0, limits=limits) as http:
        for clip in WARM * ground.clips:
            _read(http, clip)
        ways = [_way(platform, http, clip) for clip in ALONE * ground.clips]
        stages = stages_ms(ways, platform.bus.replay([STABLE_MOUTHS.name, PREDICTIONS.name]))
        alone_s = statistics.median(way.total_ms for way in ways) / 1e3
        limit = _limit(http, ground.clips, high=FAR * ground.threads / alone_s)
    totals = [way.total_ms for way in ways]
    return [
        Figure("clip_alone_p50", _percentile(totals, 50), "ms", P50_MS, below=True),
        Figure("clip_alone_p95", _percentile(totals, 95), "ms", P95_MS, below=True),
        *(
            Figure(f"way_{stage}_p{at}", _percentile([each[stage] for each in stages], at), "ms")
            for stage in STAGES
            for at in (50, 95)
        ),
        Figure("clips_in_time", round(limit, 2), "clips/s"),
    ]


def _percentile(milliseconds: Sequence[float], at: int) -> float:
    return round(float(np.percentile(milliseconds, at)), 1)


def _read(http: httpx.Client, clip: bytes) -> httpx.Response:
    return http.post("/v1/clips", params={"wait": "true"}, files={"file": ("clip.mp4", clip, "video/mp4")})


def _way(platform: Platform, http: httpx.Client, clip: bytes) -> Way:
    time.sleep(PAUSE_S)
    sent_at = time.time()
    answer = _read(http, clip)
    answered_at = time.time()
    if answer.status_code != OK:
        raise RuntimeError(f"a clip was answered {answer.status_code}: {answer.text[:200]}")
    clip_id = answer.json()["clip_id"]
    kept = next(each for each in platform.store.survey(f"clips/{clip_id}/") if each.key.endswith("/result.json"))
    return Way(clip_id, sent_at, min(time.time() - kept.age_s, answered_at), answered_at)


def _limit(http: httpx.Client, clips: Sequence[bytes], high: float) -> float:
    """Clips a second, sent at that rate whatever becomes of them, up to which they are answered in time."""

    def act(number: int) -> int:
        return _read(http, clips[number % len(clips)]).status_code

    return bisected(lambda rate: p95_s(pace(rate, HELD_S, act)) <= IN_TIME_S, 0.0, high, STEPS)


def p95_s(answers: Sequence[Answer]) -> float:
    """The 95th percentile of the times to an answer, seconds; what was not answered well took for ever."""
    times = sorted(each.took_s if each.status == OK else math.inf for each in answers)
    return times[math.ceil(0.95 * len(times)) - 1]


def bisected(holds: Callable[[float], bool], low: float, high: float, steps: int) -> float:
    """The value up to which `holds`, between low, where it does, and high, where it does not: halved so often."""
    for _ in range(steps):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
