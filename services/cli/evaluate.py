"""`lipsol evaluate`: how well a model reads clips whose words are known."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lipsol.errors import BadInput
from lipsol.registry.port import Registry
from services.cli import BAD_INPUT, reason, tell
from services.cli.figures import figures, intervals, per_speaker, scored
from services.cli.formats import document
from services.cli.output import opened
from services.cli.platform import Asked, Outcome, Platform, check, open_platform, read_all, width
from services.cli.progress import bar
from services.cli.report import report
from services.cli.sources import Spoken, read_manifest
from services.cli.wordings import Wish
from services.preprocess.results import Result


@dataclass(frozen=True)
class EvaluateOptions:
    """What was asked for on the command line, as it stood there."""

    manifest: Path
    model: str = ""
    wish: Wish = field(default_factory=Wish)
    output: Path | None = None
    as_json: bool = False


@dataclass(frozen=True)
class Reading:
    """One clip of the manifest that could be read: what was said in it and what was read."""

    spoken: Spoken
    result: Result


def run(options: EvaluateOptions, platform: Callable[[], AbstractContextManager[Platform]] = open_platform) -> int:
    """Read all clips of the manifest, score and print; 0 if any could be read, 2 if none could."""
    spoken = read_manifest(options.manifest)
    grammar = options.wish.spec("")
    asked = [Asked(each.path, options.model, grammar, each.language) for each in spoken]
    readings: list[Reading] = []
    unreadable: list[dict[str, str]] = []
    with platform() as running, bar(len(asked), "reading") as step, _kept(options.output) as keep:
        check(running, asked)
        outcomes = read_all(running, asked, width())
        for each, outcome in zip(spoken, outcomes, strict=True):
            step()
            if outcome.result is None:
                unreadable.append(_refused(each, outcome))
                continue
            readings.append(Reading(each, outcome.result))
            keep(document(each.name, outcome.result, each))
        evaluation = evaluated(readings, unreadable, running.registry)
    print(json.dumps(evaluation, ensure_ascii=False, indent=2) if options.as_json else report(evaluation))
    return 0 if readings else BAD_INPUT


def evaluated(readings: Sequence[Reading], unreadable: list[dict[str, str]], registry: Registry) -> dict[str, Any]:
    """The whole evaluation as JSON values (docs/cli.md tells each key)."""
    clips = [scored(each.spoken, each.result) for each in readings]
    first = readings[0].result if readings else None
    return {
        **figures(clips),
        "unreadable": unreadable,
        "per_speaker": per_speaker(clips),
        "decoding": decoding(readings, registry),
        "intervals": intervals(clips),
        "model": first.model.model_dump(mode="json") if first is not None and first.model is not None else None,
    }


def decoding(readings: Sequence[Reading], registry: Registry) -> str:
    """How the clips were read, all ways if there were several: "grammar grid", "free", "words", "words of NAME"."""
    kinds = {info.digest: info.kind for info in registry.models()}
    return ", ".join(dict.fromkeys(_way(each.result, kinds) for each in readings))


def _way(result: Result, kinds: Mapping[str, str]) -> str:
    """How one clip was read: a model of single words chooses, a model of sentences is bound by a grammar or free."""
    if result.model is not None and kinds.get(result.model.digest) == "words":
        return f"words of {result.grammar}" if result.grammar else "words"
    return f"grammar {result.grammar}" if result.grammar else "free"


def _refused(spoken: Spoken, outcome: Outcome) -> dict[str, str]:
    """A clip that could not be read, told on standard error and kept for the list."""
    fault = outcome.fault or BadInput("nothing came of it")
    tell(fault, str(outcome.path))
    return {"path": spoken.name, "reason": reason(fault)}


@contextmanager
def _kept(output: Path | None) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A function that adds a document to the file `output` as a line of JSON; without one it does nothing."""
    if output is None:
        yield lambda _: None
        return
    with opened(output) as file:
        yield lambda document: print(json.dumps(document, ensure_ascii=False), file=file)
