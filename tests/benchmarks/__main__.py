"""`make bench`: measure, print a table, and write build/bench.json."""

import csv
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from lipsol.bundle import Bundle
from lipsol.reader import Reader
from lipsol.runtime.cpus import available_cpus
from lipsol.runtime.settings import Settings, load
from lipsol.runtime.wiring import open_registry
from tests.benchmarks.figures import Figure, machine
from tests.benchmarks.over_kafka import measure_over_kafka
from tests.benchmarks.stages import measure_stages
from tests.benchmarks.throughput import measure_throughput

TOP = Path(__file__).resolve().parents[2]
OUT = TOP / "build" / "bench.json"
MODEL = "grid-sentences"  # what English is read with by default
SAID = {True: "yes", False: "no", None: ""}


def main() -> None:
    """Measure the samples with the model that the platform would read them with."""
    where = machine()
    with (TOP / "samples" / "truth.csv").open(newline="") as rows:
        clips = [(TOP / "samples" / row["path"]).read_bytes() for row in csv.DictReader(rows)]
    registry = open_registry(load(Settings))
    reader = Reader(Bundle.load(registry.path(registry.find(MODEL).digest)))
    figures = measure_stages(clips, reader)
    figures += measure_throughput(clips, reader, threads=available_cpus())
    figures += measure_over_kafka(clips, reader, threads=available_cpus())
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps([figure.as_dict(where) for figure in figures], indent=1) + "\n")
    Console().print(_table(figures), where, f"written to {OUT.relative_to(TOP)}", sep="\n")


def _table(figures: list[Figure]) -> Table:
    table = Table("figure", "value", "unit", "target", "met")
    for each in figures:
        table.add_row(each.name, f"{each.value:g}", each.unit, each.bound, SAID[each.met])
    return table


if __name__ == "__main__":
    main()
