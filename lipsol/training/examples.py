"""Mouth clips and their transcripts -> batches, augmented as the recipe says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lipsol.clips.clip import JAW_POINTS, MOUTH_PX, MouthClip
from lipsol.model.networks import CROP_PX, EYE_PX, Eye
from lipsol.text.alphabet import Alphabet
from lipsol.training.manifest import Item
from lipsol.training.phones import phone_frames

RING = 20  # points of one lip ring; mirrored, point n is point (10 - n) modulo 20


@dataclass(frozen=True)
class Example:
    """One clip ready for training: frame labels 0 are silence, 1 + index otherwise."""

    mouth: Tensor  # uint8, (frames, 96, 96)
    points: Tensor  # float32, (frames, 56, 2)
    words: Tensor  # int64, (frames,)
    phones: Tensor  # int64, (frames,)
    characters: Tensor  # int64, (characters,)
    speech: tuple[int, int]  # first and last frame of speech


@dataclass(frozen=True)
class Augmentation:
    """How far a training clip may stray from what was filmed."""

    shift_px: float = 0.4  # standard deviation, of the 48-pixel picture
    scale: float = 0.01  # standard deviation
    turn_deg: float = 0.75  # standard deviation
    speed: float = 0.1
    mask_frames: int = 6  # longest stretch blanked out in time
    gray: float = 0.1  # change of gamma
    noise: float = 0.0  # of the points, mouth widths
    flip: bool = False
    trimmed: float = 0.85  # share of clips cut to their speech and a little around it
    margin: tuple[int, int] = (2, 10)  # frames around the speech that are kept


LIGHT = Augmentation()
HEAVY = Augmentation(shift_px=2.5, scale=0.1, turn_deg=8.0, speed=0.2, mask_frames=8, gray=0.3, noise=0.004, flip=True)


@dataclass(frozen=True)
class Batch:
    """Padded tensors; `length` says where each clip ends."""

    components: Tensor
    points: Tensor
    length: Tensor
    words: Tensor
    phones: Tensor
    characters: Tensor
    character_counts: Tensor


def example_of(item: Item, mouth: MouthClip, alphabet: Alphabet, vocabulary: Sequence[str]) -> Example:
    """Frame labels and character ids of one clip."""
    frames = len(mouth)
    words, phones = np.zeros(frames, np.int64), np.zeros(frames, np.int64)
    for word in item.words:
        end = min(word.end, frames)
        words[word.start : end] = 1 + vocabulary.index(word.text)
        phones[word.start : end] = phone_frames(word.text, max(word.end - word.start, 1))[: max(end - word.start, 0)]
    points = np.concatenate([mouth.lips, mouth.jaw], 1)
    return Example(
        torch.from_numpy(mouth.mouth),
        torch.from_numpy(points),
        torch.from_numpy(words),
        torch.from_numpy(phones),
        torch.tensor(alphabet.encode(item.text)),
        (item.words[0].start, min(item.words[-1].end, frames)),
    )


class Loader:
    """Endless shuffled batches of examples, weighted by how often each is drawn an epoch."""

    def __init__(
        self, examples: Sequence[Example], repeats: Sequence[int], eye: Eye, augmentation: Augmentation, seed: int
    ) -> None:
        self._examples, self._eye, self._how = examples, eye, augmentation
        self._order = np.repeat(np.arange(len(examples)), repeats)
        self._rng = np.random.default_rng(seed)

    def steps(self, batch: int) -> int:
        """Batches in an epoch."""
        return len(self._order) // batch

    def epoch(self, batch: int) -> Iterator[Batch]:
        """One pass over everything, in a new order."""
        order = self._rng.permutation(self._order)
        for at in range(self.steps(batch)):
            yield self._batch([self._examples[n] for n in order[at * batch : (at + 1) * batch]])

    def _batch(self, examples: Sequence[Example]) -> Batch:
        cut = [self._cut(example) for example in examples]
        length = torch.tensor([len(example.words) for example in cut])
        frames = int(length.max())
        flips = torch.tensor([self._how.flip and self._rng.random() < 0.5 for _ in cut])
        moves = self._moves(flips)
        pixels = torch.stack([_pad(self._picture(e.mouth, m), frames) for e, m in zip(cut, moves, strict=True)])
        mask = (torch.arange(frames)[None, :] < length[:, None]).float()[..., None]
        with torch.no_grad():
            components = self._eye(pixels, mask)
        points = torch.stack(
            [_pad(self._points(e.points, m, bool(f)), frames) for e, m, f in zip(cut, moves, flips, strict=True)]
        )
        return self._in_time(cut, components, points, length)

    def _cut(self, example: Example) -> Example:
        if self._rng.random() >= self._how.trimmed:
            return example
        low, high = self._rng.integers(*self._how.margin, size=2)
        part = slice(max(example.speech[0] - low, 0), example.speech[1] + high)
        return Example(
            example.mouth[part],
            example.points[part],
            example.words[part],
            example.phones[part],
            example.characters,
            example.speech,
        )

    def _moves(self, flips: Tensor) -> Tensor:
        """One affine transform a clip for grid_sample, (batch, 2, 3): turn, scale, shift, and mirror where flipped."""
        count, how = len(flips), self._how
        turn = np.radians(self._rng.normal(0, how.turn_deg, count))
        scale = CROP_PX / MOUTH_PX * (1 + self._rng.normal(0, how.scale, count))
        shift = self._rng.normal(0, how.shift_px, (count, 2)) * 2 / EYE_PX * CROP_PX / MOUTH_PX
        mirror = np.where(flips.numpy(), -1.0, 1.0)
        rows = [
            [scale * np.cos(turn) * mirror, -scale * np.sin(turn), shift[:, 0]],
            [scale * np.sin(turn) * mirror, scale * np.cos(turn), shift[:, 1]],
        ]
        return torch.from_numpy(np.array(rows).transpose(2, 0, 1).astype(np.float32))

    def _picture(self, mouth: Tensor, move: Tensor) -> Tensor:
        grid = functional.affine_grid(move[None], [1, 1, EYE_PX, EYE_PX], align_corners=False)
        picture = functional.grid_sample((mouth.float() / 255)[None], grid, padding_mode="border", align_corners=False)[
            0
        ]
        return picture.flatten(1).clamp_min(0) ** float(np.exp(self._rng.normal(0, self._how.gray)))

    def _points(self, points: Tensor, move: Tensor, flip: bool) -> Tensor:
        """The points as the moved picture shows them (the picture is sampled by `move`, so points go its inverse)."""
        turn = move[:, :2] * MOUTH_PX / CROP_PX
        moved = (points - points.mean((0, 1))) @ torch.linalg.inv(turn).T + points.mean((0, 1))
        if flip:
            ring = (10 - torch.arange(RING)) % RING
            jaw = torch.arange(JAW_POINTS).flip(0)
            moved = moved[:, torch.cat([ring, RING + ring, 2 * RING + jaw])]
        if self._how.noise:
            moved = moved + torch.from_numpy(self._rng.normal(0, self._how.noise, moved.shape).astype(np.float32))
        return cast(Tensor, moved.flatten(1))

    def _in_time(self, cut: Sequence[Example], components: Tensor, points: Tensor, length: Tensor) -> Batch:
        """Stretch each clip in time, then blank a stretch of it."""
        speeds = np.clip(
            1 + self._rng.normal(0, self._how.speed / 2, len(cut)), 1 - self._how.speed, 1 + self._how.speed
        )
        lengths = torch.tensor([max(2, round(int(n) / speed)) for n, speed in zip(length, speeds, strict=True)])
        frames, rows = int(lengths.max()), []
        for n, example in enumerate(cut):
            at = torch.linspace(0, int(length[n]) - 1, int(lengths[n]))
            near = at.round().long()
            row = [_between(components[n], at), _between(points[n], at), example.words[near], example.phones[near]]
            self._blank(row[0], row[1])
            rows.append([_pad(part, frames) for part in row])
        stacked = [torch.stack(parts) for parts in zip(*rows, strict=True)]
        counts = torch.tensor([len(example.characters) for example in cut])
        characters = torch.cat([example.characters for example in cut])
        return Batch(stacked[0], stacked[1], lengths, stacked[2], stacked[3], characters, counts)

    def _blank(self, components: Tensor, points: Tensor) -> None:
        span = int(self._rng.integers(0, self._how.mask_frames + 1))
        start = int(self._rng.integers(0, max(1, len(components) - span)))
        for stream in (components, points):
            stream[start : start + span] = stream.mean(0)


def _between(x: Tensor, at: Tensor) -> Tensor:
    """Rows of x at fractional indices, linear."""
    low = at.floor().long()
    share = (at - low)[:, None]
    return x[low] * (1 - share) + x[(low + 1).clamp_max(len(x) - 1)] * share


def _pad(x: Tensor, frames: int) -> Tensor:
    """x with zeros after its end, up to `frames` rows."""
    return torch.cat([x, x.new_zeros(frames - len(x), *x.shape[1:])])
