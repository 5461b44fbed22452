"""The gate: may this candidate read for people? Two evaluations and rules in, a verdict out; pure.

Laws. A verdict names every rule with its value, its bound and its evidence. One rule that fails stops the candidate,
and so does what could not be measured or compared; too little data is no pass. A copy of the champion is never worse
than the champion. Reading any clip worse, with the confidence that it had, never turns a stop into a pass; therefore
calibration is bounded where it does harm, in what is believed beyond what is right.

Whoever is at the other end can't hear what was said: being wrong and sure has a bound of its own. It is held against
the upper limit of what the clips allow, not against the share that was seen: a short test can't pass it by luck.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from lipsol.evaluation.records import ClipRead, Evaluation
from lipsol.release.measures import AT_LEAST, AT_MOST, LOSSES, Measured, Pair, limit
from lipsol.release.rules import Rules
from lipsol.release.verdict import Finding, Sense, Verdict

__all__ = ["Finding", "Rules", "Verdict", "gate", "gate_files"]

WORD_OF = " word "  # before a word's number, in the name of what was cut from a clip (lipsol/evaluation/reading.py)


def gate(candidate: Evaluation, champion: Evaluation | None, rules: Rules) -> Verdict:
    """Judge the candidate by the rules; against the champion, if there is one."""
    findings = [*_enough(candidate, rules), *_floors(candidate, rules), *_budgets(candidate, rules)]
    if champion is not None:
        unlike = _comparable(candidate, champion)
        findings.append(unlike)
        if unlike.passed:
            before = {clip.key: clip for clip in champion.clips}
            pairs = {place: [(clip, before[clip.key]) for clip in clips] for place, clips in _places(candidate)}
            findings += [*_no_worse(pairs, rules), *_slices(pairs, rules)]
    return Verdict(
        passed=all(each.passed for each in findings),
        rules=rules.name,
        candidate=_subject(candidate),
        champion={} if champion is None else _subject(champion),
        data=dict(candidate.data),
        scores=_scores(candidate),
        findings=tuple(findings),
    )


def gate_files(candidate: Path, champion: Path | None, rules: str, out: Path) -> str:
    """Judge the evaluation in a file, write the verdict to `out`, and say "pass" or "stop".

    champion: the champion's evaluation, None where there is no champion; rules: as `Rules.named` takes them.
    """
    against = None if champion is None else Evaluation.load(champion)
    verdict = gate(Evaluation.load(candidate), against, Rules.named(rules))
    out.write_bytes(verdict.to_json())
    return "pass" if verdict.passed else "stop"


def _enough(found: Evaluation, rules: Rules) -> Iterator[Finding]:
    """That there is something to go by, in every group that must have been read."""
    for group, least in rules.enough.items():
        own = [clip for clip in found.clips if clip.group == group]
        clips, speakers = len({_whole(clip) for clip in own}), len({clip.speaker for clip in own})
        passed = clips >= least.clips and speakers >= least.speakers
        said = "enough to say so" if passed else "not enough to say"
        value, bound = f"{clips} clips of {speakers}", f"{least.clips} of {least.speakers}"
        yield Finding(f"enough, {group}", passed, value, "at least", bound, said)
        missing = sorted({clip.way for clip in found.clips} - {clip.way for clip in own})
        if own and missing:
            yield Finding(f"enough, {group}", False, None, "is", "read", f"no clip was read by {', '.join(missing)}")


def _floors(found: Evaluation, rules: Rules) -> Iterator[Finding]:
    """What holds whatever the champion does."""
    for place, clips in _places(found):
        for figure, bounds in rules.at_most.items():
            if (bound := _of(bounds, place)) is not None:
                yield _found(f"{figure}, {place}", AT_MOST[figure](clips), "at most", bound)
        for figure, bounds in rules.at_least.items():
            never_sure = figure == "sure_right" and found.synthetic  # what read nobody real is made never to be
            if (bound := _of(bounds, place)) is not None and not never_sure:
                yield _found(f"{figure}, {place}", AT_LEAST[figure](clips), "at least", bound)
        if _of(rules.at_most.get("wer", {}), place) is None:
            yield Finding(f"wer, {place}", False, None, "at most", "none named", f"{rules.name} knows no such place")


def _budgets(found: Evaluation, rules: Rules) -> Iterator[Finding]:
    """What it costs to read with it."""
    told = f"one clip on one thread of {found.machine.get('processor', 'an unknown machine')}"
    yield _found("latency, p95 in ms", (found.latency.get("p95_ms"), told), "at most", rules.p95_ms)
    yield _found("size, bytes", (float(found.size_bytes), "the bundle's file"), "at most", float(rules.size_bytes))


def _comparable(candidate: Evaluation, champion: Evaluation) -> Finding:
    """That the two were read on the very same clips; or why not, and what to do."""
    bound, value = champion.data["sha256"][:12], candidate.data["sha256"][:12]
    told = _unlike(candidate, champion)
    alike = f"the same {len(candidate.clips)} readings of the same data"
    return Finding("comparable", not told, value, "is", bound, told or alike)


def _unlike(candidate: Evaluation, champion: Evaluation) -> str:
    mine, theirs = (
        {clip.key: (clip.truth, clip.group, clip.words, clip.characters) for clip in each.clips}
        for each in (candidate, champion)
    )
    cure = f"evaluate the champion {champion.bundle['digest'][:12]} on the candidate's data anew"
    if any(candidate.bundle[each] != champion.bundle[each] for each in ("name", "language", "kind")):
        return f"{champion.bundle['name']} is another model: give the evaluation of the candidate's own champion"
    if candidate.data["sha256"] != champion.data["sha256"]:
        return f"other data: {cure}"
    if candidate.limit != champion.limit:
        return f"at most {candidate.limit or 'all'} clips of a speaker here, {champion.limit or 'all'} there: {cure}"
    if odd := [key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key)]:
        return f"{len(odd)} readings are not of the same clips, as {' by '.join(min(odd))}: {cure}"
    return ""


def _no_worse(pairs: Mapping[str, Sequence[Pair]], rules: Rules) -> Iterator[Finding]:
    """Paired non-inferiority: the upper limit of the loss against the champion stays below a margin.

    Piaggio et al. 2012 (JAMA 308, CONSORT for non-inferiority). The limit is a bootstrap's (Bisani and Ney 2004,
    ICASSP): over clips, of other clips of these speakers; over whole speakers, where there are several, of others.
    """
    for place, both in pairs.items():
        clips, speakers = [_whole(clip) for clip, _ in both], [clip.speaker for clip, _ in both]
        for figure, margins in rules.no_worse.items():
            if (margin := _of(margins, place)) is not None:
                worst = limit(LOSSES[figure], both, clips, "clips")
                yield _found(f"no worse: {figure}, {place}", worst, "at most", margin)
        for figure, margins in rules.for_others.items():
            if (margin := _of(margins, place)) is not None and len(set(speakers)) > 1:
                worst = limit(LOSSES[figure], both, speakers, "speakers")
                yield _found(f"no worse for others: {figure}, {place}", worst, "at most", margin)


def _slices(pairs: Mapping[str, Sequence[Pair]], rules: Rules) -> Iterator[Finding]:
    """That no part of the clips pays for the others."""
    for place, both in pairs.items():
        parts = dict(_parts(both, rules.slices.facts))
        told = {name: own for name, own in parts.items() if len({_whole(new) for new, _ in own}) >= rules.slices.clips}
        if not told:
            continue
        worse = {name: sum(_more_edits(*pair) for pair in own) / _words(own) for name, own in told.items()}
        worst = max(worse, key=lambda name: worse[name])
        evidence = f"{worst}, {len(told[worst])} readings, the worst of {len(told)} parts; "
        evidence += f"{len(parts) - len(told)} have under {rules.slices.clips} clips"
        yield _found(f"parts: wer, {place}", (worse[worst], evidence), "at most", rules.slices.worse)


def _parts(both: Sequence[Pair], facts: Iterable[str]) -> Iterator[tuple[str, list[Pair]]]:
    """Clips with something in common: a speaker, or a third of what a clip was like."""
    for speaker in sorted({clip.speaker for clip, _ in both}):
        yield f"speaker {speaker}", [pair for pair in both if pair[0].speaker == speaker]
    for name in ("words", *facts):
        of = np.array([clip.words if name == "words" else clip.facts.get(name, np.nan) for clip, _ in both])
        known = of[np.isfinite(of)]
        low, high = np.quantile(known, [1 / 3, 2 / 3]) if len(known) else (0.0, 0.0)
        thirds = {f"below {low:.3g}": of < low, "between": (of >= low) & (of <= high), f"over {high:.3g}": of > high}
        for third, inside in thirds.items():
            own = [pair for pair, held in zip(both, inside, strict=True) if held]
            if 0 < len(own) < len(both):
                yield f"{name} {third}", own


def _more_edits(new: ClipRead, old: ClipRead) -> int:
    return new.word_edits - old.word_edits


def _words(pairs: Iterable[Pair]) -> int:
    return max(1, sum(clip.words for clip, _ in pairs))


def _places(found: Evaluation) -> Iterator[tuple[str, Sequence[ClipRead]]]:
    for group, way in sorted({(clip.group, clip.way) for clip in found.clips}):
        yield f"{group} {way}", found.of(group, way)


def _scores(found: Evaluation) -> dict[str, float]:
    told = {}
    for place, clips in _places(found):
        for figure, measure in {**AT_MOST, **AT_LEAST}.items():
            value, _ = measure(clips)
            if value is not None:
                told[f"{place} {figure}"] = round(value, 4)
    return told


def _subject(found: Evaluation) -> dict[str, str]:
    return {name: found.bundle[name] for name in ("name", "version", "digest")} | {"evaluation": found.digest()}


def _found(rule: str, measured: Measured, sense: Sense, bound: float) -> Finding:
    """A number against its bound; none, or no finite one, is no pass."""
    value, evidence = measured
    if value is None or not np.isfinite(value):
        return Finding(rule, False, None, sense, bound, f"not measured: {evidence}")
    passed = value <= bound if sense == "at most" else value >= bound
    return Finding(rule, bool(passed), round(float(value), 4), sense, bound, evidence)


def _of(bounds: Mapping[str, float], place: str) -> float | None:
    """The bound of a place, or else of its group."""
    return bounds.get(place, bounds.get(place.split(maxsplit=1)[0]))


def _whole(clip: ClipRead) -> str:
    """The clip that a reading is of: words cut from one go wrong together."""
    return clip.name.split(WORD_OF)[0]
