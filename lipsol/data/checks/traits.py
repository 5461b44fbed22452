"""What the checks need of each mouth, so that mouths themselves (0.7 MB each) need not be held all at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import imagehash
import numpy as np
from jaxtyping import Float, Float32, UInt8
from PIL import Image
from scipy.ndimage import uniform_filter1d

from lipsol.clips.clip import MouthClip
from lipsol.data.dataset import Item
from lipsol.data.mouths import Seen, seen

HASHED = 8  # frames, evenly taken, of which the perceptual hash is made
SIDE = 12  # pixels of the small mouth: shapes stay, the coder's noise goes
STILL = 0.1  # mean difference of gray below which a frame shows what the one before it did
WATCHED = 75  # frames of the movement that are compared: 3 s, GRID's length

Facts = Mapping[str, float]  # of one clip's picture, as lipsol/clips/quality.py names them


@dataclass(frozen=True)
class Traits:
    """One clip.

    frames  how many there are, at 25 a second; still: the longest run of them that show the same
    facts   of the picture
    print   perceptual hash of HASHED frames, 64 bits each
    moves   how the picture changes, the lips move, and the mouth travels through the picture: unit vectors, or zeros
    look    the mouth at rest, small, without its light: whose it is
    lips    shape (frames, 80): lip points, in mouth pixels / 96
    """

    frames: int
    still: int
    facts: Facts
    print: UInt8[np.ndarray, "bytes"]
    moves: tuple[Float32[np.ndarray, "change"], Float32[np.ndarray, "shape"], Float32[np.ndarray, "way"]]
    look: Float32[np.ndarray, "pixels"]
    lips: Float32[np.ndarray, "frames points"]


def traits_of(items: Sequence[Item], cache: Path) -> dict[str, Traits]:
    """Item name -> its traits, of items that have been watched."""
    return {item.name: traits(seen(item, cache)) for item in items}


def traits(clip: Seen) -> Traits:
    """The traits of one clip."""
    mouth = clip.mouth
    small = np.stack([cv2.resize(each, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for each in mouth.mouth])
    pixels = small.reshape(len(mouth), -1).astype(np.float64)
    lips = mouth.lips.reshape(len(mouth), -1)
    centred = (mouth.lips - mouth.lips.mean(1, keepdims=True)).reshape(len(mouth), -1)
    rest = np.median(pixels, axis=0)
    return Traits(
        frames=len(mouth),
        still=_still(mouth),
        facts=clip.facts,
        print=_print(mouth),
        moves=(_change(pixels), _movement(centred), _movement(mouth.outline.mean(1))),
        look=((rest - rest.mean()) / max(float(rest.std()), 1e-6)).astype(np.float32),
        lips=lips.astype(np.float32),
    )


def _print(mouth: MouthClip) -> UInt8[np.ndarray, "bytes"]:
    """pHash (Zauner 2010) of frames spread over the clip."""
    at = np.linspace(0, len(mouth) - 1, HASHED).round().astype(int)
    bits = [imagehash.phash(Image.fromarray(mouth.mouth[n])).hash.ravel() for n in at]
    return np.asarray(np.packbits(np.concatenate(bits)), np.uint8)


def _still(mouth: MouthClip) -> int:
    """The longest run of frames that show what the frame before them did."""
    longest = run = 0
    for one, other in zip(mouth.mouth[:-1], mouth.mouth[1:], strict=True):
        run = run + 1 if float(cv2.absdiff(one, other).mean()) < STILL else 0
        longest = max(longest, run)
    return longest


def _change(pixels: Float[np.ndarray, "frames pixels"]) -> Float32[np.ndarray, "values"]:
    """How the picture changes from frame to frame; one that changes wildly (a smeared one) counts for no more."""
    steps = np.diff(_smooth(pixels), axis=0)
    size = np.sqrt((steps**2).mean(1, keepdims=True))
    return _unit(steps / np.maximum(np.maximum(size, np.median(size) if len(size) else 0), 1e-9))


def _movement(path: Float[np.ndarray, "frames axes"]) -> Float32[np.ndarray, "values"]:
    """Where something is, without where it is on the whole."""
    smooth = _smooth(path)
    return _unit(smooth - smooth.mean(0))


def _smooth(series: Float[np.ndarray, "frames axes"]) -> Float[np.ndarray, "frames axes"]:
    return np.asarray(uniform_filter1d(series.astype(np.float64), 3, axis=0, mode="nearest"))


def _unit(series: Float[np.ndarray, "frames axes"]) -> Float32[np.ndarray, "values"]:
    """The first WATCHED frames as one vector of length 1; zeros where nothing moves."""
    held = np.zeros((WATCHED, series.shape[1]))
    held[: len(series)] = (series - series.mean(0) if len(series) else series)[:WATCHED]
    size = float(np.linalg.norm(held))
    return np.asarray((held / size if size > 1e-6 else held * 0).ravel(), np.float32)
