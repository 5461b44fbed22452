"""The members and their word heads, each trained in a process of its own on one thread: same seed, same weights.

near    learns the known speaker alone, hardly augmented; its word head makes the word model
second  the same from another seed, a little more augmented: its word frames make the near ones less cocksure
far     learns what changes within a clip, heavily augmented, from all speakers that may train
far-s2  (s3, s5) the same, shorter, with that speaker left out: readings of real strangers to calibrate on
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from lipsol.model.networks import Eye, Member, Sizes, WordHead
from lipsol.text.alphabet import ALPHABETS
from lipsol.training.corpus import KNOWN_SPEAKER, LANGUAGE, Corpus
from lipsol.training.examples import HEAVY, LIGHT, Augmentation, Loader
from lipsol.training.fit import fit_eye
from lipsol.training.loop import Schedule, train_member
from lipsol.training.manifest import Item
from lipsol.training.phones import PHONES
from lipsol.training.words import Cuts, train_word_head

REPEATS = 3  # how often an epoch draws each clip of the other speakers
SECOND = dataclasses.replace(LIGHT, shift_px=0.75, scale=0.02, turn_deg=1.5)
FAR_CONV, FAR_HIDDEN = 256, 128  # smaller, so that three members fit a bundle


@dataclass(frozen=True)
class Plan:
    """How long each part trains."""

    near: Schedule = Schedule(epochs=80)
    second: Schedule = Schedule(epochs=45)
    far: Schedule = Schedule(epochs=50)
    left_out: Schedule = Schedule(epochs=12)
    word: Schedule = Schedule(epochs=8, rate=1e-3, batch=64)
    left_out_word: Schedule = Schedule(epochs=2, rate=1e-3, batch=64)


@dataclass(frozen=True)
class Trained:
    """What one process brings back; `head` None for a member that has no say in the word model."""

    eye: Eye
    member: Member
    head: WordHead | None


@dataclass(frozen=True)
class Task:
    """One member to train: `kind` "near", "second" or "far"; `without` names a speaker that a far one never sees."""

    kind: str
    without: str = ""

    @property
    def name(self) -> str:
        """The member's name in files and messages."""
        return f"{self.kind}-{self.without}" if self.without else self.kind


def train_member_of(task: Task, corpus: Corpus, plan: Plan, seed: int, report: Callable[[str], None]) -> Trained:
    """Train what the task asks for."""
    eye = _prepare(corpus, seed)
    known = corpus.known("train")
    if task.kind == "near":
        teach = Teacher(corpus, eye, LIGHT, seed, report)
        member = teach.member(teach.new(still=True), known, plan.near)
        return Trained(eye, member, teach.words(member, known, plan.word))
    if task.kind == "second":
        torch.manual_seed(seed + 1)
        teach = Teacher(corpus, eye, SECOND, seed + 1, report)
        return Trained(eye, teach.member(teach.new(still=True), known, plan.second), None)
    teach = Teacher(corpus, eye, HEAVY, seed, report)
    items = [*known, *corpus.others("train", task.without)]
    sentence, word = (plan.left_out, plan.left_out_word) if task.without else (plan.far, plan.word)
    member = teach.member(teach.new(still=False), items, sentence)
    return Trained(eye, member, teach.words(member, items, word))


def run(task: Task, data: Path, cache: Path, plan: Plan, seed: int) -> Path:
    """One training process; returns the file that holds its `Trained`."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    report = partial(_say, task.name)
    corpus = Corpus.load(data, cache, 1, report)
    file = cache / f"{task.name}-{seed}.pt"
    torch.save(train_member_of(task, corpus, plan, seed, report), file)
    return file


def _prepare(corpus: Corpus, seed: int) -> Eye:
    """Seed torch and fit the eye: the same in every process."""
    torch.manual_seed(seed)
    return fit_eye(corpus.examples_of([*corpus.known("train"), *corpus.others("train")]), Sizes().components, seed)


@dataclass(frozen=True)
class Teacher:
    """What every part of one process's training shares."""

    corpus: Corpus
    eye: Eye
    how: Augmentation
    seed: int
    report: Callable[[str], None]

    def new(self, still: bool) -> Member:
        """An untrained member."""
        sizes = Sizes(
            words=len(self.corpus.vocabulary),
            characters=len(ALPHABETS[LANGUAGE].characters),
            phones=len(PHONES),
            still=still,
        )
        return Member(sizes if still else dataclasses.replace(sizes, conv=FAR_CONV, hidden=FAR_HIDDEN))

    def member(self, member: Member, items: Sequence[Item], schedule: Schedule) -> Member:
        """Train a member on whole sentences."""
        loader = Loader(self.corpus.examples_of(items), self._repeats(items), self.eye, self.how, self.seed)
        return train_member(member, loader, schedule, self.report)

    def words(self, member: Member, items: Sequence[Item], schedule: Schedule) -> WordHead:
        """Train a word head on cut-out words; the member itself stays as it is."""
        whole = dataclasses.replace(self.how, trimmed=0.0, mask_frames=0)
        cuts = Cuts(items, self.corpus.examples_of(items), self._repeats(items), self.corpus.vocabulary)
        return train_word_head(member, cuts, self.eye, whole, schedule, self.seed, self.report)

    def _repeats(self, items: Sequence[Item]) -> list[int]:
        return [1 if item.speaker == KNOWN_SPEAKER else REPEATS for item in items]


def _say(kind: str, line: str) -> None:
    print(f"[{kind}] {line}", flush=True)
