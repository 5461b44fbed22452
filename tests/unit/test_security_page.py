"""docs/security.md tells the bounds as they are."""

import re
from dataclasses import asdict
from functools import reduce

import pytest
import yaml

from lipsol.clips import decoder, seccomp
from lipsol.clips.embedding import SIZE
from lipsol.clips.video import Limits
from lipsol.drift.budget import BLOCK, WINDOWS
from lipsol.topics import DAY_S, FEEDBACK, PREDICTIONS, TRAFFIC, WATCH
from services.monitor.settings import MonitorSettings
from services.preprocess.consent import TEXT, WORDING
from services.preprocess.settings import PreprocessSettings


@pytest.fixture(scope="module")
def page(top):
    """The page, a paragraph a line."""
    return (top / "docs" / "security.md").read_text().replace("\n", " ")


def told(page, heading):
    """The bounds of the first table behind a text: name -> value."""
    section = re.split(r" The edge's own| ##", page[page.index(heading) + len(heading) :])[0]
    rows = re.findall(r"\| `(\w+)` \| ([\d.]+) \|", section)
    return {name: float(value) for name, value in rows}


def test_the_decoders_bounds_are_all_told(page):
    assert told(page.split("The edge's own")[0], "## Bounds") == asdict(Limits())


def test_the_edges_bounds_are_as_told(page):
    edge = told(page, "(`LIPSOL_PREPROCESS__")
    assert edge
    assert edge == {name: getattr(PreprocessSettings(), name) for name in edge}


def test_how_long_the_monitor_keeps_what_is_as_told(page):
    monitor = told(page, "Settings (`LIPSOL_MONITOR__")
    assert "window_s" in monitor
    assert monitor == {name: reduce(getattr, name.split("__"), MonitorSettings()) for name in monitor}
    assert f"sums over {BLOCK} clips" in page
    assert f"{SIZE} numbers" in page
    assert f"{max(WINDOWS)} blocks" in page
    assert (PREDICTIONS.retention_s, FEEDBACK.retention_s, WATCH.retention_s) == (7 * DAY_S, 30 * DAY_S, DAY_S)


def test_the_least_and_the_fastest_are_as_told(page):
    low, high = decoder.RATES
    assert f"{decoder.MIN_SIDE}x{decoder.MIN_SIDE} pixels, shorter than {decoder.MIN_FRAMES} frames" in page
    assert f"slower than {low:.0f} or faster than {high:.0f} frames a second" in page
    assert f"more than {decoder.MAX_DAMAGED:.0%}".replace("%", " %") in page


def test_the_system_calls_are_counted_right(page):
    assert f"{len(seccomp._ALLOWED)} calls are answered" in page


def test_the_consent_is_told_in_the_very_words_that_are_asked(page):
    assert f"wording {WORDING}" in page
    assert f"> {TEXT} <!-- end -->" in page


def test_who_may_set_a_traffic_policy_is_as_told(page, top):
    users = list(yaml.safe_load_all((top / "k8s" / "kafka" / "users.yaml").read_text()))
    may = {
        user["metadata"]["name"]
        for user in users
        for right in user["spec"]["authorization"]["acls"]
        if right["resource"]["name"] == TRAFFIC.name and "Write" in right["operations"]
    }
    (said,) = re.findall(r"<!-- traffic -->(.*?)<!-- end -->", page)
    assert set(re.findall(r"`([\w-]+)`", said)) == may


def test_what_hooks_may_is_as_told(top):
    templates = top / "helm" / "lipsol" / "templates"
    rows = re.findall(r"^\| `NAME-([\w-]+)` \| (.*) \|$", (top / "docs" / "security.md").read_text(), re.MULTILINE)
    assert {name for name, _ in rows} == {"analyst", "way-back", "hand-back"}
    for name, told in rows:
        text = (templates / f"{name}.yaml").read_text()
        (verbs,) = re.findall(r'"verbs" \(list ([^)]*)\)', text)
        assert told.startswith(verbs.replace('" "', " and ").strip('"') + " the canary's Deployment")
        assert ("list pods" in told) == ("resources: [pods]" in text)
        assert ("Job's status" in told) == ("ruleOfJob" in text)
        assert ("Helm's" in told) == ("ruleOfRevisions" in text)
