"""A data set's clips -> mouth clips and what their pictures were like, watched once by all processors and cached.

A clip that is a mouth already (`.npz`) is taken as it is; of its picture only what a mouth still shows is known.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from lipsol import clips
from lipsol.clips import landmarks
from lipsol.clips.clip import MouthClip
from lipsol.clips.quality import of_mouth
from lipsol.clips.watch import Watcher
from lipsol.data.dataset import Item
from lipsol.data.whole import write_whole
from lipsol.errors import BadInput

MOUTH = ".npz"  # suffix of a clip that is a mouth already
SHARE = 8  # clips that a worker process takes at a time


@dataclass(frozen=True)
class Seen:
    """A mouth, and its facts: the fields of `lipsol.clips.quality.Quality` by name (for a mouth clip, some of them)."""

    mouth: MouthClip
    facts: Mapping[str, float]


def mouths_of(items: Sequence[Item], cache: Path, workers: int, report: Callable[[str], None]) -> dict[str, MouthClip]:
    """Item name -> mouth clip; items that can't be read are left out and reported, never guessed at."""
    return {name: seen.mouth for name, seen in watched_of(items, cache, workers, report).items()}


def watched_of(items: Sequence[Item], cache: Path, workers: int, report: Callable[[str], None]) -> dict[str, Seen]:
    """Item name -> mouth and facts, in the items' order; items that can't be read are left out and reported."""
    faults = watch_all(items, cache, workers)
    for name, fault in faults.items():
        report(f"left out {name}: {fault}")
    return {item.name: seen(item, cache) for item in items if item.name not in faults}


def watch_all(items: Sequence[Item], cache: Path, workers: int) -> dict[str, str]:
    """Watch what the cache lacks; item name -> the reason why it can't be read, for those that can't."""
    cache.mkdir(parents=True, exist_ok=True)
    faults: dict[str, str] = {}
    places: dict[str, tuple[Path, Path]] = {}
    for item in items:
        try:
            places[item.name] = (item.path, _kept_at(item, cache))
        except OSError as fault:
            faults[item.name] = f"{item.path.name}: {fault.strerror}"
    missing = {name: place for name, place in places.items() if not place[1].with_suffix(".json").exists()}
    if missing:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            told = pool.map(_watch, *zip(*missing.values(), strict=True), chunksize=SHARE)
            faults |= {name: fault for name, fault in zip(missing, told, strict=True) if fault}
    return faults


def seen(item: Item, cache: Path) -> Seen:
    """One item that has been watched, from the cache."""
    place = _kept_at(item, cache)
    mouth = item.path if item.path.suffix == MOUTH else place
    return Seen(MouthClip.from_bytes(mouth.read_bytes()), json.loads(place.with_suffix(".json").read_bytes()))


def _kept_at(item: Item, cache: Path) -> Path:
    """Where an item's mouth is kept, its facts beside it: the name changes when the file or what cuts mouths does."""
    stat = item.path.stat()
    key = hashlib.sha256(f"{_cut_by()} {stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:12]
    return cache / f"{item.name}.{key}.npz"


@cache
def _cut_by() -> str:
    """The face models, and SHA-256 (hex) over the sources of `lipsol.clips`, once a process."""
    total = hashlib.sha256()
    for path in sorted(Path(clips.__file__).parent.rglob("*.py")):
        total.update(f"{path.name} ".encode() + path.read_bytes())
    return f"{landmarks.MODEL} {total.hexdigest()}"


@cache
def _watcher() -> Watcher:
    """One a worker process; face models are dear to load."""
    return Watcher()


def _watch(path: Path, kept_at: Path) -> str:
    """Watch one clip into the cache; "" or the reason why it can't be read."""
    try:
        if path.suffix == MOUTH:
            facts = of_mouth(MouthClip.from_bytes(path.read_bytes()))
        else:
            watched = _watcher().watch(path.read_bytes())
            facts = watched.quality.as_dict()
            write_whole(kept_at, watched.mouth.to_bytes())
    except BadInput as fault:
        return str(fault)
    # After the mouth: where facts are, both are.
    write_whole(kept_at.with_suffix(".json"), json.dumps(facts).encode())
    return ""
