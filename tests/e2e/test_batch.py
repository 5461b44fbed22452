"""A batch of real clips with the shipped models, killed midway and gone on with."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lipsol.store.local import LocalStore

MANIFEST = Path("samples/truth.csv")

pytestmark = pytest.mark.skipif(not list(Path("models").glob("*.lipsol")), reason="models/ holds no bundle")


def submit(store, *options):
    """The command, begun."""
    command = [sys.executable, "-m", "services.cli", "batch", "submit", str(MANIFEST), "--name", "b1", *options]
    env = {**os.environ, "LIPSOL_STORE__FOLDER": str(store)}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def read_in(store):
    """The results that the store holds, by their place in it."""
    kept = LocalStore(store)
    return {key: kept.get(key) for key in kept.list("clips/") if key.endswith("/result.json")}


def test_a_batch_that_was_killed_goes_on_and_reads_nothing_anew(tmp_path):
    store, report = tmp_path / "store", tmp_path / "report.csv"
    killed = submit(store)
    until = time.monotonic() + 120
    while not (before := read_in(store)) and killed.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert before
    done = submit(store, "--report", str(report))
    said, faults = done.communicate(timeout=300)
    assert (done.returncode, faults) == (0, "")
    assert "12 clips: 0 waiting, 0 being read" in said
    after = read_in(store)
    assert len(after) == 12
    assert {key: after[key] for key in before} == before
    with report.open(newline="") as rows:
        states = {row["path"]: row["state"] for row in csv.DictReader(rows)}
    with MANIFEST.open(newline="") as rows:
        assert set(states) == {row["path"] for row in csv.DictReader(rows)}
    assert set(states.values()) <= {"read", "abstained"}
