"""docs/serving.md and docs/monitoring.md list the settings, the topics and the metrics that there are."""

import os
import re
from pathlib import Path

import pytest

from lipsol.runtime.metrics import CATALOGUE
from services.cli.topics import markdown
from services.embedded import EmbeddedSettings

DOCS = Path(__file__).resolve().parents[3] / "docs"


def settings_table() -> str:
    """Every setting of the platform, its default and its meaning."""
    rows = ["| variable | default | |", "|---|---|---|"]
    for section, owner in EmbeddedSettings.model_fields.items():
        for name, field in owner.annotation.model_fields.items():
            default = "" if field.default in (None, "") else f"`{field.default}`"
            meaning = " ".join((field.description or "").split())
            rows.append(f"| `LIPSOL_{section.upper()}__{name.upper()}` | {default} | {meaning} |")
    return "\n".join(rows)


def metrics_table() -> str:
    """Every metric, its kind, labels and meaning."""
    rows = ["| metric | kind | labels | |", "|---|---|---|---|"]
    rows += [f"| `{m.name}` | {m.kind} | {', '.join(m.labels)} | {m.what} |" for m in CATALOGUE.values()]
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("page", "name", "table"),
    [
        ("serving.md", "settings", settings_table),
        ("serving.md", "topics", markdown),
        ("monitoring.md", "metrics", metrics_table),
    ],
    ids=["settings", "topics", "metrics"],
)
def test_the_table_in_the_page_is_true(page, name, table):
    """LIPSOL_RENEW=1 writes the tables anew."""
    block = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)
    text = (DOCS / page).read_text()
    if os.environ.get("LIPSOL_RENEW") == "1":
        (DOCS / page).write_text(block.sub(lambda _: table() + "\n", text))
        return
    assert block.findall(text) == [table() + "\n"]


def test_every_setting_and_every_metric_says_what_it_is():
    for owner in EmbeddedSettings.model_fields.values():
        for name, field in owner.annotation.model_fields.items():
            assert field.description, name
    assert all(metric.what for metric in CATALOGUE.values())
