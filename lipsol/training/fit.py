"""What is fitted, not trained: the eye's principal components and how the known speakers look."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor

from lipsol.model.networks import EYE_PX, Eye, Familiarity, clip_mean, time_mask
from lipsol.training.examples import Example

FRAMES_A_CLIP = 12  # drawn from each clip for the components
MARGIN = 5  # frames around the speech that they are drawn from
LARGEST = 3.3  # standard deviation of the first component
SPAN = 1.5  # times the known speakers' own distance at which a stranger begins, where no other was seen
SHRINKAGE = 0.1  # of the covariance towards the identity (Ledoit and Wolf 2004), z-scores


def fit_eye(examples: Sequence[Example], components: int, seed: int, whitening: float = 0.5) -> Eye:
    """Principal components of contrast-normalised mouth pictures.

    whitening: 0 leaves them as they are, 1 makes all equally large (that drowned the net in noise).
    """
    blank = Eye(torch.zeros(EYE_PX**2), torch.zeros(EYE_PX**2, components))
    rng, rows = np.random.default_rng(seed), []
    for example in examples:
        part = slice(max(example.speech[0] - MARGIN, 0), example.speech[1] + MARGIN)
        pixels = blank.look(example.mouth[part][None])[0]
        pixels = pixels - pixels.mean()
        chosen = rng.choice(len(pixels), min(FRAMES_A_CLIP, len(pixels)), replace=False)
        rows.append((pixels / (pixels.square().mean().sqrt() + 1e-4))[torch.from_numpy(chosen)])
    pictures = torch.cat(rows)
    mean = pictures.mean(0)
    _, sizes, directions = torch.linalg.svd(pictures - mean, full_matrices=False)
    shares = sizes[:components] / sizes[0]
    deviation = sizes[0] / len(pictures) ** 0.5
    gain = LARGEST * shares ** (1 - whitening) / (shares * deviation)
    return Eye(mean, (directions[:components] * gain[:, None]).T.contiguous())


def fit_familiarity(known: Sequence[Example], others: Sequence[Example], eye: Eye) -> Familiarity:
    """How the known speakers' clips look, and the bound half-way between theirs and those of other speakers.

    Without others the bound is SPAN times theirs.
    """
    looks = torch.stack([_look(example, eye) for example in known]).double()
    centre, spread = looks.mean(0), looks.std(0) + 1e-4
    scores = (looks - centre) / spread
    covariance = (1 - SHRINKAGE) * scores.T @ scores / len(scores) + SHRINKAGE * torch.eye(len(spread)).double()
    values, vectors = torch.linalg.eigh(covariance)
    whiten = (vectors / values.sqrt()) / spread[:, None]
    held = Familiarity(centre.float(), whiten.float(), torch.tensor(0.0))
    own = distances(known, eye, held).quantile(0.99)
    strange = distances(others, eye, held).min() if others else (2 * SPAN - 1) * own
    return Familiarity(held.centre, held.whiten, (own + strange) / 2)


def distances(examples: Sequence[Example], eye: Eye, held: Familiarity) -> Tensor:
    """Strangeness of each example, (examples,)."""
    return torch.stack([_strangeness(example, eye, held) for example in examples])


def _look(example: Example, eye: Eye) -> Tensor:
    """Mean components and mean points of one clip."""
    components, points, mask = _streams(example, eye)
    return torch.cat([clip_mean(components, mask), clip_mean(points, mask)], -1)[0, 0]


def _strangeness(example: Example, eye: Eye, held: Familiarity) -> Tensor:
    return cast(Tensor, held(*_streams(example, eye)))[0]


def _streams(example: Example, eye: Eye) -> tuple[Tensor, Tensor, Tensor]:
    mask = time_mask(torch.tensor([len(example.words)]), len(example.words))
    return eye(eye.look(example.mouth[None]), mask), example.points.flatten(1)[None], mask
