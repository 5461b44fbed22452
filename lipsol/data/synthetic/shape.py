"""How the mouth stands -> where its lines run: the lips' four edges, the jaw, and how the face moved under them.

One set of curves serves both the picture and the landmarks, so the landmarks fit the picture by construction. Lengths
are pixels of the mouth picture, y downwards; a curve runs from the left corner (u = -1) to the right one (u = 1).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import gaussian_filter1d

from lipsol.clips.clip import MOUTH_PX
from lipsol.clips.mouth import STEADY_FRAMES
from lipsol.data.synthetic.articulation import ARTICULATORS
from lipsol.data.synthetic.speaker import Face, Filming, drifting

U = np.linspace(-1, 1, 41)  # places along a curve
OUTER_LOW, OUTER_TOP, INNER_LOW, INNER_TOP = range(4)
INNER_REACH = 0.87  # the inner ring ends before the corners: Face Mesh's points 78 and 308 on GRID
ALONG_OUTER = np.array([-0.9, -0.75, -0.55, -0.3, 0, 0.3, 0.55, 0.75, 0.9])  # Face Mesh's points between the corners
ALONG_INNER = np.array([-0.85, -0.7, -0.5, -0.25, 0, 0.25, 0.5, 0.7, 0.85])
CLOSED_PX = 1.2  # between the inner rings of closed lips, as Face Mesh sees them
PURSED, STRETCHED = 0.2, 0.09  # share of its width that a mouth loses all rounded, and wins all spread
UPPER_SHARE = 0.2  # of an opening that the upper lip makes; the jaw makes the rest
CHIN_SHARE = 0.75  # of an opening by which the chin drops
SHOWN_PX = 2.2  # by which the upper lip rises to show the teeth; the lower lip falls by two thirds of that
# The lower face oval of GRID's s1 relative to the middle of the lips, Face Mesh's order, over cheeks and chin
_OVAL = np.array(
    [[66, -27], [61, -9], [55, 5], [48, 16], [39, 26], [31, 32.5], [23, 38.5], [13, 43], [-13, 43], [-23, 38.5],
     [-31, 32.5], [-39, 26], [-48, 16], [-55, 5], [-61, -9], [-66, -27]], float,
) / [66, 43]  # fmt: skip


@dataclass(frozen=True)
class Lines:
    """Where everything is in each frame, pixels of the mouth picture.

    lips    shape (frames, 4, 41, 2): the four edges, OUTER_LOW to INNER_TOP
    jaw     shape (frames, 16, 2)
    rest    shape (frames, 2): where the middle of the resting lips would be: the skull's place
    drop    shape (frames,): by how much the jaw hangs
    turn    shape (frames, 2, 2): how the face is turned and scaled
    """

    lips: Float64[np.ndarray, "frames 4 41 2"]
    jaw: Float64[np.ndarray, "frames 16 2"]
    rest: Float64[np.ndarray, "frames 2"]
    drop: Float64[np.ndarray, "frames"]
    turn: Float64[np.ndarray, "frames 2 2"]


def lines(stand: Float64[np.ndarray, "frames 7"], face: Face, how: Filming, rng: np.random.Generator) -> Lines:
    """The lines of a clip, in the place that `lipsol.clips.mouth` would give them: centred on the smoothed lips."""
    lips, drop = _lips(stand, face)
    jaw = _jaw(drop, face)
    turn = _turns(len(stand), how, rng)
    lips, jaw = _aside(lips, face), _aside(jaw, face)
    lips, jaw = np.einsum("tij,tkpj->tkpi", turn, lips), np.einsum("tij,tpj->tpi", turn, jaw)
    sway = how.sway[0] * drifting(len(stand), 2, 4.0, rng)
    centre = gaussian_filter1d(points_of(lips).mean(1), STEADY_FRAMES, axis=0, mode="nearest")
    rest = MOUTH_PX / 2 - centre + sway
    return Lines(lips + rest[:, None, None], jaw + rest[:, None], rest, drop, turn)


def points_of(lips: Float64[np.ndarray, "frames 4 41 2"]) -> Float64[np.ndarray, "frames 40 2"]:
    """Face Mesh's 40 lip points on the curves: each ring from the left corner around by way of the lower lip."""
    places = {name: np.searchsorted(U, along - 1e-9) for name, along in (("out", ALONG_OUTER), ("in", ALONG_INNER))}
    rings = []
    for low, top, at in ((OUTER_LOW, OUTER_TOP, places["out"]), (INNER_LOW, INNER_TOP, places["in"])):
        ends = 0.5 * (lips[:, low][:, [0, -1]] + lips[:, top][:, [0, -1]])
        rings += [ends[:, :1], lips[:, low][:, at], ends[:, 1:], lips[:, top][:, at[::-1]]]
    return np.concatenate(rings, 1)


def _lips(
    stand: Float64[np.ndarray, "frames 7"], face: Face
) -> tuple[Float64[np.ndarray, "frames 4 41 2"], Float64[np.ndarray, "frames"]]:
    """The lips' edges around the resting mouth's middle, and the drop of the jaw."""
    held = dict(zip(ARTICULATORS, np.moveaxis(stand, 1, 0)[:, :, None], strict=True))
    apart = np.clip(held["lips"] / 0.6, 0, 1)
    gap = face.opening * held["jaw"] * apart
    shown = SHOWN_PX * held["teeth"] * apart * (1 - 0.8 * held["protrude"])
    rounded, spread = np.clip(-held["width"], 0, 1), np.clip(held["width"], 0, 1)
    half = face.width / 2 * (1 - PURSED * rounded + STRETCHED * spread - 0.004 * gap)
    roundness = 0.95 - 0.35 * rounded + 0.15 * spread
    line = face.corner * U**2 + 0.5 * face.tilt * U + 0.25 * gap * U**2
    bulge = (1 - U**2) ** roundness * (1 + face.lopsided * U)
    inner_top = line - bulge * (UPPER_SHARE * gap + shown + CLOSED_PX / 2 + 1.0 * held["protrude"] * apart)
    inner_low = line + bulge * (
        (1 - UPPER_SHARE) * gap + 0.67 * shown + CLOSED_PX / 2 - 2.5 * held["tuck"] + 1.0 * held["protrude"] * apart
    )
    inner_low = np.maximum(inner_low, inner_top + 0.4)
    full = 1 - 0.3 * (1 - apart) + 0.2 * held["protrude"] - 0.1 * spread
    bow = 1 - face.bow * np.exp(-((U / 0.13) ** 2)) * (1 - 0.5 * rounded)
    rim = (1 - np.abs(U) ** 2.2) ** 0.75
    outer_top = inner_top - rim * bow * face.upper * full
    outer_low = inner_low + rim * face.lower * full * (1 - 0.5 * held["tuck"])
    x = half * U
    edges = [(x, outer_low), (x, outer_top)]
    inside = INNER_REACH * U  # the inner curves end before the corners
    edges += [(half * inside, np.stack([np.interp(inside, U, row) for row in edge])) for edge in (inner_low, inner_top)]
    drop = (CHIN_SHARE * face.opening * held["jaw"])[:, 0]
    return np.stack([np.stack(edge, -1) for edge in edges], 1), drop


def _jaw(drop: Float64[np.ndarray, "frames"], face: Face) -> Float64[np.ndarray, "frames 16 2"]:
    """The lower face oval: its chin goes down with the jaw, its ends at the ears stay."""
    still = _OVAL * [face.cheeks, face.chin]
    share = np.clip((_OVAL[:, 1] + 0.6) / 1.6, 0, 1) ** 1.5
    return np.asarray(still + np.stack([np.zeros_like(share), share], -1) * drop[:, None, None])


def _aside(points: np.ndarray, face: Face) -> np.ndarray:
    """Seen from the side: one half loses what the other wins (to first order), and all of it a little."""
    x = points[..., 0]
    turned = x * (1 - face.yaw**2) + face.yaw * x**2 / MOUTH_PX * 2
    return np.stack([turned, points[..., 1]], -1)


def _turns(frames: int, how: Filming, rng: np.random.Generator) -> Float64[np.ndarray, "frames 2 2"]:
    """Small turns and changes of size that the smoothed eyes leave."""
    _, degrees, size = how.sway
    turn, scale = drifting(frames, 2, 5.0, rng).T
    angle, scale = np.radians(degrees) * turn, 1 + size * scale
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    return np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], 1)
