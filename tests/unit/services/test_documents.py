"""docs/serving.md and docs/monitoring.md list the settings, the topics and the metrics that there are."""

import os
import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic_core import PydanticUndefined

from lipsol.runtime.metrics import CATALOGUE, Family
from lipsol.runtime.settings import Section
from pipelines.settings import PipelineSettings
from services.cli.topics import markdown
from services.embedded import EmbeddedSettings

DOCS = Path(__file__).resolve().parents[3] / "docs"


def settings_table(sections=EmbeddedSettings.model_fields) -> str:
    """Every setting of the platform, its default and its meaning."""
    rows = ["| variable | default | |", "|---|---|---|"]
    for section, owner in sections.items():
        for name, field in fields_of(owner.annotation):
            default = "" if field.default in (None, "", PydanticUndefined) else f"`{field.default}`"
            meaning = " ".join((field.description or "").split())
            rows.append(f"| `LIPSOL_{section.upper()}__{name.upper()}` | {default} | {meaning} |")
    return "\n".join(rows)


def fields_of(section, before=""):
    """Every field of a section, and of the sections in it, by the name that the environment has for it."""
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from fields_of(field.annotation, f"{before}{name}__")
        else:
            yield before + name, field


def pipelines_table() -> str:
    """Those of the pipelines alone."""
    return settings_table({"pipelines": PipelineSettings.model_fields["pipelines"]})


def metrics_table() -> str:
    """Every metric by family: its kind, unit, labels and meaning, and why somebody looks at it."""
    return "\n\n".join(map(family_table, get_args(Family)))


def family_table(family: str) -> str:
    rows = [f"**{family.capitalize()}**", "", "| metric | kind | unit | labels | | why |", "|---|---|---|---|---|---|"]
    own = (metric for metric in CATALOGUE.values() if metric.family == family)
    rows += [f"| `{m.name}` | {m.kind} | {m.unit} | {', '.join(m.labels)} | {m.what} | {m.why} |" for m in own]
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("page", "name", "table"),
    [
        ("serving.md", "settings", settings_table),
        ("serving.md", "topics", markdown),
        ("monitoring.md", "metrics", metrics_table),
        ("delivery.md", "pipelines", pipelines_table),
    ],
    ids=["settings", "topics", "metrics", "pipelines"],
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
        for name, field in fields_of(owner.annotation):
            assert field.description, name
    assert all(metric.what and metric.why and metric.unit for metric in CATALOGUE.values())
