"""A real recording of real sentences, through the platform as it is shipped: over HTTP, over gRPC, and by the command.

What is asserted of words is what is so with much room; `make bench NAMES=recordings` says how well it does.
"""

import re
import subprocess
import sys
import time

import pytest

from lipsol.data.dataset import open_dataset
from lipsol.runtime.wiring import shipped_models
from lipsol.text.scoring import word_error_rate
from services.embedded import Embedded
from services.preprocess.results import Result
from services.preprocess.rpc import told
from tests.clips_made import spliced
from tests.services_made import clip, served, settings_of

PATIENCE = 120.0
NEAR_S = 0.3  # of the truth that a caption begins and ends
SENTENCES = 10


@pytest.fixture(scope="module")
def items(grid):
    """Clips of the known speaker that no training saw."""
    known = [item for item in open_dataset(grid).items if item.speaker == "s1" and item.split == "test"]
    return known[5 : 5 + SENTENCES]


@pytest.fixture(scope="module")
def film(items):
    """Ten sentences in one file, half a minute long."""
    return spliced([item.path for item in items])


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    made = settings_of(tmp_path_factory.mktemp("recordings"), wait_s=PATIENCE)
    settings = made.model_copy(update={"registry": made.registry.model_copy(update={"folder": shipped_models()})})
    with Embedded(settings) as platform, served(platform) as connected:
        connected.timeout = PATIENCE
        yield connected


@pytest.fixture(scope="module")
def result(client, film):
    """What was read of it."""
    answer = client.post("/v1/clips", files=clip(film), params={"wait": "true"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def read(result):
    return [each for each in result["sentences"] if each["problem"] is None]


def test_the_sentences_come_out_in_order(result, items):
    assert len(read(result)) == SENTENCES
    wer = word_error_rate([item.text for item in items], [each["text"] for each in read(result)])
    assert wer <= 0.15, "clips by themselves have about 0.02"
    assert result["watched_s"] == pytest.approx(3.0 * SENTENCES, abs=0.1)


def test_captions_come_when_it_is_said(client, result, items):
    srt = client.get(f"/v1/clips/{result['clip_id']}/captions.srt").text
    found = re.findall(r"(\d+):(\d+):(\d+),(\d+)", srt)
    times = [3600 * int(h) + 60 * int(m) + int(s) + int(ms) / 1e3 for h, m, s, ms in found]
    said = [(3.0 * n + item.words[0].start / 25, 3.0 * n + item.words[-1].end / 25) for n, item in enumerate(items)]
    assert len(times) == 2 * SENTENCES
    off = [
        max(abs(at - start), abs(to - end)) for at, to, (start, end) in zip(times[::2], times[1::2], said, strict=True)
    ]
    assert sorted(off)[len(off) * 8 // 10] <= NEAR_S
    assert times == sorted(times)


def test_each_sentence_says_how_sure_it_is_and_the_whole_no_more_than_all_of_them(result):
    sentences = read(result)
    assert all(0 < each["confidence"] < 1 and each["alternatives"] for each in sentences)
    assert result["abstained"] == any(each["abstained"] for each in sentences)
    assert result["confidence"] <= min(each["confidence"] for each in sentences)
    for line, each in zip(result["text"].split("\n"), result["sentences"], strict=True):
        assert line.startswith("[not sure]") == each["abstained"]


def test_a_sentence_is_a_clip_to_be_judged_and_goes_with_its_recording(client, film):
    begun = client.post("/v1/clips", files=clip(film), headers={"Idempotency-Key": "long"})
    assert (begun.status_code, begun.json()["state"]) == (202, "reading")
    place = begun.headers["location"]
    until = time.monotonic() + PATIENCE
    while (now := client.get(place).json())["state"] == "reading" and time.monotonic() < until:
        time.sleep(0.1)
    assert now["state"] == "read"
    part = read(now)[0]["clip_id"]
    again = client.post("/v1/clips", files=clip(film), headers={"Idempotency-Key": "long"}, params={"wait": "true"})
    assert again.json()["clip_id"] == now["clip_id"]
    assert client.post(f"/v1/clips/{part}/feedback", json={"verdict": "right"}).status_code == 202
    assert client.post(f"{place}/feedback", json={"verdict": "right"}).status_code == 422
    assert client.delete(place).status_code == 204
    assert {client.get(each).status_code for each in (place, f"/v1/clips/{part}")} == {404}


def test_grpc_tells_the_same(result):
    plain = told(Result.model_validate(result))
    assert [each.text for each in plain.sentences] == [each["text"] for each in result["sentences"]]
    assert plain.watched_s == result["watched_s"]


def test_the_command_reads_a_recording_with_the_time_of_each_sentence(film, result, tmp_path):
    path = tmp_path / "long.mp4"
    path.write_bytes(film)
    done = subprocess.run(
        [sys.executable, "-m", "services.cli", "read", str(path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(result["sentences"])
    for line, each in zip(lines, result["sentences"], strict=True):
        assert each["text"] in line
        assert ("not sure" in line) == each["abstained"]
    assert re.search(r"  00:0[23]\.\d  ", lines[1])
