"""Reports as Evidently makes them, in a process of its own, over readings that a bus still holds."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from lipsol.bus.port import Bus
from lipsol.runtime.clock import ManualClock
from lipsol.runtime.telemetry import Telemetry
from lipsol.store.local import LocalStore
from services.doors.service import DoorSettings
from services.doors.web import new_app
from services.monitor.reports import maker as making
from services.monitor.reports.doors import SHUT_IN, add_reports
from services.monitor.reports.kept import Report, Reports
from services.monitor.reports.maker import Maker
from services.monitor.reports.settings import ReportSettings
from tests.reports_made import GROUP, NOW, bus_with, readings, reference_rows
from tests.services_made import SAID, feedback_of, served_app


@dataclass(frozen=True)
class Place:
    """A maker, its store, and its figures."""

    maker: Maker
    reports: Reports
    telemetry: Telemetry


def place_of(bus: Bus, folder: Path, *, reference: bool = True, **settings: float) -> Place:
    reports, telemetry = Reports(LocalStore(folder), 3600.0), Telemetry()
    rows = ("bundle", reference_rows()) if reference else ("", [])
    window = ReportSettings(every_s=0.0, window_s=1e9, **settings)  # type: ignore[arg-type]
    clock = ManualClock(NOW)
    return Place(Maker(bus, reports, lambda _: rows, window, telemetry, clock), reports, telemetry)


@pytest.fixture(scope="module")
def round_made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, dict[str, Report]]:
    """A round of reports over 400 clips that are 20 levels darker than usual, 60 of them judged."""
    clips = readings(400, darker=20.0)
    told = [feedback_of(each.clip_id, verdict="wrong" if n % 3 else "right") for n, each in enumerate(clips[:60])]
    place = place_of(bus_with(*clips, *told), tmp_path_factory.mktemp("store"))
    return place, {report.kind: report for report in place.maker.round()}


def test_a_round_makes_every_kind_of_report_there_is_enough_for(round_made):
    place, made = round_made
    assert set(made) == {"data-drift", "data-quality", "model-quality"}
    assert made["data-drift"].clips == 400
    assert made["model-quality"].held == 60
    assert place.telemetry.value("lipsol_reports_made_total", kind="data-drift") == 1


def test_the_drift_report_names_what_drifted_its_method_and_its_bound(round_made):
    _, made = round_made
    assert list(made["data-drift"].drifted) == ["brightness"]
    assert "wasserstein" in made["data-drift"].methods["brightness"].lower()
    assert "at most 0.1" in made["data-drift"].methods["brightness"]
    assert "jensen" in made["data-drift"].methods["codec"].lower()
    assert made["data-drift"].reference == "bundle"


def test_a_page_fetches_nothing_and_holds_nothing_that_was_said(round_made):
    place, made = round_made
    for report in made.values():
        page = place.reports.page(report.name).decode()
        assert "<script" in page
        assert not [tag for tag in ('src="http', "src='http", '<link rel="stylesheet" href="http') if tag in page]
        assert SAID not in page
        assert "clip-1-0000" not in page


def test_without_a_reference_the_quality_of_the_data_is_all_that_is_told(tmp_path):
    place = place_of(bus_with(*readings(60)), tmp_path, reference=False)
    assert [report.kind for report in place.maker.round()] == ["data-quality"]


def test_too_few_clips_make_no_report(tmp_path):
    assert place_of(bus_with(*readings(20)), tmp_path).maker.round() == []


def test_a_report_that_takes_too_long_is_given_up_and_told(tmp_path):
    place = place_of(bus_with(*readings(60)), tmp_path, reference=False, limit_s=0.2)
    assert place.maker.round() == []
    assert place.telemetry.value("lipsol_reports_failed_total", reason="time") == 1


def test_a_report_that_needs_too_much_memory_ends_its_own_process_alone(tmp_path):
    (tmp_path / "asked.json").write_text(json.dumps({"kind": "data-drift", "kinds": [], "memory_mib": 32}))
    command = [sys.executable, "-m", "services.monitor.reports.worker", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert not (tmp_path / "page.html").exists()


def test_the_monitor_never_imports_evidently():
    program = "import services.monitor.reports.maker as _, sys; print({'evidently', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.fixture
def door(round_made: tuple[Place, dict[str, Report]]) -> Iterator[httpx.Client]:
    place, _ = round_made
    app = new_app("test", "test", list)
    add_reports(app, place.maker)
    with served_app(app, DoorSettings()) as client:
        yield client


def test_the_list_leads_to_every_page(door, round_made):
    told = door.get("/v1/reports").json()
    assert {each["kind"] for each in told} == {"data-drift", "data-quality", "model-quality"}
    listed = door.get("/reports").text
    for each in told:
        assert each["page"] in listed
        assert door.get(each["page"]).status_code == 200


def test_a_page_is_shut_in(door):
    page = door.get(door.get("/v1/reports").json()[0]["page"])
    assert page.headers["content-security-policy"] == SHUT_IN
    assert "allow-same-origin" not in SHUT_IN


def test_an_unknown_report_is_told_with_where_they_are_listed(door):
    problem = door.get("/reports/none-such")
    assert problem.status_code == 404
    assert "/reports" in problem.json()["cure"]


def test_who_asks_gets_a_round(tmp_path):
    place = place_of(bus_with(*(replace(each, entropy=None) for each in readings(60))), tmp_path, reference=False)
    place.maker.start()
    app = new_app("test", "test", list)
    add_reports(app, place.maker)
    with served_app(app, DoorSettings()) as client:
        assert client.post("/v1/reports").status_code == 202
    deadline = time.monotonic() + 120
    while not place.reports.all() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert place.maker.stop(30.0)
    assert [report.kind for report in place.reports.all()] == ["data-quality"]
    assert place.reports.all()[0].model == GROUP.model


def test_where_evidently_is_missing_asking_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(making, "find_spec", lambda _: None)
    app, place = new_app("test", "test", list), place_of(bus_with(), tmp_path)
    add_reports(app, place.maker)
    with served_app(app, DoorSettings()) as client:
        told = client.post("/v1/reports")
        assert told.status_code == 503
        assert "requirements/monitor.txt" in told.text
        assert "requirements/monitor.txt" in client.get("/reports").text
