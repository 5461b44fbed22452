"""What `helm test` runs, against the platform in one process."""

import subprocess
import sys
from threading import Thread

import pytest
import yaml

from services.doors.server import Server
from services.embedded import Embedded
from services.local.chart import CHART

PROGRAMS = ("read_a_clip.py", "read_a_clip_by_grpc.py")


@pytest.fixture(scope="module")
def told(top):
    return yaml.safe_load((top / CHART / "values.yaml").read_text())["tests"]


@pytest.fixture(scope="module")
def addresses():
    """Where each program finds its door of a platform that really reads."""
    with Embedded() as platform:
        (rpc,) = platform.edge.beside("127.0.0.1", platform.faults)
        place = platform.settings.preprocess
        server = Server(platform.edge.door(platform.faults), "127.0.0.1", 0, place, platform.drain, [rpc])
        thread = Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                thread.join(0.05)
            yield dict(zip(PROGRAMS, (f"http://127.0.0.1:{server.port}", f"127.0.0.1:{rpc.port}"), strict=True))
        finally:
            server.leave()
            thread.join()


@pytest.fixture
def read(top):
    """What the chart's own test runs."""

    def run(program: str, address: str, clip: str, says: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, top / CHART / "files" / program, address, clip, says, "60"]
        return subprocess.run(command, cwd=top, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize("program", PROGRAMS)
def test_helm_test_reads_a_real_clip(read, addresses, told, program):
    done = read(program, addresses[program], told["clip"], told["says"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert told["says"] in done.stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_helm_test_fails_by_wrong_words(read, addresses, told, program):
    done = read(program, addresses[program], told["clip"], "place red at a nine now")
    assert done.returncode == 1 and "and says 'place red at a nine now'" in done.stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_helm_test_fails_by_what_is_no_clip(read, addresses, told, program):
    done = read(program, addresses[program], "README.md", told["says"])
    assert done.returncode == 1 and done.stdout, done.stderr


def test_helm_test_says_where_there_is_no_edge(read, told):
    done = read(PROGRAMS[0], "http://127.0.0.1:9", told["clip"], told["says"])
    assert done.returncode == 1 and "see that the image holds the clip" in done.stdout


def test_the_edges_image_holds_the_clip(top, told):
    assert f"COPY {told['clip']} samples/" in (top / "docker" / "preprocess.Dockerfile").read_text()
    assert f"!{told['clip']}" in (top / ".dockerignore").read_text().splitlines()
