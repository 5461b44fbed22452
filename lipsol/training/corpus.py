"""Everything a training process needs of the corpus, in memory: items, examples, vocabulary."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lipsol.clips.clip import MouthClip
from lipsol.text.alphabet import ALPHABETS
from lipsol.text.grammar import Grammar
from lipsol.training.examples import Example, example_of
from lipsol.training.features import mouths_of
from lipsol.training.manifest import Item, Split, grid_items

KNOWN_SPEAKER = "s1"
UNSEEN_SPEAKER = "s4"
GRAMMAR = "grid"
LANGUAGE = "en"


@dataclass(frozen=True)
class Corpus:
    """Items that can be read, in a fixed order, with their mouths and examples by item name."""

    items: Sequence[Item]
    mouths: Mapping[str, MouthClip]
    examples: Mapping[str, Example]
    vocabulary: tuple[str, ...]

    @classmethod
    def load(cls, data: Path, cache: Path, workers: int, report: Callable[[str], None]) -> "Corpus":
        """Watch what the cache lacks, then load everything (about 0.8 MB a clip)."""
        items = grid_items(data)
        mouths = mouths_of(items, cache, workers, report)
        vocabulary = Grammar.named(GRAMMAR).words
        kept = [item for item in items if item.name in mouths]
        alphabet = ALPHABETS[LANGUAGE]
        return cls(
            kept,
            mouths,
            {item.name: example_of(item, mouths[item.name], alphabet, vocabulary) for item in kept},
            vocabulary,
        )

    def known(self, split: Split) -> list[Item]:
        """The known speaker's items of a split."""
        return [item for item in self.items if item.speaker == KNOWN_SPEAKER and item.split == split]

    def others(self, split: Split, without: str = "", only: str = "") -> list[Item]:
        """The other speakers' items of a split, all but those of `without`, or those of `only` alone."""
        items = [item for item in self.items if item.speaker not in (KNOWN_SPEAKER, without) and item.split == split]
        return [item for item in items if not only or item.speaker == only]

    def examples_of(self, items: Sequence[Item]) -> list[Example]:
        """The items' examples."""
        return [self.examples[item.name] for item in items]

    def other_speakers(self) -> list[str]:
        """Speakers beside the known one that training may use."""
        return sorted({item.speaker for item in self.others("train")})
