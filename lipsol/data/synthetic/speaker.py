"""Speakers that nobody ever met: how they look, how they articulate, and how each of their clips was lit and filmed."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from lipsol.data.synthetic.articulation import ARTICULATORS, Style

# Lengths are in pixels of the mouth picture, where the outer eye corners stand 92 px apart; the ranges hold GRID's
# speakers s1 to s5 as `lipsol.clips.mouth` shows them, with room on both sides.


@dataclass(frozen=True)
class Face:
    """The shape of one person's mouth and chin.

    width       corner to corner at rest          upper, lower  thickness of the lips
    opening     gap of a wide-open jaw            bow           depth of the upper lip's dip, share of its thickness
    corner      corners below (+) or above (-) the middle of the line between the lips
    tilt        one corner lower than the other   lopsided      how much more one half opens, -0.3 to 0.3
    chin        from the lips to the chin         cheeks        half the width of the jaw at the ears
    nose        from the lips up to the nostrils  teeth, gums   upper teeth below the line between the lips; lower teeth
                                                                below it
    yaw         turned aside, share of the width that one half loses
    """

    width: float
    upper: float
    lower: float
    opening: float
    bow: float
    corner: float
    tilt: float
    lopsided: float
    chin: float
    cheeks: float
    nose: float
    teeth: float
    gums: float
    yaw: float


@dataclass(frozen=True)
class Skin:
    """Tones (gray, 0 to 255) and texture of one person.

    tone, lips, inside, ivory   skin; lips as a share of it; the mouth's dark; teeth
    mottle, scale               strength of the skin's unevenness, and its grain in px
    beard, moustache            strength of their hairs, 0 for most
    seed                        of the texture, so that it is the same in every clip
    """

    tone: float
    lips: float
    inside: float
    ivory: float
    mottle: float
    scale: float
    beard: float
    moustache: float
    seed: int


@dataclass(frozen=True)
class Speaker:
    """One made-up person. rate: words a minute as espeak-ng counts them; uneven: deviation of a sound's length."""

    name: str
    face: Face
    skin: Skin
    style: Style
    rate: float
    uneven: float


@dataclass(frozen=True)
class Filming:
    """How one clip was lit and filmed.

    gain, gamma     of the whole picture       across, down   change of light from edge to edge, share
    blur            of the camera, px          noise          standard deviation a pixel and frame, gray levels
    sway            residual movement of the head that the eyes did not take away: px, degrees and share of the size
    jitter, bias    of the landmarks, px: from frame to frame, and as long as the clip lasts
    lost            stretches of frames (start, length) in which no face was found
    place           where the mouth is in the camera's picture, and how much smaller: x, y (px of 360 x 288), scale
    """

    gain: float
    gamma: float
    across: float
    down: float
    blur: float
    noise: float
    sway: tuple[float, float, float]
    jitter: float
    bias: float
    lost: tuple[tuple[int, int], ...]
    place: tuple[float, float, float]


def invent(name: str, rng: np.random.Generator) -> Speaker:
    """A speaker, the same for the same state of `rng`."""

    def between(low: float, high: float) -> float:
        return float(rng.uniform(low, high))

    hairy = rng.random() < 0.3
    face = Face(
        width=between(45.0, 58.0), upper=between(4.5, 9.0), lower=between(6.5, 12.5), opening=between(12.0, 22.0),
        bow=between(0.05, 0.35), corner=between(-1.5, 2.0), tilt=between(-1.2, 1.2), lopsided=between(-0.2, 0.2),
        chin=between(36.0, 47.0), cheeks=between(62.0, 72.0), nose=between(25.0, 33.0), teeth=between(0.0, 3.5),
        gums=between(3.0, 7.0), yaw=between(-0.08, 0.08),
    )  # fmt: skip
    skin = Skin(
        tone=between(115.0, 185.0), lips=between(0.68, 0.9), inside=between(18.0, 45.0), ivory=between(1.0, 1.35),
        mottle=between(2.0, 7.0), scale=between(1.2, 4.0), beard=between(4.0, 16.0) if hairy else 0.0,
        moustache=between(4.0, 18.0) if hairy else 0.0, seed=int(rng.integers(2**31)),
    )  # fmt: skip
    return Speaker(name, face, skin, _style(rng), rate=between(100.0, 145.0), uneven=between(0.05, 0.16))


def _style(rng: np.random.Generator) -> Style:
    reach = rng.uniform(0.8, 1.2, len(ARTICULATORS))
    rest = np.array([0.0, 0.12, 0.0, 0.0, 0.0, 0.1, 0.0]) + rng.uniform(0, 1, 7) * [0.08, 0.25, 0.1, 0.1, 0, 0.1, 0.1]
    return Style(reach, rest, crisp=float(rng.uniform(0.8, 1.3)), wobble=float(rng.uniform(0.03, 0.08)))


def film(frames: int, rng: np.random.Generator) -> Filming:
    """How one clip of so many frames is filmed, drawn anew for each."""
    lost: tuple[tuple[int, int], ...] = ()
    if rng.random() < 0.12 and frames > 12:
        lost = ((int(rng.integers(4, frames - 6)), int(rng.integers(1, 4))),)
    return Filming(
        gain=float(rng.uniform(0.85, 1.2)), gamma=float(np.exp(rng.normal(0, 0.12))),
        across=float(rng.normal(0, 0.12)), down=float(rng.normal(-0.05, 0.08)),
        blur=float(rng.uniform(0.4, 1.1)), noise=float(rng.uniform(0.8, 4.0)),
        sway=(float(rng.uniform(0.2, 0.9)), float(rng.uniform(0.2, 1.5)), float(rng.uniform(0.002, 0.012))),
        jitter=float(rng.uniform(0.1, 0.4)), bias=float(rng.uniform(0.1, 0.5)), lost=lost,
        place=(float(rng.uniform(140, 220)), float(rng.uniform(175, 225)), float(rng.uniform(0.45, 0.85))),
    )  # fmt: skip


def drifting(
    frames: int, columns: int, smooth: float, rng: np.random.Generator
) -> Float64[np.ndarray, "frames columns"]:
    """Slow random movement of unit variance: noise smoothed over `smooth` frames."""
    from scipy.ndimage import gaussian_filter1d

    noise = gaussian_filter1d(rng.standard_normal((frames + 8 * int(smooth + 1), columns)), smooth, axis=0)
    return np.asarray(noise[:frames] * np.sqrt(2 * np.sqrt(np.pi) * smooth))
