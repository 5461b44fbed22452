"""Evaluate a bundle: read all that training never saw, and write what was found for machines and for people."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lipsol.bundle import Bundle
from lipsol.data.dataset import Dataset, open_dataset
from lipsol.data.mouths import watched_of
from lipsol.errors import BadInput
from lipsol.evaluation.baselines import baselines_of, chance, choice
from lipsol.evaluation.mistakes import mistakes_of
from lipsol.evaluation.reading import NEW, SPREAD, held_back, latency_of, machine, read_all, subjects, training_texts
from lipsol.evaluation.records import UNSEEN, ClipRead, Evaluation
from lipsol.evaluation.scores import evaluated
from lipsol.evaluation.slices import slices_of
from lipsol.evaluation.story import story, worst
from lipsol.reader import Reader
from lipsol.text.grammar import Grammar

FILE, REPORT = "evaluation.json", "report.html"
PARTS: Mapping[str, str] = {  # fact -> the group of the unseen clips that it is true of, told by themselves as well
    SPREAD: f"{UNSEEN}, spread wording",
    NEW: f"{UNSEEN}, new sentences",
}


def evaluate(
    bundle: Path,
    data: Path,
    cache: Path,
    out: Path,
    champion: Path | None = None,
    limit: int = 0,
    workers: int = 1,
    report: Callable[[str], None] = lambda _: None,
) -> Path:
    """Write out/evaluation.json and out/report.html; returns the former.

    cache: where mouths are kept; workers: processes that watch what it lacks. champion: the evaluation.json of the
    model to stand beside. limit: clips of each speaker and split, 0 for all. report is told of clips that can't be
    read, which stand in no figure. Raises BadInput if the bundle reads another language than the data's, or the data
    has nothing to read.
    """
    loaded, dataset = Bundle.load(bundle), open_dataset(data)
    if loaded.language != dataset.language:
        raise BadInput(
            f"{loaded.name} reads {loaded.language!r}, the data set {dataset.name} is in {dataset.language!r}",
            "evaluate it on data of its language",
        )
    held = Evaluation.load(champion) if champion is not None else None
    unread: list[str] = []
    seen = watched_of(held_back(dataset.limited(limit)), cache, workers, unread.append)
    for each in unread:
        report(each)
    read = subjects(dataset, seen, loaded.kind)
    clips, took = read_all(Reader(loaded), read)
    version = dataset.version()
    found = Evaluation(
        bundle={"name": loaded.name, "version": loaded.version, "digest": loaded.digest, "kind": loaded.kind,
                "language": loaded.language},
        data={"name": dataset.name, "sha256": version},
        clips=tuple(clips),
        latency=latency_of(took),
        size_bytes=bundle.stat().st_size,
        baselines=tuple(baselines_of(clips, _texts(dataset, loaded), _guessing(loaded), held, dataset.corpus)),
        machine=machine(),
        synthetic=dataset.synthetic,
        limit=limit,
        unread=tuple(unread),
        **concluded(clips, Grammar.named(dataset.grammar) if dataset.grammar else None, dataset.language),
    )  # fmt: skip
    shown = {clip.name for clip in worst(found)}
    mouths = {subject.name: subject.mouth for subject in read if subject.name in shown}
    out.mkdir(parents=True, exist_ok=True)
    (out / FILE).write_bytes(found.to_json())
    (out / REPORT).write_text(story(found, mouths, _remarks(loaded, version, held)), encoding="utf-8")
    return out / FILE


def concluded(clips: Sequence[ClipRead], grammar: Grammar | None, language: str) -> dict[str, Any]:
    """Summary, slices and errors: what follows from the clips alone."""
    return {
        "summary": _by_group(clips, evaluated, parts=True),
        "slices": tuple(each for own in _parts(clips).values() for each in slices_of(own)),
        "errors": _by_group(clips, lambda own: mistakes_of(own, grammar, language)),
    }


def _parts(clips: Sequence[ClipRead]) -> dict[tuple[str, str], list[ClipRead]]:
    """The clips by group and way."""
    parts: dict[tuple[str, str], list[ClipRead]] = {}
    for clip in clips:
        parts.setdefault((clip.group, clip.way), []).append(clip)
    return dict(sorted(parts.items(), key=lambda part: part[0][0]))


def _by_group(
    clips: Sequence[ClipRead], figure: Callable[[list[ClipRead]], dict[str, Any]], *, parts: bool = False
) -> dict[str, dict[str, dict[str, Any]]]:
    """Group -> way -> figure; parts: of the unseen clips those of PARTS once more, where they are some and not all."""
    told: dict[str, dict[str, dict[str, Any]]] = {}
    for (group, way), own in _parts(clips).items():
        told.setdefault(group, {})[way] = figure(own)
        for fact, part in PARTS.items() if parts and group == UNSEEN else ():
            kept = [clip for clip in own if clip.facts.get(fact)]
            if 0 < len(kept) < len(own):
                told.setdefault(part, {})[way] = figure(kept)
    return dict(sorted(told.items()))


def _texts(dataset: Dataset, bundle: Bundle) -> list[str]:
    """What training heard said, sentence by sentence or word by word."""
    texts = training_texts(dataset)
    return [word for text in texts for word in text.split()] if bundle.kind == "words" else texts


def _guessing(bundle: Bundle) -> float:
    """The error rate of a guess."""
    if bundle.kind == "words" or not bundle.grammar:
        return choice(len(bundle.words))
    return chance(Grammar.from_json(bundle.grammar))


def _remarks(bundle: Bundle, version: str, champion: Evaluation | None) -> list[str]:
    """What must be known before any figure is read."""
    remarks = []
    told: Mapping[str, Any] = bundle.card.get("data", {})
    if told.get("sha256") != version:
        remarks.append(
            "The bundle's card names another version of the data than the one read here: that its training never saw "
            "these clips rests on the data's law of splits alone."
        )
    if champion is not None and champion.data["sha256"] != version:
        remarks.append("The champion was evaluated on another version of the data: compare it with care.")
    return remarks
