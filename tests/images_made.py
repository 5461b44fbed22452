"""Images without a builder: what a Dockerfile says, and the packages of one as an environment of links to our own."""

import contextlib
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from importlib.util import cache_from_source
from pathlib import Path

from packaging.requirements import Requirement

SERVICES = ("preprocess", "inference", "inference-gpu", "monitor")
IMAGES = (*SERVICES, "pipelines")
PINNED = re.compile(
    r"^([\w.-]+(?:\[[^]]*\])?==[^\\\n]*)((?:\\\n\s+--hash=sha256:[0-9a-f]{64} ?)+)$", flags=re.MULTILINE
)


@dataclass(frozen=True)
class Stage:
    """One stage of a Dockerfile: its instructions in order, each a word in capitals and what follows in one line."""

    instructions: tuple[tuple[str, str], ...]

    def of(self, word: str) -> list[str]:
        """What follows each instruction of that name."""
        return [said for name, said in self.instructions if name == word]

    @property
    def copied(self) -> list[str]:
        """What is copied from the repository."""
        lines = [said.split() for said in self.of("COPY") if not said.startswith("--from=")]
        return [name.rstrip("/") for words in lines for name in words[:-1]]


def stages(top: Path, image: str) -> list[Stage]:
    """The stages of an image's Dockerfile, in order."""
    text = (top / "docker" / f"{image}.Dockerfile").read_text()
    lines = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    instructions = [(line.partition(" ")[0], line.partition(" ")[2]) for line in lines if line]
    starts = [number for number, (word, _) in enumerate(instructions) if word == "FROM"]
    assert starts[0] == 0
    return [Stage(tuple(instructions[a:b])) for a, b in zip(starts, [*starts[1:], None], strict=True)]


def pins(top: Path, name: str) -> dict[str, frozenset[str]]:
    """Each requirement that `requirements/NAME.txt` pins, with its marker, and the hashes that it may have."""
    text = (top / "requirements" / f"{name}.txt").read_text()
    return {pin.strip(): frozenset(re.findall(r"sha256:(\w+)", hashes)) for pin, hashes in PINNED.findall(text)}


def environment_of(top: Path, listed: str, folder: Path) -> Path:
    """A virtual environment with the packages of a list and no others: links to those that these tests run with."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    for pin in pins(top, listed):
        requirement = Requirement(pin)
        if requirement.marker is None or requirement.marker.evaluate():
            link(requirement.name, site)
    return folder


def link(package: str, site: Path) -> None:
    """All files of an installed package, programs aside, at the same places of another environment."""
    try:
        owned = files(package)
    except PackageNotFoundError as missing:
        raise AssertionError(f"{package} is pinned for an image, and not in this environment") from missing
    for file in owned or ():
        source, target = Path(str(file.locate())), site / file
        if "bin" in file.parts or "__pycache__" in file.parts or not source.is_file():
            continue
        _link(source, target)
        if file.suffix == ".py" and (compiled := Path(cache_from_source(str(source)))).is_file():
            _link(compiled, Path(cache_from_source(str(target))))


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):  # a file of two packages
        target.symlink_to(source)


def run_in(environment: Path, top: Path, *arguments: str | Path) -> str:
    """What a Python of that environment prints; its own faults fail the test."""
    clean = {"PATH": os.defpath, "HOME": "/tmp", "PYTHONPATH": str(top), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [environment / "bin" / "python", *arguments]
    done = subprocess.run(command, cwd=top, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
