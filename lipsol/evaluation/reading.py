"""A bundle reads every clip that its training never saw, one clip at a time on one thread, with a clock beside it."""

import platform
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lipsol.clips.clip import MouthClip
from lipsol.data.dataset import Dataset, Item, word_span
from lipsol.data.grid import is_spread
from lipsol.data.mouths import Seen
from lipsol.engine import ENGINE_VERSION
from lipsol.errors import BadInput
from lipsol.evaluation.records import CUT, SEEN, UNSEEN, ClipRead
from lipsol.evaluation.scores import compared
from lipsol.reader import BUNDLE_GRAMMAR, Bound, Reader
from lipsol.text.alphabet import normalise

WORD_CONTEXT = 2  # frames kept on each side of a word where words are calibrated and scored
SPREAD = (
    "spread"  # fact of a GRID clip: 1 where its sentence is not among the alphabet's first (docs/data.md, the trap)
)
NEW = "new_sentence"  # fact of a clip: 1 where nobody says its sentence in training
CPUINFO = Path("/proc/cpuinfo")

Clock = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Subject:
    """What is read as one: a clip, or one word cut out of it. group: SEEN or UNSEEN."""

    name: str
    speaker: str
    group: str
    text: str
    mouth: MouthClip
    facts: Mapping[str, float]


def held_back(dataset: Dataset) -> list[Item]:
    """The clips that training and calibration never saw, in the data set's order."""
    return [item for item in dataset.items if item.split in ("test", "unseen")]


def training_texts(dataset: Dataset) -> list[str]:
    """What training heard said, sentence by sentence, normalised."""
    return [normalise(item.text, dataset.language) for item in dataset.items if item.split == "train"]


def subjects(dataset: Dataset, seen: Mapping[str, Seen], kind: str) -> list[Subject]:
    """What a bundle of that kind reads of the clips in `seen`: sentences whole, or each aligned word by itself.

    Raises BadInput if there is nothing to read.
    """
    known = frozenset(training_texts(dataset))
    whole = [_subject(dataset, item, seen[item.name], known) for item in held_back(dataset) if item.name in seen]
    if kind == "words":
        items = {item.name: item for item in dataset.items}
        whole = [cut for subject in whole for cut in _words(subject, items[subject.name], dataset.language)]
    if not whole:
        raise BadInput(
            f"the data set {dataset.name} has no clip to test {kind} on",
            "give clips whose split is test or unseen, for words with their word times",
        )
    return whole


def ways_of(reader: Reader) -> dict[str, Bound]:
    """The ways in which a bundle reads, the one that it is served with first."""
    if reader.bundle.kind == "words":
        return {"words": BUNDLE_GRAMMAR}
    return {"grammar": BUNDLE_GRAMMAR, "free": None} if reader.grammar is not None else {"free": None}


def read_all(reader: Reader, read: Sequence[Subject]) -> tuple[list[ClipRead], Clock]:
    """Each subject read each way, and per way how many milliseconds each took, network and decoding together."""
    ways = ways_of(reader)
    reader.hear([read[0].mouth])  # the first run of a network is slower
    clips: list[ClipRead] = []
    took: dict[str, list[float]] = {way: [] for way in ways}
    for subject in read:
        start = time.perf_counter()
        heard = reader.hear([subject.mouth])[0]
        hearing = time.perf_counter() - start
        for way, bound in ways.items():
            start = time.perf_counter()
            told = reader.decode(heard, bound)
            took[way].append(1000 * (hearing + time.perf_counter() - start))
            made = compared(subject.name, subject.speaker, subject.group, way, subject.text, told)
            clips.append(replace(made, facts=subject.facts))
    return clips, took


def latency_of(took: Clock) -> dict[str, float]:
    """ "p50_ms" and "p95_ms" of the way that is served, the same of every way behind its name, and how many clips."""
    told: dict[str, float] = {"clips": float(len(next(iter(took.values()))))}
    for n, (way, times) in enumerate(took.items()):
        for share in (50, 95):
            value = round(float(np.percentile(times, share)), 2)
            told[f"{way}_p{share}_ms"] = value
            if n == 0:
                told[f"p{share}_ms"] = value
    return told


def machine() -> dict[str, str]:
    """Where this runs: what latencies are to be read with."""
    return {
        "processor": processor(),
        "threads": "1",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "onnxruntime": ENGINE_VERSION,
    }


def processor() -> str:
    """The name of this machine's processor."""
    try:
        lines = CPUINFO.read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown")


def _subject(dataset: Dataset, item: Item, seen: Seen, known: Collection[str]) -> Subject:
    text = normalise(item.text, dataset.language)
    facts = {**seen.facts, NEW: float(text not in known)}
    if dataset.names == "grid":
        facts[SPREAD] = float(is_spread(item))
    group = UNSEEN if item.split == "unseen" else SEEN
    return Subject(item.name, item.speaker, group, text, seen.mouth, facts)


def _words(subject: Subject, item: Item, language: str) -> list[Subject]:
    cuts = []
    for n, word in enumerate(item.words, start=1):
        start, end = word_span(word, len(subject.mouth), WORD_CONTEXT, WORD_CONTEXT)
        name, text = f"{subject.name}{CUT}{n}", normalise(word.text, language)
        cuts.append(replace(subject, name=name, text=text, mouth=subject.mouth.cut(start, end)))
    return cuts
