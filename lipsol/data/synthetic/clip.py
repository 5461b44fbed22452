"""One sentence of one made-up speaker -> a mouth clip with its word times."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import gaussian_filter1d

from lipsol.clips.clip import FPS, LIP_POINTS, MOUTH_PX, MouthClip
from lipsol.data.dataset import Spoken
from lipsol.data.synthetic.articulation import ARTICULATORS, LEAST, MOST, poses
from lipsol.data.synthetic.drawing import pictures
from lipsol.data.synthetic.espeak import FASTEST, SLOWEST, Sound, Utterance, speak
from lipsol.data.synthetic.shape import lines, points_of
from lipsol.data.synthetic.speaker import Filming, Speaker, drifting, film

PICTURE = (360, 288)  # of the camera that never was, pixels: GRID's
LEAD = (0.2, 0.6)  # silence before and after the sentence, seconds
EFFORT = 0.1  # standard deviation of how far a person moves the lips from one sentence to the next


@dataclass(frozen=True)
class Said:
    """A mouth clip and when each of its words is said."""

    mouth: MouthClip
    words: tuple[Spoken, ...]


def say(text: str, language: str, speaker: Speaker, seed: int) -> Said:
    """The speaker says a normalised text; the same arguments give the same bytes."""
    key = hashlib.sha256(f"{seed} {speaker.name} {text}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(key[:8], "little"))
    rate = int(np.clip(rng.normal(speaker.rate, 8), SLOWEST, FASTEST))
    lead, tail = rng.uniform(*LEAD, size=2)
    spoken = _uneven(speak(text, language, rate), speaker.uneven, float(lead), rng)
    frames = int(np.ceil((spoken.words[-1][1] + tail) * FPS))
    effort = np.ones(len(ARTICULATORS)) + rng.normal(0, EFFORT)
    style = replace(speaker.style, reach=speaker.style.reach * effort)
    stand = poses(spoken.sounds, frames, style, rng)
    stand = stand + 0.02 * drifting(frames, len(ARTICULATORS), 6.0, rng) * [1, 0, 1, 1, 0, 1, 1]
    how = film(frames, rng)
    where = lines(np.clip(stand, LEAST, MOST), speaker.face, how, rng)
    mouth = pictures(stand, where, speaker, how, rng)
    return Said(
        mouth_clip(mouth, np.concatenate([points_of(where.lips), where.jaw], 1), how, rng),
        _times(spoken, text, frames),
    )


def _uneven(spoken: Utterance, deviation: float, lead: float, rng: np.random.Generator) -> Utterance:
    """The same sentence after a lead of silence, each stretch between two boundaries longer or shorter by chance."""
    marks = np.array(sorted({time for sound in spoken.sounds for time in (sound.start, sound.end)}))
    stretched = np.diff(marks) * np.exp(rng.normal(0, deviation, len(marks) - 1))
    moved = dict(zip(marks.tolist(), (lead + np.concatenate([[0.0], np.cumsum(stretched)])).tolist(), strict=True))
    sounds = tuple(Sound(each.ipa, moved[each.start], moved[each.end], each.word) for each in spoken.sounds)
    return Utterance(sounds, tuple((moved[start], moved[end]) for start, end in spoken.words))


def _times(spoken: Utterance, text: str, frames: int) -> tuple[Spoken, ...]:
    """Word times in frames: a frame belongs to the word that is said in its middle."""
    bounds = [(round(start * FPS), round(end * FPS)) for start, end in spoken.words]
    return tuple(
        Spoken(word, start, max(min(end, frames), start + 1))
        for word, (start, end) in zip(text.split(), bounds, strict=True)
    )


def mouth_clip(
    mouth: np.ndarray, points: Float64[np.ndarray, "frames 56 2"], how: Filming, rng: np.random.Generator
) -> MouthClip:
    """Landmarks as a model that errs a little would give them, and lost frames filled as `lipsol.clips.mouth` does."""
    frames, count, _ = points.shape
    wrong = how.bias * gaussian_filter1d(rng.standard_normal((count, 2)), 2, axis=0, mode="wrap") * 2
    slow = how.jitter * drifting(frames, 2 * count, 1.5, rng).reshape(frames, count, 2)
    found = points + wrong + slow + 0.3 * how.jitter * rng.standard_normal(points.shape)
    seen = np.ones(frames, bool)
    for start, length in how.lost:
        seen[start : start + length] = False
    at = np.arange(frames)
    flat = found.reshape(frames, -1)
    filled = np.stack([np.interp(at, at[seen], column[seen]) for column in flat.T], -1).reshape(points.shape)
    x, y, scale = how.place
    drift = 4 * drifting(frames, 2, 12.0, rng)
    outline = (filled[:, :LIP_POINTS] - MOUTH_PX / 2) * scale + [x, y] + drift[:, None]
    placed = (filled / MOUTH_PX - 0.5).astype(np.float32)
    return MouthClip(
        mouth, placed[:, :LIP_POINTS].copy(), placed[:, LIP_POINTS:].copy(),
        (outline / PICTURE).astype(np.float32), seen,
    )  # fmt: skip
