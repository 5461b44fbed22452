"""Milliseconds per clip of each stage, one clip after the other on one thread, and frames a second of one core."""

import time
from collections.abc import Sequence

from lipsol.clips.watch import Watched, Watcher
from lipsol.reader import Reader
from tests.benchmarks.figures import Figure, cpu_seconds, percentiles
from tests.benchmarks.ground import Ground

STAGES = ("decode", "face", "mouth", "quality")
ROUNDS = 3  # times that every clip is watched and read
FRAMES_PER_CORE = 250.0  # frames of 360x288 a second that one core must preprocess


def measure(ground: Ground) -> list[Figure]:
    """Times of decode, face, mouth, quality and read, and the speed of all before reading."""
    clips, reader, watcher = ground.clips, ground.reader, Watcher()
    watched = [watcher.watch(clip) for clip in clips]  # the first round warms up and does not count
    reader.read(watched[0].mouth)
    rounds: list[Watched] = []
    cpu_s = cpu_seconds(lambda: rounds.extend(watcher.watch(clip) for _ in range(ROUNDS) for clip in clips))
    figures = [figure for stage in STAGES for figure in percentiles(stage, [each.timings_ms[stage] for each in rounds])]
    figures += _shares(rounds)
    figures += percentiles("read", [_read_ms(reader, each) for each in rounds])
    frames = sum(len(each.mouth) for each in rounds)
    return [*figures, Figure("preprocess", round(frames / cpu_s, 1), "frames/s/core", FRAMES_PER_CORE)]


def _shares(rounds: Sequence[Watched]) -> list[Figure]:
    """Where the time of watching goes, per cent."""
    spent = {stage: sum(each.timings_ms[stage] for each in rounds) for stage in STAGES}
    return [Figure(f"{stage}_share", round(100 * spent[stage] / sum(spent.values()), 1), "%") for stage in STAGES]


def _read_ms(reader: Reader, watched: Watched) -> float:
    began = time.perf_counter()
    reader.read(watched.mouth)
    return (time.perf_counter() - began) * 1e3
