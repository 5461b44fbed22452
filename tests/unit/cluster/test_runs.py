"""What `make e2e` is told and what it writes; the runs themselves need a cluster, and are no test of pytest's."""

import io
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rich.console import Console

from services.local.broker import free_port
from tests.cluster import __main__ as runs
from tests.cluster.__main__ import means, spelt
from tests.cluster.kube import Cluster, is_ready, reachable
from tests.cluster.manifests import BESIDE, EXAMPLES, VALUES
from tests.cluster.outcome import COMMON, Outcome, show, unplayed, write
from tests.cluster.surroundings import merged

READY = {"conditions": [{"type": "Ready", "status": "True"}]}


def test_a_scenario_is_named_in_words_of_a_command_line_or_by_how_its_name_begins():
    assert spelt("rollback: in the midst of a canary") == "rollback-in-the-midst-of-a-canary"
    assert means("rollback", "rollback: idle") and means("rollback-idle", "rollback: idle")
    assert not means("roll", "rollback: idle") and not means("rollback-idle", "rollback: idleness")


def test_a_row_holds_if_it_came_as_it_had_to_and_broke_no_law():
    assert Outcome("bad upgrade", "aborted", "aborted").holds
    assert not Outcome("bad upgrade", "passed", "aborted").holds
    assert not Outcome("bad upgrade", "aborted", "aborted", broken=("clips were lost: one",)).holds
    assert not unplayed("bad upgrade", "aborted", "4", 1.0, "no cluster").holds


def test_rows_of_scenarios_and_helms_that_were_not_played_now_stay(tmp_path: Path):
    path = tmp_path / "e2e.json"
    before = [Outcome("install", "ready", "ready", helm) for helm in ("3", "4")]
    write(before, "a machine", "2026-11-21", path)
    write([Outcome("install", "not ready", "ready", "4")], "a machine", "2026-11-22", path)
    rows = json.loads(path.read_text())
    assert {(row["helm"], row["verdict"], row["day"], row["holds"]) for row in rows} == {
        ("3", "ready", "2026-11-21", True),
        ("4", "not ready", "2026-11-22", False),
    }
    assert all(set(COMMON) <= set(row) for row in rows)


def test_what_is_printed_names_every_broken_law():
    console = Console(record=True, width=160, file=io.StringIO())
    show([Outcome("install", "not ready", "ready", "4", broken=("nobody answers",))], console, "a run")
    said = console.export_text()
    assert "nobody answers" in said and "was to come to 'ready'" in said


def test_values_are_laid_on_values_as_helm_does():
    below = {"release": {"way": "canary", "steps": [1, 2]}, "image": {"tag": ""}}
    assert merged(below, {"release": {"steps": [3]}}, {"image": {"tag": "b"}}) == {
        "release": {"way": "canary", "steps": [3]},
        "image": {"tag": "b"},
    }
    assert below["release"]["steps"] == [1, 2]


@pytest.mark.parametrize(
    ("pod", "ready"),
    [
        ({"metadata": {}, "status": READY}, True),
        ({"metadata": {}, "status": {"conditions": [{"type": "Ready", "status": "False"}]}}, False),
        ({"metadata": {}, "status": {}}, False),
        ({"metadata": {"deletionTimestamp": "now"}, "status": READY}, False),
    ],
    ids=["ready", "not ready", "new", "leaving"],
)
def test_a_pod_that_leaves_is_not_one_to_ask(pod: dict[str, object], ready: bool):
    assert is_ready(pod) is ready


def test_every_example_of_the_chart_is_asked_for():
    asked = {path.name for files in VALUES.values() for path in files if path.parent == EXAMPLES}
    assert asked == {path.name for path in EXAMPLES.glob("*.yaml")} - set(BESIDE)


@pytest.mark.parametrize(("cluster", "code"), [("optional", 0), ("", 1)])
def test_where_no_time_is_left_nothing_begins_and_that_is_a_fault_unless_it_was_optional(
    cluster: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    monkeypatch.setattr(runs, "FOLDER", tmp_path)
    monkeypatch.setenv("MINUTES", "0")
    monkeypatch.setenv("CLUSTER", cluster)
    assert runs.main(["isolation"]) == code
    told = capsys.readouterr()
    assert "no time is left to bring a cluster" in told.out + told.err


def test_what_is_begun_in_time_is_let_begin():
    runs.in_time("to install anything", time.monotonic() + 60)
    with pytest.raises(runs.Unplayable, match="no time is left to install anything"):
        runs.in_time("to install anything", time.monotonic())


@pytest.mark.parametrize(
    ("kept", "left_out"), [("", "to build images"), ("kept", "to load images")], ids=["the build", "the load"]
)
def test_the_time_is_looked_at_before_images_too(kept: str, left_out: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("IMAGES", kept)
    with pytest.raises(runs.Unplayable, match=left_out):
        runs.put_images(Cluster("given", {}), print, time.monotonic())


def test_a_service_that_answers_late_is_within_reach_and_one_that_never_does_is_not():
    port = free_port()
    assert not reachable("127.0.0.1", port, 0.2)
    with socket.socket() as served, ThreadPoolExecutor() as pool:
        asked = pool.submit(reachable, "127.0.0.1", port, 10.0)
        time.sleep(0.3)
        served.bind(("127.0.0.1", port))
        served.listen()
        assert asked.result()
