"""The tracker in a folder: `EXPERIMENT/RUN/` holds `run.json`, `metrics.jsonl` and what files were given.

A line of `metrics.jsonl` is one step: `{"step": 3, "metrics": {"loss": 0.5}}`. It is written whole and flushed, so a
process that is killed leaves at most its last line torn, and that line is passed over. Several may tell a run side by
side, from threads, processes or machines that share the folder: whoever reads and changes `run.json`, or writes lines,
holds `lock` (flock) meanwhile, and `run.json` is replaced as a whole. Nobody else's lines are looked for while one
tells.
"""

import fcntl
import json
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from lipsol.errors import BadInput, NotFound, Transient
from lipsol.tracking.port import check_step, named

RUN, METRICS, LOCK = "run.json", "metrics.jsonl", "lock"
NAME = re.compile(r"[\w][\w. -]{0,99}")  # of an experiment: a folder's


class LocalRun:
    """A run in its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with _alone(folder):
            self._known = {(step, name) for step, values in points_of(folder) for name in values}
            _end_torn_line(folder / METRICS)

    @property
    def id(self) -> str:
        return self._folder.name

    @property
    def url(self) -> str:
        return self._folder.as_uri()

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        self._write([(check_step(step), named(values))])

    def curve(self, points: Iterable[tuple[int, Mapping[str, float]]]) -> int:
        new = []
        for step, values in points:
            kept = named(values)
            fresh = {name: value for name, value in kept.items() if (check_step(step), name) not in self._known}
            if fresh:
                new.append((step, fresh))
        self._write(new)
        return sum(len(values) for _, values in new)

    def file(self, path: Path, folder: str = "") -> None:
        where = _inside(self._folder / "files", folder)
        with _told(where):
            where.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, where / path.name)

    def _write(self, points: Sequence[tuple[int, Mapping[str, float]]]) -> None:
        lines = "".join(json.dumps({"step": step, "metrics": dict(values)}) + "\n" for step, values in points)
        with _alone(self._folder):
            with (self._folder / METRICS).open("a") as out:
                out.write(lines)
            self._known.update((step, name) for step, values in points for name in values)


class LocalTracker:
    """Runs in a folder, which is made when the first begins."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def run(
        self,
        experiment: str,
        name: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        run_id: str = "",
    ) -> Iterator[LocalRun]:
        if not NAME.fullmatch(experiment):
            raise BadInput(f"an experiment can't be called {experiment!r}", "take letters, digits, space, . - and _")
        folder = _inside(self._folder, experiment) / (run_id or uuid.uuid4().hex)
        if run_id and not (folder / RUN).is_file():
            raise NotFound(f"no run {run_id!r} is in the experiment {experiment!r}", "leave out run_id to begin one")
        with _told(folder):
            folder.mkdir(parents=True, exist_ok=True)
        _note(folder, "running", name, parameters, tags)
        try:
            yield LocalRun(folder)
        except BaseException:
            _note(folder, "failed")
            raise
        _note(folder, "finished")


def points_of(folder: Path) -> Iterator[tuple[int, dict[str, float]]]:
    """All steps that a run's folder holds, as they were told."""
    if not (folder / METRICS).exists():
        return
    for line in (folder / METRICS).read_text().splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            continue  # torn by a process that was killed
        yield told["step"], told["metrics"]


def _note(
    folder: Path,
    status: str,
    name: str = "",
    parameters: Mapping[str, str] = MappingProxyType({}),
    tags: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Say in `run.json` how the run stands: what was said before stays, but tags may be said anew."""
    with _alone(folder):
        before = json.loads((folder / RUN).read_text()) if (folder / RUN).exists() else {}
        about = {
            "name": before.get("name", name),
            "parameters": dict(parameters) | before.get("parameters", {}),
            "tags": before.get("tags", {}) | dict(tags),
            "status": status,
        }
        coming = folder / f".{RUN}.{uuid.uuid4().hex}"
        coming.write_text(json.dumps(about, indent=1, ensure_ascii=False))
        coming.rename(folder / RUN)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the run's folder; wait for whoever has it."""
    with _told(folder), (folder / LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _end_torn_line(file: Path) -> None:
    """See to it that what is written next begins a line of its own."""
    if file.exists() and not file.read_bytes().endswith(b"\n"):
        with file.open("a") as out:
            out.write("\n")


def _inside(top: Path, folder: str) -> Path:
    where = (top / folder).resolve()
    if not where.is_relative_to(top.resolve()):
        raise BadInput(f"{folder!r} leads out of the run's own folder", "name a folder inside it")
    return where


@contextmanager
def _told(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise Transient(
            f"nothing can be kept in {place} ({fault.strerror})", "make room or give rights there"
        ) from fault
