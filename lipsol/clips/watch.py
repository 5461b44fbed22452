"""Video bytes -> the mouth to read, in one call: decode, find the face, follow the mouth, measure, refuse.

A recording, which is too long to be read as one, is watched window by window.
"""

import threading
from collections.abc import Iterator

from lipsol.clips.clip import Clip
from lipsol.clips.face import FaceFinder
from lipsol.clips.mouth import talking_face
from lipsol.clips.quality import require_face
from lipsol.clips.recording import Window, windows
from lipsol.clips.video import RECORDING_S, Limits, decode, frames
from lipsol.clips.watched import Watched, timed, watched

__all__ = ["Watched", "Watcher", "Window"]


class Watcher:
    """Watches clips; safe to share between threads (each thread gets face models of its own)."""

    def __init__(self, limits: Limits | None = None, recording_s: float = RECORDING_S) -> None:
        """limits: of one clip, and of a recording's file; recording_s: how long a recording may be."""
        self._limits = limits or Limits()
        self._recording_s = recording_s
        self._own = threading.local()

    def watch(self, data: bytes) -> Watched:
        """The mouth in a video file's bytes. Raises BadInput, with the reason and the cure, for what can't be read."""
        timings: dict[str, float] = {}
        with timed(timings, "decode"):
            clip = decode(data, self._limits)
        return self.watch_clip(clip, timings)

    def watch_clip(self, clip: Clip, timings_ms: dict[str, float] | None = None) -> Watched:
        """The mouth in a decoded clip; the same refusals."""
        timings = timings_ms if timings_ms is not None else {}
        with timed(timings, "face"):
            tracks = self._finder().follow(clip.frames)
        require_face(clip, max((float(track.found.mean()) for track in tracks), default=0.0))
        return watched(clip, talking_face(tracks), len(tracks), timings)

    def windows(self, data: bytes) -> Iterator[Window]:
        """The windows of a recording, one by one; any thread may ask for the next. Close it to end it early.

        Raises BadInput for one of which nothing can be decoded; one that breaks off midway ends with the reason.
        """
        return windows(frames(data, self._limits, self._recording_s), lambda seen: self._finder().follow(seen))

    def _finder(self) -> FaceFinder:
        if not hasattr(self._own, "finder"):
            self._own.finder = FaceFinder()
        finder: FaceFinder = self._own.finder
        return finder
