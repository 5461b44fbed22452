"""Held-out GRID clips, clean and distorted, watched by the platform's own code; kept under build/detection/mouths.

A clip is watched once for each distortion: what is kept is named by the file's bytes, the face models and the
distortion's own code, so a change of any watches anew. What the platform refuses is kept as refused.
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from lipsol.clips import landmarks
from lipsol.clips.clip import Clip, MouthClip
from lipsol.clips.face import FaceFinder
from lipsol.clips.video import decode
from lipsol.clips.watch import Watcher
from lipsol.data import grid
from lipsol.data.dataset import Item
from lipsol.errors import BadInput
from lipsol.runtime.cpus import available_cpus
from tests.conftest import DATA, TOP
from tests.detection.distortions import PICTURES, Head, code_of

KEPT = TOP / "build" / "detection"
CLEAN = "clean"
LOOKED = 5  # frames between two in which the head is looked for, to be turned


@dataclass(frozen=True)
class Mouth:
    """One clip as it was watched under one distortion; `mouth` None: the platform refused it; `kept`: where."""

    item: Item
    kept: Path
    mouth: MouthClip | None
    quality: dict[str, float]
    faces: int
    codec: str


def held_out(data: Path = DATA / "grid") -> tuple[list[Item], list[Item], list[Item]]:
    """s1's validation clips, s1's test clips, and the clips of s2 to s5 that no model was trained on."""
    items = grid.read(data).items
    known = [item for item in items if item.speaker == "s1"]
    others = [item for item in items if item.speaker != "s1" and item.split != "train"]
    return [i for i in known if i.split == "validation"], [i for i in known if i.split == "test"], others


def watch_all(items: Sequence[Item], distortion: str, report: Callable[[str], None]) -> list[Mouth]:
    """Each clip watched under a distortion (`CLEAN`: none), in the order given."""
    KEPT.joinpath("mouths").mkdir(parents=True, exist_ok=True)
    places = [_place(item, distortion) for item in items]
    missing = [(item.path, distortion, place) for item, place in zip(items, places, strict=True) if not _done(place)]
    if missing:
        report(f"watching {len(missing)} clips, {distortion}")
        with ProcessPoolExecutor(available_cpus(), mp_context=get_context("spawn"), initializer=_polite) as pool:
            list(pool.map(_watch, *zip(*missing, strict=True), chunksize=4))
    return [_kept(item, place) for item, place in zip(items, places, strict=True)]


def _place(item: Item, distortion: str) -> Path:
    key = hashlib.sha256(item.path.read_bytes() + landmarks.MODEL.encode() + _code(distortion)).hexdigest()[:16]
    return KEPT / "mouths" / f"{item.name}.{distortion}.{key}.npz"


@cache
def _code(distortion: str) -> bytes:
    """What a distortion is, as it is written."""
    return b"" if distortion == CLEAN else code_of(PICTURES[distortion]).encode()


def _done(place: Path) -> bool:
    return place.with_suffix(".json").exists()


def _kept(item: Item, place: Path) -> Mouth:
    told = json.loads(place.with_suffix(".json").read_text())
    if "refused" in told:
        return Mouth(item, place, None, {}, 0, "")
    return Mouth(item, place, MouthClip.from_bytes(place.read_bytes()), told["quality"], told["faces"], told["codec"])


def _polite() -> None:
    os.nice(10)


@cache
def _watcher() -> Watcher:
    return Watcher()


@cache
def _finder() -> FaceFinder:
    return FaceFinder()


def _watch(path: Path, distortion: str, place: Path) -> None:
    """Watch one clip into its place; facts come after the mouth, so where they are, both are."""
    clip = decode(path.read_bytes())
    try:
        if distortion != CLEAN:
            seed = int.from_bytes(hashlib.sha256(path.name.encode()).digest()[:4], "big")
            clip = PICTURES[distortion](clip, _head(clip), np.random.default_rng(seed))
        watched = _watcher().watch_clip(clip)
        place.write_bytes(watched.mouth.to_bytes())
        told = {"quality": watched.quality.as_dict(), "faces": watched.faces, "codec": clip.codec}
    except BadInput as fault:
        told = {"refused": str(fault)}
    place.with_suffix(".json").write_text(json.dumps(told))


def _head(clip: Clip) -> Head:
    """Where the face is, over some of the clip's frames. Raises BadInput where there is none."""
    found = [track for frame in clip.frames[::LOOKED] for track in _finder().follow(frame[np.newaxis])[:1]]
    boxes = [np.concatenate([track.points[0].min(0), track.points[0].max(0)]) for track in found]
    if not boxes:
        raise BadInput("no face in the clip", "give one in which a face is seen")
    left, top, right, bottom = np.median(boxes, axis=0).tolist()
    return Head((left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2)
