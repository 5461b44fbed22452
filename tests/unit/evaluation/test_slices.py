"""Who fares worse: planted differences are found, chance is not taken for one, and few clips are told to be few."""

import numpy as np
import pytest

from lipsol.evaluation.reading import NEW
from lipsol.evaluation.slices import FEWEST, slices_of
from tests.clips_read import read

TRUTH, WRONG = "bin blue at f two now", "bin red at s two now"


def every_fourth(_, k):
    return k % 4 == 0


def clips(speakers, n=60, wrong=every_fourth, facts=lambda _: {}):
    return [
        read(f"{who}_{k}", TRUTH, WRONG if wrong(who, k) else TRUTH, speaker=who, facts=facts(k))
        for who in speakers
        for k in range(n)
    ]


def found(of):
    return {(each.by, each.name): each for each in slices_of(of)}


def test_a_speaker_who_is_read_worse_is_found():
    held = found(clips(("s1", "s2", "s3"), wrong=lambda who, k: who == "s2" or k % 4 == 0))
    worse = held["speaker", "s2"]
    assert worse.found == "worse" and worse.adjusted < 0.01
    assert (worse.wer, worse.rest, worse.clips, worse.speakers) == (pytest.approx(0.3333, abs=1e-3), 0.0833, 60, 1)
    low, high = worse.interval
    assert 0 < low < worse.wer - worse.rest < high
    assert held["speaker", "s1"].found == "better"  # than the two others together


def test_dark_clips_that_are_read_worse_are_found_by_their_brightness():
    of = clips(("s1",), 90, wrong=lambda _, k: k < 30, facts=lambda k: {"brightness": float(k), "yaw_deg": -3.0})
    held = found(of)
    assert [name for (by, name), each in held.items() if each.found == "worse"] == ["up to 29 of 255"]
    assert {by for by, _ in held} == {"brightness"}  # all turned alike, and one speaker: nothing to compare


def test_chance_is_rarely_taken_for_a_difference():
    rng = np.random.default_rng(7)
    taken = 0
    for _ in range(20):
        luck = rng.random(240)
        of = clips(tuple("abcd"), 60, wrong=lambda who, k, luck=luck: luck["abcd".index(who) * 60 + k] < 0.3)
        taken += any(each.found != "no difference shown" for each in slices_of(of))
    assert taken <= 4  # one in twenty is promised


def test_few_clips_are_said_to_be_too_few():
    held = found([*clips(("s1",), 60), *clips(("s2",), FEWEST - 1, wrong=lambda *_: True)])
    few = held["speaker", "s2"]
    assert (few.found, few.p, few.adjusted, few.interval) == ("too small", None, None, None)
    assert few.wer == pytest.approx(0.3333, abs=1e-3)


def test_words_of_one_recording_count_as_one():
    of = [
        read(f"{who}_{n} word {k}", "at", "by" if who == "s2" else "at", speaker=who)
        for who in ("s1", "s2")
        for n in range(FEWEST - 1)
        for k in range(6)
    ]
    assert {each.found for each in slices_of(of)} == {"too small"}


def test_holms_correction_never_lowers_a_p():
    of = clips(
        tuple("abc"), 60, wrong=lambda who, k: k % (2 if who == "a" else 3) == 0, facts=lambda k: {"seconds": float(k)}
    )
    tested = sorted((each for each in slices_of(of) if each.p is not None), key=lambda each: each.p)
    assert len(tested) == 6
    assert tested[0].adjusted == pytest.approx(min(1, 6 * tested[0].p), abs=1e-4)
    adjusted = [each.adjusted for each in tested]
    assert adjusted == sorted(adjusted) and all(each.p <= each.adjusted <= 1 for each in tested)


def test_a_fact_that_parts_the_clips_in_two_is_asked_once():
    of = clips(("s1",), 60, facts=lambda k: {"face_found": 1.0 if k > 4 else 0.5})
    assert [(each.by, each.name) for each in slices_of(of)] == [("face found", "up to 0.5 of the frames")]


def test_sentences_that_training_heard_are_compared_with_new_ones():
    of = clips(("s1",), 80, wrong=lambda _, k: k % 2 == 0 and k % 5 != 0, facts=lambda k: {NEW: float(k % 2 == 0)})
    held = found(of)["sentence", "said in training by somebody"]
    assert (held.found, held.clips, held.wer) == ("better", 40, 0.0)
