"""Evaluations of models that never were, clip by clip: what a gate judges."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from lipsol.evaluation.records import ClipRead, Evaluation

TRUTH = "bin blue at f two now"
WAYS = {"sentences": ("grammar", "free"), "words": ("words",)}
SPEAKERS = {"seen": ("s1", "s2", "s3"), "unseen": ("s4", "s5")}


def clip_of(
    name: str,
    speaker: str,
    group: str,
    way: str,
    wrong: int = 0,
    sure: float = 0.9,
    facts: dict[str, float] | None = None,
) -> ClipRead:
    """A clip of which that many words were read wrong; answered where it is at least 0.8 sure."""
    reading = " ".join(["bun", "blew", "ate", "eff", "too", "know"][:wrong] + TRUTH.split()[wrong:])
    return ClipRead(
        name=name, speaker=speaker, group=group, way=way, truth=TRUTH, reading=reading, alternatives=(),
        confidence=sure, abstained=sure < 0.8, word_edits=wrong, words=6, right_words=6 - wrong, character_edits=wrong,
        characters=len(TRUTH), facts=facts or {},
    )  # fmt: skip


def evaluation_of(
    wrong: Callable[[int, str], int] = lambda _n, _group: 0,
    *,
    clips: int = 40,
    kind: str = "sentences",
    digest: str = "c" * 64,
    name: str = "grid-sentences",
    data: str = "d" * 64,
    boastful: bool = False,
    synthetic: bool = False,
) -> Evaluation:
    """An evaluation of so many clips a speaker, which abstains where it is wrong, unless it is boastful.

    wrong: a clip's number and group -> how many words of it are wrong.
    """
    read = [
        clip_of(
            f"{speaker}_{n}", speaker, group, way, wrong(n, group),
            0.9 if boastful or not wrong(n, group) else 0.5, {"brightness": 100.0 + n},
        )
        for group, speakers in SPEAKERS.items()
        for speaker in speakers
        for n in range(clips)
        for way in WAYS[kind]
    ]  # fmt: skip
    return Evaluation(
        bundle={"name": name, "version": "1", "digest": digest, "kind": kind, "language": "en"},
        data={"name": "grid", "sha256": data},
        clips=tuple(read),
        summary={},
        latency={"clips": float(clips), "p50_ms": 20.0, "p95_ms": 30.0},
        size_bytes=8_000_000,
        slices=(),
        baselines=(),
        machine={"processor": "a made one", "threads": "1"},
        synthetic=synthetic,
    )


def with_clips(found: Evaluation, clips: Sequence[ClipRead]) -> Evaluation:
    """The same with other clips."""
    return replace(found, clips=tuple(clips))
