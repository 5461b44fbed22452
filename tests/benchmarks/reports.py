"""What Evidently's reports over 10,000 clips cost: the time and the memory of the process that makes them."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from services.monitor.reports.kept import Kind
from services.monitor.reports.maker import ONE_THREAD, lay
from services.monitor.reports.rows import RIGHT, Row, row_of
from tests.benchmarks.figures import Figure
from tests.benchmarks.ground import Ground
from tests.reports_made import readings

CLIPS, REFERENCE = 10_000, 300
SECONDS, MEMORY_MIB = 60.0, 1024.0


def measure(_: Ground) -> list[Figure]:
    """Seconds of all three reports together, and the most that one of them held."""
    rows = [row_of(made) for made in readings(CLIPS)]
    judged = [{**row, RIGHT: "yes" if number % 3 else "no"} for number, row in enumerate(rows)]
    usual = [row_of(made) for made in readings(REFERENCE, seed=7)]
    seconds, peaks, figures = 0.0, [], []
    for kind, current, against in (
        ("data-quality", rows, []),
        ("data-drift", rows, usual),
        ("model-quality", judged, []),
    ):
        took, peak = _made(kind, current, against)
        seconds += took
        peaks.append(peak)
        figures.append(Figure(f"report_{kind.replace('-', '_')}", round(took, 1), "s"))
    return [
        *figures,
        Figure("reports_10000_clips", round(seconds, 1), "s", SECONDS, below=True),
        Figure("reports_memory", max(peaks), "MiB", MEMORY_MIB, below=True),
    ]


def _made(kind: Kind, current: Sequence[Row], against: Sequence[Row]) -> tuple[float, float]:
    """Seconds and MiB of one report."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        lay(folder, kind, current, against, int(MEMORY_MIB))
        began = time.perf_counter()
        command = [sys.executable, "-m", "services.monitor.reports.worker", str(folder)]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, **ONE_THREAD})
        return time.perf_counter() - began, float(json.loads((folder / "found.json").read_text())["peak_mib"])
