"""What comes of watching: the mouth to read, what the picture was like, and how long it took; or the refusal."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lipsol.clips.clip import Clip, MouthClip
from lipsol.clips.face import FaceTrack
from lipsol.clips.mouth import follow_mouth
from lipsol.clips.quality import Quality, measure, require_face, require_readable


@dataclass(frozen=True)
class Watched:
    """The mouth, what the picture was like, how many faces were seen, how long each stage took, ms, and how the picture
    was coded, as the decoder names it ("": not known).
    """

    mouth: MouthClip
    quality: Quality
    faces: int
    timings_ms: dict[str, float]
    codec: str = ""


def watched(clip: Clip, track: FaceTrack, faces: int, timings_ms: dict[str, float]) -> Watched:
    """The mouth of one followed face. Raises BadInput for one that can't be read."""
    require_face(clip, float(track.found.mean()))
    with timed(timings_ms, "mouth"):
        mouth = follow_mouth(clip, track)
    with timed(timings_ms, "quality"):
        quality = measure(clip, track, mouth)
    require_readable(quality)
    return Watched(mouth, quality, faces, timings_ms, clip.codec)


@contextmanager
def timed(timings_ms: dict[str, float], stage: str) -> Iterator[None]:
    """Note how long the block takes."""
    began = time.perf_counter()
    yield
    timings_ms[stage] = round((time.perf_counter() - began) * 1e3, 3)
