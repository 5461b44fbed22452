"""Curves of a training, as it writes them, into a run: while it goes on, or afterwards, and as often as one likes.

A curve is a file `MEMBER.curve.jsonl`, a JSON object a line: `step`, the `part` of the member that is being trained,
and figures by name. A figure is called `MEMBER/PART/NAME` in the run, since each part counts its own steps.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lipsol.tracking.port import Run

CURVE = ".curve.jsonl"  # ends the name of a member's curve


def send_curves(run: Run, folder: Path) -> int:
    """Send what the run does not have yet of every curve in a folder and below; returns how many figures that were."""
    files = sorted(folder.rglob(f"*{CURVE}"))
    return sum(run.curve(_points(file)) for file in files)


def point_of(member: str, told: Mapping[str, Any]) -> tuple[int, dict[str, float]]:
    """A line of a member's curve as a run takes it: the step, and its figures by their names there."""
    name = f"{member}/{told['part']}" if "part" in told else member
    figures = {key: value for key, value in told.items() if isinstance(value, int | float) and key != "step"}
    return int(told["step"]), {f"{name}/{key}": float(value) for key, value in figures.items()}


def _points(file: Path) -> Iterator[tuple[int, dict[str, float]]]:
    """Each whole line of a curve: the last may be torn while it is written."""
    for line in file.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            yield point_of(file.name.removesuffix(CURVE), json.loads(line))
