"""From data to bundles: watch, train, package. Each goes on where its last attempt in the work folder died."""

import logging
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from lipsol import golden
from lipsol.archive import Archive, write
from lipsol.bundle import Bundle
from lipsol.data.dataset import open_dataset
from lipsol.data.mouths import watch_all
from lipsol.errors import BadInput, Transient
from lipsol.reader import Reader
from lipsol.runtime.cpus import available_cpus
from lipsol.signing import SigningKey
from lipsol.steps.saying import say
from lipsol.steps.tracked import going_on
from lipsol.steps.work import alone, mouths
from lipsol.tracking.curves import point_of, send_curves
from lipsol.tracking.port import Run
from lipsol.training.job import VERSION, Device, Job, precision_on
from lipsol.training.packing import package as packed
from lipsol.training.plan import Plan
from lipsol.training.spoil import Spoil
from lipsol.training.train import train_members
from lipsol.versions import rev_of

SEND_S = 15.0  # between two tellings of the curves
VERSION_DIGITS = 8  # of the data's version and of the code's, in a bundle's


@dataclass(frozen=True)
class Asked:
    """What a training is asked for, as plain values; with equal data and code, equal ones give equal members."""

    data: str
    data_version: str
    code: str
    plan: str
    seed: int
    limit: int
    spoil: str

    def job(self, work: str, out: Path) -> Job:
        """As training takes it, on a GPU where there is one, which decides on the precision.

        Raises BadInput for a spoil that is none.
        """
        spoil: Spoil | None = next((known for known in get_args(Spoil) if known == self.spoil), None)
        if spoil is None:
            raise BadInput(f"spoil={self.spoil!r}", f"take one of {', '.join(map(repr, get_args(Spoil)))}")
        device: Device = "cuda" if any(Path("/dev").glob("nvidia[0-9]*")) else "cpu"
        return Job(
            Path(self.data),
            out,
            mouths(work),
            seed=self.seed,
            plan=Plan.named(self.plan),
            workers=available_cpus(),
            command="lipsol pipeline run train --local",
            spoil=spoil,
            limit=self.limit,
            version=f"{VERSION}+{self.data_version[:VERSION_DIGITS]}.{self.code[:VERSION_DIGITS]}",
            revision=rev_of(Path(self.data), self.data_version),
            device=device,
            precision=precision_on(device),
        )


def watch(data: str, work: str, limit: int) -> int:
    """Watch what the work folder lacks; returns how many clips can be read. limit: clips a speaker and split, 0: all.

    Raises BadInput if none can.
    """
    items = open_dataset(Path(data)).limited(limit).items
    faults = watch_all(items, mouths(work), available_cpus())
    for name, fault in faults.items():
        say(f"left out {name}: {fault}")
    if len(faults) == len(items):
        raise BadInput(f"none of the {len(items)} clips in {data} can be read", "see above why")
    say(f"{len(items) - len(faults)} of {len(items)} clips can be read")
    return len(items) - len(faults)


def train(asked: Asked, run: str, work: str, out: str) -> None:
    """Train the members and copy their folder to `out`; their curves go to the tracked run as they grow."""
    folder = Path(work) / "members"
    with alone(folder), going_on(run) as tracked:
        members = train_members(asked.job(work, folder), say, Live(tracked).hear)
        send_curves(tracked, members)
    shutil.copytree(members, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.checkpoint"))


def package(asked: Asked, run: str, work: str, key: str, members: str, sentences: str, words: str) -> None:
    """Write the two bundles: the sentences' to the file `sentences`, the words' to `words`; the run keeps both.

    key: PEM file of the key that signs them, once they have given their golden answers; "": they stay unsigned.
    """
    logging.getLogger("onnxscript").setLevel(logging.WARNING)  # or kfp's log holds a line for each node it looks at
    signer = SigningKey.load(Path(key)) if key else None
    with going_on(run) as tracked:
        for file in packed(asked.job(work, Path(sentences).parent / "bundles"), Path(members), say):
            if signer is not None:
                golden.check(Reader(Bundle.load(file)))
                write(file, Archive.read(file).signed(signer))
            tracked.file(file, "bundles")
            shutil.move(file, sentences if Bundle.load(file).kind == "sentences" else words)


class Live:
    """Curves on their way to a tracked run while they grow: some lines at a time, and none is lost by waiting."""

    def __init__(self, tracked: Run, now: Callable[[], float] = time.monotonic) -> None:
        self._tracked, self._now = tracked, now
        self._waiting: list[tuple[int, Mapping[str, float]]] = []
        self._last = now()

    def hear(self, member: str, told: Mapping[str, Any]) -> None:
        """A new line of a member's curve. A tracker that is away is tried again with a later one."""
        self._waiting.append(point_of(member, told))
        if self._now() - self._last < SEND_S:
            return
        self._last = self._now()
        try:
            self._tracked.curve(self._waiting)
            self._waiting = []
        except Transient as away:
            say(str(away))
