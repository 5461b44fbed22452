"""The gate: what stops a candidate, what lets it pass, and what no evaluation can do to it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipsol.errors import BadInput
from lipsol.evaluation.records import ClipRead, Evaluation
from lipsol.release import Verdict, gate, gate_files
from lipsol.release.measures import LOSSES, limit
from lipsol.release.rules import BRIEF, FULL, Enough, Rules
from tests.evaluations_made import clip_of, evaluation_of, with_clips

SMALL = replace(BRIEF, enough={"seen": Enough(2, 1), "unseen": Enough(1, 1)}, slices=replace(BRIEF.slices, clips=2))


def every(n: int, wrong: int = 1) -> Callable[[int, str], int]:
    """Every nth clip has so many words wrong."""
    return lambda clip, _: wrong if clip % n == 0 else 0


def told(verdict: Verdict) -> dict[str, str]:
    """The rules that stopped it, and their evidence."""
    return {each.rule: each.evidence for each in verdict.reasons()}


def worse(clip: ClipRead) -> ClipRead:
    """The same clip with every word wrong, as sure as it was."""
    read = clip_of(clip.name, clip.speaker, clip.group, clip.way, 6, clip.confidence)
    return replace(read, facts=clip.facts)


def test_a_good_model_passes_without_a_champion_and_against_one():
    candidate, champion = evaluation_of(every(20)), evaluation_of(every(20), digest="a" * 64)
    first = gate(candidate, None, FULL)
    assert first.passed and first.champion == {} and not first.reasons()
    verdict = gate(candidate, champion, FULL)
    assert verdict.passed and verdict.champion["digest"] == "a" * 64
    assert verdict.candidate == {
        "name": "grid-sentences", "version": "1", "digest": "c" * 64, "evaluation": candidate.digest(),
    }  # fmt: skip
    assert verdict.scores["seen grammar wer"] == round(1 / 120, 4)


@pytest.mark.parametrize("kind", ["sentences", "words"])
def test_every_finding_names_its_rule_value_bound_and_evidence(kind: str):
    verdict = gate(evaluation_of(every(9), kind=kind), evaluation_of(kind=kind, digest="a" * 64), FULL)
    rules = [each.rule for each in verdict.findings]
    ways = {"sentences": ("grammar", "free"), "words": ("words",)}[kind]
    for way in ways:
        for place in (f"seen {way}", f"unseen {way}"):
            for rule in ("wer, ", "cer, ", "sure_wrong, ", "overconfidence, ", "word_accuracy, ", "parts: wer, ",
                         "no worse: wer, ", "no worse for others: wer, ", "no worse: sure_wrong, "):  # fmt: skip
                assert rule + place in rules
    assert {"latency, p95 in ms", "size, bytes", "comparable", "enough, seen", "enough, unseen"} <= set(rules)
    assert len(set(rules)) == len(rules)
    assert all(each.value is not None and each.evidence for each in verdict.findings)
    assert all(each.rule in verdict.table() for each in verdict.findings)


@pytest.mark.parametrize(
    ("candidate", "rules"),
    [
        (evaluation_of(lambda _, group: 2 * (group == "seen")),
         ["wer, seen grammar", "wer, seen free", "word_accuracy, seen grammar"]),
        (evaluation_of(lambda _, group: 5 * (group == "unseen")), ["wer, unseen grammar", "wer, unseen free"]),
        (evaluation_of(every(15), boastful=True), ["sure_wrong, seen grammar", "sure_wrong, unseen grammar"]),
    ],
    ids=["seen speakers", "unseen speakers", "sure and wrong"],
)  # fmt: skip
def test_what_is_below_a_floor_is_stopped_with_or_without_a_champion(candidate: Evaluation, rules: list[str]):
    for champion in (None, candidate):
        verdict = gate(candidate, champion, FULL)
        assert not verdict.passed and set(rules) <= told(verdict).keys()


def test_being_wrong_and_sure_is_held_against_what_the_clips_allow_not_against_the_share_that_was_seen():
    for clips, passes in ((16, False), (60, True)):
        few = evaluation_of(clips=clips)
        findings = {each.rule: each for each in gate(few, None, FULL).findings}
        found = findings["sure_wrong, unseen grammar"]
        assert found.passed is passes and found.evidence.startswith(f"0 of {2 * clips} were answered wrong")


def test_a_wrong_reading_that_was_abstained_from_is_not_sure_and_wrong():
    assert gate(evaluation_of(every(15)), None, FULL).passed
    assert not gate(evaluation_of(every(15), boastful=True), None, FULL).passed


def test_what_is_believed_beyond_what_is_right_is_stopped_and_modesty_is_not():
    boastful = [replace(each, confidence=0.99, abstained=True) for each in evaluation_of(every(5)).clips]
    modest = [replace(each, confidence=0.3, abstained=True) for each in evaluation_of().clips]
    rules = replace(FULL, at_least={})
    assert "overconfidence, seen grammar" in told(gate(with_clips(evaluation_of(), boastful), None, rules))
    assert gate(with_clips(evaluation_of(), modest), None, rules).passed


def test_a_model_that_never_answers_is_stopped_unless_nobody_real_was_ever_read():
    silent = [replace(each, abstained=True) for each in evaluation_of().clips]
    assert list(told(gate(with_clips(evaluation_of(), silent), None, FULL))) == ["sure_right, seen grammar"]
    assert gate(with_clips(evaluation_of(synthetic=True), silent), None, FULL).passed


def test_too_few_clips_or_speakers_are_not_enough_to_say():
    for found in (
        evaluation_of(clips=10),
        with_clips(evaluation_of(), [each for each in evaluation_of().clips if each.speaker != "s2"]),
        with_clips(evaluation_of(), [each for each in evaluation_of().clips if each.group == "seen"]),
    ):
        reasons = told(gate(found, None, FULL))
        assert "not enough to say" in (reasons.get("enough, seen"), reasons.get("enough, unseen"))


def test_words_cut_from_one_clip_are_one_clip():
    cut = [replace(each, name=f"{each.speaker}_0 word {n}") for n, each in enumerate(evaluation_of(kind="words").clips)]
    verdict = gate(with_clips(evaluation_of(kind="words"), cut), None, FULL)
    assert next(each.value for each in verdict.findings if each.rule == "enough, seen") == "3 clips of 3"


def test_a_way_that_a_group_was_not_read_by_is_told():
    lacking = [each for each in evaluation_of().clips if (each.group, each.way) != ("unseen", "grammar")]
    assert "no clip was read by grammar" in told(gate(with_clips(evaluation_of(), lacking), None, FULL)).values()


def test_a_place_that_the_rules_do_not_know_is_no_pass():
    odd = [replace(each, way="loud") for each in evaluation_of(kind="words").clips]
    assert "wer, seen loud" in told(gate(with_clips(evaluation_of(kind="words"), odd), None, FULL))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda e: replace(e, data={"name": "grid", "sha256": "e" * 64}), "other data: evaluate the champion"),
        (lambda e: replace(e, limit=5), "at most all clips of a speaker here, 5 there"),
        (lambda e: replace(e, bundle={**e.bundle, "name": "other"}), "other is another model"),
        (lambda e: with_clips(e, e.clips[1:]), "1 readings are not of the same clips, as s1_0 by grammar"),
        (lambda e: with_clips(e, [replace(e.clips[0], truth="no"), *e.clips[1:]]), "1 readings are not of the same"),
    ],
    ids=["data", "limit", "model", "clips", "truths"],
)
def test_what_was_not_read_on_the_same_clips_is_not_compared_but_stopped(change: Any, said: str):
    verdict = gate(evaluation_of(), change(evaluation_of(digest="a" * 64)), FULL)
    (reason,) = verdict.reasons()
    assert reason.rule == "comparable" and said in reason.evidence
    assert not any("no worse" in each.rule for each in verdict.findings)


def test_a_candidate_that_is_worse_than_the_champion_is_stopped_though_every_floor_holds():
    champion = evaluation_of(digest="a" * 64)
    verdict = gate(evaluation_of(every(4, 1)), champion, FULL)
    assert {"no worse: wer, seen grammar", "no worse: wer, seen free"} <= told(verdict).keys()
    assert not any(each.rule.startswith("wer") for each in verdict.reasons())


def test_a_part_that_pays_for_the_others_is_stopped_by_name():
    champion = evaluation_of(every(10), digest="a" * 64)
    dark = evaluation_of(lambda n, _: 1 if n < 13 else 0)  # brightness rises with the clip's number
    reasons = told(gate(dark, champion, replace(FULL, no_worse={}, for_others={}, at_most=BRIEF.at_most)))
    assert reasons.keys() == {
        f"parts: wer, {group} {way}" for group in ("seen", "unseen") for way in ("grammar", "free")
    }
    assert all(evidence.startswith("brightness below 113") for evidence in reasons.values())


def test_one_speaker_who_is_read_much_worse_stops_a_candidate_for_other_people():
    def only(speaker: str, found: Evaluation) -> Evaluation:
        return with_clips(found, [worse(each) if each.speaker == speaker else each for each in found.clips])

    rules = replace(FULL, no_worse={}, slices=replace(FULL.slices, worse=9.0), at_most=BRIEF.at_most, at_least={})
    reasons = told(gate(only("s2", evaluation_of(clips=60)), evaluation_of(clips=60), rules))
    assert "no worse for others: wer, seen grammar" in reasons


@pytest.mark.parametrize("latency", [{}, {"p95_ms": 251.0}], ids=["none", "slow"])
def test_a_slow_reader_is_stopped_and_so_is_one_whose_time_nobody_took(latency: dict[str, float]):
    assert list(told(gate(replace(evaluation_of(), latency=latency), None, FULL))) == ["latency, p95 in ms"]


def test_a_bundle_that_is_too_large_is_stopped():
    large = replace(evaluation_of(), size_bytes=FULL.size_bytes + 1)
    assert list(told(gate(large, None, FULL))) == ["size, bytes"]


READ = st.lists(st.tuples(st.integers(0, 6), st.floats(0, 1)), min_size=8, max_size=24)


def read_as(drawn: list[tuple[int, float]], digest: str = "c" * 64) -> Evaluation:
    """An evaluation of these clips: words wrong, and how sure."""
    clips = [
        clip_of(f"c{n}", f"s{n % 3}" if group == "seen" else "s9", group, "grammar", wrong, sure)
        for n, (wrong, sure) in enumerate(drawn)
        for group in [("seen", "unseen")[n % 4 == 3]]
    ]
    return with_clips(evaluation_of(digest=digest, clips=0), clips)


@settings(max_examples=20, deadline=None)
@given(READ)
def test_a_copy_of_the_champion_is_never_worse_than_the_champion(drawn: list[tuple[int, float]]):
    verdict = gate(read_as(drawn), read_as(drawn, "a" * 64), SMALL)
    against = [each for each in verdict.findings if each.rule.startswith(("no worse", "parts", "comparable"))]
    assert len(against) > 1 and all(each.passed for each in against)


@settings(max_examples=30, deadline=None)
@given(READ, st.data(), st.sampled_from([SMALL, replace(SMALL, at_most=FULL.at_most, at_least=FULL.at_least)]))
def test_reading_any_clip_worse_never_turns_a_stop_into_a_pass(drawn: Any, data: Any, rules: Rules):
    champion = read_as(data.draw(st.lists(st.tuples(st.integers(0, 6), st.floats(0, 1)), min_size=len(drawn),
                                          max_size=len(drawn))), "a" * 64)  # fmt: skip
    which = data.draw(st.integers(0, len(drawn) - 1))
    candidate = read_as(drawn)
    spoilt = with_clips(candidate, [worse(each) if n == which else each for n, each in enumerate(candidate.clips)])
    before, after = gate(candidate, champion, rules), gate(spoilt, champion, rules)
    assert before.passed or not after.passed
    held = {each.rule: each.passed for each in before.findings}
    assert all(held[each.rule] or not each.passed for each in after.findings)


@settings(max_examples=15, deadline=None)
@given(READ, st.sampled_from(["wer", "sure_wrong"]))
def test_a_narrower_margin_never_lets_more_pass(drawn: list[tuple[int, float]], figure: str):
    champion = read_as([(0, sure) for _, sure in drawn], "a" * 64)
    narrow = replace(SMALL, no_worse={**SMALL.no_worse, figure: {"seen": 0.0, "unseen": 0.0}})
    assert gate(read_as(drawn), champion, SMALL).passed or not gate(read_as(drawn), champion, narrow).passed


def test_the_upper_limit_covers_what_is_so_in_nineteen_of_twenty_tests():
    rng = np.random.default_rng(5)
    champion = [clip_of(f"c{n}", "s1", "seen", "grammar") for n in range(40)]
    tests, below = 80, 0
    for _ in range(tests):
        candidate = [clip_of(f"c{n}", "s1", "seen", "grammar", int(rng.binomial(6, 0.1))) for n in range(40)]
        upper, _ = limit(
            LOSSES["wer"], list(zip(candidate, champion, strict=True)), [c.name for c in champion], "clips"
        )
        below += upper < 0.1  # which is what it is worse by
    assert 0 < below <= 0.05 * tests + 3 * np.sqrt(tests * 0.05 * 0.95)


def test_a_verdict_comes_back_from_its_file_as_it_was():
    verdict = gate(evaluation_of(every(7)), evaluation_of(digest="a" * 64), FULL)
    assert Verdict.from_json(verdict.to_json()) == verdict
    assert gate(evaluation_of(every(7)), evaluation_of(digest="a" * 64), FULL).to_json() == verdict.to_json()
    for data in (b"", b"{}", verdict.to_json().replace(b'"format": 1', b'"format": 2')):
        with pytest.raises(BadInput):
            Verdict.from_json(data)


def test_files_are_judged_as_what_is_in_them(tmp_path: Path):
    candidate, champion = evaluation_of(every(20)), evaluation_of(every(20), digest="a" * 64)
    (tmp_path / "c.json").write_bytes(candidate.to_json())
    (tmp_path / "a.json").write_bytes(champion.to_json())
    assert gate_files(tmp_path / "c.json", tmp_path / "a.json", "full", tmp_path / "v.json") == "pass"
    assert Verdict.from_json((tmp_path / "v.json").read_bytes()) == gate(candidate, champion, FULL)
    (tmp_path / "c.json").write_bytes(evaluation_of(every(1, 4)).to_json())
    assert gate_files(tmp_path / "c.json", None, "brief", tmp_path / "v.json") == "stop"


def test_rules_come_by_name_or_from_a_file(tmp_path: Path):
    assert Rules.named("full") is FULL and Rules.named("brief") is BRIEF
    (tmp_path / "own.json").write_bytes(replace(FULL, name="own").to_json())
    assert Rules.named(str(tmp_path / "own.json")) == replace(FULL, name="own")
    with pytest.raises(BadInput, match="full, brief"):
        Rules.named("lax")
    for text in ("{}", FULL.to_json().decode().replace("p95_ms", "p95")):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(BadInput, match="holds no rules"):
            Rules.named(str(tmp_path / "bad.json"))
    with pytest.raises(BadInput, match="holds no rules"):
        Rules.named(str(tmp_path / "nowhere.json"))


def test_a_rule_that_would_say_nothing_is_refused():
    with pytest.raises(BadInput, match="bounds 'wre'"):
        replace(FULL, at_most={"wre": {"seen": 0.1}})
    with pytest.raises(BadInput, match="below 0"):
        replace(FULL, no_worse={"wer": {"seen": -0.1}})
    with pytest.raises(BadInput, match="no group"):
        replace(FULL, enough={})


def test_the_brief_rules_are_the_full_ones_with_looser_bounds():
    candidate, champion = evaluation_of(), evaluation_of(digest="a" * 64)
    full, brief = (gate(candidate, champion, rules) for rules in (FULL, BRIEF))
    kinds = [{each.rule.split(",")[0] for each in verdict.findings} for verdict in (full, brief)]
    assert kinds[1] < kinds[0] and kinds[0] - kinds[1] == {"sure_right", "no worse: not_helped"}
    bounds = {each.rule: each for each in full.findings}
    for each in brief.findings:
        if isinstance(each.bound, float):
            strict = bounds[each.rule].bound
            assert each.bound >= strict if each.sense == "at most" else each.bound <= strict
