"""What there is to train, by name, and whose clips each part leaves out. Needs no torch.

near    learns the home speakers alone, hardly augmented; its word head makes the word model
second  the same from another seed, a little more augmented: its word frames make the near ones less cocksure
far     learns what changes within a clip, heavily augmented, from all speakers that may train
far-s2  (s3, s5; of many speakers far-fold1, 2, 3) the same, shorter, with those speakers left out: readings of real
        strangers to calibrate on
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from lipsol.data.dataset import Dataset, Item
from lipsol.errors import BadInput

FAR = "far"
FOLDS = 3  # parts at most into which the other speakers fall, each left out once


@dataclass(frozen=True)
class Task:
    """One member to train: `kind` "near", "second" or "far"; `fold` names speakers that a far one never sees."""

    kind: str
    fold: str = ""

    @property
    def name(self) -> str:
        """The member's name in files and messages."""
        return f"{self.kind}-{self.fold}" if self.fold else self.kind


def tasks_of(folds: Iterable[str], most: int = FOLDS) -> list[Task]:
    """All that a pair of bundles needs, the longest first; most: how many of the folds are left out."""
    return [Task("near"), Task(FAR), Task("second"), *(Task(FAR, fold) for fold in islice(folds, most))]


def folds_of(items: Iterable[Item], home: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Name -> speakers that are left out together, so that every other speaker is read as a stranger once."""
    speakers = sorted({item.speaker for item in items if item.split == "train" and item.speaker not in home})
    if len(speakers) <= FOLDS:
        return {speaker: (speaker,) for speaker in speakers}
    return {f"fold{n + 1}": tuple(speakers[n::FOLDS]) for n in range(FOLDS)}


def readable(dataset: Dataset, faults: Collection[str]) -> Sequence[Item]:
    """The items that can be read, in the data set's order; faults: names of those that can't.

    Raises BadInput if no clip of a home speaker is left to learn from, or to validate on.
    """
    kept = [item for item in dataset.items if item.name not in faults]
    for split in ("train", "validation"):
        if not any(item.split == split and item.speaker in dataset.home for item in kept):
            raise BadInput(
                f"{dataset.name} has no readable {split} clip of {', '.join(dataset.home) or 'a home speaker'}",
                "name in dataset.json's home who has some",
            )
    return kept
