"""Frames by time: repairs a file's timestamps and says which frame each 40 ms slot of a steady 25 fps shows.

The law: slot k lies from k to k + 1 times 40 ms after the first frame, and holds the frame that was shown at its
middle. A frame is shown until the next one comes; the last one for as long as frames usually were. So a file of
25 fps passes unchanged, even where its timestamps jitter by almost half a frame; faster files lose frames, slower
ones and those with gaps show frames twice.
"""

import math
import statistics
from array import array

FPS = 25  # frames a second that leave the decoder
USUAL_RATES = (1.0, 1000.0)  # frames a second that a header can be believed; outside them FPS is taken
GAP = 1.5  # usual frame distances; a longer one is a hole
ROUNDING_S = 1e-6  # timestamps are rounded at least as finely as this, so a tie within it is a tie


class Timeline:
    """Times of the frames of one file in the order shown, in seconds after the first, always rising."""

    def __init__(self, header_fps: float | None) -> None:
        believed = header_fps is not None and USUAL_RATES[0] <= header_fps <= USUAL_RATES[1]
        self._usual_s = 1 / header_fps if header_fps and believed else 1 / FPS
        self._offset = 0.0
        self._gaps = array("d")
        self.now = 0.0
        self.count = 0

    def add(self, stamp: float | None) -> float:
        """The time of the next frame, given its timestamp in seconds or None where the file has none.

        A missing timestamp, or one that does not rise (a splice, a repeat), is put one usual distance on, and what
        follows is counted from there.
        """
        if self.count == 0:
            self._offset = -(stamp or 0.0)
        else:
            later = self.now + self._usual_s if stamp is None else stamp + self._offset
            if later <= self.now:
                self._offset += self.now + self._usual_s - later
                later = self.now + self._usual_s
            self._gaps.append(later - self.now)
            self.now = later
        self.count += 1
        return self.now

    @property
    def usual_s(self) -> float:
        """The usual distance of two frames, seconds: the median, or the header's word while there is one frame."""
        return statistics.median(self._gaps) if self._gaps else self._usual_s

    @property
    def end(self) -> float:
        """When the last frame has been shown, seconds."""
        return self.now + self.usual_s

    @property
    def mean_fps(self) -> float:
        """Frames a second over the whole file."""
        return (self.count - 1) / self.now if self.now > 0 else 1 / self.usual_s

    @property
    def dropped(self) -> int:
        """Frames that a steady file would have had in the holes of this one."""
        return self.dropped_since(0)

    def dropped_since(self, count: int) -> int:
        """The same of what came after the first `count` frames, measured by these alone."""
        gaps = self._gaps[max(0, count - 1) :]
        usual = statistics.median(gaps) if gaps else self._usual_s
        return sum(round(gap / usual) - 1 for gap in gaps if gap > GAP * usual)


def slots_before(seconds: float) -> int:
    """How many slots have their middle before `seconds`."""
    return max(0, math.ceil((seconds - ROUNDING_S) * FPS - 0.5))
