"""docs/releases.md tells the margins of a rollout's gates as they are."""

import re
from dataclasses import fields

from lipsol.rollout.gates import Gates


def test_every_margin_stands_in_the_page_with_its_default(top):
    (table,) = re.findall(r"<!-- gates -->\n(.*?)<!-- end -->", (top / "docs" / "releases.md").read_text(), re.DOTALL)
    told = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+) \| \S", table, re.MULTILINE))
    assert {name: float(value) for name, value in told.items()} == {
        field.name: getattr(Gates(), field.name) for field in fields(Gates)
    }
