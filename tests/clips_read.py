"""Clips that were read, made up: each from a truth and what was read, counted as real ones are."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lipsol.evaluation.baselines import baselines_of
from lipsol.evaluation.evaluate import concluded
from lipsol.evaluation.records import ClipRead, Evaluation
from lipsol.evaluation.scores import compared
from lipsol.model.prediction import Alternative, Prediction
from lipsol.text.grammar import Grammar

GRID = Grammar.named("grid")


def read(
    name: str,
    truth: str,
    reading: str,
    *,
    speaker: str = "s1",
    group: str = "seen",
    way: str = "grammar",
    sure: float = 0.9,
    others: Sequence[str] = (),
    facts: Mapping[str, float] | None = None,
) -> ClipRead:
    """One clip; answered where it is at least 0.8 sure."""
    alternatives = tuple(Alternative(text, 0.1) for text in others)
    told = Prediction(reading, sure, sure < 0.8, alternatives, (), "en", "grid")
    return replace(compared(name, speaker, group, way, truth, told), facts=facts or {})


def evaluation_of(
    clips: Sequence[ClipRead],
    *,
    language: str = "en",
    champion: Evaluation | None = None,
    synthetic: bool = False,
    grammar: Grammar = GRID,
) -> Evaluation:
    """The evaluation of these clips, by a bundle that never was."""
    return Evaluation(
        bundle={"name": "made-sentences", "version": "1.0.0", "digest": "c" * 64, "kind": "sentences",
                "language": language},
        data={"name": "grid", "sha256": "d" * 64},
        clips=tuple(clips),
        latency={"clips": 2.0, "p50_ms": 20.0, "p95_ms": 30.0, "grammar_p50_ms": 20.0, "grammar_p95_ms": 30.0},
        size_bytes=8_000_000,
        baselines=tuple(baselines_of(clips, [clips[0].truth], 0.81, champion, "GRID")),
        machine={"processor": "a made one", "threads": "1"},
        synthetic=synthetic,
        **concluded(clips, grammar, language),
    )  # fmt: skip
