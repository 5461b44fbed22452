"""A bundle beside its champion: both read the same clips of the same data, and the gate says what it makes of it."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from lipsol.bundle import Bundle
from lipsol.errors import BadInput, NotFound
from lipsol.evaluation.records import Evaluation
from lipsol.registry.port import Registry
from lipsol.release import Verdict, gate_files
from lipsol.runtime.promoting import EVALUATION, VERDICT
from lipsol.runtime.settings import Settings, load
from lipsol.runtime.wiring import open_registry
from lipsol.steps.saying import say
from lipsol.steps.tracked import going_on
from lipsol.steps.work import mouths

REPORT = "report.html"  # as it is registered
HEADLINE = ("wer", "cer", "sentence_accuracy")  # figures of each group and way that the run's page shows


def champion(bundle: str) -> str:
    """Digest of what the bundle's name means in the registry now; "" if it means nothing."""
    name = Bundle.load(Path(bundle)).name
    held = _registry().champion(name)
    say(f"{name}: {'no champion' if held is None else f'the champion is {held.digest[:12]}'}")
    return "" if held is None else held.digest


def compare(champion: str, data: str, data_version: str, code: str, work: str, limit: int, out: str) -> None:
    """Write what the champion does on this data to `out`; an empty file where there is none.

    What was registered with it serves again if the same code found it on the same data; else it reads all clips anew.
    """
    if not champion:
        Path(out).write_bytes(b"")
        return
    registry = _registry()
    found = _registered(registry, champion, data_version, code, limit)
    if found is None:
        folder = Path(out).with_name("champion")
        found = _evaluated(registry.path(champion), data, code, work, folder, None, limit)
    Path(out).write_bytes(found.read_bytes())
    say(told(Evaluation.load(Path(out))))


def evaluate(
    bundle: str, champion: str, data: str, code: str, run: str, work: str, limit: int, out: str, report: str
) -> dict[str, float]:
    """Read what training never saw; the evaluation goes to `out`, its page to `report`, both to the run.

    Returns the headline figures, as "seen/grammar/wer". champion: what `compare` wrote.
    """
    before = Path(champion) if Path(champion).stat().st_size else None
    with going_on(run) as tracked:
        found = _evaluated(Path(bundle), data, code, work, Path(out).with_name("found"), before, limit)
        evaluation = Evaluation.load(found)
        figures = headline(evaluation)
        kind = evaluation.bundle["kind"]
        tracked.metrics({f"{kind}/{name}": value for name, value in figures.items()})
        for file in (found, found.with_name(REPORT)):
            tracked.file(file, kind)
    Path(out).write_bytes(found.read_bytes())
    Path(report).write_bytes(found.with_name(REPORT).read_bytes())
    say(told(evaluation))
    return figures


def gate(evaluation: str, champion: str, rules: str, run: str, out: str) -> str:
    """Judge an evaluation against the champion's: "pass" or "stop", with every reason said. rules: a name, or JSON."""
    before = Path(champion) if Path(champion).stat().st_size else None
    kind = Evaluation.load(Path(evaluation)).bundle["kind"]
    said = gate_files(Path(evaluation), before, _rules(rules, Path(out)), Path(out))
    verdict = Path(out).read_bytes()
    say(Verdict.from_json(verdict).table())
    with going_on(run, {f"gate_{kind}": said}) as tracked, TemporaryDirectory() as folder:
        named = Path(folder) / VERDICT
        named.write_bytes(verdict)
        tracked.file(named, kind)
    return said


def _rules(rules: str, beside: Path) -> str:
    """Rules as the gate takes them: a name or a file; what is told as JSON becomes one."""
    if not rules.lstrip().startswith("{"):
        return rules
    file = beside.with_name("rules.json")
    file.write_text(rules, encoding="utf-8")
    return str(file)


def headline(evaluation: Evaluation) -> dict[str, float]:
    """The figures that a table of runs shows, by "group/way/figure", the group without its comma."""
    figures = {}
    for group, ways in evaluation.summary.items():
        for way, held in ways.items():
            for name in HEADLINE:
                value = held.get(name)
                if isinstance(value, dict) and isinstance(value.get("value"), int | float):
                    figures[f"{group.replace(',', '')}/{way}/{name}"] = float(value["value"])
    return figures


def told(evaluation: Evaluation) -> str:
    """An evaluation in a line."""
    rates = [f"{name} {value:.3f}" for name, value in headline(evaluation).items() if name.endswith("/wer")]
    bundle = evaluation.bundle
    return f"{bundle['name']} {bundle['digest'][:12]} over {len(evaluation.clips)} readings: {', '.join(rates)}"


def _evaluated(bundle: Path, data: str, code: str, work: str, folder: Path, before: Path | None, limit: int) -> Path:
    """Evaluate into a folder; the evaluation names the code that found it."""
    from lipsol.evaluation.evaluate import evaluate

    found = evaluate(bundle, Path(data), mouths(work), folder, before, limit)
    found.write_bytes(replace(Evaluation.load(found), code=code).to_json())
    return found


def _registered(registry: Registry, digest: str, data_version: str, code: str, limit: int) -> Path | None:
    """The evaluation that was registered with a bundle, if this code found it on this data."""
    try:
        file = registry.file(digest, EVALUATION)
        held = Evaluation.load(file)
    except (NotFound, BadInput):
        return None
    same = (held.data.get("sha256"), held.code, held.limit) == (data_version, code, limit)
    return file if same else None


def _registry() -> Registry:
    return open_registry(load(Settings))
