"""One network, trained by gradient descent: what a member and a word head have in common, and a member's own losses.

Loss of a member: cross-entropy of the word said in each frame 1.0, CTC over characters (Graves et al. 2006) 0.5,
cross-entropy of the phone 0.3, CTC after the first recurrent layer 0.2. AdamW, cosine schedule with warm-up, gradients
clipped, and an exponential moving average of the weights, which is what is kept. One thread, so that a seed gives the
same weights.
"""

import copy
import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from lipsol.model.emissions import BLANK
from lipsol.model.networks import Member, WordHead, time_mask
from lipsol.training.checkpoints import Keeper
from lipsol.training.examples import IGNORED, Batch, Loader
from lipsol.training.plan import Schedule
from lipsol.training.ranks import ALONE, Ranks

WORD, CTC, PHONE, EARLY = 1.0, 0.5, 0.3, 0.2  # weights of the losses
HALVES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class Course:
    """What a network goes through: `epoch(n)` gives the `steps` batches of epoch n, drawn from `rng` alone."""

    steps: int
    epoch: Callable[[int], Iterable[Batch]]
    rng: np.random.Generator


def unheard(epoch: int, value: float) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Checks(Generic[M]):
    """How good the average is every so many epochs, and when to stop: see Plan. `seen` is told each measurement."""

    measure: Callable[[M], float]
    every: int
    patience: int = 0
    seen: Callable[[int, float], None] = unheard


@dataclass(frozen=True)
class Manner:
    """Where and how a network is trained."""

    keeper: Keeper | None = None
    ranks: Ranks = ALONE
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    precision: str = "single"


def train_member(
    member: Member, loader: Loader, rng: np.random.Generator, schedule: Schedule, manner: Manner,
    checks: Checks[Member] | None = None,
) -> Member:  # fmt: skip
    """Train `member` on sentences; returns the moving average of it, in evaluation mode."""
    course = Course(loader.steps(schedule.batch), lambda _: loader.epoch(schedule.batch), rng)
    return descend(member, course, sentence_loss, schedule, manner, checks)


def descend(
    model: M, course: Course, loss_of: Callable[[M, Batch], Tensor], schedule: Schedule, manner: Manner,
    checks: Checks[M] | None = None,
) -> M:  # fmt: skip
    """Train `model` in place; returns the moving average of it, in evaluation mode, on the CPU.

    Goes on from the keeper's checkpoint if there is one. With checks and patience it is the best average that is kept.
    """
    run = _Run(model, course, loss_of, schedule, manner)
    epoch = run.resume()
    while epoch < schedule.epochs and not run.over:
        epoch += 1
        run.epoch(epoch, checks)
    return run.kept.cpu()


class _Run(Generic[M]):
    """The state of one descent."""

    def __init__(
        self, model: M, course: Course, loss_of: Callable[[M, Batch], Tensor], schedule: Schedule, manner: Manner
    ) -> None:
        self.course, self.schedule, self.manner = course, schedule, manner
        self.model = model.to(manner.device)
        self.loss: nn.Module = _Loss(self.model, loss_of)
        if manner.ranks.size > 1:
            if manner.ranks.rank:
                torch.manual_seed(torch.initial_seed() + manner.ranks.rank)  # so that each drops other features
            self.loss = DistributedDataParallel(self.loss, find_unused_parameters=isinstance(model, WordHead))
        self.kept = copy.deepcopy(self.model).eval()  # after the ranks have agreed on where they start
        self.optimiser = torch.optim.AdamW(model.parameters(), lr=schedule.rate, weight_decay=schedule.decay)
        self.rates = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser,
            schedule.rate,
            total_steps=schedule.epochs * course.steps + 1,
            pct_start=schedule.warm_up,
            cycle_momentum=False,
        )
        self.scaler = torch.amp.GradScaler(manner.device.type, enabled=manner.precision == "float16")
        self.step, self.over = 0, False
        self.best: dict[str, Any] = {"value": math.inf, "missed": 0, "weights": {}}

    def epoch(self, number: int, checks: Checks[M] | None) -> None:
        """One epoch, measured and kept."""
        began, total, steps = time.monotonic(), 0.0, self.course.steps
        self.model.train()
        for batch in self.course.epoch(number - 1):
            total += self._descend(batch)
        told: dict[str, float | int] = {
            "step": self.step,
            "epoch": number,
            "epochs": self.schedule.epochs,
            "loss": round(self.manner.ranks.mean(total / max(steps, 1), self.manner.device), 5),
            "rate": float(self.rates.get_last_lr()[0]),
        }
        if checks is not None and checks.every and (number % checks.every == 0 or number == self.schedule.epochs):
            told["validation_wer"] = self._check(checks, number)
        self._keep(number, {**told, "seconds": round(time.monotonic() - began, 2)})
        if checks is not None and "validation_wer" in told:
            checks.seen(number, told["validation_wer"])

    def _descend(self, batch: Batch) -> float:
        manner = self.manner
        half = HALVES.get(manner.precision)
        with torch.autocast(manner.device.type, half or torch.bfloat16, enabled=half is not None):
            loss = self.loss(batch.to(manner.device))
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimiser)
        nn.utils.clip_grad_norm_(self.model.parameters(), self.schedule.clip)
        scale = self.scaler.get_scale()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        if self.scaler.get_scale() >= scale:  # else the gradient was too large for half precision and was left out
            self.rates.step()
        self.step += 1
        _follow(self.kept, self.model, min(self.schedule.average, self.step / (self.step + 10)))
        return float(loss.item())

    def _check(self, checks: Checks[M], number: int) -> float:
        """Measure the average; the best one so far is remembered where patience can end."""
        value = checks.measure(self.kept)
        if not checks.patience:
            return value
        if value < self.best["value"]:
            weights = {name: weight.clone() for name, weight in self.kept.state_dict().items()}
            self.best = {"value": value, "missed": 0, "weights": weights}
        else:
            self.best = {**self.best, "missed": self.best["missed"] + 1}
        self.over = self.best["missed"] >= checks.patience
        if self.over or number == self.schedule.epochs:
            self.kept.load_state_dict(self.best["weights"])
        return value

    def _keep(self, number: int, told: dict[str, Any]) -> None:
        """Curve, then checkpoint: a line without its checkpoint is cut off where the training goes on."""
        keeper, ranks = self.manner.keeper, self.manner.ranks
        if keeper is None:
            return
        draws = ranks.all_of(torch.get_rng_state())
        cuda = self.manner.device.type == "cuda"
        drops = ranks.all_of(torch.cuda.get_rng_state(self.manner.device)) if cuda else []
        if ranks.rank:
            return
        keeper.tell(told)
        state = {
            "epoch": number,
            "step": self.step,
            "over": self.over,
            "best": self.best,
            "model": self.model.state_dict(),
            "kept": self.kept.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rates": self.rates.state_dict(),
            "scaler": self.scaler.state_dict(),
            "draws": draws,
            "drops": drops,
            "loader": json.dumps(self.course.rng.bit_generator.state),
        }
        keeper.save(state)

    def resume(self) -> int:
        """Take up the last checkpoint; returns the epochs that are done."""
        keeper, ranks = self.manner.keeper, self.manner.ranks
        if keeper is None:
            return 0
        state = ranks.first_ones(keeper.load() if ranks.rank == 0 else None)
        if state is None:
            return 0
        self.model.load_state_dict(state["model"])
        self.kept.load_state_dict(state["kept"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.rates.load_state_dict(state["rates"])
        self.scaler.load_state_dict(state["scaler"])
        self.step, self.over, self.best = state["step"], state["over"], state["best"]
        torch.set_rng_state(state["draws"][ranks.rank])
        if state["drops"]:
            torch.cuda.set_rng_state(state["drops"][ranks.rank], self.manner.device)
        self.course.rng.bit_generator.state = json.loads(state["loader"])
        return int(state["epoch"])


class _Loss(nn.Module):
    """A network with its loss as one module: what ranks average the gradients of."""

    def __init__(self, model: nn.Module, loss_of: Callable[[Any, Batch], Tensor]) -> None:
        super().__init__()
        self.model, self.loss_of = model, loss_of

    def forward(self, batch: Batch) -> Tensor:
        return self.loss_of(self.model, batch)


def sentence_loss(member: Member, batch: Batch) -> Tensor:
    """The four losses of a batch, weighted and summed."""
    mask = time_mask(batch.length, batch.components.shape[1])
    first, top = member.trunk(member.streams(batch.components, batch.points, mask), batch.length)
    beyond = mask[..., 0] == 0
    words, phones = (labels.masked_fill(beyond, IGNORED) for labels in (batch.words, batch.phones))
    said = WORD * _frames(member.words(top), words, 0.05) + PHONE * _frames(member.phones(top), phones, 0.0)
    spelled = CTC * _ctc(member.characters(top), batch) + EARLY * _ctc(member.early(first), batch)
    return batch.frames_share * said + batch.clips_share * spelled


def _frames(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Cross-entropy of the labelled frames; 0 where there are none."""
    if bool((labels == IGNORED).all()):
        return 0 * logits.sum()
    return cross_entropy(logits, labels, smoothing)


def cross_entropy(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Mean over the labelled frames: logits (batch, frames, classes), labels (batch, frames).

    On a GPU as one row of frames, since torch has no deterministic kernel there for more; on a CPU as ever, since the
    other way rounds otherwise and shipped models are to be trained again bit for bit.
    """
    logits, labels = (logits.flatten(0, 1), labels.flatten()) if logits.is_cuda else (logits.transpose(1, 2), labels)
    return functional.cross_entropy(logits, labels, ignore_index=IGNORED, label_smoothing=smoothing)


def _ctc(logits: Tensor, batch: Batch) -> Tensor:
    """On the CPU, wherever the rest is: CTC's gradient on a GPU is another with each run."""
    logp = logits.float().log_softmax(-1).transpose(0, 1).cpu()
    characters, length, counts = (each.cpu() for each in (batch.characters, batch.length, batch.character_counts))
    loss = functional.ctc_loss(logp, characters, length, counts, blank=BLANK, zero_infinity=True)
    return loss.to(logits.device)


def _follow(kept: nn.Module, member: nn.Module, share: float) -> None:
    """Move the average towards the weights as they are now."""
    with torch.no_grad():
        for average, now in zip(kept.parameters(), member.parameters(), strict=True):
            average.lerp_(now, 1 - share)
