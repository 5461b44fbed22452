"""Video bytes -> the mouth to read, in one call: decode, find the face, follow the mouth, measure, refuse."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lipsol.clips.clip import Clip, MouthClip
from lipsol.clips.face import FaceFinder
from lipsol.clips.mouth import follow_mouth, talking_face
from lipsol.clips.quality import Quality, measure, require_face, require_readable
from lipsol.clips.video import Limits, decode


@dataclass(frozen=True)
class Watched:
    """The mouth, what the picture was like, how many faces were seen, and how long each stage took, ms."""

    mouth: MouthClip
    quality: Quality
    faces: int
    timings_ms: dict[str, float]


class Watcher:
    """Watches clips; safe to share between threads (each thread gets face models of its own)."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._own = threading.local()

    def watch(self, data: bytes) -> Watched:
        """The mouth in a video file's bytes. Raises BadInput, with the reason and the cure, for what can't be read."""
        timings: dict[str, float] = {}
        with _timed(timings, "decode"):
            clip = decode(data, self._limits)
        return self.watch_clip(clip, timings)

    def watch_clip(self, clip: Clip, timings_ms: dict[str, float] | None = None) -> Watched:
        """The mouth in a decoded clip; the same refusals."""
        timings = timings_ms if timings_ms is not None else {}
        with _timed(timings, "face"):
            tracks = self._finder().follow(clip.frames)
        require_face(clip, max((float(track.found.mean()) for track in tracks), default=0.0))
        track = talking_face(tracks)
        with _timed(timings, "mouth"):
            mouth = follow_mouth(clip, track)
        with _timed(timings, "quality"):
            quality = measure(clip, track, mouth)
        require_face(clip, quality.face_found)
        require_readable(quality)
        return Watched(mouth, quality, len(tracks), timings)

    def _finder(self) -> FaceFinder:
        if not hasattr(self._own, "finder"):
            self._own.finder = FaceFinder()
        finder: FaceFinder = self._own.finder
        return finder


@contextmanager
def _timed(timings_ms: dict[str, float], stage: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    timings_ms[stage] = round((time.perf_counter() - began) * 1e3, 3)
