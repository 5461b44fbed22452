"""GRID as its publisher lays it out -> a data set.

The split is a law, not a choice of a run: `sha256(stem)[0]` decides. Clips that are held back for an independent test
are never listed, so nothing behind this module can open them.
"""

import hashlib
from pathlib import Path

from lipsol.data.dataset import Dataset, Item, Split, Spoken
from lipsol.errors import BadInput

SILENCE = ("sil", "sp")
UNITS_A_FRAME = 1000  # GRID's alignments count thousandths of a frame at 25 frames a second
LICENCE = "CC-BY-4.0"
SPLIT = (
    "by sha256(stem)[0]; s1: 0-25 never used, 26-51 test, 52-77 validation, the rest training; "
    "s2, s3, s5: even training, odd test; s4: unseen"
)
ATTRIBUTION = (
    'M. Cooke, J. Barker, S. Cunningham, X. Shao, "An audio-visual corpus for speech perception and automatic speech '
    'recognition", JASA 120(5), 2006; the GRID corpus, CC BY 4.0'
)


def read(data: Path) -> Dataset:
    """All usable clips below `data` (the folder that holds s1, speakers and align), in a fixed order.

    Raises BadInput if the folder holds none, or an alignment is not there or wrong.
    """
    folders = [data / "s1", *sorted((data / "speakers").glob("s*"))]
    items = []
    for folder in folders:
        for path in sorted(folder.glob("*.mp4")):
            split = split_of(folder.name, path.stem)
            if split is not None:
                words = read_alignment(data / "align" / folder.name / f"{path.stem}.align")
                items.append(Item(path, folder.name, words, split, " ".join(word.text for word in words)))
    if not items:
        raise BadInput(
            f"no GRID clips (s1/*.mp4) and no dataset.json under {data}",
            "point --data at a data set, or at the folder that holds GRID's s1, speakers and align",
        )
    return Dataset(
        name="grid", language="en", grammar="grid", home=("s1",), items=tuple(items), licence=LICENCE,
        attribution=ATTRIBUTION, split=SPLIT, corpus="GRID", names="grid", synthetic=False, folder=data,
    )  # fmt: skip


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
    return not item.id.startswith(("bba", "bbb"))


def read_alignment(path: Path) -> tuple[Spoken, ...]:
    """The words of one .align file, silence left out. Raises BadInput naming the file, or the line that is wrong."""
    try:
        text = path.read_text()
    except OSError as fault:
        raise BadInput(f"the alignment {path} can't be read ({fault.strerror})", "give each clip its own") from fault
    words = []
    for number, line in enumerate(text.splitlines(), start=1):
        parts = line.split()
        if len(parts) != 3 or not (parts[0].isdigit() and parts[1].isdigit()):
            raise BadInput(
                f"{path.name} line {number} reads {line!r}", "write start, end (thousandths of a frame) and word"
            )
        if parts[2] not in SILENCE:
            words.append(Spoken(parts[2], round(int(parts[0]) / UNITS_A_FRAME), round(int(parts[1]) / UNITS_A_FRAME)))
    return tuple(words)
