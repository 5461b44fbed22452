"""Training as processes: killed midway and started again, and shared out among ranks that torchrun starts."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lipsol.errors import ModelError
from lipsol.training import train
from lipsol.training.checkpoints import CURVE, points
from lipsol.training.job import Job
from lipsol.training.tasks import Task
from tests.training_made import dies_or_waits, made, near

PATIENCE = 900.0  # two ranks import torch twice, on whatever a busy machine leaves them
DIES = 3  # epoch
PLAN = {"near": {"epochs": 30, "batch": 2}, "word": {"epochs": 2, "batch": 8}, "check_every": 10}
SHARED = {"near": {"epochs": 3, "batch": 3}, "word": {"epochs": 1, "batch": 6}, "dropout": 0.0}
AGREE = 5e-4  # between weights: sums of two halves round otherwise than one sum, and Adam divides by their size


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return made(tmp_path_factory.mktemp("made") / "data").folder


def _run(top, *command):
    """How another process ended that trains; it is killed where it takes too long."""
    told = [sys.executable, *map(str, command)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(told, cwd=top, env=environment, timeout=PATIENCE, check=False).returncode


def test_a_training_killed_midway_goes_on_to_the_same_weights(data, top, tmp_path):
    plan, killed = json.dumps(PLAN), tmp_path / "killed"
    assert _run(top, "-m", "tests.training_made", data, killed, plan, DIES) == -signal.SIGKILL
    assert len(points(killed / f"near{CURVE}")) == DIES and not (killed / "near.pt").exists()
    resumed, whole = near(data, killed, plan), near(data, tmp_path / "whole", plan)
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
    curves = [points(folder / f"near{CURVE}") for folder in (killed, tmp_path / "whole")]
    for curve in curves:
        for line in curve:
            del line["seconds"]
    assert curves[0] == curves[1] and len(curves[0]) == 32
    assert not list(killed.glob("*.checkpoint"))


def test_the_first_that_dies_ends_its_sibling_at_once_and_none_is_begun_after_it(data, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "_alone", dies_or_waits)
    with pytest.raises(ModelError, match=r"trained far died \(7\)"):
        train._side_by_side([Task("near"), Task("far"), Task("second")], Job(data, tmp_path, tmp_path), tmp_path)
    assert not Path(f"/proc/{(tmp_path / 'waits').read_text()}").exists()


def test_who_only_waits_for_a_training_brings_no_torch(top):
    told = "import sys, lipsol.training.train, lipsol.steps.learning; sys.exit('torch' in sys.modules)"
    assert _run(top, "-c", told) == 0


def test_two_ranks_train_what_one_process_trains(data, top, tmp_path):
    plan = json.dumps(SHARED)
    command = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "tests.training_made")
    assert _run(top, *command, data, tmp_path / "two", plan) == 0
    two, one = near(data, tmp_path / "two", plan), near(data, tmp_path / "one", plan)
    worst = max(float((two[name] - one[name]).abs().max()) for name in one)
    assert worst < AGREE
    start = near(data, tmp_path / "start", json.dumps({**SHARED, "near": {"epochs": 0}, "word": {"epochs": 0}}))
    assert max(float((start[name] - one[name]).abs().max()) for name in one) > 20 * AGREE
