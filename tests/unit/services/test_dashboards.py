"""The dashboards are kept renewed, and say nothing that Grafana or Prometheus could not know."""

import json
import re
from collections import defaultdict
from itertools import combinations
from typing import Any, get_args

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import units

from lipsol.runtime.metrics import CATALOGUE, PROCESS
from services.operating.dashboards.__main__ import FOLDER
from services.operating.dashboards.book import DASHBOARDS, written
from services.operating.dashboards.panels import OURS, Kind, Panel, Query, metric_of, share

PANELS = [
    pytest.param(dashboard, panel, id=f"{dashboard.uid}-{panel.title}")
    for dashboard in DASHBOARDS
    for panel in dashboard.panels()
]
UNITS = {value for value in vars(units).values() if isinstance(value, str)}
PROMETHEUS_OWN = {"job", "instance", "le"}  # labels that a metric has besides those of the catalogue
SELECTOR = re.compile(r"\b(lipsol[_:][\w:]+)\{([^}]*)\}")
RELABELLED = re.compile(r'label_replace\(.*?"(\w+)"', re.DOTALL)
GROUPED = re.compile(r"\b(?:by|on|ignoring|group_left) \(([^)]*)\)")
NAMES = re.compile(r"\b(?:lipsol|process|go|python|up)[_a-z0-9]*(?:_[a-z0-9]+)+\b")
CONFIG_MAP_MAX = 256 * 1024  # bytes that kubectl apply remembers of an object
QUOTED = re.compile(r'"[^"]*"')  # holds no name
RECORDED = re.compile(r"\blipsol(?::\w+)+")


@pytest.fixture(scope="module")
def rules(top) -> list[dict[str, Any]]:
    """All rules of Prometheus."""
    files = (top / "k8s" / "monitoring" / "rules").glob("*.yaml")
    return [rule for file in files for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def recorded(rules) -> dict[str, list[dict[str, Any]]]:
    """Recording rules by their names."""
    found = defaultdict(list)
    for rule in rules:
        if "record" in rule:
            found[rule["record"]].append(rule)
    return found


def labels_of(expr: str, known: dict[str, list[dict[str, Any]]]) -> set[str]:
    """Labels that the series of an expression may have."""
    labels = {label for name in OURS.findall(expr) for label in CATALOGUE[metric_of(name)].labels}
    labels |= set(RELABELLED.findall(expr))
    for name in RECORDED.findall(expr):
        for rule in known[name]:
            labels |= labels_of(rule["expr"], known) | set(rule.get("labels", ()))
    return labels


def test_the_files_are_as_the_dashboards_are_now(top):
    kept = {file.name: file.read_text() for file in (top / FOLDER).glob("*.json")}
    assert kept == written(), "stale: run `make dashboards`"


def test_every_dashboard_has_a_name_for_links_that_grafana_takes():
    uids = [dashboard.uid for dashboard in DASHBOARDS]
    assert len(set(uids)) == len(uids)
    assert all(re.fullmatch(r"[a-z0-9-]{1,40}", uid) for uid in uids)
    assert len({dashboard.title for dashboard in DASHBOARDS}) == len(uids)


@pytest.mark.parametrize("name", written())
def test_panels_lie_side_by_side_within_the_grid_and_have_names_of_their_own(name):
    panels = json.loads(written()[name])["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [(panel["title"], *(panel["gridPos"][side] for side in "xywh")) for panel in panels]
    for title, x, _, width, height in places:
        assert x >= 0 and width > 0 and height > 0 and x + width <= 24, title
    for (one, x, y, w, h), (other, x2, y2, w2, h2) in combinations(places, 2):
        assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y, f"{one} lies over {other}"


@pytest.mark.parametrize("name", written())
def test_grafanas_own_model_takes_all_of_it(name):
    register_default_plugins()
    read = models.Dashboard.from_json(json.loads(written()[name]))
    assert json.loads(JSONEncoder().encode(read)) == json.loads(written()[name])


@pytest.mark.parametrize("name", written())
def test_the_data_source_is_chosen_above_the_dashboard_and_its_variables_are_all_there(name):
    drawn = json.loads(written()[name])
    there = {variable["name"] for variable in drawn["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", written()[name]))
    assert used <= there
    assert there - {"runbooks"} <= used, "a choice that changes nothing"
    for panel in drawn["panels"]:
        if panel["type"] not in {"row", "text"}:
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]


@pytest.mark.parametrize(("dashboard", "panel"), PANELS)
def test_a_panel_says_what_it_shows_in_which_unit_and_why_one_looks(dashboard, panel):
    assert panel.title
    assert len(panel.description()) > 20
    assert panel.kind in get_args(Kind)
    assert panel.kind == "words" or (panel.unit in UNITS and panel.queries)


@pytest.mark.parametrize(("dashboard", "panel"), PANELS)
def test_a_panel_leads_to_runbooks_to_which_alerts_lead_too(rules, dashboard, panel):
    alerts = [rule for rule in rules if "alert" in rule]
    known = {alert["annotations"]["runbook_url"].rpartition("/")[2].removesuffix(".md") for alert in alerts}
    assert set(panel.runbooks) <= known


@pytest.mark.parametrize(("dashboard", "panel"), PANELS)
def test_a_query_names_metrics_that_exist_by_labels_that_they_have(recorded, dashboard, panel):
    for query in panel.queries:
        assert set(RECORDED.findall(query.expr)) <= recorded.keys(), query.expr
        for name in NAMES.findall(QUOTED.sub("", query.expr)):
            assert metric_of(name) in CATALOGUE or name in PROCESS, name
        for metric, selector in SELECTOR.findall(query.expr):
            chosen = set(re.findall(r"(\w+)(?:=~|!~|!=|=)", selector))
            assert chosen <= labels_of(metric, recorded) | PROMETHEUS_OWN, query.expr
        told = re.findall(r"\{\{(\w+)\}\}", query.named)
        grouped = [label.strip() for group in GROUPED.findall(query.expr) for label in group.split(",") if label]
        assert {*told, *grouped} <= labels_of(query.expr, recorded) | PROMETHEUS_OWN, query.expr


@pytest.mark.parametrize("metric", CATALOGUE.values(), ids=lambda metric: metric.name)
def test_a_histogram_is_asked_for_by_its_series_and_nothing_else_is(metric):
    for dashboard in DASHBOARDS:
        for panel in dashboard.panels():
            for query in panel.queries:
                for series in OURS.findall(query.expr):
                    if metric_of(series) == metric.name:
                        assert (series != metric.name) == (metric.kind == "histogram"), f"{panel.title}: {series}"


def test_a_share_of_nothing_yet_is_nought_and_not_missing():
    asked = share("lipsol_disagreed_total", "lipsol_compared_total", "model")
    assert "or 0 * sum by (model) (rate(lipsol_compared_total" in asked


def test_a_panel_without_words_of_its_own_says_what_the_catalogue_says():
    panel = Panel("Waiting", "s", (Query("rate(lipsol_answer_seconds_bucket[5m])"),))
    assert panel.description().startswith(CATALOGUE["lipsol_answer_seconds"].what)
    assert CATALOGUE["lipsol_answer_seconds"].why in panel.description()


def test_a_cluster_and_a_grafana_beside_it_load_all_of_them(top):
    maps = yaml.safe_load((top / FOLDER / "kustomization.yaml").read_text())
    assert [file for each in maps["configMapGenerator"] for file in each["files"]] == [*written()]
    assert all(len(text.encode()) < CONFIG_MAP_MAX for text in written().values())
    provider = yaml.safe_load((top / FOLDER.parent / "grafana" / "dashboards.yaml").read_text())["providers"][0]
    assert provider["type"] == "file"
    source = yaml.safe_load((top / FOLDER.parent / "grafana" / "datasources.yaml").read_text())["datasources"][0]
    prometheus = yaml.safe_load((top / FOLDER.parent / "prometheus.yaml").read_text())
    assert source["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]
