"""The figures of an evaluation, counted by hand."""

import pytest

from lipsol.evaluation.reading import NEW, SPREAD
from lipsol.evaluation.scores import error_rate, evaluated, scores_of
from tests.clips_read import evaluation_of, read

CLIPS = [
    read("a", "bin blue at f", "bin blue at f", sure=0.95),
    read("b", "bin blue at f", "bin red at s", sure=0.85, others=["bin blue at s", "bin blue at f"]),
    read("c", "bin blue", "", sure=0.25),
]


def test_every_figure_is_what_a_hand_counts():
    told = evaluated(CLIPS)
    assert told["n"] == 3
    assert told["wer"]["value"] == pytest.approx(4 / 10)
    assert told["word_accuracy"]["value"] == pytest.approx(6 / 10)
    assert told["sentence_accuracy"]["value"] == pytest.approx(1 / 3, abs=1e-4)
    assert told["top3"] == pytest.approx(2 / 3, abs=1e-4)
    assert told["abstained"] == pytest.approx(1 / 3, abs=1e-4)
    assert told["answered_wer"] == pytest.approx(2 / 8)
    assert told["sure_wrong"] == pytest.approx(1 / 3, abs=1e-4)
    assert told["reliability"] == [[0.25, 0.0, 1], [0.85, 0.0, 1], [0.95, 1.0, 1]]


def test_a_word_too_many_costs_an_error_but_no_right_word():
    told = evaluated([read("a", "at f", "at by f")])
    assert told["wer"]["value"] == 0.5 and told["word_accuracy"]["value"] == 1.0


def test_intervals_of_several_speakers_are_drawn_by_speaker():
    clips = [
        read(f"{who}{n}", "at f", "at f" if who == "s1" else "by s", speaker=who)
        for who in ("s1", "s2")
        for n in range(50)
    ]
    wer = evaluated(clips)["wer"]
    assert (wer["by"], wer["speakers"], wer["interval"]) == ("speaker", 2, [0.0, 1.0])
    low, high = scores_of(clips)["wer"]["interval"]  # a card's: by clip
    assert 0.3 < low < 0.5 < high < 0.7


def test_intervals_of_one_speaker_are_drawn_by_recording_and_say_so():
    words = [read(f"s1_{n} word {k}", "at", "at" if n % 2 else "by") for n in range(10) for k in range(1, 7)]
    wer = evaluated(words)["wer"]
    assert (wer["by"], wer["speakers"]) == ("clip", 1)
    low, high = wer["interval"]
    lonely = evaluated([read(f"s1_{n}", clip.truth, clip.reading) for n, clip in enumerate(words)])["wer"]["interval"]
    assert high - low > 1.5 * (lonely[1] - lonely[0])  # six words of one clip are no six clips


def test_where_nothing_is_answered_there_is_no_rate_of_the_answered():
    assert scores_of([read("a", "at", "at", sure=0.1)])["answered_wer"] is None


def test_without_a_word_there_is_no_rate():
    assert error_rate([]) is None


@pytest.mark.parametrize(
    ("fact", "part"), [(SPREAD, "unseen, spread wording"), (NEW, "unseen, new sentences")], ids=["wording", "sentence"]
)
def test_unseen_clips_of_which_the_easy_part_is_known_are_told_without_it_too(fact, part):
    def summary(group, kept):
        clips = [
            read(str(n), "at f", "by f" if n in kept else "at f", group=group, facts={fact: float(n in kept)})
            for n in range(4)
        ]
        return evaluation_of(clips).summary

    told = summary("unseen", {1})
    assert told["unseen"]["grammar"]["wer"]["value"] == pytest.approx(1 / 8)
    assert told[part]["grammar"]["wer"]["value"] == pytest.approx(1 / 2) and told[part]["grammar"]["n"] == 1
    for group, kept in (("unseen", {0, 1, 2, 3}), ("unseen", set()), ("seen", {1})):
        assert set(summary(group, kept)) == {group}  # all, none, or not of strangers: nothing to tell apart
