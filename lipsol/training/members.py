"""The members of `lipsol.training.tasks` and their word heads, each trained on one thread: same seed, same weights."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lipsol.data.dataset import Item
from lipsol.model.networks import Eye, Member, Sizes, WordHead
from lipsol.training.checkpoints import Keeper, write
from lipsol.training.corpus import Corpus
from lipsol.training.examples import Loader
from lipsol.training.fit import fit_eye
from lipsol.training.loop import Checks, Manner, train_member, unheard
from lipsol.training.measure import validation_wer
from lipsol.training.plan import Augmentation, Plan, Schedule
from lipsol.training.tasks import Task
from lipsol.training.words import Cuts, train_word_head

FAR_CONV, FAR_HIDDEN = 256, 128  # smaller, so that three members fit a bundle
Seen = Callable[[int, float], None]


@dataclass(frozen=True)
class Trained:
    """What one process brings back; `head` None for a member that has no say in the word model."""

    eye: Eye
    member: Member
    head: WordHead | None


def train_member_of(task: Task, corpus: Corpus, plan: Plan, seed: int, manner: Manner, seen: Seen = unheard) -> Trained:
    """Train what the task asks for; `seen` is told the epoch and the validation WER each time it is measured."""
    torch.manual_seed(seed)  # the eye is the same in every process
    fitted = corpus.examples_of([*corpus.known("train"), *corpus.others("train")])
    eye = fit_eye(fitted, Sizes().components, seed, plan.whitening)
    known = corpus.known("train")
    if task.kind == "near":
        teach = Teacher(corpus, eye, plan, plan.light, seed, manner, seen)
        member = teach.member(teach.new(still=True), known, plan.near)
        return Trained(eye, member, teach.words(member, known, plan.word))
    if task.kind == "second":
        torch.manual_seed(seed + 1)
        teach = Teacher(corpus, eye, plan, plan.light_too, seed + 1, manner, seen)
        return Trained(eye, teach.member(teach.new(still=True), known, plan.second), None)
    teach = Teacher(corpus, eye, plan, plan.heavy, seed, manner, seen)
    left_out = corpus.folds()[task.fold] if task.fold else ()
    items = [*known, *corpus.others("train", left_out)]
    sentence, word = (plan.left_out, plan.left_out_word) if task.fold else (plan.far, plan.word)
    member = teach.member(teach.new(still=False), items, sentence)
    return Trained(eye, member, teach.words(member, items, word))


def finish(task: Task, corpus: Corpus, plan: Plan, seed: int, manner: Manner, folder: Path) -> Path:
    """The task's file in `folder`, trained unless it is there; checkpoints are taken up, and gone when it is."""
    file = folder / f"{task.name}.pt"
    if file.exists():
        return file
    kept = dataclasses.replace(manner, keeper=Keeper(folder, task.name))
    trained = train_member_of(task, corpus, plan, seed, kept, unheard)
    if manner.ranks.rank == 0:
        write(file, trained)
        for checkpoint in folder.glob(f"{task.name}.*.checkpoint"):
            checkpoint.unlink()
    return file


@dataclass(frozen=True)
class Teacher:
    """What every part of one member's training shares."""

    corpus: Corpus
    eye: Eye
    plan: Plan
    how: Augmentation
    seed: int
    manner: Manner
    seen: Seen

    def new(self, still: bool) -> Member:
        """An untrained member."""
        labels = self.corpus.labels
        sizes = Sizes(
            components=self.eye.components.shape[1],  # fewer than asked for of very few clips
            words=len(labels.vocabulary),
            characters=len(labels.alphabet.characters),
            phones=len(labels.phones),
            dropout=self.plan.dropout,
            still=still,
        )
        return Member(sizes if still else dataclasses.replace(sizes, conv=FAR_CONV, hidden=FAR_HIDDEN))

    def member(self, member: Member, items: Sequence[Item], schedule: Schedule) -> Member:
        """Train a member on whole sentences."""
        rng = np.random.default_rng(self.seed)
        examples, repeats = self.corpus.examples_of(items), self.corpus.repeats(items)
        loader = Loader(examples, repeats, self.eye, self.how, rng, self.manner.ranks)
        checks = Checks(self._wer, self.plan.check_every, self.plan.patience, self.seen)
        return train_member(member, loader, rng, schedule, self.manner, checks)

    def words(self, member: Member, items: Sequence[Item], schedule: Schedule) -> WordHead:
        """Train a word head on cut-out words; the member itself stays as it is."""
        whole = dataclasses.replace(self.how, trimmed=0.0, mask_frames=0)
        manner = self.manner
        if manner.keeper is not None:
            manner = dataclasses.replace(manner, keeper=dataclasses.replace(manner.keeper, part="words"))
        cuts = Cuts(items, self.corpus.examples_of(items), self.corpus.repeats(items), self.corpus.labels)
        return train_word_head(member, cuts, self.eye, whole, schedule, self.seed, manner)

    def _wer(self, member: Member) -> float:
        return validation_wer(member, self.eye, self.corpus)
