"""`make bench`: measure, print a table, and merge what was found into build/bench.json.

Without names everything is measured, and the file begins anew; with names (`make bench ARGS="stages over_kafka"`) only
those are, and their figures take the place of their earlier ones. What was measured is kept even if the next
measurement fails.
"""

import importlib
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tests.benchmarks.figures import Figure, machine
from tests.benchmarks.ground import Ground
from tests.benchmarks.kept import OUT, keep, merged
from tests.conftest import TOP

# In the order of a whole run. Each is a module of this folder with `measure(ground: Ground) -> list[Figure]`.
MEASUREMENTS = (
    "stages",
    "preprocess",
    "decoding",
    "throughput",
    "over_kafka",
    "latency",
    "growth",
    "batching",
    "recordings",
    "reports",
    "monitoring",
)
ASKED_FOR = ("gpu",)  # only by name: it needs a GPU, and another onnxruntime (`make bench-gpu`)
SAID = {True: "yes", False: "no", None: ""}


def main(names: Sequence[str]) -> None:
    """Measure what is named, or everything."""
    known = (*MEASUREMENTS, *ASKED_FOR)
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"no measurement is called {', '.join(unknown)}; there are {', '.join(known)}")
    ground, where, console = Ground(), machine(), Console()
    if not names:
        OUT.unlink(missing_ok=True)
    for name in names or MEASUREMENTS:
        figures = importlib.import_module(f"tests.benchmarks.{name}").measure(ground)
        keep(merged(name, [figure.as_dict(where) for figure in figures]))
        console.print(_table(name, figures))
    console.print(where, f"written to {OUT.relative_to(TOP)}", sep="\n")


def _table(name: str, figures: list[Figure]) -> Table:
    table = Table("figure", "value", "unit", "target", "met", title=name)
    for each in figures:
        table.add_row(each.name, f"{each.value:g}", each.unit, each.bound, SAID[each.met])
    return table


if __name__ == "__main__":
    main(sys.argv[1:])
