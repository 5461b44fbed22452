"""build/bench.json: every figure of the last run of each measurement, each with the machine that it was measured on."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.conftest import TOP

OUT = TOP / "build" / "bench.json"
Entry = Mapping[str, Any]  # Figure.as_dict, and `measurement`


def held(path: Path = OUT) -> list[Entry]:
    """What is there already; nothing where nothing was measured."""
    return json.loads(path.read_text()) if path.exists() else []


def merged(measurement: str, figures: Sequence[Entry], before: Sequence[Entry] | None = None) -> list[Entry]:
    """All figures with those of one measurement put in place of its earlier ones, and of any others of these names."""
    before = held() if before is None else before
    names = {each["name"] for each in figures}
    others = [each for each in before if each.get("measurement") != measurement and each["name"] not in names]
    return [*others, *({"measurement": measurement, **each} for each in figures)]


def keep(figures: Sequence[Entry], path: Path = OUT) -> None:
    """Write them all."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(figures, indent=1) + "\n")
