"""A mouth as a few numbers, by which the monitor sees that mouths are no longer like those it knows; pure.

No reader uses it, and no mouth can be drawn from it. Its parts stand apart, because what differs tells what is wrong:

place   of the lips, and of what moves and what is dark, in the picture. Preprocessing puts the mouth into the middle
        whoever speaks, so people hardly differ in it, and a shifted picture, or shifted or mirrored points, do
even    the mean picture's coarse cosine coefficients that mirroring leaves as they are
odd     those whose sign mirroring turns round
stir    coarse cosine coefficients of where the picture moves
shape   of lips and jaw
"""

import numpy as np
from jaxtyping import Float
from scipy.fft import dctn
from scipy.ndimage import uniform_filter1d

from lipsol.clips.clip import MOUTH_PX, MouthClip

DIGITS = 4  # that each number is rounded to
EVEN = tuple((row, column) for row in range(5) for column in (0, 2, 4) if row or column)
ODD = tuple((row, column) for row in range(5) for column in (1, 3))
STIR = ((0, 2), (1, 0), (2, 0), (2, 2), (3, 0), (0, 4))
PLACE = slice(0, 7)
EVENS = slice(7, 7 + len(EVEN))
ODDS = slice(EVENS.stop, EVENS.stop + len(ODD))
STIRS = slice(ODDS.stop, ODDS.stop + len(STIR))
SHAPE = slice(STIRS.stop, STIRS.stop + 6)
SIZE = SHAPE.stop  # numbers of an embedding
THIN = 2  # every other frame and every other pixel each way are enough
SIDE = MOUTH_PX // THIN  # of the thinned picture, pixels
ALONG = (np.arange(SIDE) + 0.5) / SIDE - 0.5  # where its rows and columns are, in parts of its side from the centre
REACH = 8  # thinned pixels from the middle within which the picture's axis and the dark line are looked for
NEAR = (
    0.2  # standard deviation of the window on what moves, in parts of the side: what lies around the mouth is left out
)
BAND = 4  # thinned pixels to each side of the middle in which the dark line is looked for
SMOOTH = 15  # thinned rows over which light falls off: a line is darker than these
LEFT, BELOW, RIGHT, ABOVE = 0, 5, 10, 15  # of the outer ring's points (`lipsol.clips.mouth.OUTER_LIP`)
INNER_BELOW, INNER_ABOVE = 25, 35  # of the inner ring's
FLAT = 1e-3  # standard deviation of a picture in which nothing is to be seen


def embed(mouth: MouthClip) -> tuple[float, ...]:
    """The mouth as `SIZE` numbers, all finite and of order one, the same for the same mouth."""
    frames = mouth.mouth[::THIN, ::THIN, ::THIN].astype(np.float32)
    mean, stir = frames.mean(axis=0), frames.std(axis=0)
    lips, jaw = mouth.lips.mean(axis=0), mouth.jaw.mean(axis=0)
    look, moved = _cosines(mean), _cosines(stir)
    numbers = np.concatenate(
        [
            _place(mean, stir, lips),
            [look[at] for at in EVEN],
            [look[at] for at in ODD],
            [moved[at] for at in STIR],
            _shape(mouth, lips, jaw),
        ]
    )
    return tuple(np.round(np.nan_to_num(numbers), DIGITS).tolist())


def _cosines(picture: Float[np.ndarray, "side side"]) -> Float[np.ndarray, "side side"]:
    """Its cosine transform (DCT-II, orthonormal) at mean 0 and spread 1, over the side: of order one."""
    spread = max(float(picture.std()), FLAT)
    return np.asarray(dctn((picture - picture.mean()) / spread, norm="ortho") / SIDE)


def _place(
    mean: Float[np.ndarray, "side side"], stir: Float[np.ndarray, "side side"], lips: Float[np.ndarray, "40 2"]
) -> list[float]:
    """Lips' middle (x, y); x of the left and the right corner; middle of what moves (x); dark line (y); axis (x).

    In parts of the picture's side, origin at its centre; the dark line is that between the lips, and told from where
    the lips' points have it.
    """
    moving = stir**2 * np.exp(-(ALONG**2 + ALONG[:, np.newaxis] ** 2) / (2 * NEAR**2))
    between = float(lips[INNER_BELOW, 1] + lips[INNER_ABOVE, 1]) / 2
    return [
        float(lips[:, 0].mean()),
        float(lips[:, 1].mean()),
        float(lips[LEFT, 0]),
        float(lips[RIGHT, 0]),
        float((moving.sum(axis=0) * ALONG).sum() / max(float(moving.sum()), FLAT)),
        _dark(mean) - between,
        _axis(mean),
    ]


def _dark(mean: Float[np.ndarray, "side side"]) -> float:
    """The row near the middle that is darkest beside those around it, in the picture's middle columns."""
    middle = SIDE // 2
    rows = mean[:, middle - BAND : middle + BAND].mean(axis=1)
    lines = rows - uniform_filter1d(rows, SMOOTH, mode="nearest")
    return float(ALONG[middle - REACH + int(np.argmin(lines[middle - REACH : middle + REACH]))])


def _axis(mean: Float[np.ndarray, "side side"]) -> float:
    """Where the upright line is to whose both sides the picture is most alike: a mouth's is its middle."""
    rows = mean - mean.mean(axis=1, keepdims=True)
    half, apart = SIDE // 2 - REACH, []
    for at in range(half, SIDE - half + 1):
        left, right = rows[:, at - half : at][:, ::-1], rows[:, at : at + half]
        apart.append(float(((left - right) ** 2).sum() / max(float((left**2 + right**2).sum()), FLAT)))
    return (int(np.argmin(apart)) - REACH) / SIDE


def _shape(mouth: MouthClip, lips: Float[np.ndarray, "40 2"], jaw: Float[np.ndarray, "16 2"]) -> list[float]:
    """Width and height of the lips, how far they are open and how much that changes, the jaw's width and depth."""
    gap = mouth.lips[:, INNER_BELOW, 1] - mouth.lips[:, INNER_ABOVE, 1]
    return [
        float(lips[RIGHT, 0] - lips[LEFT, 0]),
        float(lips[BELOW, 1] - lips[ABOVE, 1]),
        float(gap.mean()),
        float(gap.std()),
        float(jaw[:, 0].max() - jaw[:, 0].min()),
        float(jaw[:, 1].max()),
    ]
