"""Bad clips against the platform as it is run: each is refused with a reason and a cure, and nothing is left behind."""

import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx
import pytest

from lipsol.clips.clip import Clip
from lipsol.clips.video import decode
from lipsol.errors import BadInput
from tests.clips_made import bad_clips
from tests.conftest import TOP

MODELS = Path(os.environ.get("LIPSOL_REGISTRY__FOLDER", TOP / "models"))
PATIENCE_S = 120.0  # a client gives up here, and calls it a hang
READY_S = 180.0
SETTLE_S = 60.0  # for connections to close and children to be buried
TELLTALE = re.compile(r"Traceback|File \"|\.py\b|(^|[\s'\"(])/\w+/")  # of a path or a stack in a message
corpus = cache(bad_clips)


@dataclass(frozen=True)
class Held:
    """What a process holds: open files by kind, and living children of its children."""

    files: Counter
    children: int


@dataclass(frozen=True)
class Platform:
    """The platform as a process of its own, and a client of its edge."""

    process: subprocess.Popen
    client: httpx.Client

    def send(self, data: bytes, name: str = "clip.mp4", *, wait: bool = True) -> httpx.Response:
        """Post one clip."""
        return self.client.post("/v1/clips", params={"wait": wait}, files={"file": (name, data, "video/mp4")})

    def held(self) -> Held:
        """What the platform and its decoder hold now."""
        nurseries = children(self.process.pid)
        return Held(
            Counter(kind for pid in (self.process.pid, *nurseries) for kind in open_files(pid)),
            sum(len(children(pid)) for pid in nurseries),
        )


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    """`python -m services` with the shipped models, on a free port."""
    if not list(MODELS.glob("*.lipsol")):
        pytest.skip("no models/*.lipsol: make train")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    told = {
        "LIPSOL_PREPROCESS__PORT": str(port),
        "LIPSOL_PREPROCESS__GRPC_PORT": "0",
        "LIPSOL_TELEMETRY__METRICS_PORT": "0",
    }
    log = tmp_path_factory.mktemp("platform") / "log"
    with log.open("wb") as out, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client:
        process = subprocess.Popen(
            [sys.executable, "-m", "services"], cwd=TOP, env=os.environ | told, stdout=out, stderr=out
        )
        try:
            await_ready(client, process, log)
            yield Platform(process, client)
        finally:
            process.terminate()
            process.wait(READY_S)
    assert "Traceback" not in log.read_text()


@pytest.fixture(scope="module")
def good(samples, platform):
    """A clip that can be read, and has been."""
    clip = samples[0].bytes()
    assert platform.send(clip).status_code == 200
    return clip


def await_ready(client, process, log):
    """Wait until the platform takes clips."""
    until_s = time.monotonic() + READY_S
    while time.monotonic() < until_s and process.poll() is None:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(f"the platform was not ready: {log.read_text()[-2000:]}")


def children(pid):
    """The children of all threads of a process, the dead that nobody buried among them."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def open_files(pid):
    """Kinds of a process's open files: numbers, which differ from one to the next, left out."""
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            yield re.sub(r"\d+", "", str(descriptor.readlink()))
        except FileNotFoundError:
            continue


def faults_of(answer):
    """What is wrong with a refusal."""
    if not 400 <= answer.status_code < 500:
        return [f"status {answer.status_code}: {answer.text[:200]}"]
    problem = answer.json()
    faults = [f"no {name}" for name in ("type", "title", "status", "detail", "cure") if not problem.get(name)]
    if answer.headers["content-type"] != "application/problem+json":
        faults.append(f"of type {answer.headers['content-type']}")
    if telltale := TELLTALE.search(f"{problem.get('detail')} {problem.get('cure')}"):
        faults.append(f"tells of {telltale.group()!r}")
    return faults


def refusals(platform, clips):
    """What is wrong, by clip."""
    return {name: faults for name, data in clips.items() if (faults := faults_of(platform.send(data, name)))}


def test_there_are_at_least_sixty_bad_clips_and_all_differ(top):
    assert len(corpus()) >= 60
    assert f"{len(corpus())} bad files" in (top / "docs" / "security.md").read_text().replace("\n", " ")
    assert len(set(corpus().values())) == len(corpus())


def test_decoding_a_bad_clip_ends_in_a_refusal_or_a_clip_and_in_nothing_else():
    ended = {}
    for name, data in corpus().items():
        try:
            ended[name] = decode(data)
        except BadInput as refusal:
            ended[name] = refusal
    assert all(isinstance(end, Clip) or (end.detail and end.cure) for end in ended.values())
    gave_up = [name for name, end in ended.items() if isinstance(end, BadInput) and "gave up" in end.detail]
    assert gave_up == [], "a refusal in words of its own is kinder"


def test_every_bad_clip_is_refused_with_a_reason_and_a_cure(platform, good):
    assert refusals(platform, corpus()) == {}
    assert platform.send(good).json()["state"] == "read"


def test_bad_clips_leave_nothing_behind(platform, good):
    small = {name: data for name, data in corpus().items() if len(data) < 2**20}
    refusals(platform, small)
    before = platform.held()
    refusals(platform, small)
    until_s = time.monotonic() + SETTLE_S
    while platform.held() != before and time.monotonic() < until_s:
        time.sleep(0.1)
    assert platform.held() == before
    assert before.children == 0


def test_bad_clips_all_at_once_do_not_keep_a_good_one_from_being_read(platform, good):
    small = [data for data in corpus().values() if len(data) < 2**20][::3]
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(platform.send, [*small, good, *small]))
    statuses = Counter(answer.status_code for answer in answers)
    assert all(400 <= status < 500 for status in statuses - Counter({200: 1}))
    assert answers[len(small)].json()["state"] == "read"


def test_a_clip_that_nobody_waits_for_is_refused_at_once_too(platform):
    assert faults_of(platform.send(corpus()["black.mp4"], wait=False)) == []


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a\x00b.mp4", "x" * 4000, "; rm -rf ~", "نو.mp4"])
def test_a_files_name_is_never_used(platform, good, name):
    assert platform.send(good, name).json()["state"] == "read"
