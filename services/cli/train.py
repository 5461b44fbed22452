"""`lipsol train`: from a data set to bundles, or a bundle's training once more."""

import importlib.util
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipsol.errors import BadInput, LipsolError
from lipsol.runtime.cpus import available_cpus

if TYPE_CHECKING:
    from lipsol.training.train import Watch

NEEDED = ("torch", "onnx", "onnxscript")  # what the extra `train` brings


@dataclass(frozen=True)
class TrainOptions:
    """What `lipsol train` was asked for; `like` names a bundle whose training is to be run again."""

    data: Path
    out: Path
    cache: Path
    seed: int = 1
    plan: str = "full"
    limit: int = 0
    spoil: bool = False
    like: str = ""
    device: str = "cpu"
    precision: str | None = None  # the device decides


def missing() -> list[str]:
    """Packages of the extra `train` that are not here."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def run(asked: TrainOptions) -> int:
    """Train both models and write their bundles to `out`. Raises LipsolError if the extra `train` is not installed."""
    if missing():
        raise LipsolError(
            f"training needs {', '.join(missing())}, which reading does without", "run `uv pip install 'lipsol[train]'`"
        )
    if not asked.data.is_dir():
        raise BadInput(f"no folder {asked.data}", "name a data set's folder with --data (docs/data.md says where from)")
    from lipsol.training.cards import unlike
    from lipsol.training.job import job_of, like
    from lipsol.training.train import train
    from lipsol.versions import rev_of

    job = job_of(
        data=asked.data, out=asked.out, cache=asked.cache, seed=asked.seed, plan=asked.plan, limit=asked.limit,
        spoil=asked.spoil, device=asked.device, precision=asked.precision,
    )  # fmt: skip
    job = replace(job, workers=available_cpus(), command=_command(asked), revision=rev_of(asked.data))
    if asked.like:
        card = _card(asked.like)
        job = like(card, job)
        for each in unlike(card, job):
            _say(each)
    with _shown() as (report, watch):
        bundles = train(job, report, watch)
    for bundle in bundles:
        print(bundle)
    return 0


def _command(asked: TrainOptions) -> str:
    if asked.like:
        return f"lipsol train --like {asked.like}"
    changed = {"plan": asked.plan != "full", "limit": asked.limit, "device": asked.device != "cpu"}
    changed["precision"] = bool(asked.precision)
    more = [f"--{name} {getattr(asked, name)}" for name, told in changed.items() if told]
    return " ".join(["lipsol train", f"--seed {asked.seed}", *more, *(["--shuffled-labels"] if asked.spoil else [])])


def _card(asked: str) -> Mapping[str, Any]:
    """The card of a bundle file, or of what the registry knows by a name or digest."""
    from lipsol.bundle import Bundle
    from lipsol.runtime.settings import Settings
    from lipsol.runtime.wiring import open_registry

    if Path(asked).is_file():
        bundle = Bundle.load(Path(asked))
        return {"name": bundle.name, "version": bundle.version, **bundle.card}
    found = open_registry(Settings()).find(asked)
    return {"name": found.name, "version": found.version, **found.card}


def _say(said: str) -> None:
    print(said, file=sys.stderr, flush=True)


@contextmanager
def _shown() -> Iterator[tuple[Any, "Watch"]]:
    """Where messages go and how curves are shown: bars on a terminal, a line an epoch elsewhere."""
    if not sys.stderr.isatty():
        from lipsol.training.train import unwatched

        yield _say, unwatched
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bars: dict[str, Any] = {}

        def watch(member: str, told: Mapping[str, Any]) -> None:
            name = f"{member} {told['part']}"
            if name not in bars:
                bars[name] = progress.add_task(name, total=told["epochs"], told="")
            progress.update(bars[name], completed=told["epoch"], told=f"loss {told['loss']:.3f}")

        def report(said: str) -> None:
            if not said.startswith("["):  # what a bar shows
                progress.console.print(said, markup=False, highlight=False)

        yield report, watch
