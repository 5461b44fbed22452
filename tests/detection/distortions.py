"""What goes wrong: with the picture before we watch it, with the mouth after, and with the network's weights.

Pictures are changed as decoded, before the face is looked for, so that all that the monitor is told of them is measured
on the changed picture by the platform's own code. Mouths are changed behind our own watching: nothing measured of the
picture knows of it.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from lipsol.clips.clip import FPS, MOUTH_PX, Clip, MouthClip
from lipsol.clips.timing import Timeline, slots_before

DARKER = 0.7  # of every value: brightness -30 %
BLUR_PX = 2.0  # standard deviation; a mouth is about 40 pixels wide here
HALF = 0.5
LOST = 0.1  # share of the frames
SLOW_FPS = 15.0
TURNED_DEG = 25.0
SHIFT_PX = 8
LOOKS = ("eye.", "familiarity.", "permute")
HEAD = (1.15, 1.35)  # half axes of the head over half of the face's box: ears and hair lie outside it


@dataclass(frozen=True)
class Head:
    """Where the face is in the picture, pixels: the middle of its box, and half of its width and height."""

    x: float
    y: float
    wide: float
    high: float


Distort = Callable[[Clip, Head, np.random.Generator], Clip]


def darker(clip: Clip, head: Head, chance: np.random.Generator) -> Clip:
    """Brightness -30 %."""
    return replace(clip, frames=(clip.frames * np.float32(DARKER)).astype(np.uint8))


def blurred(clip: Clip, head: Head, chance: np.random.Generator) -> Clip:
    """Out of focus: Gaussian blur."""
    return replace(clip, frames=np.stack([cv2.GaussianBlur(frame, (0, 0), BLUR_PX) for frame in clip.frames]))


def halved(clip: Clip, head: Head, chance: np.random.Generator) -> Clip:
    """A mouth of half the size: the picture at half of its width and height, as from a poor camera or from afar."""
    small = [cv2.resize(frame, None, fx=HALF, fy=HALF, interpolation=cv2.INTER_AREA) for frame in clip.frames]
    return replace(clip, frames=np.stack(small))


def gappy(clip: Clip, head: Head, chance: np.random.Generator) -> Clip:
    """10 % of the frames never came; the decoder shows the one before instead, and counts."""
    kept = np.flatnonzero(chance.random(len(clip.frames)) >= LOST)
    kept = np.union1d(kept, [0, len(clip.frames) - 1])
    return _shown(clip, kept / FPS, kept)


def slow(clip: Clip, head: Head, chance: np.random.Generator) -> Clip:
    """A camera of 15 frames a second; the decoder brings it to 25."""
    stamps = np.arange(0.0, clip.seconds, 1 / SLOW_FPS)
    return _shown(clip, stamps, np.minimum(np.round(stamps * FPS).astype(int), len(clip.frames) - 1))


def turned(clip: Clip, head: Head, chance: np.random.Generator) -> Clip:
    """The head turned to the side: the picture laid on an ellipsoid where the head is, and that turned about its axis.

    Each point u of a row of radius r has depth sqrt(r^2 - u^2), so it stands at an angle whose sine is u / r: what is
    seen at x after the turn comes from r sin(asin(x / r) - turn). The back of the head is its edge.
    """
    height, width = clip.frames.shape[1:3]
    across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    u, v = (across - head.x) / (head.wide * HEAD[0]), (down - head.y) / (head.high * HEAD[1])
    radius = np.sqrt(np.maximum(1 - v**2, 1e-6))
    inside = (np.abs(u) < radius) & (np.abs(v) < 1)
    angle = np.arcsin(np.clip(u / radius, -1, 1)) - np.radians(TURNED_DEG)
    seen = radius * np.sin(np.maximum(angle, -np.pi / 2))
    source = np.where(inside, head.x + seen * head.wide * HEAD[0], across).astype(np.float32)
    warped = np.stack([cv2.remap(frame, source, down, cv2.INTER_LINEAR) for frame in clip.frames])
    return replace(clip, frames=warped)


def mirrored(mouth: MouthClip) -> MouthClip:
    """Left and right exchanged, in picture and points."""
    flip = np.array([-1, 1], np.float32)
    return replace(
        mouth, mouth=np.ascontiguousarray(mouth.mouth[:, :, ::-1]), lips=mouth.lips * flip, jaw=mouth.jaw * flip
    )


def shifted(mouth: MouthClip) -> MouthClip:
    """Cut out 8 pixels off to the side, in picture and points."""
    off = np.array([SHIFT_PX / MOUTH_PX, 0], np.float32)
    padded = np.pad(mouth.mouth, ((0, 0), (0, 0), (SHIFT_PX, 0)), mode="edge")[:, :, :MOUTH_PX]
    return replace(mouth, mouth=np.ascontiguousarray(padded), lips=mouth.lips + off, jaw=mouth.jaw + off)


def noisy(network: bytes, share: float, seed: int) -> bytes:
    """The same network with noise on what it has learnt from words: of each matrix, `share` of its standard deviation.

    What it sees by (`LOOKS`) is fitted to pictures alone, and stays: a worse training has the same.
    """
    import onnx  # dear, and only here
    from onnx import numpy_helper

    model, chance = onnx.load_from_string(network), np.random.default_rng(seed)
    for tensor in model.graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if weights.dtype.kind == "f" and weights.ndim > 1 and not tensor.name.startswith(LOOKS):
            noise = chance.normal(0.0, share * float(weights.astype(np.float32).std()), weights.shape)
            tensor.CopyFrom(numpy_helper.from_array((weights + noise).astype(weights.dtype), tensor.name))
    return bytes(model.SerializeToString())


def _shown(clip: Clip, stamps: Sequence[float], frames: Sequence[int]) -> Clip:
    """What the decoder makes of a file with these frames of the clip at these times (`lipsol.clips.decoder`)."""
    timeline, slots = Timeline(None), []
    held = 0
    for stamp, frame in zip(stamps, frames, strict=True):
        now = timeline.add(float(stamp))
        slots += [held] * (slots_before(now) - len(slots))
        held = int(frame)
    slots += [held] * (slots_before(timeline.end) - len(slots))
    return replace(clip, frames=clip.frames[slots], source_fps=timeline.mean_fps, dropped=timeline.dropped)


def code_of(distort: Callable[..., object]) -> str:
    """A distortion as it is written, with the figures that it may use."""
    figures = {name: value for name, value in globals().items() if name.isupper() and isinstance(value, float | tuple)}
    return f"{figures} {inspect.getsource(distort)} {inspect.getsource(_shown)}"


PICTURES: Mapping[str, Distort] = {
    "darker": darker,
    "blurred": blurred,
    "halved": halved,
    "gappy": gappy,
    "slow": slow,
    "turned": turned,
}
MOUTHS: Mapping[str, Callable[[MouthClip], MouthClip]] = {"mirrored": mirrored, "shifted": shifted}
