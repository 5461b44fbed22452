"""What the checks found, as a page with pictures of the worst clips, and as a file for programs."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, get_args

import numpy as np

from lipsol.clips.clip import MouthClip
from lipsol.data.checks.rules import Finding, Rules
from lipsol.data.checks.traits import Facts
from lipsol.data.dataset import Dataset, Split
from lipsol.report.page import Note, Part, Section, Table, page
from lipsol.report.plots import Curve, Frame, line, strip

SHOWN = 6  # clips of a finding that are shown
PLOTTED = ("brightness", "contrast", "sharpness", "face_found", "mouth_px", "motion")

Mouth = Callable[[str], MouthClip | None]  # a clip's mouth by its name; None for one that can't be read


def told(dataset: Dataset | None, verdict: str, findings: Sequence[Finding]) -> dict[str, Any]:
    """checks.json."""
    return {
        "verdict": verdict,
        "data": {"name": dataset.name, "sha256": dataset.version(), "clips": len(dataset.items)} if dataset else None,
        "findings": [asdict(finding) for finding in findings],
    }


def json_of(document: Mapping[str, Any]) -> str:
    """The file's text."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def shown(
    dataset: Dataset | None, verdict: str, findings: Sequence[Finding], rules: Rules,
    now: Mapping[str, Facts], before: Mapping[str, Facts], mouth: Mouth,
) -> str:  # fmt: skip
    """report.html. now, before: item name -> facts of its picture."""
    errors = sum(finding.level == "error" for finding in findings)
    lead = f"{verdict}: {errors} errors, {len(findings) - errors} warnings"
    sections = [
        *([Section("Data", (_counts(dataset),))] if dataset else []),
        *(Section(finding.rule, tuple(_parts(finding, rules, dataset, mouth))) for finding in findings),
        *([Section("Pictures", tuple(_curves(now, before)))] if now else []),
        Section("Rules", (_rules(rules),)),
    ]
    name = dataset.name if dataset else "data"
    return page(f"Checks of {name}", sections, lead=lead, language=dataset.language if dataset else "en")


def _counts(dataset: Dataset) -> Table:
    """Clips of each speaker and split."""
    splits: tuple[Split, ...] = get_args(Split)
    times = Counter((item.speaker, item.split) for item in dataset.items)
    rows = [(speaker, *(str(times[speaker, split]) for split in splits)) for speaker in dataset.speakers()]
    return Table(("speaker", *splits), tuple(rows), f"{len(dataset.items)} clips", numbers=(1, 2, 3, 4))


def _parts(finding: Finding, rules: Rules, dataset: Dataset | None, mouth: Mouth) -> list[Part]:
    """One finding: what, by how much, what to do, and its clips."""
    rule = rules.held[finding.rule]
    parts: list[Part] = [
        Note("bad" if finding.level == "error" else "warn", f"{finding.level}: {finding.told}"),
        f"{rule.told}: {finding.value:.4g}, at most {finding.bound:g}. To do: {finding.cure}.",
    ]
    texts = {item.name: item.text for item in dataset.items} if dataset else {}
    for name in finding.clips[:SHOWN]:
        seen = mouth(name)
        if seen is not None:
            parts.append(strip(seen.mouth, f"the mouth of {name} over time", caption=f"{name}: {texts.get(name, '')}"))
    if len(finding.clips) > SHOWN:
        rows = tuple((name, texts.get(name, "")) for name in finding.clips)
        parts.append(Table(("clip", "transcript"), rows, f"all {len(rows)}", folded=True))
    return parts


def _curves(now: Mapping[str, Facts], before: Mapping[str, Facts]) -> list[Part]:
    """How each measure of the picture is distributed, now and in the previous version."""
    plots: list[Part] = []
    for fact in PLOTTED:
        values = {"now": _sorted(now, fact), "before": _sorted(before, fact)}
        curves = [
            Curve(name, held, np.linspace(0, 1, len(held)).tolist()) for name, held in values.items() if len(held) > 1
        ]
        if curves:
            frame = Frame(f"share of clips below each {fact}", x=fact, y="share of clips below", size=(4.2, 2.4))
            plots.append(line(frame, curves))
    return plots


def _sorted(clips: Mapping[str, Facts], fact: str) -> list[float]:
    return sorted(facts[fact] for facts in clips.values() if fact in facts)


def _rules(rules: Rules) -> Table:
    rows = tuple(
        (name, rule.told, *(_bound(each) for each in (rule.each, rule.warn, rule.stop)), rule.source)
        for name, rule in rules.held.items()
    )
    head = ("rule", "what is measured", "each", "warns above", "stops above", "source")
    return Table(head, rows, "all rules and their bounds", numbers=(2, 3, 4), folded=True)


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
