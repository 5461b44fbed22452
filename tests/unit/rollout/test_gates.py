"""The gates: chance alone aborts nothing, and what is really worse is found."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipsol.errors import BadInput
from lipsol.rollout.evidence import Evidence, Moments, Pairs, Tally, in_baseline
from lipsol.rollout.gates import MEASURES, Gates, judge, wilson

LOOKS, CLIPS = 12, 25  # in a step, and new ones of each side at each look


def side(chance: np.random.Generator, clips: int = CLIPS, **changed: float) -> Tally:
    """One side's readings, as they usually are unless changed."""
    rate = {"died": 0.005, "empty": 0.01, "abstained": 0.2, "confidence": 0.8, "ms": 200.0, "wrong": 0.3} | changed
    died = int(chance.binomial(clips, rate["died"]))
    read, told = clips - died, int(chance.binomial(clips - died, 0.2))
    sure, log_ms = Moments(), Moments()
    for value, took in zip(
        chance.beta(8, 8 / rate["confidence"] - 8, read), chance.normal(math.log(rate["ms"]), 0.3, read), strict=True
    ):
        sure, log_ms = sure + Moments.of(float(value)), log_ms + Moments.of(float(took))
    empty, abstained = (int(chance.binomial(read, rate[name])) for name in ("empty", "abstained"))
    return Tally(read, died, empty, abstained, sure, log_ms, told, int(chance.binomial(told, rate["wrong"])))


def aborted_at(chance: np.random.Generator, opposed: float = 0.02, **changed: float) -> tuple[int, str]:
    """The look at which some measure said "worse", and which; (0, ""): none did."""
    known = Evidence()
    for look in range(1, LOOKS + 1):
        pairs = Pairs(CLIPS, int(chance.binomial(CLIPS, opposed)))
        known += Evidence(side(chance, **changed), side(chance), pairs)
        worse = [found.measure for found in judge(known, Gates(), look) if found.said == "worse"]
        if worse:
            return look, worse[0]
    return 0, ""


def test_a_canary_that_is_no_worse_is_hardly_ever_aborted():
    chance = np.random.default_rng(3)
    aborted = sum(aborted_at(chance)[0] > 0 for _ in range(40))
    assert aborted <= 3


def test_a_canary_without_a_baseline_is_worse_where_most_of_its_clips_come_to_nothing():
    def said(canary: Tally) -> dict[str, str]:
        return {found.measure: found.said for found in judge(Evidence(canary), Gates(), 1)}

    assert said(Tally(died=12))["died"] == "worse"
    assert said(Tally(readings=12, empty=12))["empty"] == "worse"
    assert set(said(Tally(readings=12, empty=2)).values()) == {"nothing known"}
    assert set(said(Tally(died=4)).values()) == {"nothing known"}


@pytest.mark.parametrize(
    ("fault", "measure"),
    [
        ({"died": 0.2}, "died"),
        ({"empty": 0.25}, "empty"),
        ({"abstained": 0.5}, "abstained"),
        ({"confidence": 0.65}, "confidence"),
        ({"ms": 320.0}, "latency"),
        ({"wrong": 0.95}, "wrong"),
        ({"opposed": 0.35}, "opposed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_canary_that_is_worse_is_found_and_by_the_right_measure(fault, measure):
    chance = np.random.default_rng(5)
    found = [aborted_at(chance, **fault) for _ in range(3)]
    assert all(look for look, _ in found)
    assert measure in {name for _, name in found}


def test_nothing_is_said_of_what_is_not_known():
    assert {found.said for found in judge(Evidence(), Gates(), 1)} == {"nothing known"}


def test_a_difference_within_its_margin_is_fine_however_sure():
    many = Tally(10_000, 0, 300, 0, Moments(10_000, 8e3, 6.5e3), Moments(10_000, 5e4, 2.51e5))
    few = Tally(10_000, 0, 200, 0, Moments(10_000, 8e3, 6.5e3), Moments(10_000, 5e4, 2.51e5))
    said = {found.measure: found.said for found in judge(Evidence(many, few), Gates(), 1)}
    assert said["empty"] == "fine"
    assert {found.measure: found.said for found in judge(Evidence(many, few), Gates(empty=0.005), 1)}[
        "empty"
    ] == "worse"


def test_a_sentence_names_the_values_and_the_margin():
    findings = judge(Evidence(Tally(10, 10), Tally(20, 0)), Gates(), 1)
    assert findings[0].sentence == "died 0.5 against 0, at most 0.01 worse: worse"


def test_the_interval_of_a_share_is_wilsons():
    low, high = wilson(15, 50, 0.05)  # Newcombe 1998, table I: 15 of 50 give 0.1910 to 0.4375
    assert (round(low, 4), round(high, 4)) == (0.1910, 0.4375)


def said_of_wrong(canary, baseline):
    """What is said where of so many clips so many were called wrong: (wrong, told) of each side."""
    sides = (Tally(500, told=told, wrong=wrong) for wrong, told in (canary, baseline))
    return next(found.said for found in judge(Evidence(*sides), Gates(), 1) if found.measure == "wrong")


@pytest.mark.parametrize(
    ("canary", "baseline", "said"),
    [
        ((1, 1), (3, 10), "nothing known"),
        ((4, 5), (30, 100), "nothing known"),
        ((19, 19), (0, 60), "worse"),
        ((9, 20), (6, 20), "unclear"),
        ((7, 20), (6, 20), "fine"),
        ((70, 100), (30, 100), "worse"),
    ],
)
def test_a_few_people_who_are_unhappy_hold_nothing_and_a_sure_difference_is_found(canary, baseline, said):
    assert said_of_wrong(canary, baseline) == said


@pytest.mark.parametrize(
    ("opposed", "compared", "said"),
    [(1, 1, "unclear"), (2, 5, "unclear"), (5, 20, "unclear"), (2, 20, "fine"), (5, 5, "worse"), (30, 100, "worse")],
)
def test_what_has_no_baseline_must_surely_be_more_than_may_be(opposed, compared, said):
    evidence = Evidence(pairs=Pairs(compared, opposed))
    assert next(found.said for found in judge(evidence, Gates(), 1) if found.measure == "opposed") == said


def test_of_another_language_only_what_is_worse_is_told_and_by_its_name():
    fine, dead, one = (
        Evidence(Tally(100), Tally(100)),
        Evidence(Tally(5, 15), Tally(20)),
        Evidence(Tally(0, 1), Tally(1)),
    )
    findings = judge(replace(fine, others={"ur": dead, "ar": fine, "fa": one}), Gates(), 1)
    assert [found.sentence for found in findings if found.said == "worse"] == [
        "died (ur) 0.75 against 0, at most 0.01 worse: worse"
    ]
    assert len(findings) == len(MEASURES) + 1


def test_languages_share_what_chance_may_do():
    narrow = Evidence(Tally(92, 8), Tally(100, 0))
    alone = judge(narrow, Gates(), 1)[0]
    among = judge(replace(narrow, others={name: Evidence() for name in ("ur", "ar", "fa")}), Gates(), 1)[0]
    assert among.low < alone.low
    assert among.low == judge(narrow, Gates(alpha=0.0125), 1)[0].low


def test_evidence_adds_up_by_language():
    some, more = (
        Evidence(others={"ur": Evidence(Tally(1))}),
        Evidence(others={"ur": Evidence(Tally(2)), "ar": Evidence()}),
    )
    assert (some + more).others == {"ur": Evidence(Tally(3)), "ar": Evidence()}


def test_later_looks_need_surer_evidence():
    evidence = Evidence(Tally(90, 10), Tally(100, 0))
    assert [judge(evidence, Gates(), look)[0].said for look in (1, 500)] == ["worse", "unclear"]


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30))
@settings(max_examples=30)
def test_moments_are_the_mean_and_the_variance(values):
    moments = Moments()
    for value in values:
        moments += Moments.of(value)
    assert math.isclose(moments.mean, float(np.mean(values)), abs_tol=1e-6)
    assert math.isclose(moments.variance, float(np.var(values, ddof=1)), rel_tol=1e-6, abs_tol=1e-4)


@pytest.mark.parametrize(("weight", "share"), [(5.0, 5 / 95), (25.0, 1 / 3), (50.0, 1.0), (100.0, 1.0)])
def test_the_baseline_is_as_large_as_the_canary(weight, share):
    drawn = sum(in_baseline(f"clip-{number}", weight) for number in range(4000)) / 4000
    assert abs(drawn - share) < 0.03


@pytest.mark.parametrize("name", sorted(MEASURES))
def test_a_margin_below_zero_is_refused(name):
    with pytest.raises(BadInput, match=name):
        Gates(**{name: -0.1})
