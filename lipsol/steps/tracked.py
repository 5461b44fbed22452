"""The tracked run of a training: one for what was asked of it, gone on with by each of its steps.

The same data, code and parameters are the same run: the work folder remembers its id, so that whoever asks again, or
comes back after a death, goes on with it. A tracker that no longer has it is told of a new one.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lipsol.data.dataset import open_dataset
from lipsol.errors import NotFound
from lipsol.runtime.settings import Settings, load
from lipsol.runtime.wiring import open_tracker
from lipsol.steps.saying import say
from lipsol.steps.work import kept
from lipsol.tracking.port import Run

EXPERIMENT = "train"


def begin(
    data: str, data_version: str, code: str, work: str, plan: str, rules: str, seed: int, limit: int, spoil: str
) -> str:
    """Open the run of what is asked, or find it; returns its id. limit: clips a speaker and split, 0 for all."""
    dataset = open_dataset(Path(data))
    parameters = {"plan": plan, "rules": rules, "seed": str(seed), "limit": str(limit), "spoil": spoil}
    versions = {"data_version": data_version, "code_version": code}
    tags = {"dataset": dataset.name, "language": dataset.language, **versions}
    note = kept(work, "begun", parameters, versions)
    before = note.read_text() if note.exists() else ""
    name = f"{dataset.name} {data_version[:8]}"
    try:
        run_id = _begun(name, parameters | versions, tags, before)
    except NotFound:
        run_id = _begun(name, parameters | versions, tags, "")
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(run_id)
    return run_id


@contextmanager
def going_on(run_id: str, tags: Mapping[str, str] | None = None) -> Iterator[Run]:
    """The run of that id, told more of. Left by an exception, it is marked as failed."""
    with open_tracker(load(Settings)).run(EXPERIMENT, "", {}, tags or {}, run_id=run_id) as run:
        yield run


def _begun(name: str, parameters: Mapping[str, str], tags: Mapping[str, str], run_id: str) -> str:
    with open_tracker(load(Settings)).run(EXPERIMENT, name, parameters, tags, run_id=run_id) as run:
        say(f"tracked at {run.url}")
        return run.id
