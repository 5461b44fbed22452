"""The values of the flow: `Clip` (what a camera saw) and `MouthClip` (the part of it that speaks).

Every clip past this module runs at 25 frames a second, whatever the camera did.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from lipsol.errors import BadInput

FPS = 25.0  # frames a second of everything behind the decoder; GRID's own rate
MOUTH_PX = 96  # side of the mouth picture, pixels
LIP_POINTS = 40  # Face Mesh's lip contour: 20 outer, 20 inner points
JAW_POINTS = 16  # Face Mesh's face oval from ear to ear by way of the chin
LAYOUT: Mapping[str, tuple[type[np.generic], tuple[int, ...]]] = {  # of a mouth clip: type and shape behind the frames
    "mouth": (np.uint8, (MOUTH_PX, MOUTH_PX)),
    "lips": (np.float32, (LIP_POINTS, 2)),
    "jaw": (np.float32, (JAW_POINTS, 2)),
    "outline": (np.float32, (LIP_POINTS, 2)),
    "seen": (np.bool_, ()),
}


@dataclass(frozen=True)
class Clip:
    """What a camera saw, upright and in time: frame n is what was seen at n / fps seconds.

    frames      uint8, shape (frames, height, width, 3), RGB, rotation metadata already obeyed
    fps         frames a second, always 25.0 behind the decoder
    source_fps  mean frame rate of the file, Hz
    dropped     frames of a steady source_fps that the file lacks (gaps in its timestamps)
    codec       name of the video codec in the file, as FFmpeg calls it ("h264", "vp9", ...)
    """

    frames: UInt8[np.ndarray, "frames height width 3"]
    fps: float = FPS
    source_fps: float = FPS
    dropped: int = 0
    codec: str = ""

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.frames) / self.fps


@dataclass(frozen=True)
class MouthClip:
    """One person's mouth over time, at 25 frames a second: all that a reader needs.

    mouth    uint8, shape (frames, 96, 96): gray, upright, steady (the eyes, not the lips, fix scale and turn)
    lips     float32, shape (frames, 40, 2): lip points (20 outer, 20 inner) in mouth pixels / 96, origin at the centre
    jaw      float32, shape (frames, 16, 2): points of the lower face oval, in the same units
    outline  float32, shape (frames, 40, 2): the same lip points as fractions of the picture's width and height
    seen     bool, shape (frames,): False where the mouth was interpolated between frames in which a face was found
    """

    mouth: UInt8[np.ndarray, "frames 96 96"]
    lips: Float32[np.ndarray, "frames 40 2"]
    jaw: Float32[np.ndarray, "frames 16 2"]
    outline: Float32[np.ndarray, "frames 40 2"]
    seen: Bool[np.ndarray, "frames"]

    def __len__(self) -> int:
        return len(self.mouth)

    def cut(self, start: int, end: int) -> "MouthClip":
        """Frames start (kept) to end (not kept), as a clip of its own."""
        part = slice(start, end)
        return MouthClip(self.mouth[part], self.lips[part], self.jaw[part], self.outline[part], self.seen[part])

    def to_bytes(self) -> bytes:
        """NumPy's .npz form, not compressed (deflating a mouth costs more time than it saves bytes)."""
        out = io.BytesIO()
        np.savez(out, mouth=self.mouth, lips=self.lips, jaw=self.jaw, outline=self.outline, seen=self.seen)
        return out.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> "MouthClip":
        """Undo `to_bytes`. Raises BadInput if the bytes are no mouth clip; deflated ones are not, however small."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as packed:
                if any(info.compress_type != zipfile.ZIP_STORED for info in packed.infolist()):
                    raise ValueError("deflated: a few bytes could unpack to more than there is room for")
            with np.load(io.BytesIO(data), allow_pickle=False) as held:
                return cls(**_shaped({name: held[name] for name in LAYOUT}))
        except (KeyError, ValueError, OSError, EOFError, MemoryError, RuntimeError, zipfile.BadZipFile) as fault:
            raise BadInput(
                f"{len(data)} bytes that are no mouth clip ({fault})", "send what MouthClip.to_bytes wrote"
            ) from fault


def _shaped(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays, if they are those of one mouth clip. Raises ValueError naming the one that is not."""
    frames = arrays["seen"].size
    for name, (dtype, rest) in LAYOUT.items():
        array = arrays[name]
        if array.dtype != dtype or array.shape != (frames, *rest):
            raise ValueError(f"{name} is {array.dtype}{array.shape}, not {np.dtype(dtype)}{(frames, *rest)}")
    return arrays
