"""The alerting rules as tests see them: read, made hasty, and asked for in a real Prometheus and Alertmanager."""

import json
import shutil
import time
import urllib.request
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.local.prometheus import CONFIGS, RULES

TESTS = CONFIGS / "tests"
TOOLS = (("prometheus",), ("prometheus-alertmanager", "alertmanager"), ("promtool",), ("amtool",))
Rule = Mapping[str, Any]


def rules() -> list[Rule]:
    """All rules, recorded ones and alerts, in the order of their files."""
    return list(_rules())


def alerts() -> dict[str, Rule]:
    """The alerts by their names."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def hasty(folder: Path) -> Path:
    """The same rules in a folder of their own, but that nothing waits: neither to fire nor to end."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in RULES.glob("*.yaml"):
        document = yaml.safe_load(file.read_text())
        for group in document["groups"]:
            for rule in group["rules"]:
                for wait in {"for", "keep_firing_for"} & set(rule):
                    del rule[wait]
        (folder / file.name).write_text(yaml.safe_dump(document))
    return folder


def need_tools() -> None:
    """Skip where Prometheus, Alertmanager or their tools are not."""
    if missing := [names[0] for names in TOOLS if not any(map(shutil.which, names))]:
        pytest.skip(f"no {', '.join(missing)} here (Debian: apt-get install prometheus prometheus-alertmanager)")


def told(alertmanager: str) -> dict[str, dict[str, Any]]:
    """What an Alertmanager knows now, by the alerts' names; of several series of one alert the first."""
    with urllib.request.urlopen(f"{alertmanager}/api/v2/alerts", timeout=60) as answer:
        return {each["labels"]["alertname"]: each for each in reversed(json.load(answer))}


def await_alert(alertmanager: str, name: str, state: str = "active", within_s: float = 90.0) -> dict[str, Any]:
    """The alert, once Alertmanager knows it in that state ("active" or "suppressed")."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        alert = told(alertmanager).get(name)
        if alert is not None and alert["status"]["state"] == state:
            return alert
        time.sleep(0.2)
    raise AssertionError(f"{name} did not become {state} within {within_s:g} s; there are {told(alertmanager)}")


@cache
def _rules() -> tuple[Rule, ...]:
    files = [yaml.safe_load(file.read_text()) for file in sorted(RULES.glob("*.yaml"))]
    return tuple(rule for file in files for group in file["groups"] for rule in group["rules"])
