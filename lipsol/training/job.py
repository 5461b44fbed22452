"""What one training run is asked for, and how to ask for it again from a bundle's card. Needs no torch."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from lipsol.data.dataset import Dataset, open_dataset
from lipsol.errors import BadInput
from lipsol.training.plan import Plan
from lipsol.training.spoil import Spoil, spoilt

VERSION = "1.0.0"
CODE = ("clips", "data", "model", "text", "training")  # rooms of lipsol that make a member what it is
Device = Literal["cpu", "cuda"]
Precision = Literal["single", "bfloat16", "float16"]


@dataclass(frozen=True)
class Job:
    """One training run.

    data       a data set's folder, or GRID's own
    out        folder for the bundles (of `train_members`: for the members)
    cache      folder for mouths
    workers    processes that watch clips; training takes two of its own, of one thread each
    command    what a person typed, for the card
    spoil      "shuffled labels": deal the labels anew among the training clips, to see a worse model stopped
    limit      clips of each speaker and split, 0: all
    version    of the bundles; revision: the data's, where it is versioned (`lipsol data`)
    device     "cpu" or "cuda"; precision: what the forward pass is computed in (half ones are meant for a GPU)
    ranks      processes that train together, for the card
    """

    data: Path
    out: Path
    cache: Path
    seed: int = 1
    plan: Plan = field(default_factory=Plan)
    workers: int = 2
    command: str = "lipsol train"
    spoil: Spoil = ""
    limit: int = 0
    version: str = VERSION
    revision: str = ""
    device: Device = "cpu"
    precision: Precision = "single"
    ranks: int = 1

    def dataset(self) -> Dataset:
        """What this run learns from: limited and, if asked for, spoilt."""
        return spoilt(open_dataset(self.data).limited(self.limit), self.spoil, self.seed)

    def version_of_data(self) -> str:
        """Of the whole data set, neither limited nor spoilt: what the card tells."""
        return open_dataset(self.data).version()

    def key(self, data_version: str, ranks: int) -> str:
        """Short hash of all that makes its members what they are: equal keys, equal weights."""
        told = {"data": data_version, "code": code_version(), "ranks": ranks, "plan": asdict(self.plan)}
        told |= {name: getattr(self, name) for name in ("seed", "spoil", "limit", "device", "precision")}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def job_of(
    *, data: Path, out: Path, cache: Path, seed: int, plan: str, limit: int, spoil: bool, device: str,
    precision: str | None = None,
) -> Job:  # fmt: skip
    """A job from plain values, as a command line has them; without a precision as `precision_on` has it.

    Raises BadInput for one that there is not.
    """
    if limit < 0:
        raise BadInput(f"a limit of {limit} clips", "give 0 for all of them, or more")
    try:
        kind = next(each for each in get_args(Device) if each == device)
        exact = next(each for each in get_args(Precision) if each == (precision or precision_on(kind)))
    except StopIteration as fault:
        devices, precisions = ", ".join(get_args(Device)), ", ".join(get_args(Precision))
        raise BadInput(f"device {device!r}, precision {precision!r}", f"use {devices}; {precisions}") from fault
    worse: Spoil = "shuffled labels" if spoil else ""
    return Job(
        data, out, cache, seed, Plan.named(plan), spoil=worse, limit=limit, device=kind, precision=exact
    )  # fmt: skip


def precision_on(device: Device) -> Precision:
    """What a device computes in unless told otherwise: half precision on a GPU, which needs no scaled loss."""
    return "bfloat16" if device == "cuda" else "single"


def code_version() -> str:
    """SHA-256 (hex) over the sources that training runs, those that cut mouths and decode readings among them."""
    top, total = Path(__file__).parents[1], hashlib.sha256()
    for room in CODE:
        for path in sorted((top / room).rglob("*.py")):
            total.update(f"{path.relative_to(top)} ".encode() + path.read_bytes())
    return total.hexdigest()


def like(card: Mapping[str, Any], job: Job) -> Job:
    """`job` with the seed, plan, limit and all else that the card tells of its bundle's training.

    Raises BadInput if the job's data is of another version than the card's or its processes are of another number,
    or the card tells too little.
    """
    told, data, name = card.get("training", {}), card.get("data", {}), f"{card.get('name')} {card.get('version')}"
    missing = [field for field in ("seed", "plan", "spoil", "limit") if field not in told]
    if missing or told["spoil"] not in get_args(Spoil):
        raise BadInput(
            f"the card of {name} does not tell its training's {', '.join(missing) or 'way of spoiling'}",
            "train it anew by hand: --seed, --plan",
        )
    if (ranks := told.get("ranks", 1)) != job.ranks:
        raise BadInput(
            f"{name} was trained by {ranks} processes together; {job.ranks} would end with other weights",
            f"`torchrun --nproc-per-node {ranks} -m lipsol.training --like FILE`" if ranks > 1 else "`lipsol train`",
        )
    here = job.version_of_data()
    if here != data.get("sha256"):
        revision = data.get("dvc") and (
            f"bring it back: `lipsol data pull {data.get('name')} --rev {data['dvc']} --to FOLDER`, then --data FOLDER"
        )
        raise BadInput(
            f"{name} was trained on {data.get('name')}, version {data.get('sha256')}; {job.data} is version {here}",
            revision or "point --data at the same data",
        )
    again = {key: told[key] for key in ("seed", "spoil", "limit", "device", "precision") if key in told}
    return replace(job, plan=Plan.named(json.dumps(told["plan"])), version=str(card["version"]), **again)
