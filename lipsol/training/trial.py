"""One short training to compare plans by: the near member alone, and how many validation words it gets wrong."""

from collections.abc import Callable
from pathlib import Path

import torch

from lipsol.data.dataset import Dataset
from lipsol.model.networks import Sizes
from lipsol.training.checkpoints import Keeper
from lipsol.training.corpus import Corpus
from lipsol.training.fit import fit_eye
from lipsol.training.loop import Manner
from lipsol.training.measure import validation_wer
from lipsol.training.members import Teacher
from lipsol.training.plan import Plan
from lipsol.training.ranks import one_way

Seen = Callable[[int, float], None]


def near_wer(dataset: Dataset, cache: Path, folder: Path, plan: Plan, seed: int, seen: Seen) -> float:
    """Word error rate on the home speakers' validation clips, bound by the grammar, after `plan.near`.

    `seen` is told the epoch and the WER each time `plan.check_every` asks for it; what it raises ends the training, and
    the next call goes on behind that epoch, from the checkpoint in `folder`.
    """
    one_way()
    torch.manual_seed(seed)
    corpus = Corpus.load(dataset, cache, 1, _unsaid)
    known = corpus.known("train")
    fitted = corpus.examples_of([*known, *corpus.others("train")])
    eye = fit_eye(fitted, Sizes().components, seed, plan.whitening)
    teach = Teacher(corpus, eye, plan, plan.light, seed, Manner(Keeper(folder, "near")), seen)
    member = teach.member(teach.new(still=True), known, plan.near)
    return validation_wer(member, eye, corpus)


def _unsaid(line: str) -> None:
    """A trial among many says nothing of its clips."""
