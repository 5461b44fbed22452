"""The table of a data set, read as far as it can be: what is wrong with it is found, never raised."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lipsol.data.checks.rules import Found, share
from lipsol.data.dataset import MANIFEST, Dataset, open_dataset
from lipsol.errors import BadInput


@dataclass(frozen=True)
class Table:
    """A data set of all rows that make sense and whose files are there (None if nothing does), and what is wrong."""

    dataset: Dataset | None
    found: tuple[Found, ...]


def table_of(path: Path) -> Table:
    """Whatever can be had of the data set at `path` (a folder, a manifest.csv, or GRID's own folder)."""
    wrong: dict[str, str] = {}

    def note(number: int, fault: BadInput) -> None:
        wrong[f"row {number}"] = f"{fault.detail.removeprefix(f'{MANIFEST} line {number} ')} ({fault.cure})"

    try:
        dataset = open_dataset(path, note)
    except BadInput as fault:
        return Table(None, (Found("table", 1.0, f"{fault.detail}; {fault.cure}"),))
    found = (share("rows", wrong, len(wrong) + len(dataset.items)), *_listed(dataset))
    kept = {item.name: item for item in dataset.items if item.path.is_file()}
    if not kept:
        return Table(None, (*found, Found("table", 1.0, "no row names a clip that is here")))
    return Table(replace(dataset, items=tuple(kept.values())), found)


def _listed(dataset: Dataset) -> Iterator[Found]:
    """Names that are there twice, and files that are not there."""
    total = len(dataset.items)
    times = Counter(item.name for item in dataset.items)
    yield share("twice", {name: f"stands in {n} rows" for name, n in times.items() if n > 1}, total)
    gone = {item.name: f"({item.path.name}) is not there" for item in dataset.items if not item.path.is_file()}
    yield share("file", gone, total)
