"""`lipsol pipeline`: from data to a promoted model, here or on a Kubeflow."""

import importlib.util
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from lipsol.errors import BadInput, LipsolError
from lipsol.runtime.settings import load
from services.cli.report import columns

if TYPE_CHECKING:
    from pipelines.remote import Handed
    from pipelines.running import Ran
    from pipelines.settings import PipelinesSettings

STOPPED = 3  # exit code of a run in which a gate stopped a model: all went well, and that one was not promoted


def run_here(name: str, given: Sequence[str], *, local: bool, as_json: bool) -> int:
    """Run a pipeline on this machine and print what became of it. Raises BadInput without `local`."""
    if not local:
        raise BadInput(f"pipeline {name}: where?", "say --local for this machine, or `lipsol pipeline submit`")
    settings = _settings()
    from pipelines.running import run

    done = run(name, arguments(given), settings, lambda line: print(line, file=sys.stderr, flush=True))
    print(json.dumps(_facts(done), indent=2) if as_json else table(done))
    return STOPPED if done.stopped else 0


def compile_all(out: Path | None, *, check: bool) -> int:
    """Write every pipeline as Kubeflow reads it, or only say which files are stale. Raises LipsolError for those."""
    from pipelines.compiling import FOLDER, stale, write

    folder = out or FOLDER
    if not check:
        print(*write(folder), sep="\n")
        return 0
    if old := stale(folder):
        raise LipsolError(f"stale in {folder}: {', '.join(old)}", "run `lipsol pipeline compile`")
    return 0


def submit(name: str, host: str, given: Sequence[str], *, as_json: bool) -> int:
    """Have a Kubeflow run a pipeline once, and print where."""
    settings = _settings()
    from pipelines.remote import submit

    return _handed(submit(name, host, arguments(given), settings), as_json=as_json)


def schedule(name: str, host: str, cron: str, given: Sequence[str], *, as_json: bool) -> int:
    """Have a Kubeflow run a pipeline by a schedule, and print where."""
    settings = _settings()
    from pipelines.remote import schedule

    return _handed(schedule(name, host, cron or settings.cron, arguments(given), settings), as_json=as_json)


def _handed(made: "Handed", *, as_json: bool) -> int:
    print(json.dumps(asdict(made), indent=2) if as_json else f"{made.url}\nversion {made.version}")
    return 0


def arguments(given: Sequence[str]) -> dict[str, str]:
    """`key=value` as typed, `key=@FILE` for what a file holds. Raises BadInput for anything else."""
    told = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not equals or not key:
            raise BadInput(f"--set {each!r}", "write --set NAME=VALUE")
        told[key] = _content(Path(value[1:])) if value.startswith("@") else value
    return told


def table(done: "Ran") -> str:
    """The steps for eyes, and what came out."""
    rows: list[tuple[str, ...]] = [(step.name, step.state, f"{step.seconds:.1f} s") for step in done.steps]
    told = [f"{name}: {value}" for name, value in done.outputs.items()]
    return "\n".join([*columns(("step", "state", "took"), rows), *told])


def _facts(done: "Ran") -> Mapping[str, object]:
    steps = [{"step": step.name, "state": step.state, "seconds": round(step.seconds, 1)} for step in done.steps]
    return {"steps": steps, "outputs": dict(done.outputs)}


def _settings() -> "PipelinesSettings":
    """The environment's. Raises LipsolError where the extra `pipelines` is not installed."""
    if importlib.util.find_spec("kfp") is None:
        raise LipsolError("pipelines need kfp, which reading does without", "run `uv pip install 'lipsol[pipelines]'`")
    from pipelines.settings import PipelineSettings

    return load(PipelineSettings).pipelines


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise BadInput(f"{file} can't be read ({fault})", "name a text file after the @") from fault
