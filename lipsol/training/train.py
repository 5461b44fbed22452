"""The whole of training: what `lipsol train`, `make train` and torchrun run.

Torch, which is dear to import, comes only into the processes that train.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice
from multiprocessing import Pipe, get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipsol.data.dataset import Dataset
from lipsol.data.mouths import watch_all
from lipsol.errors import ModelError
from lipsol.training.checkpoints import CURVE, points
from lipsol.training.job import Job
from lipsol.training.packing import package
from lipsol.training.tasks import Task, folds_of, readable, tasks_of

if TYPE_CHECKING:
    from lipsol.training.corpus import Corpus
    from lipsol.training.ranks import Ranks

PROCESSES = 2  # that train side by side
LOOK_S = 0.5  # between two looks at the curves
Report = Callable[[str], None]
Watch = Callable[[str, Mapping[str, Any]], None]


def unwatched(member: str, told: Mapping[str, Any]) -> None:
    """Nobody watches."""


def train(job: Job, report: Report, watch: Watch = unwatched) -> list[Path]:
    """Train both kinds of model and write their bundles; returns the files. The same call goes on where one was killed.

    watch: told a member's name and each new line of its curve, from another thread.
    Raises BadInput for data that nothing can be learnt from and ModelError if a training process dies.
    """
    members = train_members(replace(job, out=job.cache / "members"), report, watch)
    return package(job, members, report)


def train_members(job: Job, report: Report, watch: Watch = unwatched, ranks: "Ranks | None" = None) -> Path:
    """Train all members into a folder of `job.out` that is theirs alone, and return it: NAME.pt and NAME.curve.jsonl.

    Goes on from the checkpoints in it. Two processes train a member each at a time; ranks, where there are some, train
    one after the other together. Raises as `train`.
    """
    began, dataset = time.monotonic(), job.dataset()
    faults = _watched(job, dataset, ranks)
    report(f"{len(dataset.items) - len(faults)} clips watched after {time.monotonic() - began:.0f} s")
    for name, fault in faults.items():
        report(f"left out {name}: {fault}")
    folder = job.out / job.key(dataset.version(), 1 if ranks is None else ranks.size)
    folder.mkdir(parents=True, exist_ok=True)
    tasks = tasks_of(folds_of(readable(dataset, faults), dataset.home), job.plan.folds)
    with _followed(folder, tasks if ranks is None or ranks.rank == 0 else [], report, watch):
        if ranks is None:
            _side_by_side(tasks, job, folder)
        else:
            _together(tasks, job, folder, ranks)
    report(f"members trained after {time.monotonic() - began:.0f} s")
    return folder


def _watched(job: Job, dataset: Dataset, ranks: "Ranks | None") -> dict[str, str]:
    """Watch what the cache lacks; item name -> why it can't be read. Of a machine's ranks the first watches."""
    if ranks is not None and ranks.local:
        ranks.wait()
    faults = watch_all(dataset.items, job.cache, job.workers)
    if ranks is not None and not ranks.local:
        ranks.wait()
    return faults


def _side_by_side(tasks: list[Task], job: Job, folder: Path) -> None:
    """Two processes, each given the next task that is left when it has done one; the first that dies ends all."""
    left = iter([task for task in tasks if not (folder / f"{task.name}.pt").exists()])
    processes: dict[Connection, BaseProcess] = {}
    busy: dict[Connection, Task] = {}

    def give(line: Connection, task: Task | None) -> None:
        with suppress(OSError):  # who is dead already is found when listened to
            line.send(task)
        if task is not None:
            busy[line] = task

    try:
        for task in islice(left, PROCESSES):
            line, process = _begun(job, folder)
            processes[line] = process
            give(line, task)
        while busy:
            ready = wait([*busy])
            for line in [each for each in busy if each in ready]:
                _heard(line, processes[line], busy.pop(line))
                give(line, next(left, None))
    finally:
        for process in processes.values():
            process.terminate()
            process.join()


def _begun(job: Job, folder: Path) -> tuple[Connection, BaseProcess]:
    """A training process, and the line on which it is given tasks and tells of those that are done."""
    mine, its = Pipe()
    process = get_context("spawn").Process(target=_alone, args=(its, job, folder))
    process.start()
    its.close()  # so that the line ends when the process does
    return mine, process


def _heard(line: Connection, process: BaseProcess, task: Task) -> None:
    """Take it that a task is done. Raises ModelError if the process died of it."""
    try:
        line.recv()
    except (EOFError, OSError):
        process.join()
        raise ModelError(
            f"the process that trained {task.name} died ({process.exitcode})",
            "run the same again, it goes on; a lack of memory is the usual reason",
        ) from None


def _alone(line: Connection, job: Job, folder: Path) -> None:
    """One training process, until it is given None; it ends with whoever began it: two never write one checkpoint."""
    threading.Thread(target=_end_with, args=(parent_process(),), daemon=True).start()
    from lipsol.training.ranks import ALONE

    corpus = _corpus(job, 1)
    for task in iter(line.recv, None):
        _finish(task, job, corpus, folder, ALONE)
        line.send(task.name)


def _end_with(parent: BaseProcess | None) -> None:
    if parent is not None:
        parent.join()
        os._exit(1)


def _together(tasks: list[Task], job: Job, folder: Path, ranks: "Ranks") -> None:
    """One after the other, each by all ranks."""
    corpus = _corpus(job, job.workers)
    for task in tasks:
        _finish(task, job, corpus, folder, ranks)
        ranks.wait()


def _corpus(job: Job, workers: int) -> "Corpus":
    from lipsol.training.corpus import Corpus, unsaid

    return Corpus.load(job.dataset(), job.cache, workers, unsaid)


def _finish(task: Task, job: Job, corpus: "Corpus", folder: Path, ranks: "Ranks") -> None:
    from lipsol.training.loop import Manner
    from lipsol.training.members import finish
    from lipsol.training.ranks import device_of, one_way

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
