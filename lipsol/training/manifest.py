"""GRID on disk -> items with their transcript, word times and split.

The split is a law, not a choice of a run: `sha256(stem)[0]` decides. Clips that are held back for an independent test
are never listed, so nothing behind this module can open them.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lipsol.errors import BadInput

Split = Literal["train", "validation", "test", "unseen"]
SILENCE = ("sil", "sp")
UNITS_A_FRAME = 1000  # GRID's alignments count thousandths of a frame at 25 frames a second


@dataclass(frozen=True)
class Spoken:
    """One word of an alignment: said in frames start (kept) to end (not kept)."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Item:
    """One clip of the corpus."""

    path: Path
    speaker: str
    words: tuple[Spoken, ...]
    split: Split

    @property
    def text(self) -> str:
        """The transcript."""
        return " ".join(word.text for word in self.words)

    @property
    def name(self) -> str:
        """Speaker and stem: the clip's name in caches and reports."""
        return f"{self.speaker}_{self.path.stem}"


def split_of(speaker: str, stem: str) -> Split | None:
    """Where a clip belongs; None: held back, never to be opened.

    s1 is the known speaker; s2, s3 and s5 train and test by turns; s4 is never trained on.
    """
    first = hashlib.sha256(stem.encode()).digest()[0]
    if speaker == "s1":
        if first < 26:
            return None
        return "test" if first < 52 else "validation" if first < 78 else "train"
    if speaker == "s4":
        return "unseen"
    return "train" if first % 2 == 0 else "test"


def is_spread(item: Item) -> bool:
    """Whether a clip's sentence is not one of the alphabet's first, which all say the same (the data's trap)."""
    return not item.path.stem.startswith(("bba", "bbb"))


def read_alignment(path: Path) -> tuple[Spoken, ...]:
    """The words of one .align file, silence left out. Raises BadInput naming the line that is wrong."""
    words = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        parts = line.split()
        if len(parts) != 3 or not (parts[0].isdigit() and parts[1].isdigit()):
            raise BadInput(
                f"{path.name} line {number} reads {line!r}", "write start, end (thousandths of a frame) and word"
            )
        if parts[2] not in SILENCE:
            words.append(Spoken(parts[2], round(int(parts[0]) / UNITS_A_FRAME), round(int(parts[1]) / UNITS_A_FRAME)))
    return tuple(words)


def grid_items(data: Path) -> list[Item]:
    """All usable clips below `data` (the folder that holds s1, speakers and align), in a fixed order.

    Raises BadInput if the folder holds none.
    """
    folders = [data / "s1", *sorted((data / "speakers").glob("s*"))]
    items = []
    for folder in folders:
        for path in sorted(folder.glob("*.mp4")):
            split = split_of(folder.name, path.stem)
            if split is not None:
                items.append(
                    Item(path, folder.name, read_alignment(data / "align" / folder.name / f"{path.stem}.align"), split)
                )
    if not items:
        raise BadInput(
            f"no GRID clips (s1/*.mp4) under {data}", "point --data at the folder that holds s1, speakers and align"
        )
    return items
