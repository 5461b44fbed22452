"""What the documents say can be done: every command in a ```sh block is run, every link leads somewhere."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
PAGES = [TOP / "README.md", TOP / "samples" / "README.md", *sorted((TOP / "docs").rglob("*.md"))]
SERVED = re.compile(r"(?:127\.0\.0\.1|localhost):8080")
CALLED = "127.0.0.1:8090"  # the gRPC door
TENSORS = "127.0.0.1:8081"  # the reading service's own door
BOARD = "127.0.0.1:8082"  # the monitor's
ALONE = """
from lipsol.bus.memory import MemoryBus
from lipsol.runtime.settings import load
from services.__main__ import serve_alone
from services.embedded import EmbeddedSettings
serve_alone("inference", load(EmbeddedSettings), MemoryBus())
"""
OPERATED = re.compile(r"\blipsol (traffic|release|drift|dead-letters|explain)\b")  # verbs that look for a platform
STAYS = re.compile(
    r"(\S*lipsol serve|\S*lipsol train|\S*bentoml serve|\S*python3? -m services)\b"
)  # ends when told to, or in half an hour


@dataclass(frozen=True)
class Block:
    """The commands of one ```sh block, and where it stands."""

    page: str
    line: int
    commands: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks() -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text()
        for found in re.finditer(r"^```(?:sh|bash)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
            joined = found[1].replace("\\\n", " ")
            lines = [re.sub(r"\s+# .*$", "", line).strip() for line in joined.splitlines()]
            commands = tuple(line for line in lines if line and not line.startswith("#"))
            yield Block(page.relative_to(TOP).as_posix(), text[: found.start()].count("\n") + 1, commands)


BLOCKS = list(blocks())


def verbs() -> set[str]:
    declared = re.search(r"^\.PHONY: (.*)$", (TOP / "Makefile").read_text(), flags=re.MULTILINE)
    assert declared is not None
    return set(declared[1].split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(TOP).as_posix())
def test_every_link_leads_to_a_file_that_is_here(page):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    gone = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not gone


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(TOP).as_posix())
def test_every_make_verb_that_is_named_is_one(page):
    named = set(re.findall(r"(?:^|`)make ([a-z0-9]+)", page.read_text(), flags=re.MULTILINE))
    assert named <= verbs()


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder that looks like the repository to a command, and can be littered."""
    folder = tmp_path_factory.mktemp("place")
    for name in ("samples", "models", ".venv"):
        if (TOP / name).exists():
            (folder / name).symlink_to(TOP / name)
    return folder


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def rpc_port() -> int:
    """Where the gRPC door of `lipsol serve` is."""
    return _free_port()


@pytest.fixture(scope="module")
def board_port() -> int:
    """Where the board of `lipsol serve` is."""
    return _free_port()


@pytest.fixture(scope="module")
def port(place, rpc_port, board_port) -> Iterator[int]:
    """Where `lipsol serve` answers."""
    free = _free_port()
    command = [str(Path(sys.executable).with_name("lipsol")), "serve", "--port", str(free)]
    told = os.environ | {"LIPSOL_PREPROCESS__GRPC_PORT": str(rpc_port), "LIPSOL_MONITOR__PORT": str(board_port)}
    told["LIPSOL_TELEMETRY__METRICS_PORT"] = "0"
    with (place / "serve.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=place, env=told, stdout=log, stderr=log)
        try:
            _wait_until_ready(f"http://127.0.0.1:{free}/readyz", server, place / "serve.log")
            yield free
        finally:
            server.terminate()
            server.wait(timeout=180)


@pytest.fixture(scope="module")
def tensor_port(place) -> Iterator[int]:
    """Where a reading service by itself takes tensors."""
    free = _free_port()
    ports = {"INFERENCE__PORT": free, "INFERENCE__GRPC_PORT": 0, "TELEMETRY__METRICS_PORT": 0}
    told = os.environ | {f"LIPSOL_{name}": str(port) for name, port in ports.items()}
    with (place / "inference.log").open("wb") as log:
        server = subprocess.Popen([sys.executable, "-c", ALONE], cwd=TOP, env=told, stdout=log, stderr=log)
        try:
            _wait_until_ready(f"http://127.0.0.1:{free}/readyz", server, place / "inference.log")
            yield free
        finally:
            server.terminate()
            server.wait(timeout=180)


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path, at_most_s: float = 180.0) -> None:
    until = time.monotonic() + at_most_s
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=60):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"lipsol serve was not ready: {log.read_text()[-2000:]}")


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_the_commands_of_a_block_do_what_they_say(block, place, request):
    commands = [line for line in block.commands if not line.startswith("make ") and not STAYS.match(line)]
    script = "\n".join(["set -euo pipefail", *commands])
    if CALLED in script:
        request.getfixturevalue("port")
        script = script.replace(CALLED, f"127.0.0.1:{request.getfixturevalue('rpc_port')}")
    if BOARD in script:
        request.getfixturevalue("port")
        script = script.replace(BOARD, f"127.0.0.1:{request.getfixturevalue('board_port')}")
    if TENSORS in script:
        script = script.replace(TENSORS, f"127.0.0.1:{request.getfixturevalue('tensor_port')}")
    if OPERATED.search(script):
        request.getfixturevalue("port")
    if SERVED.search(script):
        if shutil.which("curl") is None:
            pytest.skip("no curl here")
        script = SERVED.sub(f"127.0.0.1:{request.getfixturevalue('port')}", script)
    done = ran(script, place)
    assert done.returncode == 0, f"{block}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"


@pytest.mark.parametrize("block", [each for each in BLOCKS if any(map(STAYS.match, each.commands))], ids=str)
def test_what_stays_open_is_a_command_that_exists(block, place):
    for line in filter(STAYS.match, block.commands):
        helps = "lipsol" in line or "bentoml" in line
        script = re.sub(STAYS, r"\1 --help", line) if helps else "python -c 'import services.__main__'"
        done = ran(script, place)
        assert done.returncode == 0, f"{block}: {line}\n{done.stderr}"


def ran(script: str, place: Path) -> subprocess.CompletedProcess[str]:
    """`script` in bash, with the environment's commands first in the path."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = ["bash", "-c", script]
    return subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, timeout=300, check=False)
