"""What watching costs: the share of a core that the monitor's stream takes at 100 clips a second, and its memory.

Readings as they lie on the bus, one in ten judged by its person, go through what a worker of the monitor does with
them: opened, counted, compared with a reference, kept. Only the fetching from a broker is left out.
"""

import gc
import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lipsol.bus.memory import MemoryBus
from lipsol.bus.port import Message
from lipsol.clips.embedding import SIZE
from lipsol.drift.budget import Sensitivity
from lipsol.drift.reference import Reference
from lipsol.events import Event, FeedbackGiven, ModelName, PredictionMade, to_bytes
from lipsol.runtime.envelope import unwrap
from lipsol.runtime.telemetry import Telemetry
from services.monitor import HEARD, NAME
from services.monitor.concern import Concern
from services.monitor.figures import Figures
from services.monitor.groups import Groups
from services.monitor.handler import Handler
from services.monitor.keeping import Keeper
from services.monitor.observing import observation
from services.monitor.ownership import Ownership
from services.monitor.remembering import Memory
from services.monitor.state import State
from services.monitor.windows import Windows
from tests.benchmarks.figures import Figure
from tests.benchmarks.ground import Ground

A_SECOND = 100.0  # clips, by their own time
CLIPS = 12_000  # that are measured
WARM = 12_000  # before: all that is bounded is full then, but for windows
REMEMBERED, WIDTH_S, KEPT_S = 5_000, 10.0, 100.0  # in so much less time than a day, windows are full too
KEEP_CLIPS = 1_000  # between two keepings: ten seconds
BATCH = 64
TOLD = 10  # one clip in so many is judged
SHARE_MAX = 3.0  # % of a core
GROWTH_MAX = 4.0  # MiB
BEGIN = 1_795_251_600.0
DIGEST = hashlib.sha256(b"bench").hexdigest()
WORDS = "bin lay place set blue green red white at by in with now please soon again".split()


def measure(_ground: Ground | None) -> list[Figure]:
    """The share of a core, and by how much memory grew while as many clips came as it holds several times over."""
    noise = np.random.default_rng(1)
    with closing(MemoryBus()) as bus:
        stream = Stream(
            Reference.of([observation(_reading(n, noise)) for n in range(300)], [], digest_of_data="x"), bus
        )
        stream.take(WARM, noise)
        memory = _resident_mib()
        seconds = stream.take(CLIPS, noise)
        grown = _resident_mib() - memory
        stream.ownership.stop()
    share = round(100 * A_SECOND * seconds / CLIPS, 2)
    return [
        Figure("monitor_share_of_core", share, "% at 100 clips/s", SHARE_MAX, below=True),
        Figure("monitor_per_clip", round(1e6 * seconds / CLIPS, 1), "us of CPU"),
        Figure("monitor_growth", round(grown, 2), f"MiB in {CLIPS} clips", GROWTH_MAX, below=True),
    ]


@dataclass(frozen=True)
class Known:
    """Every bundle's reference."""

    reference: Reference

    def of(self, _digest: str) -> Reference:
        """The reference."""
        return self.reference

    load = of


class Stream:
    """The monitor without its doors and its consumer."""

    def __init__(self, reference: Reference, bus: MemoryBus) -> None:
        telemetry, self.clips, self.offset = Telemetry(), 0, 0
        concern = Concern("observe", Sensitivity(), telemetry)
        groups = Groups(Known(reference), Sensitivity(), concern, telemetry)
        memory, windows = Memory(REMEMBERED, KEPT_S), Windows(WIDTH_S, KEPT_S)
        self.handler = Handler(memory, windows, groups, concern, Figures(telemetry), "bench", self.now)
        self.ownership = Ownership(bus, telemetry, 1.0)
        state = State(bus, "bench", telemetry, self.now)
        self.keeper = Keeper(self.handler, state, self.ownership, bus, HEARD, NAME, 10.0, self.now, self.now)
        self.ownership.start()
        self.keeper.prepare()

    def now(self) -> float:
        """The clips' own time."""
        return BEGIN + self.clips / A_SECOND

    def take(self, clips: int, noise: np.random.Generator) -> float:
        """Let so many clips come; the CPU time that they took, seconds."""
        seconds = 0.0
        for _ in range(clips // KEEP_CLIPS):
            messages = list(self._messages(KEEP_CLIPS, noise))
            gc.collect()
            began = time.process_time()
            for at in range(0, len(messages), BATCH):
                self._batch(messages[at : at + BATCH])
            seconds += time.process_time() - began
        return seconds

    def _batch(self, messages: Sequence[Message]) -> None:
        self.clips += len(messages) * TOLD // (TOLD + 1)
        self.keeper.coming(messages)
        self.handler.handle([unwrap(message) for message in messages])
        self.keeper.settled()

    def _messages(self, clips: int, noise: np.random.Generator) -> Iterator[Message]:
        first = self.clips
        for n in range(first, first + clips):
            made = _reading(n, noise)
            yield self._message(made, made.made_at)
            if n % TOLD == 0:
                yield self._message(_told(made, noise), made.made_at)

    def _message(self, event: Event, at: float) -> Message:
        self.offset += 1
        return Message(event.topic, event.key, to_bytes(event), {}, 0, self.offset, at)


def _reading(n: int, noise: np.random.Generator) -> PredictionMade:
    """A reading with all that inference tells, as alike and as different as real ones."""
    quality = {
        "seconds": 3.0,
        "source_fps": 25.0,
        "dropped_frames": 0.0,
        "brightness": round(float(noise.normal(117, 12)), 4),
        "contrast": round(float(noise.normal(40, 5)), 4),
        "sharpness": round(float(noise.gamma(9, 10)), 4),
        "face_found": 1.0,
        "mouth_px": round(float(noise.normal(41, 4)), 4),
        "yaw_deg": round(float(noise.normal(0, 3)), 4),
        "motion": round(float(noise.gamma(25, 0.002)), 4),
    }
    timings = dict.fromkeys(("decode", "face", "mouth", "quality", "queue", "read", "total"), 20.0)
    return PredictionMade(
        clip_id=hashlib.blake2b(str(n).encode(), digest_size=16).hexdigest(),
        prediction_id=str(n),
        text=" ".join(noise.choice(WORDS, 6)),
        confidence=round(float(noise.beta(9, 1)), 4),
        abstained=bool(noise.random() < 0.05),
        alternatives=(),
        words=(),
        language="en",
        grammar="grid",
        model=ModelName("grid-sentences", "1", DIGEST),
        track="stable",
        shadow=False,
        timings_ms=timings,
        quality=quality,
        made_at=BEGIN + n / A_SECOND,
        faces=1,
        codec="h264",
        received_at=BEGIN + n / A_SECOND - 0.3,
        embedding=tuple(round(float(number), 4) for number in noise.normal(size=SIZE)),
        entropy=round(float(noise.beta(2, 18)), 4),
    )


def _told(made: PredictionMade, noise: np.random.Generator) -> FeedbackGiven:
    given = FeedbackGiven(made.clip_id, made.prediction_id, made.text, None, made.text, DIGEST, made.made_at)
    said = made.text if noise.random() < 0.9 else " ".join(noise.choice(WORDS, 6))
    return replace(given, text=said, track="stable", model="grid-sentences", language="en", confidence=made.confidence)


def _resident_mib() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
