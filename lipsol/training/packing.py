"""Trained members -> the bundles' files. Torch, which is dear to import, comes only into the processes that pack."""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from lipsol.card import Kind
from lipsol.data.mouths import seen
from lipsol.errors import BadInput
from lipsol.training.job import Job
from lipsol.training.tasks import tasks_of

if TYPE_CHECKING:
    from lipsol.training.members import Trained

KINDS: tuple[Kind, ...] = ("sentences", "words")


def package(job: Job, members: Path, report: Callable[[str], None]) -> list[Path]:
    """Calibrate, score and write the two bundles of trained members, each in a process of its own; returns the files.

    Raises BadInput where a member is missing.
    """
    began, paths = time.monotonic(), []
    job.out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(len(KINDS), mp_context=get_context("spawn")) as pool:
        for path, digest in pool.map(partial(_packed, job, members), KINDS):
            size, took = path.stat().st_size / 1e6, time.monotonic() - began
            report(f"{path.name} {digest[:12]} {size:.1f} MB after {took:.0f} s")
            paths.append(path)
    return paths


def _packed(job: Job, members: Path, kind: Kind) -> tuple[Path, str]:
    """One bundle's file and its digest."""
    import torch

    from lipsol.evaluation.normal import with_reference
    from lipsol.training.build import sentence_bundle, word_bundle
    from lipsol.training.cards import card_of
    from lipsol.training.corpus import Corpus, unsaid

    torch.set_num_threads(1)
    corpus = Corpus.load(job.dataset(), job.cache, 1, unsaid)
    names = [task.name for task in tasks_of(corpus.folds(), job.plan.folds)]
    missing = [name for name in names if not (members / f"{name}.pt").exists()]
    if missing:
        raise BadInput(f"{members} lacks {', '.join(missing)}", "train them first, with the same data, plan and limit")
    trained: dict[str, Trained] = {name: torch.load(members / f"{name}.pt", weights_only=False) for name in names}
    readable = set(corpus.mouths)
    build = sentence_bundle if kind == "sentences" else word_bundle
    bundle = with_reference(
        build(corpus, trained, job.version, card_of(job, corpus)),
        corpus.dataset,
        lambda item: seen(item, job.cache) if item.name in readable else None,
    )
    path = job.out / f"{bundle.name}.lipsol"
    return path, bundle.save(path)
