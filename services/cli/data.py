"""`lipsol data check` and `lipsol data import`: what a training would stumble over, and sources as data sets."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lipsol.errors import BadInput
from lipsol.runtime.cpus import available_cpus
from services.cli import BAD_INPUT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lipsol.clips.clip import MouthClip
    from lipsol.data.checks.contradictions import Reads


@dataclass(frozen=True)
class CheckOptions:
    """What `lipsol data check` was told."""

    where: Path
    out: Path
    cache: Path
    rules: str
    previous: Path | None
    model: Path | None
    as_json: bool


def run_check(options: CheckOptions) -> int:
    """Check a data set, write its report, and print what was found, one line a finding."""
    from lipsol.data.checks import check

    where, reads = options.where, None if options.model is None else _reads(options.model)
    if not where.exists():
        raise BadInput(f"{where} is not here", "name a data set's folder, its manifest.csv, or GRID's own folder")
    verdict = check(where, options.out, options.cache, options.rules, options.previous, reads, workers=available_cpus())
    told = json.loads((options.out / "checks.json").read_text(encoding="utf-8"))
    if options.as_json:
        print(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for finding in told["findings"]:
            print(f"{finding['level']} {finding['rule']}: {finding['told']}")
    print(f"{verdict}: {options.out / 'report.html'} shows it", file=sys.stderr)
    return 0 if verdict == "pass" else BAD_INPUT


def _reads(model: Path) -> "Reads":
    """How the bundle reads mouths: the text of each, and how sure it is."""
    from lipsol.bundle import Bundle
    from lipsol.reader import BUNDLE_GRAMMAR, Reader

    reader = Reader(Bundle.load(model))

    def reads(mouths: "Sequence[MouthClip]") -> list[tuple[str, float]]:
        readings = reader.read_many(mouths, [BUNDLE_GRAMMAR] * len(mouths))
        return [(reading.text, reading.confidence) for reading in readings]

    return reads


def run_import(source: Path, out: Path, *, copy: bool) -> int:
    """Write the clips of `source` as a data set to `out`, and print its manifest."""
    from lipsol.data.dataset import open_dataset, save

    save(open_dataset(source), out, copy=copy)
    print(out / "manifest.csv")
    return 0
