"""What the decoder's child and its parent both know: how frames come one by one, and how "too long" is said.

A picture that is shown for several slots of 40 ms comes once, with their number, behind its head.
"""

import struct
from dataclasses import astuple, dataclass

from lipsol.errors import BadInput

_HEAD = struct.Struct("<IIIIdd")
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
    """

    width: int
    height: int
    slots: int
    dropped: int
    source_fps: float
    lasts_s: float

    def to_bytes(self) -> bytes:
        """`HEAD_BYTES` bytes."""
        return _HEAD.pack(*astuple(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> "Head":
        """Undo `to_bytes`."""
        return cls(*_HEAD.unpack(data))
