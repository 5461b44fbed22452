"""Data sets: clips with what is said in them, who says it and what they may be used for.

On disk a data set is a folder of two files: `dataset.json` (all that is true of the whole) and `manifest.csv` (a row a
clip: path, text, speaker, language, split, words). A path is relative to the folder and names a video or a mouth clip
(`.npz`, `MouthClip.to_bytes`); words are `bin:12-19 blue:19-25`, frames at 25 a second, empty where nobody aligned
them. The order of the rows is part of a data set: training draws in it.
"""

import csv
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from lipsol.data.whole import write_whole
from lipsol.errors import BadInput

Split = Literal["train", "validation", "test", "unseen"]
FORMAT: Literal[1] = 1  # of dataset.json; another is refused
FACTS, MANIFEST, CLIPS = "dataset.json", "manifest.csv", "clips"
COLUMNS = ("path", "text", "speaker", "language", "split", "words")
SHORTEST = 3  # frames of a cut-out word
_WORD = re.compile(r"(?P<text>\S+):(?P<start>\d{1,6})-(?P<end>\d{1,6})")


@dataclass(frozen=True)
class Spoken:
    """One word of an alignment: said in frames start (kept) to end (not kept), 25 a second."""

    text: str
    start: int
    end: int


def word_span(word: Spoken, frames: int, before: int, after: int) -> tuple[int, int]:
    """Frames of a word with `before` and `after` frames around it, inside the clip, at least SHORTEST."""
    start = max(min(word.start - before, frames - SHORTEST), 0)
    return start, max(min(word.end + after, frames), start + SHORTEST)


@dataclass(frozen=True)
class Item:
    """One clip: its file, who speaks, what is said, and what it may be used for.

    words  the alignment; empty where nobody aligned the clip
    split  train, validation and test hold speakers that training may know; unseen ones it never hears
    """

    path: Path
    speaker: str
    words: tuple[Spoken, ...]
    split: Split
    text: str

    @property
    def id(self) -> str:
        """The file's stem."""
        return self.path.stem

    @property
    def name(self) -> str:
        """Speaker and stem: the clip's name in caches and reports."""
        return f"{self.speaker}_{self.id}"


@dataclass(frozen=True)
class Dataset:
    """Clips and what is true of all of them.

    name       bundles trained on it are called {name}-sentences and {name}-words
    language   of every text; grammar: the packaged grammar its sentences follow
    home       the familiar speakers, whom the near members learn alone
    split      the law by which clips are dealt among splits, in words
    corpus     what its publisher calls it; licence and attribution go into every card
    names      "grid" where a file's name is its transcript by GRID's code, "" where names say nothing; those of
               corrections never do
    synthetic  nobody real was filmed
    folder     where it lies
    """

    name: str
    language: str
    grammar: str
    home: tuple[str, ...]
    items: tuple[Item, ...]
    licence: str
    attribution: str
    split: str
    corpus: str
    names: str
    synthetic: bool
    folder: Path

    def version(self) -> str:
        """SHA-256 (hex) over what training sees: language, grammar, home speakers, and each clip's name, split, text,
        word times and bytes, in order. Where the folder lies changes nothing.
        """  # fmt: skip
        total = hashlib.sha256(_line(self.language, self.grammar, self.home))
        for item in self.items:
            times = [(word.text, word.start, word.end) for word in item.words]
            total.update(_line(item.name, item.split, item.text, times, hashlib.sha256(_bytes(item.path)).hexdigest()))
        return total.hexdigest()

    def speakers(self) -> list[str]:
        """Everybody who is filmed."""
        return sorted({item.speaker for item in self.items})

    def limited(self, clips: int) -> "Dataset":
        """At most so many clips of each speaker and split (0: all), drawn by the hash of their names, in their order.

        The first by name would not do: GRID's all say the same.
        """
        if not clips:
            return self
        groups: dict[tuple[str, str], list[Item]] = {}
        for item in sorted(self.items, key=lambda item: hashlib.sha256(item.name.encode()).digest()):
            groups.setdefault((item.speaker, item.split), []).append(item)
        kept = {item.name for group in groups.values() for item in group[:clips]}
        return replace(self, items=tuple(item for item in self.items if item.name in kept))


class _Facts(BaseModel):
    """dataset.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = FORMAT
    name: str
    language: str
    grammar: str
    home: tuple[str, ...]
    licence: str
    attribution: str
    split: str
    corpus: str
    names: Literal["", "grid"]
    synthetic: bool


def open_dataset(path: Path, wrong: Callable[[int, BadInput], None] | None = None) -> Dataset:
    """The data set in a folder (or whose manifest.csv is named): one that `save` wrote, or GRID's own folder.

    wrong: told of each row (its line's number) that makes no sense, which is then left out.
    Raises BadInput naming the file, the row and the fault. Clips themselves are not opened.
    """
    folder = path.parent if path.name == MANIFEST else path
    if not (folder / FACTS).exists():
        from lipsol.data import grid  # which stands on this module

        return grid.read(folder)
    facts = _facts(folder / FACTS)
    items = []
    for number, row in enumerate(rows_of(folder), start=2):
        try:
            items.append(item_of(row, number, folder, facts.language))
        except BadInput as fault:
            if wrong is None:
                raise
            wrong(number, fault)
    return Dataset(items=tuple(items), folder=folder, **facts.model_dump(exclude={"format"}))


def save(dataset: Dataset, folder: Path, *, copy: bool) -> None:
    """Write a data set into a folder. copy: take the clips along, to clips/SPEAKER; else the manifest points to them.

    dataset.json is written last, so a folder that has one is whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [_taken(item, folder) if copy else item.path for item in dataset.items]
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    for item, path in zip(dataset.items, paths, strict=True):
        words = " ".join(f"{word.text}:{word.start}-{word.end}" for word in item.words)
        place = Path(os.path.relpath(path, folder)).as_posix()
        writer.writerow((place, item.text, item.speaker, dataset.language, item.split, words))
    write_whole(folder / MANIFEST, table.getvalue().encode())
    told = {name: value for name, value in asdict(replace(dataset, items=())).items() if name in _Facts.model_fields}
    facts = json.dumps({"format": FORMAT, **told}, ensure_ascii=False, indent=2) + "\n"
    write_whole(folder / FACTS, facts.encode())


def rows_of(folder: Path) -> list[dict[str, str]]:
    """The manifest's rows as they stand, column -> text. Raises BadInput for other columns or no rows."""
    file = folder / MANIFEST
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise BadInput(f"{file} can't be read ({fault})", "write it as UTF-8, as docs/data.md says") from fault
    reader = csv.DictReader(io.StringIO(text), strict=True, restval="")
    try:
        rows = [{name: str(value) for name, value in row.items()} for row in reader]
    except csv.Error as fault:
        raise BadInput(f"{file} line {reader.line_num}: {fault}", "write it as CSV") from fault
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise BadInput(f"{file} has the columns {reader.fieldnames}", f"give it these: {', '.join(COLUMNS)}")
    if not rows:
        raise BadInput(f"{file} lists no clips", "give it a row a clip")
    return rows


def item_of(row: dict[str, str], number: int, folder: Path, language: str) -> Item:
    """A row of the manifest as an item. Raises BadInput naming line `number` and what is wrong with it."""
    wrong = partial(_wrong, f"{MANIFEST} line {number}")
    if not row["path"] or not row["speaker"]:
        raise wrong("has no path or no speaker", "fill both")
    if row["language"] != language:
        raise wrong(f"is in {row['language']!r}, the data set in {language!r}", "keep languages in sets of their own")
    splits = get_args(Split)
    if row["split"] not in splits:
        raise wrong(f"has the split {row['split']!r}", f"use one of {', '.join(splits)}")
    words = [_WORD.fullmatch(word) for word in row["words"].split()]
    spoken = tuple(Spoken(word["text"], int(word["start"]), int(word["end"])) for word in words if word)
    if None in words or any(word.start > word.end for word in spoken):
        raise wrong(f"has the words {row['words']!r}", "write text:start-end in frames, start not after end")
    split: Split = next(split for split in splits if split == row["split"])
    return Item(folder / row["path"], row["speaker"], spoken, split, row["text"])


def _facts(file: Path) -> _Facts:
    try:
        return _Facts.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as fault:
        raise BadInput(f"{file} does not describe a data set ({fault})", "write it as `save` does") from fault


def _wrong(place: str, said: str, cure: str) -> BadInput:
    return BadInput(f"{place} {said}", cure)


def _taken(item: Item, folder: Path) -> Path:
    """The clip's own file in the folder."""
    place = folder / CLIPS / item.speaker / item.path.name
    if not (place.exists() and place.samefile(item.path)):
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(item.path, place)
    return place


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise BadInput(f"the clip {path} can't be read ({fault})", "check the data: `lipsol data check`") from fault


def _line(*told: str | Sequence[object]) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode() + b"\n"
