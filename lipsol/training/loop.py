"""One member of the sentence model, trained from frame labels and transcripts together.

Loss: cross-entropy of the word said in each frame 1.0, CTC over characters (Graves et al. 2006) 0.5, cross-entropy of
the phone 0.3, CTC after the first recurrent layer 0.2. AdamW, cosine schedule with warm-up, gradients clipped, and an
exponential moving average of the weights, which is what is kept. One thread, so that a seed gives the same weights.
"""

import copy
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from lipsol.model.emissions import BLANK
from lipsol.model.networks import Member, time_mask
from lipsol.training.examples import Batch, Loader

WORD, CTC, PHONE, EARLY = 1.0, 0.5, 0.3, 0.2  # weights of the losses
M = TypeVar("M", bound=nn.Module)
IGNORED = -100  # cross_entropy's own mark for frames that do not count


@dataclass(frozen=True)
class Schedule:
    """How long and how fast."""

    epochs: int
    rate: float = 3e-3
    batch: int = 16
    warm_up: float = 0.05  # share of all steps
    decay: float = 0.02
    clip: float = 2.0
    average: float = 0.998


def train_member(member: Member, loader: Loader, schedule: Schedule, report: Callable[[str], None]) -> Member:
    """Train `member` on sentences; returns the moving average of it, in evaluation mode."""
    epochs = (loader.epoch(schedule.batch) for _ in range(schedule.epochs))
    return descend(member, epochs, loader.steps(schedule.batch), sentence_loss, schedule, report)


def descend(
    model: M, epochs: Iterable[Iterable[Batch]], steps: int, loss_of: Callable[[M, Batch], Tensor], schedule: Schedule,
    report: Callable[[str], None],
) -> M:  # fmt: skip
    """Train `model` in place over epochs of `steps` batches; returns the moving average of it, in evaluation mode."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=schedule.rate, weight_decay=schedule.decay)
    rates = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        schedule.rate,
        total_steps=schedule.epochs * steps + 1,
        pct_start=schedule.warm_up,
        cycle_momentum=False,
    )
    kept, began, step = copy.deepcopy(model).eval(), time.monotonic(), 0
    model.train()
    for number, epoch in enumerate(epochs, start=1):
        total = 0.0
        for batch in epoch:
            loss = loss_of(model, batch)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), schedule.clip)
            optimiser.step()
            rates.step()
            step += 1
            _follow(kept, model, min(schedule.average, step / (step + 10)))
            total += loss.item()
        report(f"epoch {number}/{schedule.epochs}  loss {total / steps:.3f}  {time.monotonic() - began:.0f} s")
    return kept


def sentence_loss(member: Member, batch: Batch) -> Tensor:
    """The four losses of a batch, weighted and summed."""
    mask = time_mask(batch.length, batch.components.shape[1])
    first, top = member.trunk(member.streams(batch.components, batch.points, mask), batch.length)
    beyond = mask[..., 0] == 0
    words = functional.cross_entropy(
        member.words(top).transpose(1, 2),
        batch.words.masked_fill(beyond, IGNORED),
        ignore_index=IGNORED,
        label_smoothing=0.05,
    )
    phones = functional.cross_entropy(
        member.phones(top).transpose(1, 2), batch.phones.masked_fill(beyond, IGNORED), ignore_index=IGNORED
    )
    return (
        WORD * words
        + PHONE * phones
        + CTC * _ctc(member.characters(top), batch)
        + EARLY * _ctc(member.early(first), batch)
    )


def _ctc(logits: Tensor, batch: Batch) -> Tensor:
    logp = logits.log_softmax(-1).transpose(0, 1)
    return functional.ctc_loss(
        logp, batch.characters, batch.length, batch.character_counts, blank=BLANK, zero_infinity=True
    )


def _follow(kept: nn.Module, member: nn.Module, share: float) -> None:
    """Move the average towards the weights as they are now."""
    with torch.no_grad():
        for average, now in zip(kept.parameters(), member.parameters(), strict=True):
            average.lerp_(now, 1 - share)
