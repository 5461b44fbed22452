"""Faults put into a copy of real GRID data, and which of them `lipsol data check` finds.

`python -m tests.data_faults` prints the table of found and missed, writes build/data-faults.json, and puts the table
into docs/data.md. Each fault stands alone: a copy of the clean rows, one change, one check. A fault is found if one of
the rules that should find it names every clip that was spoiled, and did not name it on the clean copy.
"""

import csv
import io
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from lipsol.bundle import Bundle
from lipsol.clips.clip import MouthClip
from lipsol.data.checks.check import examine
from lipsol.data.checks.rules import Finding, Rules
from lipsol.data.checks.table import table_of
from lipsol.data.dataset import COLUMNS, FACTS, MANIFEST, Dataset, open_dataset, save
from lipsol.data.mouths import seen, watch_all
from lipsol.reader import BUNDLE_GRAMMAR, Reader
from tests.clips_made import film
from tests.conftest import DATA, TOP

SPEAKERS, EACH = ("s1", "s4", "s5"), 12  # of the clean copy: at most so many clips of each speaker and split
MODEL = TOP / "models" / "grid-sentences.lipsol"
BUILD, PAGE = TOP / "build", TOP / "docs" / "data.md"
PLACE = re.compile(r"(<!-- data faults -->\n).*?(<!-- end -->)", flags=re.DOTALL)
CACHE = BUILD / "data-faults"  # mouths of the clean copy; what is made for a run goes again
ENOUGH = 0.9  # of the faults are to be found: 18 of 20

Row = dict[str, str]


@dataclass
class Copy:
    """A copy of the clean data that is about to be spoiled.

    rows     of the manifest, to be changed; folder: where it is written, and clips that are made for it
    columns  of the manifest; facts: what dataset.json says otherwise; previous: a version to compare it to
    reads    whether a model's opinion is asked too; number: of the copy, each spoiling another clip
    """

    folder: Path
    rows: list[Row]
    clean: Dataset
    cache: Path
    columns: tuple[str, ...] = COLUMNS
    facts: dict[str, Any] = field(default_factory=dict)
    previous: Path | None = None
    reads: bool = False
    number: int = 0

    def one(self) -> Row:
        """The row that is spoiled, where one is: of the known speaker in training."""
        rows = self.of("s1", "train")
        return rows[self.number % len(rows)]

    def of(self, speaker: str, split: str) -> list[Row]:
        """The rows of a speaker in a split."""
        return [row for row in self.rows if row["speaker"] == speaker and row["split"] == split]

    def path(self, row: Row) -> Path:
        """A row's clip."""
        return self.folder / row["path"]

    def pictures(self, row: Row) -> list[np.ndarray]:
        """The frames of a row's clip, rgb."""
        with av.open(str(self.path(row))) as file:
            return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]

    def put(self, row: Row, data: bytes, stem: str = "") -> str:
        """Let a row have a clip of these bytes; its name."""
        place = self.folder / "made" / f"{stem or self.path(row).stem}.mp4"
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(data)
        row["path"] = place.relative_to(self.folder).as_posix()
        return name_of(row)

    def write(self) -> None:
        """The manifest and dataset.json."""
        table = io.StringIO()
        writer = csv.DictWriter(table, self.columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        (self.folder / MANIFEST).write_text(table.getvalue(), encoding="utf-8")
        told = json.loads((self.folder / FACTS).read_text()) | self.facts
        (self.folder / FACTS).write_text(json.dumps(told))


def name_of(row: Row) -> str:
    """How a row's clip is called in findings."""
    return f"{row['speaker']}_{Path(row['path']).stem}"


@dataclass(frozen=True)
class Fault:
    """One kind. rules: those that should find it; spoil: makes it, and returns the clips that must be named."""

    told: str
    rules: tuple[str, ...]
    spoil: Callable[[Copy], Sequence[str]]


@dataclass(frozen=True)
class Outcome:
    """What became of a fault. by: the rules that found it; level: the gravest of theirs."""

    fault: str
    found: bool
    by: tuple[str, ...]
    level: str


def swapped(copy: Copy) -> list[str]:
    one, other = copy.of("s1", "train")[2:4]
    for column in ("text", "words"):
        one[column], other[column] = other[column], one[column]
    return [name_of(one), name_of(other)]


def swapped_without_names(copy: Copy) -> list[str]:
    copy.facts, copy.reads = {"names": ""}, True
    return swapped(copy)


def doubled(copy: Copy) -> list[str]:
    row = dict(copy.one())
    copy.rows.append(row)
    return [copy.put(row, copy.path(row).read_bytes(), f"{copy.path(row).stem}-again")]


def encoded_anew(copy: Copy) -> list[str]:
    row = dict(copy.one())
    copy.rows.append(row)
    return [copy.put(row, film(copy.pictures(row)), f"{copy.path(row).stem}-anew")]


def scaled(copy: Copy) -> list[str]:
    row = dict(copy.one())
    copy.rows.append(row)
    larger = [cv2.resize(each, (480, 384), interpolation=cv2.INTER_CUBIC) for each in copy.pictures(row)]
    return [copy.put(row, film(larger), f"{copy.path(row).stem}-large")]


def trained_and_tested(copy: Copy) -> list[str]:
    row = dict(copy.one()) | {"split": "test"}
    copy.rows.append(row)
    return [copy.put(row, film(copy.pictures(row)), f"{copy.path(row).stem}-test")]


def unseen_and_trained(copy: Copy) -> list[str]:
    copy.of("s4", "unseen")[0]["split"] = "train"
    return [name_of(row) for row in copy.of("s4", "unseen")]


def wrong_speaker(copy: Copy) -> list[str]:
    row = copy.of("s5", "train")[0]
    row["speaker"] = "s1"
    return [name_of(row)]


def two_names(copy: Copy) -> list[str]:
    for row in copy.of("s1", "test"):
        row |= {"speaker": "s9", "split": "unseen"}
    return []


def black(copy: Copy) -> list[str]:
    row = copy.one()
    return [copy.put(row, film([np.zeros((288, 360, 3), np.uint8)] * 75))]


def faceless(copy: Copy) -> list[str]:
    row = copy.one()
    return [copy.put(row, film([each[:60].repeat(4, axis=0) for each in copy.pictures(row)]))]


def upside_down(copy: Copy) -> list[str]:
    row = copy.one()
    return [copy.put(row, film([np.ascontiguousarray(each[::-1]) for each in copy.pictures(row)]))]


def mirrored_twin(copy: Copy) -> list[str]:
    row = dict(copy.one())
    copy.rows.append(row)
    mirrored = film([np.ascontiguousarray(each[:, ::-1]) for each in copy.pictures(row)])
    return [copy.put(row, mirrored, f"{copy.path(row).stem}-mirrored")]


def photo(copy: Copy) -> list[str]:
    row = copy.one()
    return [copy.put(row, film([copy.pictures(row)[0]] * 75))]


def frozen(copy: Copy) -> list[str]:
    row = copy.one()
    pictures = copy.pictures(row)
    return [copy.put(row, film([*pictures[:40], *[pictures[40]] * 35]))]


def cut_off(copy: Copy) -> list[str]:
    row = copy.one()
    data = copy.path(row).read_bytes()
    return [copy.put(row, data[: len(data) // 2])]


def slowed(copy: Copy) -> list[str]:
    row = copy.one()
    return [copy.put(row, film(copy.pictures(row)[::2], fps=12))]


def dim(copy: Copy) -> list[str]:
    row = copy.one()
    return [copy.put(row, film([each // 5 for each in copy.pictures(row)]))]


def unaligned(copy: Copy) -> list[str]:
    row = copy.one()
    row["words"] = ""
    return [name_of(row)]


def moved(words: str, by: int = 0, times: int = 1) -> str:
    """Word times moved by so many frames, or told in another unit."""

    def anew(span: re.Match[str]) -> str:
        return ":" + "-".join(str(int(frame) * times + by) for frame in span.groups())

    return re.sub(r":(\d+)-(\d+)", anew, words)


def shifted(copy: Copy) -> list[str]:
    row = copy.one()
    row["words"] = moved(row["words"], by=9)
    return [name_of(row)]


def other_unit(copy: Copy) -> list[str]:
    row = copy.one()
    row["words"] = moved(row["words"], times=2)
    return [name_of(row)]


def overlapping(copy: Copy) -> list[str]:
    row = copy.one()
    first, second, *rest = row["words"].split()
    row["words"] = " ".join([first, re.sub(r":\d+-", f":{int(re.findall(r'[0-9]+', first)[-2])}-", second), *rest])
    return [name_of(row)]


def backwards(copy: Copy) -> list[str]:
    row = copy.one()
    row["words"] = re.sub(r":(\d+)-(\d+)", r":\2-\1", row["words"])
    return [f"row {copy.rows.index(row) + 2}"]


def mistyped(copy: Copy) -> list[str]:
    row = copy.one()
    first = row["text"].split()[0]
    for column in ("text", "words"):
        row[column] = row[column].replace(first, first[::-1], 1)
    return [name_of(row)]


def other_words(copy: Copy) -> list[str]:
    row, other = copy.of("s1", "train")[:2]
    copy.facts = {"names": ""}
    row["text"] = other["text"]
    return [name_of(row)]


def other_language(copy: Copy) -> list[str]:
    row = copy.one()
    row["language"] = "ur"
    return [f"row {copy.rows.index(row) + 2}"]


def no_split(copy: Copy) -> list[str]:
    row = copy.one()
    row["split"] = "traning"
    return [f"row {copy.rows.index(row) + 2}"]


def spelt_twice(copy: Copy) -> list[str]:
    row = copy.one()
    row["text"], row["words"] = row["text"].upper(), row["words"].upper()
    return [name_of(row)]


def emptied(copy: Copy) -> list[str]:
    row = copy.one()
    row["text"] = ""
    return [name_of(row)]


def gone(copy: Copy) -> list[str]:
    row = copy.one()
    row["path"] = f"made/{copy.path(row).name}"
    return [name_of(row)]


def listed_twice(copy: Copy) -> list[str]:
    row = copy.one()
    copy.rows.append(dict(row))
    return [name_of(row)]


def no_column(copy: Copy) -> list[str]:
    copy.columns = tuple(name for name in COLUMNS if name != "speaker")
    return []


def one_sided(copy: Copy) -> list[str]:
    copy.rows = [row for row in copy.rows if row["split"] != "train" or " blue " in row["text"]]
    return []


def darkened(copy: Copy) -> list[str]:
    """Both versions as mouths, this one's darker by a third: nothing but the light differs."""
    before = Copy(
        copy.folder.with_name(f"{copy.folder.name}-before"), [dict(row) for row in copy.rows], copy.clean, copy.cache
    )
    shutil.copytree(copy.folder, before.folder)
    for version, light in ((before, 1.0), (copy, 0.67)):
        (version.folder / "made").mkdir()
        for row, item in zip(version.rows, copy.clean.items, strict=True):
            mouth = seen(item, copy.cache).mouth
            dimmed = replace(mouth, mouth=(mouth.mouth * light).astype(np.uint8))
            row["path"] = f"made/{item.id}-{item.speaker}.npz"
            (version.folder / row["path"]).write_bytes(dimmed.to_bytes())
        version.facts = {"names": ""}
        version.write()
    copy.previous = before.folder
    return []


FAULTS: tuple[Fault, ...] = (
    Fault("transcripts of two clips swapped", ("names",), swapped),
    Fault("the same where file names say nothing, with a model", ("contradicted",), swapped_without_names),
    Fault("a clip there twice under two names", ("copies",), doubled),
    Fault("a clip encoded anew", ("films",), encoded_anew),
    Fault("a clip scaled and encoded anew", ("films",), scaled),
    Fault("a clip mirrored", ("films", "speaker"), mirrored_twin),
    Fault("a training clip encoded anew among the test clips", ("leaked clips",), trained_and_tested),
    Fault("an unseen speaker in training too", ("leaked speakers",), unseen_and_trained),
    Fault("a clip under another speaker's name", ("speaker",), wrong_speaker),
    Fault("one person under two names", ("person",), two_names),
    Fault("a black clip", ("unreadable",), black),
    Fault("a clip without a face", ("unreadable",), faceless),
    Fault("a clip upside down", ("unreadable", "face", "speaker"), upside_down),
    Fault("a photo instead of a film", ("unreadable", "frozen"), photo),
    Fault("a clip whose second half is frozen", ("frozen",), frozen),
    Fault("half of a file", ("unreadable",), cut_off),
    Fault("a clip at half the frame rate", ("rate",), slowed),
    Fault("a clip filmed in the dark", ("dark", "unreadable"), dim),
    Fault("no word times", ("unaligned",), unaligned),
    Fault("word times moved by 9 frames", ("timing",), shifted),
    Fault("word times in another unit, after the clip's end", ("inside",), other_unit),
    Fault("words that overlap", ("order",), overlapping),
    Fault("words that end before they begin", ("rows",), backwards),
    Fault("a word of no grammar", ("grammar",), mistyped),
    Fault("word times of other words than the transcript's", ("words",), other_words),
    Fault("a row in another language", ("rows",), other_language),
    Fault("a split that is none", ("rows",), no_split),
    Fault("a word in two spellings", ("spelling",), spelt_twice),
    Fault("an empty transcript", ("empty",), emptied),
    Fault("a file that is gone", ("file",), gone),
    Fault("a row that is there twice", ("twice",), listed_twice),
    Fault("a column that is missing", ("table",), no_column),
    Fault("training that says one colour alone", ("balance", "unsaid"), one_sided),
    Fault("a version darker by a third than the one before", ("shift",), darkened),
)


def run(folder: Path, cache: Path, faults: Sequence[Fault] = FAULTS) -> tuple[tuple[Finding, ...], list[Outcome]]:
    """What is found on the clean copy, and what becomes of each fault. folder: an empty one."""
    source = open_dataset(DATA / "grid").limited(EACH)
    clean = replace(source, items=tuple(item for item in source.items if item.speaker in SPEAKERS))
    save(clean, folder / "clean", copy=False)
    watch_all(clean.items, cache, 2)
    kept = set(cache.iterdir())
    reader = Reader(Bundle.load(MODEL))

    def reads(mouths: Sequence[MouthClip]) -> list[tuple[str, float]]:
        return [(each.text, each.confidence) for each in reader.read_many(mouths, [BUNDLE_GRAMMAR] * len(mouths))]

    def checked(copy: Copy) -> tuple[Finding, ...]:
        return examine(
            copy.folder, cache, Rules.of("default"), copy.previous, reads if copy.reads else None, 1
        ).findings

    copies = [_copy(folder / "clean", folder / f"fault-{n}", clean, cache, n) for n in range(len(faults))]
    spoiled = [fault.spoil(copy) for fault, copy in zip(faults, copies, strict=True)]
    for copy in copies:
        copy.write()
    _watch(copies, cache)
    before = examine(folder / "clean", cache, Rules.of("default"), workers=1).findings
    told = zip(faults, spoiled, copies, strict=True)
    outcomes = [_outcome(fault, names, checked(copy), before) for fault, names, copy in told]
    for made in set(cache.iterdir()) - kept:
        made.unlink()
    return before, outcomes


def _watch(copies: Sequence[Copy], cache: Path) -> None:
    """Watch all that was made in one go: starting a process a copy would take most of the time."""
    opened = [each for copy in copies if (each := table_of(copy.folder).dataset) is not None]
    made = {item.path: item for dataset in opened for item in dataset.items if item.path.parent.name == "made"}
    watch_all(list({item.name: item for item in made.values()}.values()), cache, 2)


def _copy(clean: Path, folder: Path, dataset: Dataset, cache: Path, number: int) -> Copy:
    shutil.copytree(clean, folder)
    with (folder / MANIFEST).open(newline="") as file:
        return Copy(folder, list(csv.DictReader(file)), dataset, cache, number=number)


def _outcome(fault: Fault, spoiled: Sequence[str], findings: Sequence[Finding], before: Sequence[Finding]) -> Outcome:
    """Whether findings that the clean copy does not have tell of the fault: its clips, or more of it."""
    known = {each.rule: each for each in before}

    def tells(finding: Finding) -> bool:
        same = known.get(finding.rule)
        if spoiled:
            return set(spoiled) <= set(finding.clips) - set(same.clips if same else ())
        return same is None or finding.value > same.value

    by = [each for each in findings if each.rule in fault.rules and tells(each)]
    level = "error" if any(each.level == "error" for each in by) else "warning" if by else ""
    return Outcome(fault.told, bool(by), tuple(each.rule for each in by), level)


def table(outcomes: Sequence[Outcome]) -> str:
    """The table for docs/data.md."""
    rows = [
        f"| {each.fault} | {'found' if each.found else '**missed**'} | {', '.join(each.by)} | {each.level} |"
        for each in outcomes
    ]
    found = sum(each.found for each in outcomes)
    head = ["| fault | | by the rule | level |", "|---|---|---|---|"]
    lines = [f"{found} of {len(outcomes)} kinds were found.\n", *head, *rows]
    return "".join(f"{line}\n" for line in lines).replace("  |", " |")


def main() -> None:
    """Spoil, check, tell."""
    with tempfile.TemporaryDirectory() as folder:
        clean, outcomes = run(Path(folder), CACHE)
    (BUILD / "data-faults.json").write_text(
        json.dumps({"clean": [asdict(each) for each in clean], "faults": [asdict(each) for each in outcomes]}, indent=2)
        + "\n"
    )
    PAGE.write_text(PLACE.sub(lambda marks: f"{marks[1]}{table(outcomes)}{marks[2]}", PAGE.read_text()))
    print(table(outcomes))
    print("on the clean copy:", ", ".join(f"{each.level} {each.rule}" for each in clean) or "nothing")


if __name__ == "__main__":
    main()
