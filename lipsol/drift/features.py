"""What is watched of a clip, and of what a person told of it. No text, no picture, no name of a clip."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

GRAINS: Mapping[str, float] = MappingProxyType(
    {
        "seconds": 0.1,
        "source_fps": 0.5,
        "dropped_frames": 0.5,
        "brightness": 2.0,
        "contrast": 1.0,
        "sharpness": 2.0,
        "face_found": 0.02,
        "mouth_px": 1.0,
        "yaw_deg": 1.0,
        "motion": 0.002,
        "faces": 0.5,
        "confidence": 0.01,
        "entropy": 0.005,
        "length": 0.5,
    }
)
"""Feature -> how far apart two values must be to count as different, in the feature's own unit.

So a reference that knows 25 frames a second alone takes 25.01 for the same, and 15 for another.
"""

OUTPUTS = ("confidence", "entropy", "length")  # of the reading; length: characters of its text
NUMBERS = tuple(name for name in GRAINS if name not in OUTPUTS)  # of the input: `lipsol.clips.quality`, and `faces`


@dataclass(frozen=True)
class Observation:
    """One clip as the detector sees it.

    numbers    of NUMBERS, by name; what is not known is left out
    embedding  `lipsol.clips.embedding.embed` of its mouth; (): not told
    outputs    of OUTPUTS, by name; what is not known is left out
    abstained  the reader was not sure
    words      the reading's words, counted; empty where nothing was read
    """

    numbers: Mapping[str, float]
    embedding: tuple[float, ...]
    outputs: Mapping[str, float]
    abstained: bool
    words: Mapping[str, int]


@dataclass(frozen=True)
class Told:
    """What a person told of one clip.

    confidence       that they were shown; None: not known
    right            whether all of the reading was right
    word_edits       of `words` right words, so many were inserted, deleted or replaced; 0 of 0: not told
    character_edits  the same of characters
    """

    confidence: float | None
    right: bool
    word_edits: int
    words: int
    character_edits: int
    characters: int
