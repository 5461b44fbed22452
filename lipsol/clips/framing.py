"""What the decoder's child and its parent both know: how frames come one by one, and how "too long" is said.

A picture that is shown for several slots of 40 ms comes once, with their number, behind its head.
"""

import struct
from dataclasses import dataclass

from lipsol.errors import BadInput

CODECS = ("h264", "hevc", "vp8", "vp9", "mpeg1video", "mpeg2video", "mpeg4", "mjpeg")
_HEAD = struct.Struct("<IIIIddI")
HEAD_BYTES = _HEAD.size


class TooLong(BadInput):
    """A video that lasts longer than was asked for."""


@dataclass(frozen=True)
class Head:
    """What stands before a picture.

    width, height  pixels of the picture, which follows as rgb24
    slots          slots of 40 ms for which it is shown
    dropped        frames that the file has lacked so far
    source_fps     mean frame rate of the file so far, Hz
    lasts_s        length of the whole file as its header has it, seconds; 0.0: not told
    codec          how the file's pictures are coded, one of `CODECS`; "": none of them
    """

    width: int
    height: int
    slots: int
    dropped: int
    source_fps: float
    lasts_s: float
    codec: str

    def to_bytes(self) -> bytes:
        """`HEAD_BYTES` bytes."""
        told = (self.width, self.height, self.slots, self.dropped, self.source_fps, self.lasts_s)
        return _HEAD.pack(*told, CODECS.index(self.codec))

    @classmethod
    def from_bytes(cls, data: bytes) -> "Head":
        """Undo `to_bytes`."""
        width, height, slots, dropped, source_fps, lasts_s, codec = _HEAD.unpack(data)
        named = CODECS[codec] if codec < len(CODECS) else ""
        return cls(width, height, slots, dropped, source_fps, lasts_s, named)
