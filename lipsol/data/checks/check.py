"""The whole of the checks: a data set in, a verdict out; `checks.json` and `report.html` tell why.

`facts.json` keeps what the pictures were like: a later version can be compared with this one when its clips are gone.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lipsol.clips.clip import MouthClip
from lipsol.data.checks import report
from lipsol.data.checks.alignments import alignments
from lipsol.data.checks.contradictions import Reads, contradictions
from lipsol.data.checks.copies import copies
from lipsol.data.checks.pictures import pictures, shifted
from lipsol.data.checks.rules import Finding, Found, Rules, share
from lipsol.data.checks.speakers import speakers
from lipsol.data.checks.table import table_of
from lipsol.data.checks.traits import Facts, Traits, traits_of
from lipsol.data.checks.transcripts import transcripts
from lipsol.data.dataset import Dataset, Item, open_dataset
from lipsol.data.mouths import seen, watch_all
from lipsol.errors import BadInput

PASS, STOP = "pass", "stop"
FACTS = "facts.json"  # {"clips": {item name: facts}}


@dataclass(frozen=True)
class Examined:
    """What was found, errors first; the data set as far as it makes sense, its clips' traits, and the facts before."""

    verdict: str
    findings: tuple[Finding, ...]
    dataset: Dataset | None
    traits: Mapping[str, Traits]
    before: Mapping[str, Facts]


def check(
    data: Path, out: Path, cache: Path, rules: str | Path = "default", previous: Path | None = None,
    reads: Reads | None = None, workers: int = 2,
) -> str:  # fmt: skip
    """Check the data set at `data`: "pass", or "stop" for an error. Writes checks, page and facts into `out`.

    rules     `default`, `strict`, or a file of bounds (lipsol/data/checks/rules.py)
    previous  the data set's last version, or the facts.json of its check, to which its pictures are compared
    reads     a model: mouths -> text and confidence of each, by which transcripts are judged too

    Raises BadInput for rules or a previous version that can't be read; whatever is wrong with the data is found.
    """
    law = Rules.of(rules)
    examined = examine(data, cache, law, previous, reads, workers)
    out.mkdir(parents=True, exist_ok=True)
    document = report.told(examined.dataset, examined.verdict, examined.findings)
    (out / "checks.json").write_text(report.json_of(document), encoding="utf-8")
    now = _facts(examined.traits)
    (out / FACTS).write_text(json.dumps({"clips": now}, ensure_ascii=False), encoding="utf-8")
    mouths = _mouths(examined.dataset, examined.traits, cache)
    page = report.shown(examined.dataset, examined.verdict, examined.findings, law, now, examined.before, mouths)
    (out / "report.html").write_text(page, encoding="utf-8")
    return examined.verdict


def examine(
    data: Path, cache: Path, rules: Rules, previous: Path | None = None, reads: Reads | None = None, workers: int = 2
) -> Examined:
    """The same without writing anything."""
    table, before = table_of(data), _before(previous, cache, workers)
    found = list(table.found)
    traits: dict[str, Traits] = {}
    if table.dataset is not None:
        faults = watch_all(table.dataset.items, cache, workers)
        found.append(share("unreadable", faults, len(table.dataset.items)))
        traits = traits_of([item for item in table.dataset.items if item.name not in faults], cache)
        found.extend(_looked(table.dataset, traits, rules))
        if previous is not None:
            found.append(shifted(_facts(traits), before, rules))
        if reads is not None:
            found.append(_read(table.dataset, traits, cache, reads, rules))
    judged = [finding for each in found if (finding := rules.judged(each)) is not None]
    findings = tuple(sorted(judged, key=lambda finding: finding.level))
    verdict = STOP if any(finding.level == "error" for finding in findings) else PASS
    return Examined(verdict, findings, table.dataset, traits, before)


def _looked(dataset: Dataset, traits: Mapping[str, Traits], rules: Rules) -> Iterator[Found]:
    """All that is measured on a data set alone."""
    yield from transcripts(dataset, rules)
    yield from alignments(dataset, traits, rules)
    yield from copies(dataset.items, traits, rules)
    yield from speakers(dataset.items, traits, rules)
    yield from pictures(dataset.items, traits, rules)


def _read(dataset: Dataset, traits: Mapping[str, Traits], cache: Path, reads: Reads, rules: Rules) -> Found:
    watched = [item for item in dataset.items if item.name in traits]
    return contradictions(watched, cache, reads, rules, len(dataset.items))


def _facts(traits: Mapping[str, Traits]) -> dict[str, Facts]:
    return {name: each.facts for name, each in traits.items()}


def _before(previous: Path | None, cache: Path, workers: int) -> Mapping[str, Facts]:
    """The facts of the previous version; none without one."""
    if previous is None:
        return {}
    if previous.suffix == ".json":
        return _kept(previous)
    items: list[Item] = [item for item in open_dataset(previous).items if item.path.is_file()]
    faults = watch_all(items, cache, workers)
    return {item.name: seen(item, cache).facts for item in items if item.name not in faults}


def _kept(file: Path) -> Mapping[str, Facts]:
    """Those of a facts.json."""
    try:
        clips: Mapping[str, Facts] = json.loads(file.read_bytes())["clips"]
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise BadInput(f"{file} tells no facts of clips ({fault})", "delete it: nothing is compared then") from fault
    return clips


def _mouths(dataset: Dataset | None, traits: Mapping[str, Traits], cache: Path) -> report.Mouth:
    """Looks a clip's mouth up."""
    items = {item.name: item for item in dataset.items} if dataset else {}

    def mouth(name: str) -> MouthClip | None:
        return seen(items[name], cache).mouth if name in traits else None

    return mouth
