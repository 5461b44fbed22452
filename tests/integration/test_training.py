"""Training as processes: killed midway and started again, and shared out among ranks that torchrun starts."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from lipsol.training.checkpoints import CURVE, points
from tests.training_made import made, near

PATIENCE = 900.0  # two ranks import torch twice, on whatever a busy machine leaves them
PLAN = {"near": {"epochs": 30, "batch": 2}, "word": {"epochs": 2, "batch": 8}, "check_every": 10}
SHARED = {"near": {"epochs": 3, "batch": 3}, "word": {"epochs": 1, "batch": 6}, "dropout": 0.0}
AGREE = 5e-4  # between weights: sums of two halves round otherwise than one sum, and Adam divides by their size


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return made(tmp_path_factory.mktemp("made") / "data").folder


def _run(top, *command):
    """Another process that trains."""
    return subprocess.Popen([sys.executable, *command], cwd=top, env={**os.environ, "OMP_NUM_THREADS": "1"})


def test_a_training_killed_midway_goes_on_to_the_same_weights(data, top, tmp_path):
    plan, killed = json.dumps(PLAN), tmp_path / "killed"
    process = _run(top, "-m", "tests.training_made", data, killed, plan)
    until = time.monotonic() + PATIENCE
    while len(points(killed / f"near{CURVE}")) < 3 and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    done = len(points(killed / f"near{CURVE}"))
    assert 3 <= done < 30 and not (killed / "near.pt").exists()
    resumed, whole = near(data, killed, plan), near(data, tmp_path / "whole", plan)
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
    curves = [points(folder / f"near{CURVE}") for folder in (killed, tmp_path / "whole")]
    for curve in curves:
        for line in curve:
            del line["seconds"]
    assert curves[0] == curves[1] and len(curves[0]) == 32
    assert not list(killed.glob("*.checkpoint"))


def test_two_ranks_train_what_one_process_trains(data, top, tmp_path):
    plan = json.dumps(SHARED)
    command = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "tests.training_made")
    process = _run(top, *command, data, tmp_path / "two", plan)
    try:
        assert process.wait(PATIENCE) == 0
    finally:
        process.terminate()
    two, one = near(data, tmp_path / "two", plan), near(data, tmp_path / "one", plan)
    worst = max(float((two[name] - one[name]).abs().max()) for name in one)
    assert worst < AGREE
    start = near(data, tmp_path / "start", json.dumps({**SHARED, "near": {"epochs": 0}, "word": {"epochs": 0}}))
    assert max(float((start[name] - one[name]).abs().max()) for name in one) > 20 * AGREE
