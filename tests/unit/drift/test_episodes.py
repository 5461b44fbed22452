import pytest

from lipsol.drift.budget import BLOCK, LOOSEST, WINDOWS, Sensitivity
from lipsol.drift.comparison import Comparison
from lipsol.drift.episodes import Began, Episodes, Over
from lipsol.drift.verdict import Verdict

HOUR = 3600.0
EVIDENCE = (Comparison("brightness", "ks", 1.0, 0.3, 1.0, drifted=True),)
CAMERA = Verdict("camera", "tell-users", EVIDENCE, "dark")
SPEAKER = Verdict("speaker", "retrain", EVIDENCE, "others")
SENSITIVITY = Sensitivity(begin_after=2, over_after=3, cool_down_s=6 * HOUR)


def looked(episodes, *verdicts, start=0.0):
    """What is told at each look, one a minute; what is not told is left out."""
    told = (episodes.look(verdict, start + 60 * n) for n, verdict in enumerate(verdicts))
    return [each for each in told if each is not None]


def test_one_look_is_a_flicker_and_two_that_agree_begin_it():
    episodes = Episodes(SENSITIVITY)
    assert not looked(episodes, CAMERA, None, CAMERA, SPEAKER)
    assert looked(episodes, SPEAKER) == [Began(SPEAKER, 0.0)]
    assert episodes.state == "drift"


def test_it_is_told_once_and_over_after_quiet_looks_in_a_row():
    episodes = Episodes(SENSITIVITY)
    told = looked(episodes, CAMERA, CAMERA, CAMERA, None, None, CAMERA, None, None, None, None)
    assert told == [Began(CAMERA, 60.0), Over("camera", 60.0, 480.0)]
    assert episodes.state == "quiet"


def test_the_same_kind_is_found_while_it_cools_down_and_told_after_that_if_it_is_still_there():
    episodes = Episodes(SENSITIVITY)
    looked(episodes, CAMERA, CAMERA, None, None, None)
    assert looked(episodes, CAMERA, CAMERA, CAMERA, start=HOUR) == [Began(CAMERA, HOUR + 60, silent=True)]
    assert episodes.state == "drift"
    assert looked(episodes, CAMERA, CAMERA, start=7 * HOUR) == [Began(CAMERA, 7 * HOUR)]
    assert looked(episodes, None, None, None, start=8 * HOUR) == [Over("camera", 7 * HOUR, 8 * HOUR + 120)]


def test_what_was_found_while_it_cooled_down_is_over_as_silently():
    episodes = Episodes(SENSITIVITY)
    looked(episodes, CAMERA, CAMERA, None, None, None)
    again = looked(episodes, CAMERA, CAMERA, None, None, None, start=HOUR)
    assert again == [Began(CAMERA, HOUR + 60, silent=True), Over("camera", HOUR + 60, HOUR + 240, silent=True)]
    assert looked(episodes, SPEAKER, SPEAKER, start=2 * HOUR) == [Began(SPEAKER, 2 * HOUR + 60)]


def test_another_kind_does_not_wait_for_the_first_one_s_cool_down():
    episodes = Episodes(SENSITIVITY)
    looked(episodes, CAMERA, CAMERA, None, None, None)
    assert looked(episodes, SPEAKER, SPEAKER, start=HOUR) == [Began(SPEAKER, HOUR + 60)]


def test_another_kind_takes_its_place_only_after_the_first_is_over():
    episodes = Episodes(SENSITIVITY)
    looked(episodes, CAMERA, CAMERA)
    told = looked(episodes, *[SPEAKER] * 5, start=HOUR)
    assert told == [Over("camera", 60.0, HOUR + 180), Began(SPEAKER, HOUR + 240)]


def test_episodes_go_on_where_they_were_kept():
    episodes = Episodes(SENSITIVITY)
    looked(episodes, CAMERA, CAMERA, None)
    again = Episodes.from_json(episodes.to_json(), SENSITIVITY)
    assert again == episodes
    assert looked(again, None, None, start=HOUR) == [Over("camera", 60.0, HOUR + 60)]


def test_a_month_of_comparisons_shares_the_pages_that_are_allowed():
    sensitivity = Sensitivity(false_pages_a_month=2.0, clips_a_day=1000.0)
    comparisons = 1000 * 30 / BLOCK * len(WINDOWS) * 50
    assert sensitivity.alpha(50) * comparisons == pytest.approx(2.0)
    assert sensitivity.alpha(100) == pytest.approx(sensitivity.alpha(50) / 2)
    assert Sensitivity(clips_a_day=0.0).alpha(1) == LOOSEST
