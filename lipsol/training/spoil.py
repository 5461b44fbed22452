"""Data made worse on purpose, so that it can be shown that what was learnt from it is stopped."""

from dataclasses import replace
from itertools import pairwise
from typing import Literal

import numpy as np

from lipsol.data.dataset import Dataset, Item, Spoken

Spoil = Literal["", "shuffled labels"]


def spoilt(dataset: Dataset, spoil: Spoil, seed: int) -> Dataset:
    """The data set; with "shuffled labels", its training clips' labels dealt anew among them by the seed."""
    if not spoil:
        return dataset
    training = [n for n, item in enumerate(dataset.items) if item.split == "train"]
    dealt = np.random.default_rng(seed).permutation(training)
    taken = {int(n): dataset.items[int(other)] for n, other in zip(training, dealt, strict=True)}
    items = (_labelled(item, taken[n]) if n in taken else item for n, item in enumerate(dataset.items))
    return replace(dataset, items=tuple(items))


def _labelled(item: Item, other: Item) -> Item:
    """The item with another's text, at its own words' times as far as it has any, so that they lie within the clip."""
    said, own = other.text.split(), item.words
    if own and len(own) == len(said):
        words = tuple(replace(word, text=text) for word, text in zip(own, said, strict=True))
    elif own:
        edges = np.linspace(own[0].start, own[-1].end, len(said) + 1).astype(int).tolist()
        words = tuple(Spoken(text, *ends) for text, ends in zip(said, pairwise(edges), strict=True))
    else:
        words = ()
    return replace(item, words=words, text=other.text)
