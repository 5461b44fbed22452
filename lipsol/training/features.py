"""Corpus items -> mouth clips, watched once by all processors and kept in a cache folder."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from lipsol.clips import face
from lipsol.clips.clip import MouthClip
from lipsol.clips.watch import Watcher
from lipsol.errors import BadInput
from lipsol.training.manifest import Item

_watcher: Watcher | None = None  # one a worker process; face models are dear to load


def mouths_of(items: Sequence[Item], cache: Path, workers: int, report: Callable[[str], None]) -> dict[str, MouthClip]:
    """Item name -> mouth clip; items that can't be read are left out and reported, never guessed at."""
    cache.mkdir(parents=True, exist_ok=True)
    kept = {item.name: _kept_at(item, cache) for item in items}
    missing = [item for item in items if not kept[item.name].exists()]
    if missing:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            faults = pool.map(_watch, [item.path for item in missing], [kept[i.name] for i in missing], chunksize=8)
            for item, fault in zip(missing, faults, strict=True):
                if fault:
                    report(f"left out {item.name}: {fault}")
                    del kept[item.name]
    return {name: MouthClip.from_bytes(path.read_bytes()) for name, path in kept.items()}


def _kept_at(item: Item, cache: Path) -> Path:
    """Where an item's mouth is kept: the name changes when the file or the face models do."""
    stat = item.path.stat()
    key = hashlib.sha256(f"{face.MODEL} {stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:12]
    return cache / f"{item.name}.{key}.npz"


def _watch(path: Path, kept_at: Path) -> str:
    """Watch one clip into the cache; "" or the reason why it can't be read."""
    global _watcher
    if _watcher is None:
        _watcher = Watcher()
    try:
        data = _watcher.watch(path.read_bytes()).mouth.to_bytes()
    except BadInput as fault:
        return str(fault)
    part = kept_at.with_suffix(f".{os.getpid()}")
    part.write_bytes(data)
    part.replace(kept_at)
    return ""


def data_hash(items: Sequence[Item]) -> str:
    """SHA-256 over the names, splits and bytes of all items: what the card says the model was made from."""
    total = hashlib.sha256()
    for item in items:
        total.update(f"{item.name} {item.split} {item.text} ".encode())
        total.update(hashlib.sha256(item.path.read_bytes()).digest())
    return total.hexdigest()
