"""docs/delivery.md tells the gate's bounds as they are."""

import os
import re

from lipsol.release.rules import BRIEF, FULL, Rules

HELD = ("at_most", "at_least", "no_worse", "for_others")


def bounds(rules: Rules) -> dict[str, str]:
    """Every bound of these rules, by what it is of."""
    told = {f"enough, {group}": f"{least.clips} clips of {least.speakers}" for group, least in rules.enough.items()}
    for held in HELD:
        for figure, places in getattr(rules, held).items():
            told |= {f"{held}: {figure}, {place}": f"{bound:g}" for place, bound in places.items()}
    told["parts: worse by at most, of so many clips"] = f"{rules.slices.worse:g}, {rules.slices.clips}"
    return told | {"latency, p95 in ms": f"{rules.p95_ms:g}", "size, MiB": f"{rules.size_bytes / 2**20:g}"}


def test_the_page_has_every_bound_of_the_full_rules_and_the_brief_ones(top):
    full, brief = bounds(FULL), bounds(BRIEF)
    rows = [f"| {name} | {full.get(name, '-')} | {brief.get(name, '-')} |" for name in {**full, **brief}]
    table = "\n".join(["<!-- gate rules -->", "| rule | `full` | `brief` |", "|---|---|---|", *rows, "<!-- end -->"])
    page = top / "docs" / "delivery.md"
    text = page.read_text()
    if os.environ.get("LIPSOL_RENEW"):
        page.write_text(re.sub(r"<!-- gate rules -->.*?<!-- end -->", lambda _: table, text, flags=re.DOTALL))
    assert table in page.read_text()
