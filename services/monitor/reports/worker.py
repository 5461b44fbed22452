"""What makes one report, in a process of its own: `python -m services.monitor.reports.worker FOLDER`.

FOLDER holds `asked.json` and the rows (`current.json`, `reference.json`); `page.html` and `found.json` are left in it.
This is the only door to Evidently and its tables. It tells nobody anything: Evidently's own telemetry is off.
"""

import json
import os
import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

NUMBERS_BY, NUMBERS_OVER = "wasserstein", 0.1  # distance over the reference's standard deviation: however many clips
KINDS_BY, KINDS_OVER = "jensenshannon", 0.1
SURE = "confidence"


def main(folder: Path) -> None:
    """Make the report that `asked.json` asks for."""
    asked = json.loads((folder / "asked.json").read_text())
    bound = int(asked["memory_mib"]) << 20
    resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))
    os.environ["DO_NOT_TRACK"] = "1"
    found = make(folder, asked["kind"], asked["kinds"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (folder / "found.json").write_text(json.dumps({**found, "peak_mib": peak // 1024}))


def make(folder: Path, kind: str, kinds: Sequence[str]) -> Mapping[str, Any]:
    """The page of one kind of report into the folder; returns by which method each column was compared, and which
    columns are not as in the reference."""
    from evidently import Report
    from evidently.presets import ClassificationPreset, DataDriftPreset, DataSummaryPreset

    current, reference = (_dataset(folder / name, kind, kinds) for name in ("current.json", "reference.json"))
    preset = {
        "data-drift": lambda: DataDriftPreset(
            num_method=NUMBERS_BY, num_threshold=NUMBERS_OVER, cat_method=KINDS_BY, cat_threshold=KINDS_OVER
        ),
        "data-quality": DataSummaryPreset,
        "model-quality": lambda: ClassificationPreset(probas_threshold=0.5),
    }[kind]()
    snapshot = Report([preset]).run(current, reference)
    snapshot.save_html(str(folder / "page.html"))
    return _compared(snapshot.dict()["metrics"])


def _dataset(path: Path, kind: str, kinds: Sequence[str]) -> Any:
    """Rows as Evidently takes them; None where there is no file."""
    if not path.exists():
        return None
    import pandas as pd
    from evidently import BinaryClassification, DataDefinition, Dataset

    table = pd.DataFrame(json.loads(path.read_text()))
    numbers = [name for name in table.columns if name not in kinds]
    task = None
    if kind == "model-quality":
        table["right"] = (table["right"] == "yes").astype(int)
        numbers = [SURE]
        task = [BinaryClassification(target="right", prediction_probas=SURE)]
    named = [name for name in table.columns if name in kinds and name != "right"]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=named, classification=task)
    return Dataset.from_pandas(table, definition)


def _compared(metrics: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Of Evidently's findings: column -> method and bound, and the columns over it."""
    methods, drifted = {}, []
    for metric in metrics:
        config = metric["config"]
        if not str(config.get("type", "")).endswith(":ValueDrift"):
            continue
        column = str(config["column"])
        methods[column] = f"{config['method']}, at most {config['threshold']:g}"
        if float(metric["value"]) >= float(config["threshold"]):
            drifted.append(column)
    return {"methods": methods, "drifted": drifted}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
