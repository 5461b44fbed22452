"""Clip + the followed face -> a steady MouthClip; pure.

The eyes, which speech does not move, fix scale and turn; the mouth's own centre, smoothed over time, fixes the place.
So opening, rounding and spreading stay visible, and the head's movements do not.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from jaxtyping import Bool, Float, Integer, UInt8
from scipy.ndimage import gaussian_filter1d

from lipsol.clips.clip import MOUTH_PX, Clip, MouthClip
from lipsol.clips.face import EYE_CORNERS, FaceTrack

# Face Mesh's lip rings, each in order around from the left mouth corner by way of the lower lip
OUTER_LIP = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
INNER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
LIPS = OUTER_LIP + INNER_LIP
# the face oval below the ears, right to left, without the chin's own middle point
JAW = (361, 288, 397, 365, 379, 378, 400, 377, 148, 176, 149, 150, 136, 172, 58, 132)
MOUTH_CORNERS = (61, 291)
EYE_SPAN_PX = 92.0  # outer eye corners this far apart in mouth pixels: a mouth is about half as wide as the picture
AROUND_PX = 3  # beside the pixels that a mouth picture is taken from: interpolation looks at the next one
STEADY_FRAMES = 2.0  # standard deviation of the smoothing in time, frames (0.08 s)


def follow_mouth(clip: Clip, track: FaceTrack) -> MouthClip:
    """The mouth of one followed face. The track must have found the face in at least one frame."""
    points = _fill(track.points, track.found)
    transforms = _steady_transforms(points)
    warped = [
        cv2.warpAffine(picture, move, (MOUTH_PX, MOUTH_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for picture, move in zip(_gray(clip.frames, transforms), transforms, strict=True)
    ]
    height, width = clip.frames.shape[1:3]
    outline = points[:, LIPS] / np.array([width, height], np.float32)
    return MouthClip(
        np.stack(warped),
        _moved(points[:, LIPS], transforms),
        _moved(points[:, JAW], transforms),
        outline.astype(np.float32),
        track.found.copy(),
    )


def talking_face(tracks: list[FaceTrack]) -> FaceTrack:
    """Of several faces, the one that moves its lips most for as long as it is seen (tracks must not be empty)."""
    return max(tracks, key=lambda track: lip_motion(track) * float(track.found.mean()))


def lip_motion(track: FaceTrack) -> float:
    """How much a face's lips open and close: standard deviation of the gap between them over the mouth's width."""
    points = track.points[track.found]
    if len(points) < 2:
        return 0.0
    gap = np.linalg.norm(points[:, 13] - points[:, 14], axis=-1)
    return float(np.std(gap / np.maximum(mouth_width(points), 1e-6)))


def mouth_width(points: Float[np.ndarray, "frames 468 2"]) -> Float[np.ndarray, "frames"]:
    """Distance between the mouth's corners in each frame, in the unit of `points`."""
    left, right = MOUTH_CORNERS
    return np.asarray(np.linalg.norm(points[:, right] - points[:, left], axis=-1))


def _fill(
    points: Float[np.ndarray, "frames 468 2"], found: Bool[np.ndarray, "frames"]
) -> Float[np.ndarray, "frames 468 2"]:
    """Points for every frame: linear between found frames, held at both ends."""
    if found.all():
        return points
    at = np.flatnonzero(found)
    asked = np.arange(len(found))
    flat = points[found].reshape(len(at), -1)
    after = np.clip(np.searchsorted(at, asked), 0, len(at) - 1)
    before = np.clip(np.searchsorted(at, asked, side="right") - 1, 0, len(at) - 1)
    span = np.maximum(at[after] - at[before], 1)
    share = np.clip((asked - at[before]) / span, 0, 1)[:, np.newaxis]
    filled = flat[before] * (1 - share) + flat[after] * share
    return np.asarray(filled.reshape(points.shape), np.float32)


def _steady_transforms(points: Float[np.ndarray, "frames 468 2"]) -> Float[np.ndarray, "frames 2 3"]:
    """Per frame, the similarity that brings picture pixels to mouth pixels."""
    eyes = gaussian_filter1d(points[:, EYE_CORNERS].astype(np.float64), STEADY_FRAMES, axis=0, mode="nearest")
    centre = gaussian_filter1d(points[:, LIPS].mean(1).astype(np.float64), STEADY_FRAMES, axis=0, mode="nearest")
    line = eyes[:, 1] - eyes[:, 0]
    span = np.maximum(np.linalg.norm(line, axis=-1), 1e-3)
    cos, sin = (
        (EYE_SPAN_PX / span**2)[:, np.newaxis] * line[:, 0:1],
        (EYE_SPAN_PX / span**2)[:, np.newaxis] * line[:, 1:2],
    )
    turn = np.stack([np.concatenate([cos, sin], -1), np.concatenate([-sin, cos], -1)], 1)
    shift = MOUTH_PX / 2 - np.einsum("tij,tj->ti", turn, centre)
    return np.concatenate([turn, shift[..., np.newaxis]], -1)


def _gray(
    frames: UInt8[np.ndarray, "frames height width 3"], transforms: Float[np.ndarray, "frames 2 3"]
) -> Iterator[UInt8[np.ndarray, "height width"]]:
    """Each picture in gray, in turn in the same memory, and only where its mouth picture will be taken from.

    Most of this module's time would go into gray that nobody looks at.
    """
    height, width = frames.shape[1:3]
    held = np.zeros((height, width), np.uint8)
    for frame, (left, top, right, bottom) in zip(frames, _sources(transforms, height, width).tolist(), strict=True):
        part = np.s_[top:bottom, left:right]
        held[part] = cv2.cvtColor(frame[part], cv2.COLOR_RGB2GRAY)
        yield held


def _sources(transforms: Float[np.ndarray, "frames 2 3"], height: int, width: int) -> Integer[np.ndarray, "frames 4"]:
    """The pixels (x0, y0, x1, y1, the last not included) that each transform takes a mouth picture from, and some more.

    What lies outside the picture is its border's colour, so of each border there is a pixel at least.
    """
    ends = np.array([[0, 0], [MOUTH_PX, 0], [0, MOUTH_PX], [MOUTH_PX, MOUTH_PX]])
    corners = np.einsum("tij,tcj->tci", np.linalg.inv(transforms[:, :, :2]), ends - transforms[:, np.newaxis, :, 2])
    low = np.clip(np.floor(corners.min(1)) - AROUND_PX, 0, [width - 1, height - 1])
    high = np.clip(np.ceil(corners.max(1)) + AROUND_PX, low + 1, [width, height])
    return np.concatenate([low, high], -1).astype(np.intp)


def _moved(points: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Points in units of the mouth picture's side, origin at its centre."""
    moved = np.einsum("tij,tpj->tpi", transforms[:, :, :2], points) + transforms[:, np.newaxis, :, 2]
    return np.asarray(moved / MOUTH_PX - 0.5, np.float32)
