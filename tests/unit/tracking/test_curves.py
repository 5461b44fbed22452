"""Curves go into a run as they grow, each figure once."""

import json
from pathlib import Path

import pytest

from lipsol.tracking.curves import send_curves
from lipsol.tracking.local import LocalTracker, points_of


@pytest.fixture
def run(tmp_path):
    with LocalTracker(tmp_path / "runs").run("train", "one", {}, {}) as opened:
        yield opened


def write(folder: Path, member: str, *lines: dict[str, object], torn: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line) + "\n" for line in lines) + torn
    (folder / f"{member}.curve.jsonl").write_text(text)


def told(tmp_path: Path, run_id: str) -> list[tuple[int, dict[str, float]]]:
    return list(points_of(tmp_path / "runs" / "train" / run_id))


def test_the_parts_of_a_member_keep_their_own_steps(run, tmp_path):
    first = {"part": "sentences", "step": 40, "loss": 2.5, "validation_wer": 0.5}
    write(tmp_path / "members" / "key", "near", first, {"part": "words", "step": 40, "loss": 3})
    assert send_curves(run, tmp_path / "members") == 3
    assert told(tmp_path, run.id) == [
        (40, {"near/sentences/loss": 2.5, "near/sentences/validation_wer": 0.5}),
        (40, {"near/words/loss": 3.0}),
    ]


def test_a_curve_that_grows_is_sent_as_it_grows_and_a_torn_line_when_it_is_whole(run, tmp_path):
    lines = [{"step": step, "loss": 1.0 / step} for step in (1, 2, 3)]
    write(tmp_path / "members", "far", *lines[:1], torn='{"step": 2, "lo')
    assert send_curves(run, tmp_path / "members") == 1
    write(tmp_path / "members", "far", *lines)
    assert send_curves(run, tmp_path / "members") == 2
    assert send_curves(run, tmp_path / "members") == 0
    assert [step for step, _ in told(tmp_path, run.id)] == [1, 2, 3]


def test_a_run_whose_last_line_was_torn_goes_on_behind_it(tmp_path):
    tracker = LocalTracker(tmp_path / "runs")
    with tracker.run("train", "one", {}, {}) as run:
        run.metrics({"loss": 2.0}, 1)
    with (tmp_path / "runs" / "train" / run.id / "metrics.jsonl").open("a") as file:
        file.write('{"step": 2, "metr')
    with tracker.run("train", "one", {}, {}, run_id=run.id) as resumed:
        assert resumed.curve([(1, {"loss": 2.0}), (2, {"loss": 1.0})]) == 1
    assert told(tmp_path, run.id) == [(1, {"loss": 2.0}), (2, {"loss": 1.0})]
