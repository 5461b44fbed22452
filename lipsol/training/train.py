"""The whole of training: what `lipsol train`, `make train` and torchrun run."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from multiprocessing import connection, get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch

from lipsol.bundle import Bundle
from lipsol.data.mouths import seen, watch_all
from lipsol.errors import BadInput, ModelError
from lipsol.evaluation.normal import with_reference
from lipsol.evaluation.reading import processor
from lipsol.training.build import sentence_bundle, word_bundle
from lipsol.training.checkpoints import CURVE, points
from lipsol.training.corpus import Corpus
from lipsol.training.job import Job, code_version
from lipsol.training.loop import Manner
from lipsol.training.members import Task, Trained, finish, tasks_of
from lipsol.training.ranks import ALONE, Ranks, device_of, one_way

__all__ = ["Job", "Watch", "package", "train", "train_members", "unlike", "unwatched"]

PROCESSES = 2  # that train side by side
LOOK_S = 0.5  # between two looks at the curves
Report = Callable[[str], None]
Watch = Callable[[str, Mapping[str, Any]], None]
Build = Callable[[Corpus, Mapping[str, Trained], str, Mapping[str, Any]], Bundle]
BUILDS: tuple[Build, ...] = (sentence_bundle, word_bundle)


def _unsaid(said: str) -> None:
    """It was said before."""


def unwatched(member: str, told: Mapping[str, Any]) -> None:
    """Nobody watches."""


def train(job: Job, report: Report, watch: Watch = unwatched) -> list[Path]:
    """Train both kinds of model and write their bundles; returns the files. The same call goes on where one was killed.

    watch: told a member's name and each new line of its curve, from another thread.
    Raises BadInput for data that nothing can be learnt from and ModelError if a training process dies.
    """
    members = train_members(replace(job, out=job.cache / "members"), report, watch)
    return package(job, members, report)


def train_members(job: Job, report: Report, watch: Watch = unwatched, ranks: Ranks = ALONE) -> Path:
    """Train all members into a folder of `job.out` that is theirs alone, and return it: NAME.pt and NAME.curve.jsonl.

    Goes on from the checkpoints in it. Alone, two members train at a time, each in a process of its own; ranks train
    one after the other together. Raises as `train`.
    """
    began, dataset = time.monotonic(), job.dataset()
    if ranks.local == 0:
        faults = watch_all(dataset.items, job.cache, job.workers)
        report(f"{len(dataset.items) - len(faults)} clips watched after {time.monotonic() - began:.0f} s")
    ranks.wait()
    folder = job.out / job.key(dataset.version(), ranks.size)
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    corpus = Corpus.load(dataset, job.cache, job.workers, report)
    tasks = tasks_of(list(corpus.folds())[: job.plan.folds])
    with _followed(folder, tasks if ranks.rank == 0 else [], report, watch):
        if ranks.size > 1:
            _together(tasks, job, corpus, folder, ranks)
        else:
            del corpus  # each process has its own
            _side_by_side(tasks, job, folder)
    report(f"members trained after {time.monotonic() - began:.0f} s")
    return folder


def package(job: Job, members: Path, report: Report) -> list[Path]:
    """Calibrate, score and write the two bundles of trained members, each in a process of its own; returns the files.

    Raises BadInput where a member is missing.
    """
    began, paths = time.monotonic(), []
    job.out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(len(BUILDS), mp_context=get_context("spawn")) as pool:
        for path, digest in pool.map(partial(_packed, job, members), BUILDS):
            size, took = path.stat().st_size / 1e6, time.monotonic() - began
            report(f"{path.name} {digest[:12]} {size:.1f} MB after {took:.0f} s")
            paths.append(path)
    return paths


def _packed(job: Job, members: Path, build: Build) -> tuple[Path, str]:
    """One bundle's file and its digest."""
    torch.set_num_threads(1)
    corpus = Corpus.load(job.dataset(), job.cache, 1, _unsaid)
    names = [task.name for task in tasks_of(list(corpus.folds())[: job.plan.folds])]
    missing = [name for name in names if not (members / f"{name}.pt").exists()]
    if missing:
        raise BadInput(f"{members} lacks {', '.join(missing)}", "train them first, with the same data, plan and limit")
    trained: dict[str, Trained] = {name: torch.load(members / f"{name}.pt", weights_only=False) for name in names}
    readable = set(corpus.mouths)
    bundle = with_reference(
        build(corpus, trained, job.version, _card(job, corpus)),
        corpus.dataset,
        lambda item: seen(item, job.cache) if item.name in readable else None,
    )
    path = job.out / f"{bundle.name}.lipsol"
    return path, bundle.save(path)


def _side_by_side(tasks: list[Task], job: Job, folder: Path) -> None:
    """Two at a time, each in a process of its own; the first that dies ends all."""
    left = [task for task in tasks if not (folder / f"{task.name}.pt").exists()]
    running: list[BaseProcess] = []
    try:
        while left or running:
            while left and len(running) < PROCESSES:
                running.append(_begun(left.pop(0), job, folder))
            connection.wait([process.sentinel for process in running])
            for process in [each for each in running if each.exitcode is not None]:
                running.remove(process)
                if process.exitcode:
                    raise ModelError(
                        f"the process that trained {process.name} died ({process.exitcode})",
                        "run the same again, it goes on; a lack of memory is the usual reason",
                    )
    finally:
        for process in running:
            process.terminate()
            process.join()


def _begun(task: Task, job: Job, folder: Path) -> BaseProcess:
    process = get_context("spawn").Process(target=_alone, args=(task, job, folder), name=task.name)
    process.start()
    return process


def _alone(task: Task, job: Job, folder: Path) -> None:
    """One training process; it ends with whoever started it, so that two never write one checkpoint."""
    threading.Thread(target=_end_with, args=(parent_process(),), daemon=True).start()
    corpus = Corpus.load(job.dataset(), job.cache, 1, _unsaid)
    _finish(task, job, corpus, folder, ALONE)


def _end_with(parent: BaseProcess | None) -> None:
    if parent is not None:
        parent.join()
        os._exit(1)


def _together(tasks: list[Task], job: Job, corpus: Corpus, folder: Path, ranks: Ranks) -> None:
    """One after the other, each by all ranks."""
    for task in tasks:
        _finish(task, job, corpus, folder, ranks)
        ranks.wait()


def _finish(task: Task, job: Job, corpus: Corpus, folder: Path, ranks: Ranks) -> None:
    one_way()
    manner = Manner(None, ranks, device_of(job.device, ranks), job.precision)
    finish(task, corpus, job.plan, job.seed, manner, folder)


@contextmanager
def _followed(folder: Path, tasks: list[Task], report: Report, watch: Watch) -> Iterator[None]:
    """Tell what comes to the tasks' curves, from a thread."""
    over = threading.Event()
    told = {task.name: len(points(folder / f"{task.name}{CURVE}")) for task in tasks}

    def look() -> None:
        for name, known in told.items():
            fresh = points(folder / f"{name}{CURVE}")[known:]
            told[name] += len(fresh)
            for line in fresh:
                watch(name, line)
                report(f"[{name}] {_line(line)}")

    def follow() -> None:
        while not over.wait(LOOK_S):
            look()

    thread = threading.Thread(target=follow, name="curves")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        look()


def _line(told: Mapping[str, Any]) -> str:
    wer = f"  validation WER {told['validation_wer']:.3f}" if "validation_wer" in told else ""
    return f"{told['part']} {told['epoch']}/{told['epochs']}  loss {told['loss']:.3f}{wer}  {told['seconds']:.0f} s"


def unlike(card: Mapping[str, Any], job: Job) -> list[str]:
    """What differs here from where a card's bundle was trained, a line each; then its scores may come out otherwise."""
    there = card.get("training", {})
    return [
        f"the {name} of {card['name']} {card['version']} is {there.get(name, 'not told')}, here {here}: "
        "scores may come out otherwise, as with another seed"
        for name, here in _made_with(job).items()
        if here != there.get(name)
    ]


def _made_with(job: Job) -> dict[str, str]:
    """What decides on a training's last digits beside what it is asked for."""
    chip = torch.cuda.get_device_name() if job.device == "cuda" else processor()
    return {"processor": chip, "torch": torch.__version__, "code": code_version()}


def _card(job: Job, corpus: Corpus) -> dict[str, Any]:
    """What both bundles' cards tell about where they come from."""
    dataset = corpus.dataset
    names = ("command", "seed", "spoil", "limit", "device", "precision", "ranks")
    told = {name: getattr(job, name) for name in names}
    return {
        "created": datetime.now(UTC).date().isoformat(),
        "licence": dataset.licence,
        "attribution": dataset.attribution,
        **({"synthetic": True} if dataset.synthetic else {}),
        "data": {
            "name": dataset.name,
            "sha256": job.version_of_data(),
            "dvc": job.revision,
            "corpus": dataset.corpus,
            "split": dataset.split,
            "clips": {
                "training, known speaker": len(corpus.known("train")),
                "training, other speakers": len(corpus.others("train")),
                **{name: len(items) for name, items in corpus.groups().items()},
            },
        },
        "training": {**told, "plan": asdict(job.plan), **_made_with(job)},
    }
