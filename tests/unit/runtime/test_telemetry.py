"""Metrics: one catalogue, and nothing beside it."""

import re
import socket
from pathlib import Path
from urllib.request import urlopen

import pytest

from lipsol.errors import BadInput, NotFound, Transient
from lipsol.runtime.metrics import CATALOGUE, LABELS
from lipsol.runtime.telemetry import MetricsServer, Telemetry

NAME = re.compile(r"lipsol(_[a-z]+)+")
UNITS = {
    "counter": ("_total",),
    "gauge": ("_seconds", "_bytes", "_ratio", "_messages", "_clips", "_models"),
    "histogram": ("_seconds", "_bytes", "_ratio", "_clips", "_pixels", "_degrees", "_levels"),
}
IN_CODE = re.compile(
    r'"(lipsol(?:_[a-z]+)*_(?:total|seconds|bytes|ratio|messages|clips|models|pixels|degrees|levels))"'
)


def sources(top: Path) -> list[Path]:
    return [*(top / "lipsol").rglob("*.py"), *(top / "services").rglob("*.py")]


@pytest.mark.parametrize("metric", CATALOGUE.values(), ids=list(CATALOGUE))
def test_a_metric_has_a_unit_known_labels_and_a_sentence(metric):
    assert NAME.fullmatch(metric.name)
    assert metric.name.endswith(UNITS[metric.kind])
    assert set(metric.labels) <= set(LABELS)
    assert metric.what.endswith(".")
    assert list(metric.buckets) == sorted(set(metric.buckets))


def test_every_metric_in_the_code_is_of_the_catalogue(top):
    used = {name for path in sources(top) for name in IN_CODE.findall(path.read_text())}
    assert used <= set(CATALOGUE)
    assert "lipsol_handle_seconds" in used  # the pattern finds what there is


def test_only_the_telemetry_makes_metrics(top):
    doors = {path.name for path in sources(top) if "prometheus_client" in path.read_text()}
    assert doors == {"telemetry.py"}


def test_a_name_or_label_beside_the_catalogue_is_refused():
    telemetry = Telemetry()
    with pytest.raises(NotFound, match="lipsol_clips_lost_total"):
        telemetry.add("lipsol_clips_lost_total")
    with pytest.raises(BadInput, match="counter"):
        telemetry.observe("lipsol_clips_received_total", 1.0)
    with pytest.raises(BadInput, match="stage"):
        telemetry.observe("lipsol_handle_seconds", 1.0)
    with pytest.raises(BadInput, match="clip"):
        telemetry.observe("lipsol_handle_seconds", 1.0, stage="read", clip="ab12")


def test_figures_add_up():
    telemetry = Telemetry()
    telemetry.add("lipsol_clips_received_total")
    telemetry.add("lipsol_clips_received_total", 2)
    telemetry.set("lipsol_queue_lag_messages", 7, stage="inference")
    with telemetry.timed("lipsol_handle_seconds", stage="inference"):
        pass
    assert telemetry.value("lipsol_clips_received_total") == 3
    assert telemetry.value("lipsol_queue_lag_messages", stage="inference") == 7
    assert telemetry.value("lipsol_handle_seconds", stage="inference") == 1
    assert telemetry.value("lipsol_dead_letters_total", stage="inference", reason="exhausted") == 0
    assert Telemetry().value("lipsol_clips_received_total") == 0


def test_a_block_that_fails_is_timed_too():
    telemetry = Telemetry()
    with pytest.raises(BadInput), telemetry.timed("lipsol_handle_seconds", stage="inference"):
        raise BadInput("x")
    assert telemetry.value("lipsol_handle_seconds", stage="inference") == 1


def test_metrics_are_served_until_closed():
    telemetry = Telemetry()
    telemetry.add("lipsol_clips_received_total")
    server = MetricsServer(telemetry, 0, "127.0.0.1")
    with urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    server.close()
    assert "lipsol_clips_received_total 1.0" in text
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", server.port)) != 0


def test_a_port_that_is_taken_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Transient, match=str(taken.getsockname()[1])):
            MetricsServer(Telemetry(), taken.getsockname()[1], "127.0.0.1")
