"""The rules in the programs that will run them: promtool, amtool, Prometheus and Alertmanager."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lipsol.errors import Transient
from lipsol.runtime.telemetry import MetricsServer, Telemetry
from services.local.broker import HOST, free_port, is_free
from services.local.prometheus import CONFIGS, RULES, LocalPrometheus
from tests.alerts_made import TESTS, alerts, await_alert, hasty, need_tools, told

FILES = sorted(path.name for path in TESTS.glob("*.yaml"))
SAID = re.compile(r"Labels:\{(?P<labels>.*)\}\s+Annotations:\{(?P<annotations>.*)\}")
PAIR = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
WHO = {"track": "stable", "model": "grid-sentences"}


@pytest.fixture(autouse=True, scope="module")
def tools():
    need_tools()


def ran(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300, check=False)


def test_prometheus_and_alertmanager_take_what_is_here():
    for command in (
        ["promtool", "check", "rules", *sorted(RULES.glob("*.yaml"))],
        ["promtool", "check", "config", CONFIGS / "prometheus.yaml"],
        ["amtool", "check-config", CONFIGS / "alertmanager.yaml"],
    ):
        done = ran(*command)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", FILES)
def test_alerts_fire_and_stay_quiet_as_their_tests_say(name):
    done = ran("promtool", "test", "rules", TESTS / name)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", [name for name in FILES if name != "levels-days.yaml"])
def test_what_an_alert_says_is_whole(name, tmp_path):
    """promtool shows what it says where a test expects nothing: of every alert that the file's tests let fire."""
    document = yaml.safe_load((TESTS / name).read_text())
    document["rule_files"] = [str(RULES / Path(rules).name) for rules in document["rule_files"]]
    for group in document["tests"]:
        times = {asks["eval_time"] for asks in group.pop("promql_expr_test") if asks.get("exp_samples")}
        group["alert_rule_test"] = [
            {"eval_time": time, "alertname": alert, "exp_alerts": []} for time in times for alert in alerts()
        ]
    (tmp_path / "said.yaml").write_text(yaml.safe_dump(document))
    found = list(SAID.finditer(ran("promtool", "test", "rules", tmp_path / "said.yaml").stderr))
    assert found
    for each in found:
        labels, said = dict(PAIR.findall(each["labels"])), dict(PAIR.findall(each["annotations"]))
        asked = re.findall(r"\$labels\.(\w+)", str(alerts()[labels["alertname"]]["annotations"]))
        assert set(asked) <= labels.keys(), labels
        assert not re.search(r"<error|no value|%!|\{\{|NaN|Inf", " ".join(said.values())), said
        assert said["runbook_url"].startswith("docs/runbooks/")


@pytest.fixture
def watched(tmp_path):
    """What a process tells, a Prometheus that looks at it every second, and its Alertmanager."""
    telemetry = Telemetry()
    for stage in ("preprocess", "inference", "monitor"):
        telemetry.set("lipsol_ready", 1, stage=stage)
    telemetry.set("lipsol_counting_monitors", 1)
    metrics = MetricsServer(telemetry, free_port(), HOST)
    rules = hasty(tmp_path / "rules")
    try:
        with LocalPrometheus.start(tmp_path / "kept", metrics=[metrics.port], rules=rules, every="1s") as prometheus:
            yield telemetry, prometheus.alertmanager.uri
    finally:
        metrics.close()


def test_drift_fires_in_alertmanager_is_held_back_by_the_fault_that_it_is_a_symptom_of_and_ends(watched):
    telemetry, alertmanager = watched
    telemetry.set("lipsol_drift_value", 0.6, measure="brightness", method="ks", language="en", **WHO)
    telemetry.set("lipsol_drift_threshold", 0.2, measure="brightness", method="ks", language="en", **WHO)
    telemetry.set("lipsol_drift_state", 1, kind="camera", **WHO)
    alert = await_alert(alertmanager, "LipSolDriftCamera")
    assert alert["labels"]["severity"] == "ticket"
    assert alert["labels"]["model"] == "grid-sentences"
    assert [receiver["name"] for receiver in alert["receivers"]] == ["ticket"]
    assert "brightness by ks is at 3.00 times its bound" in alert["annotations"]["evidence"]
    assert "LipSolServiceDown" not in told(alertmanager)

    telemetry.set("lipsol_drift_state", 1, kind="software", **WHO)
    fault = await_alert(alertmanager, "LipSolDriftSoftware")
    assert [receiver["name"] for receiver in fault["receivers"]] == ["page"]
    held = await_alert(alertmanager, "LipSolDriftCamera", "suppressed")
    assert held["status"]["inhibitedBy"]
    telemetry.set("lipsol_drift_state", 1, kind="model", track="stable", model="urdu-sentences")
    await_alert(alertmanager, "LipSolDriftModel")  # which is another model's, and a fault of its own

    telemetry.set("lipsol_drift_state", 0, kind="software", **WHO)
    await_alert(alertmanager, "LipSolDriftCamera")


def test_both_are_served_from_the_command_line_until_told_to_leave(tmp_path):
    ports = [free_port(), free_port()]
    options = ["--port", ports[0], "--alertmanager-port", ports[1], "--metrics", free_port(), "--folder", tmp_path]
    command = [sys.executable, "-m", "services.local.prometheus", *map(str, options)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        assert f"http://127.0.0.1:{ports[0]}/alerts" in lines[0]
        assert lines[2].strip() == f"export LIPSOL_MONITOR__ALERTMANAGER=http://127.0.0.1:{ports[1]}"
        assert not any(map(is_free, ports))
        process.terminate()  # what a shell starts behind the scenes does not hear SIGINT
        assert process.wait(60) == 0
        assert all(map(is_free, ports))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_where_they_are_missing_the_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(Transient, match="apt-get install prometheus prometheus-alertmanager"):
        LocalPrometheus.start(tmp_path)


def test_a_port_that_is_taken_is_told_and_nothing_is_left_running(tmp_path):
    with LocalPrometheus.start(tmp_path / "first") as first:
        free = free_port()
        with pytest.raises(Transient, match=f"{first.port} already"):
            LocalPrometheus.start(tmp_path / "second", first.port, free)
        assert is_free(free)
