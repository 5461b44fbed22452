"""The data brought here, and which data and which code: the two names that decide whether a step must run again."""

import hashlib
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distributions, requires, version
from pathlib import Path

import lipsol
from lipsol.data.dataset import open_dataset
from lipsol.runtime.settings import Settings, load
from lipsol.steps.saying import say
from lipsol.versions import resolve

_NAME = re.compile(r"[\w.-]+")
_TOOLS = ('extra == "dev"', 'extra == "bento"')  # extras that change nothing of what a step gives


def bring(data: str, work: str) -> str:
    """Where the data lies, as `place_of` has it."""
    folder = place_of(data, work)
    say(f"{data} lies in {folder}")
    return str(folder)


def place_of(data: str, work: str) -> Path:
    """A path as it is; NAME@REV (`lipsol data versions`) is pulled into the work folder once.

    Raises NotFound for a revision that is not there, Transient if its remote is away.
    """
    return resolve(data, Path(work) / "data" / data, load(Settings).data)


def version_data(data: str) -> str:
    """The data set's version (`Dataset.version`), sha256 hex. Raises BadInput if it can't be read."""
    dataset = open_dataset(Path(data))
    found = dataset.version()
    say(f"{dataset.name}: {len(dataset.items)} clips, version {found[:12]}")
    return found


def version_code() -> str:
    """sha256 hex over every file of the package `lipsol`, and the versions of what it stands on."""
    found = code_of(Path(lipsol.__file__).parent, _pins())
    say(f"code {found[:12]}")
    return found


def code_of(package: Path, pins: Mapping[str, str]) -> str:
    """sha256 hex over a package's files, their names, and versions by name."""
    total = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{path.relative_to(package).as_posix()} {content}\n".encode())
    for name, found in sorted(pins.items()):
        total.update(f"{name} {found}\n".encode())
    return total.hexdigest()


def _pins() -> dict[str, str]:
    """Installed versions of the packages that LipSol names itself, tools for developers left out.

    Where LipSol runs from a folder, as in the pipelines' image, of all that is installed beside it.
    """
    pins = {}
    for name in _named():
        try:
            pins[name.lower()] = version(name)
        except PackageNotFoundError:
            continue
    return pins


def _named() -> list[str]:
    try:
        lines = requires("lipsol") or []
    except PackageNotFoundError:
        return [each.metadata["Name"] for each in distributions()]
    found = (_NAME.match(line) for line in lines if not any(extra in line for extra in _TOOLS))
    return [name[0] for name in found if name]
