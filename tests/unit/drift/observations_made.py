"""Clips as the detector sees them, drawn: quiet ones, and such as differ in what a test asks for."""

from collections.abc import Mapping, Sequence

import numpy as np

from lipsol.clips.embedding import SIZE
from lipsol.drift.features import Observation, Told
from lipsol.drift.reference import Reference

WORDS = ("bin", "lay", "place", "set", "blue", "green", "red", "white", "again", "now", "please", "soon")
NOISE = 1e-4  # of what is the same for every clip
LIE = np.concatenate([np.zeros(7), np.linspace(-1, 1, SIZE - 7)])  # a mouth: in the middle, and with sides that differ


class Drawn:
    """Draws clips; the same ones for the same seed."""

    def __init__(self, seed: int = 1) -> None:
        self._rng = np.random.default_rng(seed)

    def clip(
        self,
        numbers: Mapping[str, float] | None = None,
        *,
        mouth: np.ndarray = LIE,
        confidence: float = 5.0,
        entropy: float = 0.1,
        words: Sequence[str] = WORDS,
    ) -> Observation:
        """A clip. numbers: by how much they are off; confidence: as Beta(., 1); words: what may be said."""
        rng = self._rng
        held = {
            "seconds": 3.0,
            "source_fps": 25.0 + rng.normal(0, NOISE),
            "dropped_frames": 0.0,
            "brightness": rng.normal(135, 3),
            "sharpness": rng.normal(30, 6),
            "mouth_px": rng.normal(40, 1.3),
            "yaw_deg": rng.normal(7, 3),
            "motion": rng.normal(0.036, 0.008),
        }
        own = {name: value + (numbers or {}).get(name, 0.0) for name, value in held.items()}
        outputs = {
            "confidence": rng.beta(confidence, 1),
            "entropy": max(0.0, rng.normal(entropy, 0.02)),
            "length": 23.0,
        }
        said = rng.choice(words, 3, replace=False)
        embedding = tuple(np.round(rng.normal(mouth, 0.02), 4).tolist())
        return Observation(own, embedding, outputs, bool(rng.random() < 0.1), dict.fromkeys(said.tolist(), 1))

    def clips(self, count: int, numbers: Mapping[str, float] | None = None, **asked: object) -> list[Observation]:
        """So many of them."""
        return [self.clip(numbers, **asked) for _ in range(count)]  # type: ignore[arg-type]

    def told(self, count: int, *, right: float = 0.9, confidence: float = 0.9) -> list[Told]:
        """What people who know say of so many clips."""
        found = self._rng.random(count) < right
        return [Told(confidence, bool(each), 0 if each else 2, 3, 0 if each else 6, 15) for each in found]


def reference_made(clips: int = 400, seed: int = 1) -> Reference:
    """The reference of quiet clips, each of which a person told of."""
    drawn = Drawn(seed)
    return Reference.of(drawn.clips(clips), drawn.told(clips), digest_of_data="drawn")
