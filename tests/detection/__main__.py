"""`make detection`: how soon each shift is told and what it is called; `ARGS=false-alarms`: how often quiet traffic is.

Without a name both are measured; `ARGS=dealt` measures false alarms with small references, and prints alone. What was
measured is written to build/detection.json and build/false-alarms.json, printed, and put between the marks of
docs/monitoring.md, where what was not measured stays. Ends with 1 where a bound is broken, and says which.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from lipsol.drift.bundled import reference_of
from tests.benchmarks.figures import machine
from tests.conftest import DATA, TOP
from tests.detection.document import placed
from tests.detection.false_alarms import Paged, false_alarms
from tests.detection.following import SEEDS, WITHIN, Detected, detect
from tests.detection.pools import pools
from tests.detection.reading import MODEL

DETECTION, ALARMS = TOP / "build" / "detection.json", TOP / "build" / "false-alarms.json"
PAGE = TOP / "docs" / "monitoring.md"
NAMED_LEAST = 0.8  # share of the shifts whose kind most of the seeds name right
PAGES_MOST = 1.0  # false ones a month
NAMES = ("shifts", "false-alarms", "dealt")


def main(names: Sequence[str]) -> None:
    """Measure what is named, or both."""
    if unknown := [name for name in names if name not in NAMES]:
        sys.exit(f"nothing to detect is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    if not DATA.joinpath("grid").exists():
        sys.exit(f"GRID is not in {DATA / 'grid'}: without real clips nothing is detected (docs/data.md says whence)")
    os.nice(5)
    console, where = Console(), machine()
    made, reference = pools(console.print), reference_of(MODEL)
    if reference is None:
        sys.exit(f"{MODEL.name} brings no reference (`lipsol models reference` gives it one)")
    told: list[dict[str, Any]] = []
    quiet: dict[str, Any] | None = None
    broken: list[str] = []
    if not names or "shifts" in names:
        found = [detect(reference, made, shift) for shift in made.shifts]
        told = [{**asdict(each), "seeds": SEEDS, "machine": where} for each in found]
        DETECTION.write_text(json.dumps(told, indent=1))
        console.print(_shifts(found), where)
        broken += missed(found)
    if not names or "false-alarms" in names:
        paged = false_alarms(made.clean, reference)
        quiet = {**asdict(paged), "machine": where}
        ALARMS.write_text(json.dumps(quiet, indent=1))
        console.print(_alarms(paged), where)
        broken += noisy(paged)
    if "dealt" in names:
        console.print(_alarms(false_alarms(made.validation + made.clean, None)), where)
    PAGE.write_text(placed(PAGE.read_text(), told, quiet))
    if broken:
        sys.exit("\n".join(broken))


def missed(found: Sequence[Detected]) -> list[str]:
    """The bounds of detection that are broken, in words."""
    late = [each.kind for each in found if each.median_delay is None or each.median_delay > WITHIN]
    wrong = [each.kind for each in found if not each.named_right]
    told = [f"not told within {WITHIN} clips (median): {', '.join(late)}"] if late else []
    if len(found) - len(wrong) < NAMED_LEAST * len(found):
        told.append(f"named wrong, and {NAMED_LEAST:.0%} are to be named right: {', '.join(wrong)}")
    return told


def noisy(paged: Paged) -> list[str]:
    """The bound of false alarms, in words, where it is broken."""
    told = f"{paged.a_month:.2f} false pages a month, and {PAGES_MOST:g} is the bound"
    return [told] if paged.a_month > PAGES_MOST else []


def _shifts(found: Sequence[Detected]) -> Table:
    table = Table("shift", "told after, clips", "within 200", "named", "of the seeds", title="detection")
    for each in found:
        delay = "-" if each.median_delay is None else f"{each.median_delay:.0f}"
        named = f"{each.named or '-'}{'' if each.named_right else f', not {each.right}'}"
        table.add_row(each.kind, delay, f"{each.detected:.0%}", named, f"{each.share_right:.0%}")
    return table


def _alarms(paged: Paged) -> Table:
    table = Table("weeks", "clips", "false pages", "a month", "95 % interval", "what", title="false alarms")
    what = ", ".join(f"{name} {count}" for name, count in paged.by.items()) or "-"
    table.add_row(
        f"{paged.weeks:g}", f"{paged.clips:,}", str(paged.pages), f"{paged.a_month:.2f}",
        f"{paged.low:.2f} to {paged.high:.2f}", what,
    )  # fmt: skip
    return table


if __name__ == "__main__":
    main(sys.argv[1:])
