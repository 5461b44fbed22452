"""The data before anything is learned from it: checked, also against what passed last time; a fault stops the run.

What passed is kept as what its pictures were like, never as its clips: those may be taken out, or changed in place.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from lipsol.data.dataset import open_dataset, save
from lipsol.data.whole import write_whole
from lipsol.errors import BadInput
from lipsol.runtime.cpus import available_cpus
from lipsol.steps.saying import say
from lipsol.steps.work import mouths

SHOWN = 5  # findings that the error names; the page has them all


def check(data: str, data_version: str, work: str, limit: int, report: str) -> None:
    """Check the clips that a training takes (limit: of a speaker and split, 0: all) and write the page to `report`.

    Raises BadInput naming what stops. What passes is what the next version's pictures are compared to.
    """
    from lipsol.data.checks import FACTS
    from lipsol.data.checks import check as checked

    dataset = open_dataset(Path(data))
    last = Path(work) / "passed" / f"{dataset.name}.{limit}.json"
    before = last if last.exists() and json.loads(last.read_bytes())["data"] != data_version else None
    with TemporaryDirectory() as folder:
        taken, out = Path(folder) / "taken", Path(folder) / "found"
        if limit:
            save(dataset.limited(limit), taken, copy=False)
        verdict = checked(taken if limit else Path(data), out, mouths(work), previous=before, workers=available_cpus())
        Path(report).write_bytes((out / "report.html").read_bytes())
        findings = json.loads((out / "checks.json").read_text(encoding="utf-8"))["findings"]
        facts = json.loads((out / FACTS).read_bytes())
    for finding in findings:
        say(f"{finding['level']} {finding['rule']}: {finding['told']}")
    if verdict != "pass":
        errors = [finding["rule"] for finding in findings if finding["level"] == "error"]
        raise BadInput(f"the data {data} has faults: {', '.join(errors[:SHOWN])}", "see the report, and mend them")
    last.parent.mkdir(parents=True, exist_ok=True)
    write_whole(last, json.dumps({"data": data_version, **facts}, ensure_ascii=False).encode())
    say(f"{verdict}, {len(findings)} warnings")
