"""Mouth clips made of movement: each speaker has a face of his own, and each word a movement of its own."""

from pathlib import Path

import numpy as np

from lipsol.clips.clip import MouthClip
from lipsol.data.dataset import Dataset, Item, Spoken

WORDS = ("bin", "lay", "place", "set")
FRAMES = 60


def mouth(speaker: int, words: tuple[Spoken, ...], seed: int, frames: int = FRAMES) -> MouthClip:
    """A mouth that says the words: a bright lip line that moves as the words ask, before a speaker's own texture."""
    chance = np.random.default_rng(seed)
    opening = np.cumsum(chance.normal(0, 0.004, frames))
    for word in words:
        at = np.linspace(0, np.pi, max(word.end - word.start, 1))
        opening[word.start : word.end] += 0.1 * np.sin(at * (1 + WORDS.index(word.text)))[: frames - word.start]
    drift = np.cumsum(chance.normal(0, 0.002, (frames, 2)), axis=0)
    lips = np.zeros((frames, 40, 2), np.float32)
    lips[:, :, 0] = np.linspace(-0.25, 0.25, 40) + drift[:, :1]
    lips[:, :, 1] = np.where(np.arange(40) % 2, 1, -1) * (0.05 + opening[:, np.newaxis]) + drift[:, 1:]
    texture = np.random.default_rng(1000 + speaker).integers(60, 160, (12, 12)).astype(np.float64)
    face = np.kron(texture, np.ones((8, 8)))
    rows = np.arange(96)[np.newaxis, :, np.newaxis]
    line = 60 * np.exp(-(((rows - 48 - 200 * (opening + drift[:, 1])[:, np.newaxis, np.newaxis]) / 6) ** 2))
    pictures = (face + line).clip(0, 250).astype(np.uint8) + chance.integers(0, 4, (frames, 96, 96), np.uint8)
    jaw = np.zeros((frames, 16, 2), np.float32)
    outline = (lips * 0.2 + 0.5).astype(np.float32)
    return MouthClip(pictures, lips, jaw, outline, np.ones(frames, bool))


def spoken(texts: tuple[str, ...], seed: int) -> tuple[Spoken, ...]:
    """Times for words, a little different each time."""
    at, words = 8 + int(np.random.default_rng(seed).integers(0, 6)), []
    for n, text in enumerate(texts):
        length = 8 + (seed + n) % 5
        words.append(Spoken(text, at, at + length))
        at += length
    return tuple(words)


def dataset(folder: Path, clips: int = 12, speakers: int = 2) -> Dataset:
    """Clips of two words of each speaker, the last speaker unseen, as .npz files in `folder`."""
    items = []
    for speaker in range(speakers):
        for n in range(clips):
            seed = 100 * speaker + n
            words = spoken((WORDS[n % 4], WORDS[(n // 4) % 4]), seed)
            path = folder / f"clip{seed}.npz"
            path.write_bytes(mouth(speaker, words, seed).to_bytes())
            split = "unseen" if speaker == speakers - 1 else "test" if n % 4 == 3 else "train"
            items.append(Item(path, f"p{speaker}", words, split, " ".join(word.text for word in words)))
    return Dataset(
        name="made", language="en", grammar="", home=("p0",), items=tuple(items), licence="CC0-1.0",
        attribution="nobody", split="as it came", corpus="made up", names="", synthetic=True, folder=folder,
    )  # fmt: skip


class Here:
    """A pool of no processes: starting one takes longer than to watch a few made mouths."""

    def __init__(self, *_, **__):
        """Nothing to start."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Nothing to end."""

    def map(self, work, *given, **_):
        return [work(*each) for each in zip(*given, strict=True)]
