"""Graphs as Kubeflow reads them: one YAML file each, in `pipelines/compiled/`.

What lies there is compiled with the settings' defaults, so that it is the same on every machine; a test fails when it
is stale. `lipsol pipeline submit` compiles anew, with the operator's own.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from lipsol.errors import NotFound
from pipelines.settings import PipelinesSettings

FOLDER = Path(__file__).with_name("compiled")


def graph(name: str, place: PipelinesSettings) -> Any:
    """The graph of that name. Raises NotFound, which lists those that there are."""
    if name not in GRAPHS:
        raise NotFound(f"no pipeline {name!r}", f"there are {', '.join(GRAPHS)}")
    with ThreadPoolExecutor(1) as short_stack:  # kfp reads the whole call stack at each setting of a task
        return short_stack.submit(GRAPHS[name], place).result()


def compiled(whole: Any) -> str:
    """A graph as YAML."""
    from kfp.compiler import Compiler

    with TemporaryDirectory() as folder:
        file = Path(folder) / "graph.yaml"
        Compiler().compile(whole, str(file))
        return file.read_text(encoding="utf-8")


def stale(folder: Path = FOLDER) -> list[str]:
    """Names of the graphs whose file is missing or is not what they compile to."""
    files = {name: folder / f"{name}.yaml" for name in GRAPHS}
    held = {name: file.read_text(encoding="utf-8") if file.exists() else "" for name, file in files.items()}
    return [name for name, text in held.items() if text != _fresh(name)]


def write(folder: Path = FOLDER) -> list[Path]:
    """Compile every graph into the folder; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name in GRAPHS:
        files.append(folder / f"{name}.yaml")
        files[-1].write_text(_fresh(name), encoding="utf-8")
    return files


def _fresh(name: str) -> str:
    return compiled(graph(name, PipelinesSettings()))


def _train(place: PipelinesSettings) -> Any:
    from pipelines.train import training

    return training(place)


def _daily(place: PipelinesSettings) -> Any:
    from pipelines.daily import watching

    return watching(place)


def _tune(place: PipelinesSettings) -> Any:
    from pipelines.tune import searching

    return searching(place)


GRAPHS: Mapping[str, Callable[[PipelinesSettings], Any]] = MappingProxyType(
    {"train": _train, "tune": _tune, "daily": _daily}
)
