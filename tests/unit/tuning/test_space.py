"""docs/models.md lists the hyperparameters that are searched; the defaults lie where they are searched."""

import os
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from lipsol.training.plan import PLANS, Plan
from lipsol.tuning.space import SPACE, defaults, plan_of

PAGE = Path(__file__).resolve().parents[3] / "docs" / "models.md"


def table() -> str:
    """Every hyperparameter, its default, its range and the reason."""
    rows = ["| parameter | default | searched | why there |", "|---|---|---|---|"]
    for each in SPACE:
        name = f"{each.part}.{each.name}" if each.part else each.name
        where = " or ".join(map(str, each.choices)) or f"{each.low:g} to {each.high:g}{', by tenfolds' * each.log}"
        rows.append(f"| `{name}` | {defaults()[each.name]:g} | {where} | {each.why} |")
    return "\n".join(rows)


def test_the_page_lists_what_is_searched():
    """LIPSOL_RENEW=1 writes the table anew."""
    block = re.compile(r"(?<=<!-- tuning space -->\n).*?(?=<!-- end -->)", re.DOTALL)
    text = PAGE.read_text()
    if os.environ.get("LIPSOL_RENEW") == "1":
        PAGE.write_text(block.sub(lambda _: table() + "\n", text))
        return
    assert block.findall(text) == [table() + "\n"]


@pytest.mark.parametrize("base", PLANS)
def test_the_defaults_lie_in_the_space_and_are_the_plan_itself(base):
    for each in SPACE:
        assert each.low <= defaults(base)[each.name] <= each.high
        assert not each.choices or defaults(base)[each.name] in each.choices
    assert asdict(Plan.named(plan_of(defaults(base), base))) == asdict(PLANS[base])
