"""Metrics: one catalogue, and nothing beside it."""

import re
import socket
from importlib.metadata import version
from pathlib import Path
from typing import get_args
from urllib.request import Request, urlopen

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.openmetrics.exposition import generate_latest

from lipsol.errors import BadInput, NotFound, Transient
from lipsol.runtime.metrics import CATALOGUE, LABELS, Family
from lipsol.runtime.metrics.input import INPUT
from lipsol.runtime.metrics.output import OUTPUT
from lipsol.runtime.metrics.software import PROCESS, SOFTWARE
from lipsol.runtime.telemetry import MetricsServer, Telemetry

NAME = re.compile(r"lipsol(_[a-z]+)+")
UNITS = {
    "counter": ("_total",),
    "gauge": (
        *("_seconds", "_bytes", "_ratio", "_info", "_messages", "_clips", "_models", "_threads"),
        *("_monitors", "_groups"),
        *("_drift_state", "_drift_value", "_drift_threshold", "_ready"),
    ),
    "histogram": (
        *("_seconds", "_bytes", "_ratio", "_clips", "_pixels", "_degrees", "_levels", "_variance"),
        *("_faces", "_hertz", "_frames", "_characters", "_words"),
    ),
}
IN_CODE = re.compile(rf'"(lipsol(?:_[a-z]+)*(?:{"|".join({end for ends in UNITS.values() for end in ends})}))"')


def sources(top: Path) -> list[Path]:
    return [*(top / "lipsol").rglob("*.py"), *(top / "services").rglob("*.py")]


@pytest.mark.parametrize("metric", CATALOGUE.values(), ids=list(CATALOGUE))
def test_a_metric_has_a_unit_known_labels_and_a_sentence(metric):
    assert NAME.fullmatch(metric.name)
    assert metric.name.endswith(UNITS[metric.kind])
    assert set(metric.labels) <= set(LABELS)
    assert metric.what.endswith(".")
    assert metric.why and metric.unit
    assert list(metric.buckets) == sorted(set(metric.buckets))


def test_every_metric_in_the_code_is_of_the_catalogue(top):
    used = {name for path in sources(top) for name in IN_CODE.findall(path.read_text())}
    assert used <= set(CATALOGUE)
    assert "lipsol_handle_seconds" in used  # the pattern finds what there is


def test_no_metric_is_there_twice():
    assert len(CATALOGUE) == len((*SOFTWARE, *INPUT, *OUTPUT))
    assert {metric.family for metric in CATALOGUE.values()} == set(get_args(Family))


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
    with urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    server.close()
    assert "lipsol_clips_received_total 1.0" in text
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", server.port)) != 0


def fetched(server: MetricsServer, accept: str) -> tuple[str, str]:
    """What an asker gets who takes a form: its type, and its text."""
    request = Request(f"http://127.0.0.1:{server.port}/metrics", headers={"Accept": accept})
    with urlopen(request, timeout=60) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def test_a_bucket_names_the_trace_of_a_measurement_to_who_takes_openmetrics():
    telemetry = Telemetry()
    telemetry.observe("lipsol_answer_seconds", 0.2, track="stable", trace_id="0af7651916cd43dd8448eb211c80319c")
    telemetry.observe("lipsol_answer_seconds", 0.02, track="stable")
    server = MetricsServer(telemetry, 0, "127.0.0.1")
    try:
        open_type, open_text = fetched(server, "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
        plain_type, plain_text = fetched(server, "text/plain")
    finally:
        server.close()
    families = {family.name: family for family in openmetrics.text_string_to_metric_families(open_text)}
    samples = families["lipsol_answer_seconds"].samples
    named = {sample.labels["le"]: sample.exemplar for sample in samples if sample.exemplar}
    assert open_type.startswith("application/openmetrics-text")
    assert {upper: told.labels for upper, told in named.items()} == {
        "0.25": {"trace_id": "0af7651916cd43dd8448eb211c80319c"}
    }
    assert plain_type.startswith("text/plain")
    assert "trace_id" not in plain_text


def test_every_name_holds_in_openmetrics_too():
    families = {family.name: family for family in openmetrics.text_string_to_metric_families(openmetrics_text())}
    told = {name if metric.kind != "counter" else name.removesuffix("_total") for name, metric in CATALOGUE.items()}
    assert told <= set(families)


def openmetrics_text() -> str:
    """The metrics of a process that did nothing yet."""
    return generate_latest(Telemetry().registry).decode()


def test_a_process_tells_its_version_and_what_it_takes_of_the_machine():
    text = Telemetry().text()
    assert f'lipsol_build_info{{version="{version("lipsol")}"}} 1.0' in text
    assert all(f"\n{name} " in text for name in PROCESS)


def test_a_port_that_is_taken_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Transient, match=str(taken.getsockname()[1])):
            MetricsServer(Telemetry(), taken.getsockname()[1], "127.0.0.1")


def test_a_gauge_that_follows_asks_anew_at_every_look():
    telemetry, ready = Telemetry(), [True]
    telemetry.follow("lipsol_ready", lambda: ready[0], stage="monitor")
    assert telemetry.value("lipsol_ready", stage="monitor") == 1.0
    ready[0] = False
    assert 'lipsol_ready{stage="monitor"} 0.0' in telemetry.text()
