"""Every alert says what it means, leads to a page that helps, and is tested both ways; no rule asks for what is not."""

import json
import os
import re
from functools import cache
from typing import Any, get_args

import click
import pytest
import yaml

from lipsol.runtime.metrics import CATALOGUE, Family
from services.cli.app import lipsol
from services.local.prometheus import ALERTMANAGER_PORT, CONFIGS, METRICS, PORT, RULES, configured
from tests.alerts_made import TESTS, alerts, rules

ALERTS = alerts()
RECORDED = {rule["record"] for rule in rules() if "record" in rule}
OWN = {"le", "instance", "job"}  # labels that a series has besides those of the catalogue
NAME = re.compile(r"\blipsol[_:][\w:]+")
SELECTOR = re.compile(r"\b(lipsol_\w+)\{([^}]*)\}")
GROUPED = re.compile(r"\b(?:by|on) ?\(([^)]*)\)")
MADE = re.compile(r'label_replace\(.*?"(\w+)"', re.DOTALL)
FIRING = re.compile(r'alertname="(\w+)"')
COMMAND = re.compile(r"`?\blipsol ((?:[a-z-]+ ?)+)")


def metric_of(name: str) -> str:
    """The metric whose series that is."""
    return name if name in CATALOGUE else re.sub(r"_(bucket|count|sum)$", "", name)


def asked(expr: str) -> set[str]:
    """Names of all series that an expression asks for."""
    return set(NAME.findall(re.sub(r'"[^"]*"', '""', expr)))


def labels_of(expr: str) -> set[str]:
    """Labels that the series which an expression asks for may have."""
    known = set(OWN) | set(MADE.findall(expr))
    for name in asked(expr):
        if name in RECORDED:
            for rule in rules():
                if rule.get("record") == name:
                    known |= labels_of(rule["expr"]) | set(rule.get("labels", ()))
        else:
            known |= set(CATALOGUE[metric_of(name)].labels)
    return known


@cache
def ways() -> tuple[set[str], set[str]]:
    """Names of the alerts of which a test says that they fire, and of those of which one says that they don't."""
    fire, quiet = set[str](), set[str]()
    for file in TESTS.glob("*.yaml"):
        for group in yaml.safe_load(file.read_text())["tests"]:
            for asks in group["promql_expr_test"]:
                expected: list[dict[str, Any]] = asks.get("exp_samples", [])
                named = FIRING.findall(asks["expr"])
                if expected:
                    fire |= {*named, *(name for one in expected for name in FIRING.findall(one.get("labels", "")))}
                else:
                    quiet |= set(named)
    return fire, quiet


def page_of(alert: str) -> str:
    """The runbook that an alert leads to, from the repository's root."""
    return str(ALERTS[alert]["annotations"]["runbook_url"])


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_how_urgent_it_is_and_whose_health_it_tells_of(alert):
    assert re.fullmatch(r"LipSol([A-Z][a-z]+)+", alert)
    assert ALERTS[alert]["labels"].keys() == {"severity", "family"}
    assert ALERTS[alert]["labels"]["severity"] in {"page", "ticket"}
    assert ALERTS[alert]["labels"]["family"] in get_args(Family)


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_its_value_its_bound_and_what_to_do(alert):
    told = ALERTS[alert]["annotations"]
    assert {"summary", "description", "runbook_url"} <= told.keys()
    assert "$value" in told["description"] or "0 processes" in told["description"]
    assert re.search(r"bound|is the least|is right|is quiet|a month allows|at most in the week", told["description"])
    assert len(told["summary"]) < 100 and told["description"].rstrip().endswith(".")


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_leads_to_a_page_that_names_it_and_says_what_it_means_how_to_see_it_and_how_to_mend_it(top, alert):
    text = (top / page_of(alert)).read_text()
    assert f"`{alert}`" in text
    for part in ("# ", "**For people who rely on it:**", "\n## See it\n", "\n## Mend it\n"):
        assert part in text


def test_every_runbook_is_led_to(top):
    assert {path.relative_to(top).as_posix() for path in (top / "docs" / "runbooks").glob("*.md")} == set(
        map(page_of, ALERTS)
    )


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_a_test_in_which_it_fires_and_one_in_which_it_stays_quiet(alert):
    fire, quiet = ways()
    assert alert in fire
    assert alert in quiet


def test_no_test_is_of_an_alert_that_is_not():
    assert set.union(*ways()) <= set(ALERTS)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_asks_for_metrics_of_the_catalogue_by_labels_that_they_have(rule):
    known = labels_of(rule["expr"])
    assert {metric_of(name) for name in asked(rule["expr"]) - RECORDED} <= set(CATALOGUE)
    for name, selector in SELECTOR.findall(rule["expr"]):
        assert set(re.findall(r"(\w+)\s*[!=]", selector)) <= {*CATALOGUE[metric_of(name)].labels, *OWN}
    for labels in GROUPED.findall(rule["expr"]):
        assert {label.strip() for label in labels.split(",") if label.strip()} <= known


def test_what_is_told_names_only_series_and_labels_that_are_there():
    for rule in ALERTS.values():
        said = " ".join(rule["annotations"].values())
        assert set(re.findall(r"\blipsol:[\w:]+", said)) <= RECORDED
        assert set(re.findall(r"\$labels\.(\w+)", said)) <= labels_of(rule["expr"])


def test_what_a_runbook_asks_prometheus_for_is_there(top):
    for page in (top / "docs" / "runbooks").glob("*.md"):
        names = asked(page.read_text())
        assert {metric_of(name) for name in names - RECORDED} <= set(CATALOGUE), page.name


def test_every_command_that_a_runbook_names_is_one(top):
    """Those in blocks run in tests/e2e/test_docs.py."""
    for page in (top / "docs" / "runbooks").glob("*.md"):
        for words in COMMAND.findall(page.read_text()):
            verb: click.Command = lipsol
            for word in words.split():
                if isinstance(verb, click.Group):
                    assert word in verb.commands, f"{page.name}: lipsol {words}"
                    verb = verb.commands[word]


def test_the_configuration_is_followed_to_other_ports_rules_and_paces():
    config = yaml.safe_load(configured([11, 12], 13, 14, RULES, "1s"))
    assert config["global"] == {"scrape_interval": "1s", "evaluation_interval": "1s"}
    assert config["rule_files"] == [f"{RULES}/*.yaml"]
    assert config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == ["127.0.0.1:14"]
    targets = {one["job_name"]: one["static_configs"][0]["targets"] for one in config["scrape_configs"]}
    assert targets == {"lipsol": ["127.0.0.1:11", "127.0.0.1:12"], "prometheus": ["127.0.0.1:13"]}
    assert "127.0.0.1:9" not in str(config)
    assert (PORT, ALERTMANAGER_PORT, *METRICS) == (9090, 9093, 9464, 9465, 9466)


def test_what_alertmanager_holds_back_and_for_what_are_alerts():
    text = (CONFIGS / "alertmanager.yaml").read_text()
    assert set(re.findall(r"LipSol\w+", text)) <= set(ALERTS)
    config = yaml.safe_load(text)
    assert {route["receiver"] for route in (config["route"], *config["route"]["routes"])} == {"page", "ticket"}
    assert [one.keys() for one in config["receivers"]] == [{"name"}, {"name"}], "who is told is a person's to fill in"


def table() -> str:
    """The alerts as a person reads them, the most urgent first."""
    rows = ["| alert | calls | of | waits | what it means |", "|---|---|---|---|---|"]
    for name, rule in sorted(ALERTS.items(), key=lambda item: (item[1]["labels"]["severity"], item[0])):
        page = page_of(name).removeprefix("docs/")
        said = re.sub(r"\{\{ \$(?:labels\.)?(\w+) \}\}", r"*\1*", rule["annotations"]["summary"])
        labels = rule["labels"]
        waits = rule.get("for", "not at all")
        rows.append(f"| [`{name}`]({page}) | {labels['severity']} | {labels['family']} | {waits} | {said} |")
    return "\n".join(rows) + "\n"


def test_the_table_of_alerts_in_the_page_is_true(top):
    """LIPSOL_RENEW=1 writes it anew."""
    page, block = top / "docs" / "monitoring.md", re.compile(r"(?<=<!-- alerts -->\n).*?(?=<!-- end -->)", re.DOTALL)
    text = page.read_text()
    if os.environ.get("LIPSOL_RENEW") == "1":
        page.write_text(block.sub(lambda _: table(), text))
        return
    assert block.findall(text) == [table()]


def operated() -> str:
    """All groups as the Prometheus Operator takes them."""
    files = [yaml.safe_load(file.read_text()) for file in sorted(RULES.glob("*.yaml"))]
    manifest = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "lipsol", "labels": {"app.kubernetes.io/name": "lipsol"}},
        "spec": {"groups": [group for file in files for group in file["groups"]]},
    }
    plain = json.loads(json.dumps(manifest))  # says again what it said by anchors
    head = "# The rules of rules/*.yaml for the Prometheus Operator: LIPSOL_RENEW=1 pytest tests/unit/test_alerts.py\n"
    return head + yaml.safe_dump(plain, sort_keys=False, width=120, allow_unicode=True)


def test_the_rules_for_the_prometheus_operator_are_these_rules(top):
    """LIPSOL_RENEW=1 writes them anew."""
    path = top / "k8s" / "monitoring" / "prometheusrule.yaml"
    if os.environ.get("LIPSOL_RENEW") == "1":
        path.write_text(operated())
    assert path.read_text() == operated()
