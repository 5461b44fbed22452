"""Everything a training process needs of a data set, in memory: items, examples, vocabulary, phones."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lipsol.clips.clip import MouthClip
from lipsol.data.dataset import Dataset, Item, Split
from lipsol.data.grid import is_spread
from lipsol.data.mouths import mouths_of
from lipsol.evaluation.reading import training_texts
from lipsol.text.alphabet import ALPHABETS, normalise
from lipsol.text.grammar import Grammar
from lipsol.training.examples import Example, Labels, example_of
from lipsol.training.phones import inventory
from lipsol.training.tasks import folds_of, readable

REPEATS = 3  # how often an epoch draws each clip of the other speakers, where they have fewer than those at home


@dataclass(frozen=True)
class Corpus:
    """Items that can be read, in a fixed order, with their mouths and examples by item name.

    The home speakers are the known ones; the others are all but the unseen, of whom training knows a little.
    """

    dataset: Dataset
    items: Sequence[Item]
    mouths: Mapping[str, MouthClip]
    examples: Mapping[str, Example]
    labels: Labels

    @classmethod
    def load(cls, dataset: Dataset, cache: Path, workers: int, report: Callable[[str], None]) -> "Corpus":
        """Watch what the cache lacks, then load everything (about 0.8 MB a clip).

        Raises BadInput if no clip of a home speaker is left to learn from, or to validate on.
        """
        mouths = mouths_of(dataset.items, cache, workers, report)
        kept = readable(dataset, {item.name for item in dataset.items} - mouths.keys())
        labels = labels_of(dataset)
        examples = {item.name: example_of(item, mouths[item.name], labels) for item in kept}
        return cls(dataset, kept, mouths, examples, labels)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """All words, in the order of their classes."""
        return self.labels.vocabulary

    def known(self, split: Split) -> list[Item]:
        """The home speakers' items of a split."""
        return [item for item in self.items if item.speaker in self.dataset.home and item.split == split]

    def others(self, split: Split, without: Collection[str] = (), only: Collection[str] = ()) -> list[Item]:
        """The other speakers' items of a split, all but those of `without`, or those of `only` alone."""
        away = {*self.dataset.home, *without}
        items = [item for item in self.items if item.speaker not in away and item.split == split]
        return [item for item in items if not only or item.speaker in only]

    def folds(self) -> dict[str, tuple[str, ...]]:
        """Name -> speakers that are left out together, so that every other speaker is read as a stranger once."""
        return folds_of(self.items, self.dataset.home)

    def repeats(self, items: Sequence[Item]) -> list[int]:
        """How often an epoch draws each."""
        often = REPEATS if len(self.known("train")) > len(self.others("train")) else 1
        return [1 if item.speaker in self.dataset.home else often for item in items]

    def groups(self) -> dict[str, list[Item]]:
        """What a bundle is scored on: known speakers, speakers it heard a little of, and such as it never did.

        Of these also those with sentences that nobody says in training, where that is some of them and not all.
        """
        unseen = [item for item in self.items if item.split == "unseen"]
        spread = [item for item in unseen if is_spread(item)] if self.dataset.names == "grid" else []
        said = frozenset(training_texts(self.dataset))
        new = [item for item in unseen if normalise(item.text, self.dataset.language) not in said]
        return {
            "known speaker, test": self.known("test"),
            "known speaker, validation": self.known("validation"),
            "other speakers, test": self.others("test"),
            "unseen speaker, spread": spread,
            "unseen speaker, new sentences": new if len(new) < len(unseen) else [],
            "unseen speaker, all": unseen,
        }

    def examples_of(self, items: Sequence[Item]) -> list[Example]:
        """The items' examples."""
        return [self.examples[item.name] for item in items]


def unsaid(said: str) -> None:
    """It was said before: a report for whoever loads what another process has told of."""


def labels_of(dataset: Dataset) -> Labels:
    """The classes of a data set: its grammar's words, its language's characters, the sounds of the words."""
    vocabulary = Grammar.named(dataset.grammar).words
    classes = inventory(vocabulary, dataset.language)
    return Labels(ALPHABETS[dataset.language], vocabulary, classes)
