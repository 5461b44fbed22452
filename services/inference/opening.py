"""Opening a bundle: read and verified, its network loaded where the settings say, its golden answers given, warm.

A bundle that fails any of these raises ModelError, which says which one it is and what mends it; none of it is used.
"""

from pathlib import Path

import numpy as np

from lipsol import golden
from lipsol.bundle import Bundle
from lipsol.clips.clip import JAW_POINTS, LIP_POINTS, MOUTH_PX, MouthClip
from lipsol.engine import Engine
from lipsol.errors import ModelError
from lipsol.reader import Reader
from lipsol.registry.port import ModelInfo
from lipsol.signing import Keys
from services.inference.models import OpenReader, Reading

WARM_UP = 150  # frames of the longest bucket that the CPU is warmed up for; a GPU is, for all of them


def opener(engine: Engine, keys: Keys | None = None) -> OpenReader:
    """How bundles are opened for real; keys: one of them must have signed each (None: they may be unsigned)."""

    def open_reader(path: Path, info: ModelInfo) -> Reading:
        bundle = Bundle.load(path, keys)
        if bundle.digest != info.digest:
            raise ModelError(
                f"the bundle {info.name} has digest {bundle.digest[:12]}, not {info.digest[:12]} as the registry says",
                "fetch it again: it was changed on its way",
            )
        reader = Reader(bundle, engine)
        golden.check(reader)
        warm_up(reader, engine)
        return reader

    return open_reader


def warm_up(reader: Reader, engine: Engine) -> None:
    """Let the network hear silence of each bucket: alone and, on a GPU, in every number that goes together."""
    if engine.provider == "cpu":
        for frames in (bucket for bucket in engine.buckets if bucket <= WARM_UP):
            reader.hear([_still(frames)], 1)
        return
    numbers = sorted({engine.padded(clips, 2)[0] for clips in range(1, engine.batch + 1)})
    for frames in engine.buckets:
        for clips in numbers:
            reader.hear([_still(frames)] * clips, clips)


def _still(frames: int) -> MouthClip:
    """A mouth that is gray and rests."""
    lips, jaw = (np.zeros((frames, points, 2), np.float32) for points in (LIP_POINTS, JAW_POINTS))
    return MouthClip(np.full((frames, MOUTH_PX, MOUTH_PX), 128, np.uint8), lips, jaw, lips, np.ones(frames, bool))
