"""Every panel of every dashboard has something to show of a platform that runs; those that need not say why."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.operating.dashboards.book import DASHBOARDS
from services.operating.dashboards.drawing import LABELS
from services.operating.dashboards.panels import NO_GPU
from tests.conftest import Sample
from tests.e2e.platform_watched import RECENT, Watching, watching


def filled(expr: str) -> str:
    """A query as Grafana sends it where all tracks and models are chosen."""
    for name, value in {"$track": ".*", "$model": ".*", "$__rate_interval": RECENT}.items():
        expr = expr.replace(name, value)
    return expr


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, samples: list[Sample]) -> Iterator[Watching]:
    """A platform that lived through all that the dashboards tell of."""
    if missing := [name for name in ("prometheus", "prometheus-alertmanager") if shutil.which(name) is None]:
        pytest.skip(f"no {' and no '.join(missing)} here: make alerting")
    folder: Path = tmp_path_factory.mktemp("watched")
    with watching(folder, samples) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_every_query_has_data_or_says_why_it_need_not(watched, dashboard):
    faults = []
    for panel in dashboard.panels():
        for query in panel.queries:
            found = watched.series(filled(query.expr))
            if not query.empty and not found:
                faults.append(f"{panel.title}: no data for {query.expr}")
            if query.empty and found and query.empty != NO_GPU:  # that depends on the machine
                faults.append(f"{panel.title}: {query.expr} has data, though {query.empty!r}: take the reason away")
    assert not faults, "\n".join(faults)


@pytest.mark.slow
@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.uid)
def test_panels_of_times_lead_to_single_clips(watched, dashboard):
    for panel in dashboard.panels():
        if panel.exemplars:
            found = [clip for query in panel.queries for clip in watched.exemplars(filled(query.expr))]
            assert found, panel.title
            assert all(len(clip["labels"]["trace_id"]) == 32 for clip in found), panel.title


@pytest.mark.slow
def test_the_choices_above_a_dashboard_offer_what_is_there(watched):
    series = {label: query.partition("(")[2].split(",")[0] for label, query in LABELS.items()}
    assert watched.values("track", series["track"]) == {"stable", "canary"}
    assert watched.values("model", series["model"]) == {"grid-sentences", "grid-words"}
