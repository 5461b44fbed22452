"""What the board says of what the monitor found, and what its JSON holds."""

import math
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from lipsol.drift.wording import KINDS
from lipsol.errors import BadInput, NotFound
from lipsol.events import DriftKind, Remedy
from lipsol.runtime.settings import Settings, load
from services.monitor.alerts import AWAY_S, FRESH_S, Alerts, Link, beside_drift
from services.monitor.contract import ActionTold, GroupTold, SeriesTold, StateTold, name_of_group
from services.monitor.runbooks import Runbooks
from services.monitor.settings import MonitorSettings
from services.monitor.views import Point, Series
from services.monitor.wording import REMEDIES, STATES, name_of, overall, said_of
from tests.board_made import CANARY, COPY, FINDINGS, STABLE, URDU, MadeAlertmanager, action, alert, drifted, quiet

NOW = 1_795_314_000.0


class Held(Settings):
    """The monitor's section as the environment has it."""

    monitor: MonitorSettings = MonitorSettings()


def test_every_kind_and_remedy_has_its_words():
    assert set(KINDS) == set(get_args(DriftKind)) == set(FINDINGS)
    assert set(REMEDIES) == set(get_args(Remedy))


@pytest.mark.parametrize("kind", FINDINGS)
def test_drift_of_each_kind_is_the_headline_with_its_beginning_and_what_helps(kind):
    watched = drifted(kind, since=NOW)
    told = StateTold.of([quiet(URDU), watched], at=NOW, runbooks=[f"drift-{kind}"])
    assert (told.state, told.headline, told.said, told.since) == ("drift", KINDS[kind], said_of(watched), NOW)
    assert f"{KINDS[kind]}: {told.said}".lower() == watched.said.lower()
    first = told.groups[0]
    assert (told.todo, told.runbook) == (first.todo, first.runbook)
    assert (first.kind, first.todo, first.runbook) == (kind, REMEDIES[first.remedy], f"/runbooks/drift-{kind}")
    assert [each.measure for each in first.evidence] == [each.measure for each in FINDINGS[kind][1]]


@pytest.mark.parametrize(
    ("watched", "faults", "alerts", "state", "words"),
    [
        ([], [], [], "empty", "Nothing has been read"),
        ([quiet()], [], [], "quiet", "All is as it should be"),
        ([quiet(state="learning")], [], [], "learning", "Too few clips"),
        ([quiet(state="no reference")], [], [], "no reference", "Nothing to compare"),
        ([quiet(state="no reference"), quiet(URDU, "away")], [], [], "away", "can't be had"),
        ([quiet(), quiet(URDU, "learning")], [], [], "quiet", "All is as it should be"),
        ([quiet()], [], ["a service is down"], "alerts", "Something else is wrong"),
        ([drifted("mix")], [], ["a service is down"], "drift", KINDS["mix"]),
        ([drifted("mix")], ["monitor has stood down"], [], "not counting", "does not count"),
    ],
    ids=["empty", "quiet", "learning", "blind", "away", "in part", "alert", "drift and alert", "stood down"],
)
def test_the_headline_is_the_worst_that_is_known(watched, faults, alerts, state, words):
    told = overall(watched, faults, alerts)
    assert told.state == state
    assert words in told.headline


def test_what_is_not_known_of_some_is_said_though_all_that_is_known_is_well():
    told = overall([quiet(), quiet(URDU, "learning"), quiet(CANARY, "no reference")])
    assert told.said == "As far as can be told: 1 of 3 can't be compared with anything, 1 of 3 had too few clips yet."


def test_drift_of_what_users_get_stands_before_that_of_copies_however_old():
    copy, users = drifted("model", COPY, since=NOW - 60), drifted("camera", since=NOW)
    told = StateTold.of([quiet(URDU), copy, users], at=NOW)
    assert told.headline == KINDS["camera"]
    assert (told.since, "1 more" in told.said) == (NOW - 60, True)
    assert [each.group for each in told.groups] == [name_of_group(each) for each in (STABLE, URDU, COPY)]


def test_a_group_without_reference_is_told_how_to_get_one():
    assert "lipsol models reference" in GroupTold.of(quiet(state="no reference")).todo


def test_a_group_whose_reference_is_away_is_not_blamed_on_its_bundle():
    told = GroupTold.of(quiet(state="away"), ["reference-away"])
    assert ("registry" in told.todo, "models reference" in told.todo) == (True, False)
    assert told.runbook.endswith("reference-away")


def test_what_is_over_tells_no_evidence_and_no_remedy():
    over = replace(drifted("camera"), state="quiet")
    told = GroupTold.of(over, ["drift-camera"])
    assert (told.headline, told.kind, told.todo, told.runbook, told.evidence) == (STATES["quiet"], None, "", "", [])


def test_numbers_that_json_has_not_are_told_as_unknown():
    made = Series("wer", "ratio", "output", None, (Point(NOW, math.nan, 3), Point(NOW + 300, 0.5, 4)))
    assert [each.value for each in SeriesTold.of(made).points] == [None, 0.5]
    watched = drifted("camera")
    assert watched.verdict is not None
    odd = replace(watched.verdict.evidence[0], value=math.inf)
    told = GroupTold.of(replace(watched, verdict=replace(watched.verdict, evidence=(odd,))))
    assert told.evidence[0].value is None


def test_groups_have_names_of_their_own():
    names = {name_of_group(each) for each in (STABLE, CANARY, COPY, URDU, None)}
    assert names == {
        "stable/grid-sentences/abababababab/en",
        "canary/grid-sentences/cdcdcdcdcdcd/en",
        "canary/grid-sentences/cdcdcdcdcdcd/en/shadow",
        "stable/urdu-synthetic-sentences/efefefefefef/ur",
        "all",
    }


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ("brightness", "Brightness"),
        ("lipsol_odd_measure_ratio", "Odd measure ratio"),
        ("wer", "Words that people corrected"),
    ],
)
def test_every_measure_has_plain_words(measure, words):
    assert name_of(measure) == words


def test_the_board_has_no_place_for_a_text_a_clip_or_who_sent_it():
    fields = {name for kind in (StateTold, GroupTold, SeriesTold, ActionTold) for name in kind.model_fields}
    assert fields.isdisjoint({"text", "reading", "truth", "words", "clip", "clip_id", "session", "name_of_sender"})
    assert ActionTold.of(action()).finding == "d1" * 16


# Alertmanager


def test_without_an_alertmanager_it_says_how_to_name_one_and_tells_its_own_findings():
    told = Alerts(None, lambda: 0.0).active(
        [quiet(URDU), drifted("camera", since=NOW), drifted("model", COPY)], ["drift-camera"]
    )
    assert (told.source, "LIPSOL_MONITOR__ALERTMANAGER" in told.cure) == ("monitor", True)
    (only,) = told.alerts
    assert (only.summary, only.since, only.runbook) == (KINDS["camera"], NOW, "/runbooks/drift-camera")
    assert beside_drift(told) == []


def test_active_alerts_come_with_their_runbooks_the_one_that_wakes_somebody_first():
    ticket = alert("LipSolDriftCamera", "ticket", summary="darker", runbook_url="docs/runbooks/drift-camera.md")
    with MadeAlertmanager([ticket, alert(runbook_url="https://elsewhere.example/x")]).serving() as manager:
        told = Alerts(Link(manager.address), lambda: 0.0).active([], ["drift-camera"])
    assert (told.source, told.problem) == ("alertmanager", "")
    assert [(each.name, each.runbook) for each in told.alerts] == [
        ("LipSolServiceDown", ""), ("LipSolDriftCamera", "/runbooks/drift-camera"),
    ]  # fmt: skip
    assert told.alerts[0].since == 1_795_316_400.0
    assert beside_drift(told) == ["inference does not answer"]
    assert manager.asked == ["/api/v2/alerts?active=true&silenced=false&inhibited=false&unprocessed=false"]


def test_one_that_stands_below_a_path_is_asked_there():
    with MadeAlertmanager().serving() as manager:
        Alerts(Link(manager.address + "/alertmanager/"), lambda: 0.0).active([], [])
    assert manager.asked[0].startswith("/alertmanager/api/v2/alerts?")


@pytest.mark.parametrize(
    ("alerts", "status", "why"),
    [([], 503, "answers 503"), (b"<html>", 200, "not as Alertmanager"), ([{"odd": 1}], 200, "not as Alertmanager")],
    ids=["broken", "a page", "another form"],
)
def test_one_that_gives_no_alerts_is_said_to_be_away_and_why(alerts, status, why):
    with MadeAlertmanager(alerts, status).serving() as manager:
        told = Alerts(Link(manager.address), lambda: 0.0).active([drifted("mix")], [])
    assert told.source == "monitor"
    assert why in told.problem and manager.address in told.problem
    assert [each.summary for each in told.alerts] == [KINDS["mix"]]


def test_one_that_is_not_there_is_not_waited_for_by_everybody():
    with MadeAlertmanager().serving() as manager:
        address = manager.address
    clock = [0.0]
    alerts = Alerts(Link(address), lambda: clock[0])
    assert "does not tell" in alerts.active([], []).problem
    with MadeAlertmanager([alert()]).serving() as back:
        alerts._link = Link(back.address)
        clock[0] = AWAY_S - 1
        assert alerts.active([], []).source == "monitor"
        clock[0] = AWAY_S
        assert alerts.active([], []).source == "alertmanager"
        clock[0] = AWAY_S + FRESH_S - 1
        alerts.active([], [])
        assert len(back.asked) == 1


@pytest.mark.parametrize("address", ["alertmanager:9093", "file:///etc/passwd", "http://", "http://me:pw@host"])
def test_an_address_that_leads_nowhere_stops_the_start(address, monkeypatch):
    monkeypatch.setenv("LIPSOL_MONITOR__ALERTMANAGER", address)
    with pytest.raises(BadInput, match="LIPSOL_MONITOR__ALERTMANAGER"):
        load(Held)


# Runbooks


@pytest.fixture
def books(tmp_path: Path) -> Runbooks:
    (tmp_path / "drift-camera.md").write_text(
        "# Pictures & people\n\nSee [the other](drift-mix.md#first) or [the map](../overview.md).\n\n"
        "<script>alert(1)</script>\n\n[bad](javascript:alert(1)) [out](https://example.org/x)\n\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n"
    )
    (tmp_path / "drift-mix.md").write_text("# Mix\n")
    return Runbooks(tmp_path)


def test_a_runbook_is_a_page_that_leads_to_the_others_and_to_nothing_that_is_not_served(books):
    page = books.page("drift-camera")
    assert "<title>Pictures &amp; people – LipSol</title>" in page
    assert '<a href="/runbooks/drift-mix#first">the other</a>' in page
    assert "../overview" not in page and "the map" in page
    assert "<table>" in page


def test_nothing_in_a_runbook_runs(books):
    page = books.page("drift-camera")
    assert "<script" not in page and 'href="javascript' not in page


@pytest.mark.parametrize("name", ["other", "../settings", "drift-camera.md", ""])
def test_what_is_no_runbook_is_not_found(books, name):
    with pytest.raises(NotFound, match="drift-camera, drift-mix"):
        books.page(name)


def test_where_no_runbooks_lie_nothing_links_to_any(tmp_path):
    assert Runbooks(tmp_path / "nowhere").names == ()
    assert GroupTold.of(drifted("camera"), ()).runbook == ""
