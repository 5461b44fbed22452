"""Sounds -> how the mouth stands, frame by frame: coarticulation by dominance functions.

Each sound pulls each articulator towards its own target, most at its middle and less and less around it; what is seen
is the mean of all targets, weighted by those pulls (M. M. Cohen and D. W. Massaro, "Modeling coarticulation in
synthetic visual speech", in Models and Techniques in Computer Animation, Springer 1993, pp. 139-156):

    F(t) = sum_s D_s(t) T_s / sum_s D_s(t)        D_s(t) = alpha_s exp(-theta |tau|)

The targets are estimates from how Urdu's sounds are made (M. Ohala, "Hindi", Handbook of the International Phonetic
Association, 1999), not measurements of anybody.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from lipsol.clips.clip import FPS
from lipsol.data.synthetic.espeak import Sound
from lipsol.errors import BadInput

# The articulators, in the order of every pose.
#   jaw      0 shut, 1 wide open            lips     0 pressed together, 1 apart as the jaw lets them
#   width    -1 rounded, 1 spread           protrude 0 to 1, pushed forward
#   tuck     0 to 1, lower lip to teeth     tongue   0 to 1, its tip up behind the teeth
#   teeth    0 to 1, upper lip raised from them
ARTICULATORS = ("jaw", "lips", "width", "protrude", "tuck", "tongue", "teeth")
LIPS = ARTICULATORS.index("lips")
FIRM = 3.0  # alpha of what makes a sound what it is, among consonants
LOOSE = 0.15  # alpha of an articulator that a consonant leaves to its neighbours
VOWEL = 1.0  # alpha of a vowel's articulators
THETA = 22.0  # how fast a sound's pull fades, 1/s; THETA_LIPS: of lips that touch, which open and shut fast
THETA_LIPS = 34.0
LEAST, MOST = np.array([0, 0, -1, 0, 0, 0, 0], float), 1.2  # of each articulator
PLATEAU = 0.25  # share of a sound's length on each side of its middle over which its pull is full
REST_ENDS = 0.06  # the mouth leaves its rest so long before the first sound, and is back so long after the last, s
EXPOSURE = (-0.012, 0.0, 0.012)  # moments that one frame's shutter averages, seconds around its middle

# sound -> the articulators that it fixes, and where
_VOWELS: Mapping[str, Mapping[str, float]] = {
    "aː": {"jaw": 0.85, "teeth": 0.3}, "a": {"jaw": 0.6, "teeth": 0.3}, "ʌ": {"jaw": 0.45, "teeth": 0.25},
    "ə": {"jaw": 0.35, "teeth": 0.2}, "ɛ": {"jaw": 0.52, "width": 0.4, "teeth": 0.5},
    "æ": {"jaw": 0.65, "width": 0.4, "teeth": 0.5}, "e": {"jaw": 0.36, "width": 0.6, "teeth": 0.6},
    "ɪ": {"jaw": 0.28, "width": 0.4, "teeth": 0.5}, "i": {"jaw": 0.2, "width": 0.85, "teeth": 0.75},
    "o": {"jaw": 0.38, "width": -0.75, "protrude": 0.7}, "ɔ": {"jaw": 0.55, "width": -0.55, "protrude": 0.5},
    "ʊ": {"jaw": 0.24, "width": -0.8, "protrude": 0.8}, "u": {"jaw": 0.18, "width": -1.0, "protrude": 1.0},
}  # fmt: skip
_LIPS_TOGETHER = {"lips": 0.0, "jaw": 0.12}
_TEETH_ON_LIP = {"tuck": 1.0, "lips": 0.45, "jaw": 0.12, "teeth": 0.5}
_TIP_UP = {"tongue": 0.95, "jaw": 0.2}
_HISS = {"jaw": 0.05, "teeth": 0.85, "lips": 0.9, "width": 0.25}
_HUSH = {"jaw": 0.1, "protrude": 0.7, "width": -0.35, "teeth": 0.6}
_CURLED = {"tongue": 0.7, "jaw": 0.25}
_TAPPED = {"tongue": 0.6, "jaw": 0.3}
_BACK = {"jaw": 0.3}
_NOWHERE: Mapping[str, float] = {}
_CONSONANTS: Mapping[str, Mapping[str, float]] = {
    **dict.fromkeys("pbm", _LIPS_TOGETHER),
    **dict.fromkeys("fvʋ", _TEETH_ON_LIP),
    **dict.fromkeys("tdnl", _TIP_UP),
    **dict.fromkeys("ʈɖɳ", _CURLED),
    **dict.fromkeys("rɾɽ", _TAPPED),
    **dict.fromkeys("sz", _HISS),
    **dict.fromkeys("ʃʒ", _HUSH),
    **dict.fromkeys("cɟ", _HUSH | {"tongue": 0.5}),
    **dict.fromkeys("kɡgqxɣŋ", _BACK),
    "w": {"width": -0.95, "protrude": 0.95, "jaw": 0.12, "lips": 0.55},
    "j": {"width": 0.6, "jaw": 0.16, "teeth": 0.5},
    **dict.fromkeys("hɦ", _NOWHERE),
}
_UNSEEN = re.compile("[ʰʱʲ̪̃]")  # breath, nose and dental place: no look of their own
_NEUTRAL = np.array([0.3, 0.9, 0.0, 0.0, 0.0, 0.15, 0.3])


@dataclass(frozen=True)
class Style:
    """How one person articulates.

    reach  how far each articulator goes towards its targets (1: all the way), shape (7,)
    rest   how the mouth stands when nothing is said, shape (7,)
    crisp  multiplies how fast a sound's pull fades: below 1 sounds run into each other
    wobble standard deviation of each sound's own targets from one time to the next
    """

    reach: Float64[np.ndarray, "7"]
    rest: Float64[np.ndarray, "7"]
    crisp: float
    wobble: float


def target_of(ipa: str) -> tuple[Float64[np.ndarray, "7"], Float64[np.ndarray, "7"]]:
    """Where a sound wants each articulator, and how much it cares: (targets, alphas).

    Raises BadInput for a sound that stands in no table.
    """
    sound = _UNSEEN.sub("", unicodedata.normalize("NFD", ipa))
    vowel = sound if sound in _VOWELS else sound.rstrip("ː")
    base = sound.rstrip("ː")
    if vowel not in _VOWELS and base not in _CONSONANTS:
        raise BadInput(f"{ipa!r} is no sound that is known", f"give one of {' '.join((*_VOWELS, *_CONSONANTS))}")
    fixed = _VOWELS.get(vowel) if vowel in _VOWELS else _CONSONANTS[base]
    targets, alphas = _NEUTRAL.copy(), np.full(len(ARTICULATORS), VOWEL if vowel in _VOWELS else LOOSE)
    for name, value in (fixed or {}).items():
        targets[ARTICULATORS.index(name)] = value
        if vowel not in _VOWELS:
            alphas[ARTICULATORS.index(name)] = FIRM
    if base in "pbm":
        alphas[LIPS] = 40 * FIRM  # they touch, whatever stands beside them
    return targets, alphas


def poses(
    sounds: Sequence[Sound], frames: int, style: Style, rng: np.random.Generator
) -> Float64[np.ndarray, "frames 7"]:
    """How the mouth stands in each frame, sounds' times in seconds from the clip's beginning."""
    even = np.ones(len(ARTICULATORS))
    pulls = [(style.rest, even, -1.0, sounds[0].start - REST_ENDS)]
    for sound in sounds:
        targets, alphas = target_of(sound.ipa)
        moved = style.rest + style.reach * (targets - style.rest) + rng.normal(0, style.wobble, len(ARTICULATORS))
        moved[LIPS] = targets[LIPS] if targets[LIPS] == 0 else moved[LIPS]
        middle, held = (sound.start + sound.end) / 2, PLATEAU * (sound.end - sound.start)
        pulls.append((moved, alphas, middle - held, middle + held))
    pulls.append((style.rest, even, sounds[-1].end + REST_ENDS, frames / FPS + 1.0))
    middles = (np.arange(frames) + 0.5) / FPS
    seen = [_stand(pulls, middles + moment, style.crisp) for moment in EXPOSURE]
    return np.asarray(np.clip(np.mean(seen, 0), LEAST, MOST))


def _stand(
    pulls: Sequence[tuple[np.ndarray, np.ndarray, float, float]], at: Float64[np.ndarray, "moments"], crisp: float
) -> Float64[np.ndarray, "moments 7"]:
    """Cohen and Massaro's weighted mean at each moment; a pull: targets, alphas, and when it is full."""
    targets, alphas = (np.array([pull[part] for pull in pulls]) for part in (0, 1))
    begins, ends = (np.array([pull[part] for pull in pulls]) for part in (2, 3))
    away = np.maximum(np.maximum(begins - at[:, None], at[:, None] - ends), 0)
    theta = np.where(alphas > FIRM, THETA_LIPS, THETA) * crisp
    pull = alphas * np.exp(-theta * away[..., None]) + 1e-12
    return np.asarray((pull * targets).sum(1) / pull.sum(1))
