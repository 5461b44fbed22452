"""A bus on which many clips were read, and a reference for them."""

from dataclasses import replace

import numpy as np

from lipsol.bus.memory import MemoryBus
from lipsol.events import PredictionMade
from lipsol.runtime.envelope import wrap
from services.monitor.group import Group
from services.monitor.reports.rows import Row, row_of
from tests.services_made import info_of, prediction_of

GROUP = Group("stable", "grid-sentences", info_of("grid-sentences").digest, "en")
NOW = 1_795_251_700.0


def readings(clips: int, *, darker: float = 0.0, seed: int = 1) -> list[PredictionMade]:
    """Readings of clips whose pictures differ a little, `darker` levels darker than usual."""
    chance = np.random.default_rng(seed)
    made = []
    for number in range(clips):
        plain = prediction_of(f"clip-{seed}-{number:06d}", abstained=bool(chance.random() < 0.2))
        quality = {name: value * (1 + 0.1 * chance.normal()) + 0.01 for name, value in plain.quality.items()}
        quality["brightness"] -= darker
        sure, doubt = float(chance.uniform(0.3, 1.0)), float(chance.random())
        named = f"{plain.clip_id}-{seed}"
        made.append(
            replace(plain, prediction_id=named, quality=quality, confidence=sure, entropy=doubt, codec="h264", faces=1)
        )
    return made


def bus_with(*events: PredictionMade | object) -> MemoryBus:
    """The bus that these were published on, in order."""
    bus = MemoryBus(capacity=100_000, history=100_000)
    bus.publish_all([wrap(event, "test", NOW) for event in events])  # type: ignore[arg-type]
    return bus


def reference_rows(clips: int = 300) -> list[Row]:
    """The rows of a reference: what is usual."""
    return [row_of(made) for made in readings(clips, seed=7)]
