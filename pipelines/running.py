"""The very same graphs, run on this machine by kfp.local: each step a process, its outputs kept for the next run.

A step whose inputs and code are as they were is not run again (`Needs.cached`); what it gave lies in the work folder,
with the watched clips and checkpoints that a step which died goes on from. One run at a time has the work folder: a
second one waits. Of all that kfp tells, a person is shown the steps and what they say; `log.txt` keeps everything.
"""

import json
import logging
import re
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import TextIOBase
from pathlib import Path
from typing import IO, Any, Literal

from lipsol.errors import BadInput, LipsolError
from lipsol.release.rules import NAMED
from lipsol.steps.saying import SAID
from lipsol.steps.work import alone
from lipsol.training.plan import PLANS
from pipelines.compiling import graph
from pipelines.settings import PipelinesSettings

State = Literal["done", "cached", "failed", "running"]

_RUNS = re.compile(r"INFO - Executing task \S*'(?P<step>[\w-]+)'")
_ENDS = re.compile(r"(INFO|ERROR) - Task \S*'(?P<step>[\w-]+)'\S* finished with status \S*(?P<status>SUCCESS|FAILURE)")
_FAULT = re.compile(r"lipsol\.errors\.\w+: (?P<told>.+)")
_CACHED = re.compile(r"Task (?P<step>[\w-]+) cache hit")


@dataclass(frozen=True)
class Step:
    """One step of a run: `name` as in the graph ("gate-2" is the second gate), and how long it took."""

    name: str
    state: State
    seconds: float


@dataclass(frozen=True)
class Ran:
    """A run: its steps in the order in which they began, and the graph's outputs."""

    steps: tuple[Step, ...]
    outputs: Mapping[str, Any]

    @property
    def stopped(self) -> bool:
        """Whether a gate stopped a model: `register` follows each gate that lets one through, and neither is cached."""
        names = [step.name.partition("-")[0] for step in self.steps]
        return names.count("gate") > names.count("register")


def run(name: str, arguments: Mapping[str, Any], place: PipelinesSettings, tell: Callable[[str], None] = print) -> Ran:
    """Run a graph to its end. Raises BadInput for arguments that it does not take, LipsolError if a step fails."""
    from kfp import local

    here = place.work.resolve()
    here.mkdir(parents=True, exist_ok=True)
    whole = graph(name, place.model_copy(update={"environment": {}}))
    given = checked(whole, arguments, defaults(place, here))
    with alone(here, "run", tell), (here / "log.txt").open("a", encoding="utf-8") as log:
        screen = Screen(log, tell)
        local.init(
            local.SubprocessRunner(use_venv=False),
            pipeline_root=str(here / "steps"),
            workspace_root=str(here / "workspace"),
            raise_on_error=True,
            enable_caching=True,
            cache_root=str(here / "cached"),
        )
        try:
            with _told_to(screen):
                outputs = dict(whole(**given).outputs)
        except RuntimeError as fault:
            raise LipsolError(
                f"pipeline {name}: {', '.join(screen.failed) or fault} failed",
                f"read what it said above, or all of it in {here / 'log.txt'}; the same command goes on from there",
            ) from fault
    return Ran(tuple(screen.steps.values()), outputs)


def defaults(place: PipelinesSettings, work: Path | str) -> dict[str, str]:
    """What the settings say of arguments that a graph may have."""
    key = "" if place.key is None else str(place.key)
    return {"work": str(work), "automation": place.automation, "key": key, "corrections": str(place.corrections)}


def checked(whole: Any, arguments: Mapping[str, Any], settled: Mapping[str, str]) -> dict[str, Any]:
    """What a graph is called with: the arguments, else what is settled, each with its type. Raises BadInput.

    Rules and plans are names or JSON: a file's name would stay the same, and what is cached with it, when it changes.
    """
    inputs = whole.component_spec.inputs
    if unknown := [name for name in arguments if name not in inputs]:
        raise BadInput(f"no setting {', '.join(unknown)} in this pipeline", f"it has {', '.join(inputs)}")
    told = {**settled, **arguments}
    if missing := [name for name, spec in inputs.items() if not spec.optional and name not in told]:
        raise BadInput(f"nothing said of {', '.join(missing)}", "say it with --set NAME=VALUE")
    for name, names in (("plan", PLANS), ("rules", NAMED)):
        if name in inputs and name in told:
            _by_value(name, str(told[name]), names)
    return {name: _typed(name, value, inputs[name].type) for name, value in told.items() if name in inputs}


def _by_value(name: str, value: str, names: Collection[str]) -> None:
    """Raise BadInput unless it is one of the names, or JSON that builds on one of them."""
    if value.lstrip().startswith("{"):
        try:
            value = str(json.loads(value).get("base", "full"))
        except ValueError as fault:
            raise BadInput(f"{name}={value[:40]!r} is no JSON ({fault})", "mend it") from fault
    if value not in names:
        raise BadInput(f"{name}={value!r}", f"take {', '.join(names)}, or {name}=@FILE for what a file of JSON holds")


def _typed(name: str, value: Any, kind: str) -> Any:
    """The value as the graph's input takes it."""
    kinds: dict[str, Callable[[Any], Any]] = {"Integer": int, "Float": float, "String": str}
    try:
        return kinds.get(kind, lambda same: same)(value)
    except ValueError as fault:
        raise BadInput(f"{name}={value!r} is no {kind.lower()}", "give a number") from fault


class Screen(TextIOBase):
    """What kfp and the steps write: all of it into the log; to a person each step, and what steps say to people."""

    def __init__(self, log: IO[str], tell: Callable[[str], None], now: Callable[[], float] = time.monotonic) -> None:
        self._log, self._tell, self._now = log, tell, now
        self._line = ""
        self._begun: dict[str, float] = {}
        self.steps: dict[str, Step] = {}

    @property
    def failed(self) -> list[str]:
        """Names of the steps that failed, all their tries included."""
        return [step.name for step in self.steps.values() if step.state == "failed"]

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._log.write(text)
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._hear(line)
        return len(text)

    def flush(self) -> None:
        self._log.flush()

    def _hear(self, line: str) -> None:
        if SAID in line:
            self._tell(f"    {line.partition(SAID)[2]}")
        elif found := _FAULT.search(line):
            self._tell(f"    {found['told']}")
        elif found := _CACHED.search(line):
            self.steps[found["step"]] = Step(found["step"], "cached", 0.0)
            self._tell(f"{found['step']}: as before")
        elif found := _RUNS.search(line):
            self._begun[found["step"]] = self._now()
            self.steps[found["step"]] = Step(found["step"], "running", 0.0)
            self._tell(f"{found['step']} ...")
        elif found := _ENDS.search(line):
            name, seconds = found["step"], self._now() - self._begun.get(found["step"], self._now())
            self.steps[name] = Step(name, "done" if found["status"] == "SUCCESS" else "failed", seconds)
            self._tell(f"{name}: {self.steps[name].state} after {seconds:.1f} s")


@contextmanager
def _told_to(screen: Screen) -> Iterator[None]:
    """Have kfp's log and the steps' output go to the screen; what only a cluster can keep is nothing to warn of."""
    top = logging.getLogger()
    handlers, level = top.handlers[:], top.level
    top.handlers[:] = [logging.StreamHandler(screen)]
    top.setLevel(logging.INFO)
    try:
        with redirect_stdout(screen), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        top.handlers[:] = handlers
        top.setLevel(level)
