"""Mouth clips and their transcripts -> batches, augmented as the recipe says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lipsol.clips.clip import JAW_POINTS, MOUTH_PX, MouthClip
from lipsol.data.dataset import Item
from lipsol.errors import BadInput
from lipsol.model.networks import CROP_PX, EYE_PX, Eye
from lipsol.text.alphabet import Alphabet
from lipsol.text.phones import phones_of
from lipsol.training.phones import phone_frames
from lipsol.training.plan import Augmentation
from lipsol.training.ranks import ALONE, Ranks

IGNORED = -100  # label of frames of which nobody knows what is said; cross_entropy's own mark
RING = 20  # points of one lip ring; mirrored, point n is point (10 - n) modulo 20


@dataclass(frozen=True)
class Labels:
    """The classes that networks tell apart: characters, words, and phones (sorted)."""

    alphabet: Alphabet
    vocabulary: tuple[str, ...]
    phones: tuple[str, ...]

    def word(self, item: Item, text: str) -> int:
        """A word's class. Raises BadInput, naming the clip, for one that the grammar lacks."""
        if text not in self.vocabulary:
            raise BadInput(
                f"{item.name} says {text!r}, which its grammar lacks", "`lipsol data check` lists such clips"
            )
        return 1 + self.vocabulary.index(text)


@dataclass(frozen=True)
class Example:
    """One clip ready for training: frame labels 0 are silence, 1 + index otherwise, all IGNORED without alignment."""

    mouth: Tensor  # uint8, (frames, 96, 96)
    points: Tensor  # float32, (frames, 56, 2)
    words: Tensor  # int64, (frames,)
    phones: Tensor  # int64, (frames,)
    characters: Tensor  # int64, (characters,)
    speech: tuple[int, int]  # first and last frame of speech


@dataclass(frozen=True)
class Batch:
    """Padded tensors; `length` says where each clip ends.

    frames_share, clips_share: by how much the mean over this batch's labelled frames, and over its clips, counts, so
    that the mean over all ranks is that over the whole batch; 1 where nobody shares it.
    """

    components: Tensor
    points: Tensor
    length: Tensor
    words: Tensor
    phones: Tensor
    characters: Tensor
    character_counts: Tensor
    frames_share: float = 1.0
    clips_share: float = 1.0

    def to(self, device: torch.device) -> "Batch":
        """The same on another device."""
        held = {each.name: getattr(self, each.name) for each in fields(self)}
        moved: dict[str, Any] = {name: x.to(device) if isinstance(x, Tensor) else x for name, x in held.items()}
        return Batch(**moved)


def example_of(item: Item, mouth: MouthClip, labels: Labels) -> Example:
    """Frame labels and character ids of one clip."""
    frames = len(mouth)
    words, phones = (np.full(frames, 0 if item.words else IGNORED, np.int64) for _ in range(2))
    for word in item.words:
        end = min(word.end, frames)
        words[word.start : end] = labels.word(item, word.text)
        sounds = phones_of(word.text, labels.alphabet.language)
        kept = max(end - word.start, 0)
        phones[word.start : end] = phone_frames(sounds, max(word.end - word.start, 1), labels.phones)[:kept]
    points = np.concatenate([mouth.lips, mouth.jaw], 1)
    return Example(
        torch.from_numpy(mouth.mouth),
        torch.from_numpy(points),
        torch.from_numpy(words),
        torch.from_numpy(phones),
        torch.tensor(labels.alphabet.encode(item.text)),
        (min(item.words[0].start, frames - 1), min(item.words[-1].end, frames)) if item.words else (0, frames),
    )


class Loader:
    """Endless shuffled batches of examples, weighted by how often each is drawn an epoch.

    Every rank draws the same for all of a batch and makes its own share of it; `rng` is all that is drawn from.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        repeats: Sequence[int],
        eye: Eye,
        augmentation: Augmentation,
        rng: np.random.Generator,
        ranks: Ranks = ALONE,
    ) -> None:
        self._examples, self._eye, self._how = examples, eye, augmentation
        self._order = np.repeat(np.arange(len(examples)), repeats)
        self._rng, self._ranks = rng, ranks

    def steps(self, batch: int) -> int:
        """Batches in an epoch: full ones, or one that holds all there is."""
        return max(1, len(self._order) // batch)

    def epoch(self, batch: int) -> Iterator[Batch]:
        """One pass over everything, in a new order."""
        order = self._rng.permutation(self._order)
        for at in range(self.steps(batch)):
            yield self._batch([self._examples[n] for n in order[at * batch : (at + 1) * batch]])

    def _batch(self, examples: Sequence[Example]) -> Batch:
        cut = [self._cut(example) for example in examples]
        length = torch.tensor([len(example.words) for example in cut])
        flips = torch.tensor([self._how.flip and self._rng.random() < 0.5 for _ in cut])
        moves = self._moves(flips)
        gammas = [float(np.exp(gray)) for gray in self._rng.normal(0, self._how.gray, len(cut))]
        noises = [self._noise(example) for example in cut]
        speeds = np.clip(
            1 + self._rng.normal(0, self._how.speed / 2, len(cut)), 1 - self._how.speed, 1 + self._how.speed
        )
        lengths = torch.tensor([max(2, round(int(n) / speed)) for n, speed in zip(length, speeds, strict=True)])
        blanks = [self._blank(int(n)) for n in lengths]
        own = self._ranks.share(len(cut))
        frames = int(length[own].max())
        pixels = [
            _pad(_picture(e.mouth, m, g), frames) for e, m, g in zip(cut[own], moves[own], gammas[own], strict=True)
        ]
        points = [
            _pad(_points(e.points, m, bool(f), n), frames)
            for e, m, f, n in zip(cut[own], moves[own], flips[own], noises[own], strict=True)
        ]
        mask = (torch.arange(frames)[None, :] < length[own][:, None]).float()[..., None]
        with torch.no_grad():
            components = self._eye(torch.stack(pixels), mask)
        batch = _in_time(cut[own], components, torch.stack(points), length[own], lengths[own], blanks[own])
        if self._ranks.size == 1:
            return batch
        labelled = lengths * torch.tensor([bool((example.words != IGNORED).any()) for example in cut])
        return replace(
            batch,
            frames_share=self._ranks.size * float(labelled[own].sum() / labelled.sum().clamp_min(1)),
            clips_share=self._ranks.size * len(cut[own]) / len(cut),
        )

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

    def _noise(self, example: Example) -> Tensor | None:
        if not self._how.noise:
            return None
        return torch.from_numpy(self._rng.normal(0, self._how.noise, example.points.shape).astype(np.float32))

    def _blank(self, frames: int) -> slice:
        """A stretch of a clip."""
        span = int(self._rng.integers(0, self._how.mask_frames + 1))
        start = int(self._rng.integers(0, max(1, frames - span)))
        return slice(start, start + span)


def _picture(mouth: Tensor, move: Tensor, gamma: float) -> Tensor:
    grid = functional.affine_grid(move[None], [1, 1, EYE_PX, EYE_PX], align_corners=False)
    picture = functional.grid_sample((mouth.float() / 255)[None], grid, padding_mode="border", align_corners=False)[0]
    return picture.flatten(1).clamp_min(0) ** gamma


def _points(points: Tensor, move: Tensor, flip: bool, noise: Tensor | None) -> Tensor:
    """The points as the moved picture shows them (the picture is sampled by `move`, so points go its inverse)."""
    turn = move[:, :2] * MOUTH_PX / CROP_PX
    moved = (points - points.mean((0, 1))) @ torch.linalg.inv(turn).T + points.mean((0, 1))
    if flip:
        ring = (10 - torch.arange(RING)) % RING
        jaw = torch.arange(JAW_POINTS).flip(0)
        moved = moved[:, torch.cat([ring, RING + ring, 2 * RING + jaw])]
    if noise is not None:
        moved = moved + noise
    return cast(Tensor, moved.flatten(1))


def _in_time(
    cut: Sequence[Example],
    components: Tensor,
    points: Tensor,
    length: Tensor,
    lengths: Tensor,
    blanks: Sequence[slice],
) -> Batch:
    """Stretch each clip in time to its new length, then blank a stretch of it."""
    frames, rows = int(lengths.max()), []
    for n, example in enumerate(cut):
        at = torch.linspace(0, int(length[n]) - 1, int(lengths[n]))
        near = at.round().long()
        row = [_between(components[n], at), _between(points[n], at), example.words[near], example.phones[near]]
        for stream in row[:2]:
            stream[blanks[n]] = stream.mean(0)
        rows.append([_pad(part, frames) for part in row])
    stacked = [torch.stack(parts) for parts in zip(*rows, strict=True)]
    counts = torch.tensor([len(example.characters) for example in cut])
    characters = torch.cat([example.characters for example in cut])
    return Batch(stacked[0], stacked[1], lengths, stacked[2], stacked[3], characters, counts)


def _between(x: Tensor, at: Tensor) -> Tensor:
    """Rows of x at fractional indices, linear."""
    low = at.floor().long()
    share = (at - low)[:, None]
    return x[low] * (1 - share) + x[(low + 1).clamp_max(len(x) - 1)] * share


def _pad(x: Tensor, frames: int) -> Tensor:
    """x with zeros after its end, up to `frames` rows."""
    return torch.cat([x, x.new_zeros(frames - len(x), *x.shape[1:])])
