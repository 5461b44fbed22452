"""The whole of training: what `lipsol train` and `make train` run."""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from lipsol.errors import ModelError
from lipsol.training.build import groups_of, sentence_bundle, word_bundle
from lipsol.training.corpus import Corpus
from lipsol.training.examples import HEAVY, LIGHT
from lipsol.training.features import data_hash
from lipsol.training.members import SECOND, Plan, Task, Trained, run

PROCESSES = 2  # that train side by side
LICENCE = "CC-BY-4.0"
SPLIT = (
    "by sha256(stem)[0]; s1: 0-25 never used, 26-51 test, 52-77 validation, the rest training; "
    "s2, s3, s5: even training, odd test; s4: unseen"
)
ATTRIBUTION = (
    'M. Cooke, J. Barker, S. Cunningham, X. Shao, "An audio-visual corpus for speech perception and automatic speech '
    'recognition", JASA 120(5), 2006; the GRID corpus, CC BY 4.0'
)


@dataclass(frozen=True)
class Job:
    """One training run.

    data     folder that holds s1, speakers and align
    out      folder for the bundles
    cache    folder for mouths and trained members
    workers  processes that watch clips; training itself takes PROCESSES, of one thread each
    command  what a person typed, for the card
    """

    data: Path
    out: Path
    cache: Path
    seed: int = 1
    plan: Plan = Plan()
    workers: int = 2
    command: str = "lipsol train"


def train(job: Job, report: Callable[[str], None]) -> list[Path]:
    """Train both kinds of model and write their bundles; returns the files.

    Raises BadInput if the corpus is not there and ModelError if a training process dies.
    """
    began = time.monotonic()
    torch.set_num_threads(1)
    corpus = Corpus.load(job.data, job.cache, job.workers, report)
    report(f"{len(corpus.items)} clips watched after {time.monotonic() - began:.0f} s")
    trained = _members(job, corpus)
    report(f"members trained after {time.monotonic() - began:.0f} s")
    job.out.mkdir(parents=True, exist_ok=True)
    card = _card(job, corpus)
    paths = []
    for build in (sentence_bundle, word_bundle):
        bundle = build(corpus, trained, card)
        path = job.out / f"{bundle.name}.lipsol"
        digest = bundle.save(path)
        report(f"{path.name} {digest[:12]} {path.stat().st_size / 1e6:.1f} MB after {time.monotonic() - began:.0f} s")
        paths.append(path)
    return paths


def _members(job: Job, corpus: Corpus) -> dict[str, Trained]:
    """All members by name, two at a time, each in a process of its own."""
    strangers = [Task("far", speaker) for speaker in corpus.other_speakers()]
    tasks = [Task("near"), Task("far"), Task("second"), *strangers]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        files = {task.name: pool.submit(run, task, job.data, job.cache, job.plan, job.seed) for task in tasks}
        try:
            return {name: torch.load(file.result(), weights_only=False) for name, file in files.items()}
        except BrokenProcessPool as fault:
            raise ModelError(
                "a training process died", "read its messages above; a lack of memory is the usual reason"
            ) from fault


def _card(job: Job, corpus: Corpus) -> dict[str, Any]:
    """What both bundles' cards tell about where they come from."""
    return {
        "created": datetime.now(UTC).date().isoformat(),
        "licence": LICENCE,
        "attribution": ATTRIBUTION,
        "data": {
            "sha256": data_hash(corpus.items),
            "corpus": "GRID",
            "split": SPLIT,
            "clips": {
                "training, known speaker": len(corpus.known("train")),
                "training, other speakers": len(corpus.others("train")),
                **{name: len(items) for name, items in groups_of(corpus).items()},
            },
        },
        "training": {
            "command": job.command,
            "seed": job.seed,
            "plan": asdict(job.plan),
            "augmentation": {"near": asdict(LIGHT), "second": asdict(SECOND), "far": asdict(HEAVY)},
            "torch": torch.__version__,
        },
    }
