"""Everything a training process needs of a data set, in memory: items, examples, vocabulary, phones."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lipsol.clips.clip import MouthClip
from lipsol.data.dataset import Dataset, Item, Split
from lipsol.data.grid import is_spread
from lipsol.data.mouths import mouths_of
from lipsol.errors import BadInput
from lipsol.text.alphabet import ALPHABETS
from lipsol.text.grammar import Grammar
from lipsol.training.examples import Example, Labels, example_of
from lipsol.training.phones import inventory

FOLDS = 3  # parts at most into which the other speakers fall, each left out once
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
        kept = [item for item in dataset.items if item.name in mouths]
        labels = labels_of(dataset)
        examples = {item.name: example_of(item, mouths[item.name], labels) for item in kept}
        corpus = cls(dataset, kept, mouths, examples, labels)
        for split in ("train", "validation"):
            if not corpus.known(split):
                raise BadInput(
                    f"{dataset.name} has no readable {split} clip of {', '.join(dataset.home) or 'a home speaker'}",
                    "name in dataset.json's home who has some",
                )
        return corpus

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
        speakers = sorted({item.speaker for item in self.others("train")})
        if len(speakers) <= FOLDS:
            return {speaker: (speaker,) for speaker in speakers}
        return {f"fold{n + 1}": tuple(speakers[n::FOLDS]) for n in range(FOLDS)}

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
        said = {item.text for item in self.items if item.split == "train"}
        new = [item for item in unseen if item.text not in said]
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


def labels_of(dataset: Dataset) -> Labels:
    """The classes of a data set: its grammar's words, its language's characters, the sounds of the words."""
    vocabulary = Grammar.named(dataset.grammar).words
    classes = inventory(vocabulary, dataset.language)
    return Labels(ALPHABETS[dataset.language], vocabulary, classes)
