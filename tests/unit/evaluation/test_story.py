"""The page of an evaluation says what its figures say, and hides nothing."""

import re
from dataclasses import replace

import numpy as np
import pytest

from lipsol.clips.clip import JAW_POINTS, LIP_POINTS, MouthClip
from lipsol.evaluation.story import WORST, story, worst
from lipsol.text.grammar import Grammar
from tests.clips_read import evaluation_of, read

SMALL = Grammar.of_slots("small", "en", [["at", "by"]])


def mouth(frames: int = 5) -> MouthClip:
    points = np.zeros((frames, LIP_POINTS, 2), np.float32)
    jaw = np.zeros((frames, JAW_POINTS, 2), np.float32)
    return MouthClip(np.zeros((frames, 96, 96), np.uint8), points, jaw, points, np.ones(frames, bool))


@pytest.fixture(scope="module")
def found():
    seen = [read(f"s1_{n}", "at", "by" if n % 10 == 0 else "at") for n in range(20)]
    unseen = [read(f"s4_{n}", "at", "by", speaker="s4", group="unseen", others=["at"]) for n in range(20)]
    return evaluation_of([*seen, *unseen], grammar=SMALL)


@pytest.fixture(scope="module")
def page(found):
    return story(found, {clip.name: mouth() for clip in worst(found)})


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)))


def test_the_first_sentence_is_the_whole_story(page):
    lead = page.split('class="lead"')[1].split("</p>")[0]
    assert "10 from speakers that training heard and 100 from speakers that it never heard" in lead


def test_seen_and_unseen_stand_side_by_side_beside_every_baseline(page):
    assert "this model grammar 0.100 1.000" in text(page)
    assert "grammar chance grammar 0.810 0.810" in text(page)
    assert "people who read lips grammar - 0.477 mean of three" in text(page) and "arXiv:1611.01599" in page


def test_intervals_of_one_speaker_are_told_to_be_that(page):
    assert "The unseen clips are of one speaker" in text(page) and "unseen by clip" in text(page)


def test_the_worst_clips_are_taken_from_each_group_with_a_picture(page, found):
    clips = worst(found)
    assert len(clips) == WORST == 20
    assert sum(clip.group == "seen" for clip in clips) == 2  # there are no more
    assert page.count("The mouth that says") == 20


def test_what_must_be_known_stands_before_any_figure(found, page):
    noted = text(story(replace(found, synthetic=True, unread=("s4_x: no face",)), {}, ["Mind this."]))
    for said in (
        "Nobody real was ever read here",
        "Mind this.",
        "Clips that could not be read, and stand in no figure: 1.",
    ):
        assert said not in text(page)
        assert noted.index(said) < noted.index("word error rate")
    assert "s4_x: no face" in noted


def test_of_clips_equally_wrong_the_surest_comes_first():
    clips = [read("calm", "at f", "by f", sure=0.2), read("sure", "at f", "by f"), read("all", "at f", "", sure=0.1)]
    assert [clip.name for clip in worst(evaluation_of(clips))] == ["all", "sure", "calm"]


def test_a_model_that_errs_nowhere_has_no_worst_clips():
    told = text(story(evaluation_of([read(f"s1_{n}", "at", "at") for n in range(3)], grammar=SMALL), {}))
    assert "Every clip was read right." in told and "No group is shown to fare worse" in told
