"""Lines of a mouth -> its gray pictures: skin, lips, the mouth's dark with teeth and tongue, light, camera."""

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from lipsol.clips.clip import MOUTH_PX
from lipsol.data.synthetic.articulation import ARTICULATORS
from lipsol.data.synthetic.shape import INNER_LOW, INNER_TOP, OUTER_LOW, OUTER_TOP, Lines
from lipsol.data.synthetic.speaker import Face, Filming, Skin, Speaker

FINE = 3  # masks are drawn this many times finer, and shrunk: soft edges at the right place
SUBPIXEL = 4  # bits behind the point of OpenCV's polygon corners
MARGIN = 32  # pixels of skin kept around the picture, which move into it
TONGUE = 0.55  # of the skin's tone
DEEP = 0.3  # how much darker the mouth gets towards its corners

Mask = Float32[np.ndarray, "96 96"]
_Y, _X = np.mgrid[0:MOUTH_PX, 0:MOUTH_PX].astype(np.float32) + 0.5


def pictures(
    stand: Float64[np.ndarray, "frames 7"], where: Lines, speaker: Speaker, how: Filming, rng: np.random.Generator
) -> UInt8[np.ndarray, "frames 96 96"]:
    """The mouth pictures of a clip."""
    skin = _skin(speaker)
    light = how.gain * (1 + how.across * (_X / MOUTH_PX - 0.5) + how.down * (_Y / MOUTH_PX - 0.5))
    noise = rng.standard_normal((len(stand), MOUTH_PX, MOUTH_PX), dtype=np.float32) * np.float32(how.noise)
    lost = np.zeros(len(stand), bool)
    for start, length in how.lost:
        lost[start : start + length] = True
    drawn = []
    for frame, pose in enumerate(stand):
        picture = _draw(_Frame(pose, where, frame, speaker), skin) * light
        picture = 255 * (np.clip(picture, 0, 255) / 255) ** how.gamma
        blur = how.blur * (4 if lost[frame] else 1)  # a face is lost where the head moves too fast to be seen
        drawn.append(cv2.GaussianBlur(picture, (0, 0), blur) + noise[frame])
    return np.asarray(np.clip(np.stack(drawn).round(), 0, 255), np.uint8)


class _Frame:
    """One frame's lines, as drawing needs them."""

    def __init__(self, pose: np.ndarray, where: Lines, frame: int, speaker: Speaker) -> None:
        self.held = dict(zip(ARTICULATORS, pose.tolist(), strict=True))
        self.lips, self.jaw = where.lips[frame], where.jaw[frame]
        self.rest, self.drop, self.turn = where.rest[frame], float(where.drop[frame]), where.turn[frame]
        self.face: Face = speaker.face
        self.skin: Skin = speaker.skin

    def mask(self, low: int, top: int) -> Mask:
        """1 between two of the lips' edges."""
        return filled(np.concatenate([self.lips[low], self.lips[top][::-1]]))

    def middle(self, edge: int) -> tuple[float, float]:
        """The middle of an edge."""
        x, y = self.lips[edge][20]
        return float(x), float(y)


def filled(corners: Float64[np.ndarray, "corners 2"]) -> Mask:
    """1 inside a polygon given in pixels (a pixel's middle at .5), 0 outside, and between on its rim."""
    fine = np.zeros((FINE * MOUTH_PX, FINE * MOUTH_PX), np.uint8)
    whole = np.round((corners * FINE - 0.5) * (1 << SUBPIXEL)).astype(np.int32)
    cv2.fillPoly(fine, [whole], 255, shift=SUBPIXEL)
    return np.asarray(cv2.resize(fine, (MOUTH_PX, MOUTH_PX), interpolation=cv2.INTER_AREA), np.float32) / 255


def spot(at: tuple[float, float], wide: float, high: float) -> Mask:
    """A soft spot, 1 in its middle."""
    return np.asarray(np.exp(-(((_X - at[0]) / wide) ** 2) - ((_Y - at[1]) / high) ** 2), np.float32)


def _draw(frame: _Frame, skin: Float32[np.ndarray, "side side"]) -> Mask:
    picture = _stretched(frame, skin)
    tone = frame.skin.tone
    x, y = frame.middle(OUTER_LOW)
    picture -= 0.13 * tone * spot((x, y + 5.0), 0.3 * frame.face.width, 4.0)  # the lower lip's shadow
    for corner in (frame.lips[OUTER_LOW][0], frame.lips[OUTER_LOW][-1]):
        picture -= 0.15 * tone * spot((float(corner[0]), float(corner[1])), 4.0, 2.5)
    picture = _over(picture, _flesh(frame, picture), cv2.GaussianBlur(frame.mask(OUTER_LOW, OUTER_TOP), (0, 0), 0.6))
    return _over(picture, _inside(frame), frame.mask(INNER_LOW, INNER_TOP))


def _over(below: Mask, above: Mask, mask: Mask) -> Mask:
    return np.asarray(below + (above - below) * mask)


def _stretched(frame: _Frame, skin: Float32[np.ndarray, "side side"]) -> Mask:
    """The skin, moved with the skull above the lips and with the jaw below them; beyond the jaw it is darker."""
    back = np.linalg.inv(frame.turn).astype(np.float32)
    x, y = _X - np.float32(frame.rest[0]), _Y - np.float32(frame.rest[1])
    across, down = back[0, 0] * x + back[0, 1] * y, back[1, 0] * x + back[1, 1] * y
    down = down - np.float32(frame.drop) * np.clip(down / 30, 0, 1) * np.exp(-((across / 70) ** 2))
    middle = MOUTH_PX / 2 + MARGIN - 0.5
    picture = cv2.remap(skin, across + middle, down + middle, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    ends = np.array([[frame.jaw[-1][0], -99.0], [frame.jaw[0][0], -99.0]])
    inside = cv2.GaussianBlur(filled(np.concatenate([frame.jaw, ends])), (0, 0), 2.5)
    return np.asarray(picture * (0.62 + 0.38 * inside), np.float32)


def _flesh(frame: _Frame, below: Mask) -> Mask:
    """The lips: darker than the skin, the upper one most, with a shine on the lower."""
    tone, share = frame.skin.tone, frame.skin.lips
    x, y = frame.middle(INNER_LOW)
    upper = 1 / (1 + np.exp((_Y - np.float32(y)) / 1.5))
    shine = spot((x, 0.5 * (y + frame.middle(OUTER_LOW)[1])), 0.22 * frame.face.width, 0.3 * frame.face.lower + 0.5)
    return np.asarray(0.35 * below * share + 0.65 * tone * share * (1 - 0.14 * upper) + 0.09 * tone * shine, np.float32)


def _inside(frame: _Frame) -> Mask:
    """The mouth's dark, the tongue in it, the lower teeth that go with the jaw and the upper ones that don't."""
    face, skin, held = frame.face, frame.skin, frame.held
    (x, top), (_, low) = frame.middle(INNER_TOP), frame.middle(INNER_LOW)
    gap = max(low - top, 0.0)
    lit = float(np.clip((gap - 1.5) / 2.5, 0, 1))  # between lips that nearly touch it is dark
    dark = np.full((MOUTH_PX, MOUTH_PX), skin.inside, np.float32)
    tip = low + 1.5 - gap * (0.25 + 0.6 * held["tongue"])
    tongue = cv2.GaussianBlur(filled(_oval((x, tip + 7.0), 0.27 * face.width, 7.5)), (0, 0), 1.0)
    dark = _over(dark, np.full_like(dark, TONGUE * skin.tone), tongue * (0.35 + 0.6 * held["tongue"]))
    aside = 1 - DEEP * np.minimum(1, ((_X - np.float32(x)) / np.float32(0.36 * face.width)) ** 2)
    seams = 1 - 0.1 * np.exp(-(((np.mod(_X - np.float32(x), 5.5) - 2.75) / 0.7) ** 2))
    ivory = np.asarray(skin.ivory * skin.tone * aside * seams, np.float32)
    edge = float(frame.rest[1]) + face.teeth - 0.004 * (_X - np.float32(x)) ** 2
    upper = _soft(edge - _Y)
    under = float(frame.rest[1]) + face.gums + frame.drop + 0.004 * (_X - np.float32(x)) ** 2
    lower = _soft(_Y - under)
    bite = np.float32(0.32 * face.width)
    sides = _soft(bite - np.abs(_X - np.float32(x)))
    dark = _over(dark, 0.85 * ivory, lower * sides * lit)
    return _over(dark, ivory, upper * sides * lit)


def _soft(above: np.ndarray) -> Mask:
    """1 where positive by a pixel, 0 where negative by one."""
    return np.asarray(np.clip(above + 0.5, 0, 1), np.float32)


def _oval(at: tuple[float, float], wide: float, high: float) -> Float64[np.ndarray, "corners 2"]:
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return np.stack([at[0] + wide * np.cos(angle), at[1] + high * np.sin(angle)], -1)


def _skin(speaker: Speaker) -> Float32[np.ndarray, "side side"]:
    """The resting face's skin around the mouth: unevenness, nose, folds, hairs. The same in every clip of a person."""
    face, skin = speaker.face, speaker.skin
    rng = np.random.default_rng(skin.seed)
    side = MOUTH_PX + 2 * MARGIN
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) - side / 2 + 0.5

    def grain(sigma: float) -> np.ndarray:
        rough = cv2.GaussianBlur(rng.standard_normal((side, side), dtype=np.float32), (0, 0), sigma)
        return np.asarray(rough / rough.std())

    def shade(cx: float, cy: float, wide: float, high: float) -> np.ndarray:
        return np.asarray(np.exp(-(((x - cx) / wide) ** 2) - ((y - cy) / high) ** 2))

    tone = np.full((side, side), skin.tone, np.float32) + skin.mottle * (0.6 * grain(skin.scale) + grain(9.0))
    tone *= 1 - 0.22 * (x / 62) ** 2  # cheeks turn away from the light
    for half in (-1.0, 1.0):
        tone -= 0.45 * skin.tone * shade(half * 8.5, -face.nose, 4.2, 2.4)  # nostrils
        tone -= 0.14 * skin.tone * shade(half * 14.0, -face.nose - 3.0, 3.0, 6.0)  # the nose's wings
        fold = half * (0.5 * face.width + 7 + 0.25 * (y + 10))
        tone -= 0.09 * skin.tone * np.exp(-(((x - fold) / 3.0) ** 2)) * np.exp(-(((y + 8) / 16) ** 2))
    tone += 0.1 * skin.tone * shade(0.0, -face.nose - 9.0, 9.0, 9.0)  # its tip
    tone -= 0.08 * skin.tone * shade(0.0, -face.nose + 2.0, 16.0, 4.0)  # and the shadow under it
    tone -= 0.06 * skin.tone * shade(0.0, -0.55 * face.nose, 2.4, 7.0)  # the groove above the lip
    tone += 0.05 * skin.tone * shade(0.0, 0.7 * face.chin, 14.0, 8.0)  # the chin
    hairs = np.maximum(grain(0.7), 0.0)
    above = shade(0.0, -0.45 * face.nose, 0.5 * face.width, 6.0)
    around = np.clip((np.hypot(x / 34, (y - 4) / 26) - 0.9) * 3, 0, 1) * (y > -12)
    tone -= hairs * (skin.moustache * above + skin.beard * around)
    tone -= 0.6 * (skin.moustache * above + skin.beard * around)
    return np.asarray(tone, np.float32)
