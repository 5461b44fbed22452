"""The word model: a member of the sentence model, its frame features pooled, taught to name one cut-out word."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lipsol.data.dataset import Item, word_span
from lipsol.model.networks import Eye, Member, WordHead
from lipsol.training.examples import Batch, Example, Labels, Loader
from lipsol.training.loop import Course, Manner, descend
from lipsol.training.plan import Augmentation, Schedule

CONTEXT = (0, 5)  # frames kept on each side of a word, drawn anew each time (upper bound not included)
SMOOTHING = 0.05  # label smoothing


def cut_words(item: Item, example: Example, labels: Labels, before: int, after: int) -> list[Example]:
    """Each word of a clip as an example of its own, with `before` and `after` frames around it."""
    cuts = []
    for word in item.words:
        start, end = word_span(word, len(example.words), before, after)
        part, label = slice(start, end), torch.tensor([labels.word(item, word.text)])
        cuts.append(
            Example(
                example.mouth[part],
                example.points[part],
                example.words[part],
                example.phones[part],
                label,
                (0, end - start),
            )
        )
    return cuts


@dataclass(frozen=True)
class Cuts:
    """Sentences to cut words from, and how often an epoch draws each."""

    items: Sequence[Item]
    examples: Sequence[Example]
    repeats: Sequence[int]
    labels: Labels

    def draw(self, rng: np.random.Generator) -> tuple[list[Example], list[int]]:
        """All words, each sentence's with a context of its own, and their repeats."""
        cut: list[Example] = []
        often: list[int] = []
        for item, example, repeat in zip(self.items, self.examples, self.repeats, strict=True):
            words = cut_words(item, example, self.labels, int(rng.integers(*CONTEXT)), int(rng.integers(*CONTEXT)))
            cut.extend(words)
            often.extend([repeat] * len(words))
        return cut, often


def train_word_head(
    member: Member, cuts: Cuts, eye: Eye, how: Augmentation, schedule: Schedule, seed: int, manner: Manner
) -> WordHead:
    """Teach a copy of `member` to name words; returns the moving average of it, in evaluation mode."""
    head, rng = WordHead(copy.deepcopy(member)).train(), np.random.default_rng(seed)

    def epoch(number: int) -> Iterator[Batch]:
        cut, often = cuts.draw(rng)
        fresh = np.random.default_rng(seed * 1000 + number)
        return Loader(cut, often, eye, how, fresh, manner.ranks).epoch(schedule.batch)

    words = sum(len(item.words) * repeat for item, repeat in zip(cuts.items, cuts.repeats, strict=True))
    return descend(head, Course(max(1, words // schedule.batch), epoch, rng), word_loss, schedule, manner)


def word_loss(head: WordHead, batch: Batch) -> Tensor:
    """Cross-entropy of the words named."""
    named = head(batch.components, batch.points, batch.length)
    named_rightly = functional.cross_entropy(named, batch.characters - 1, label_smoothing=SMOOTHING)
    return batch.clips_share * named_rightly
