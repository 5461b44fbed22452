"""What guesses cost, computed; whose figures stand beside a model's."""

import itertools

import pytest

from lipsol.evaluation.baselines import baselines_of, chance, choice, majority
from lipsol.text.grammar import Grammar
from lipsol.text.scoring import word_error_rate
from tests.clips_read import GRID, evaluation_of, read

CLIPS = [
    read("a", "bin blue at f two now", "bin blue at f two now"),
    read("b", "bin red at f two now", "bin red at f two soon", speaker="s4", group="unseen"),
    read("b", "bin red at f two now", "red at f two soon", speaker="s4", group="unseen", way="free"),
]


def test_a_guess_within_grids_grammar_costs_081():
    assert chance(GRID) == pytest.approx(0.81, abs=1e-9)


def test_chance_is_what_all_pairs_of_a_small_grammar_give():
    grammar = Grammar.of_slots("small", "en", [["at", "by"], ["a", "b", "c"]])
    pairs = list(itertools.product(grammar.sentences(), repeat=2))
    assert chance(grammar) == pytest.approx(word_error_rate([t for t, _ in pairs], [r for _, r in pairs]))


def test_chance_among_phrases_is_drawn_close_to_it():
    grammar = Grammar.of_phrases("board", "en", ["yes", "no thanks", "help me please"])
    pairs = list(itertools.product(grammar.sentences(), repeat=2))
    assert chance(grammar) == pytest.approx(word_error_rate([t for t, _ in pairs], [r for _, r in pairs]), abs=0.03)


def test_a_guess_among_words_is_right_once_in_so_many():
    assert choice(51) == pytest.approx(50 / 51)


def test_the_majority_class_is_the_commonest_word_at_each_place():
    assert majority(["bin blue", "lay blue", "bin red", "set"]) == "bin blue"


def test_every_group_and_way_has_its_baselines_and_unseen_speakers_the_human_figure():
    told = list(baselines_of(CLIPS, ["bin blue at f two now"], 0.81, None, "GRID"))
    assert {(b.name, b.group, b.way): b.wer for b in told} == {
        ("majority class", "seen", "grammar"): 0.0,
        ("grammar chance", "seen", "grammar"): 0.81,
        ("majority class", "unseen", "grammar"): 0.1667,
        ("grammar chance", "unseen", "grammar"): 0.81,
        ("majority class", "unseen", "free"): 0.1667,
        ("people who read lips", "unseen", "grammar"): 0.477,
    }
    assert "arXiv:1611.01599" in told[-1].source


def test_people_read_no_other_corpus():
    assert "people who read lips" not in {b.name for b in baselines_of(CLIPS, [], 0.81, None, "LIPSOL")}


def test_the_champion_is_judged_on_the_same_clips_alone():
    champion = evaluation_of([CLIPS[0], read("other", "at", "by"), *CLIPS[2:]])
    told = {(b.group, b.way): b for b in baselines_of(CLIPS, [], 0.81, champion, "") if b.name.startswith("champion")}
    assert told["seen", "grammar"].wer == 0.0
    assert ("unseen", "grammar") not in told  # it read none of these
    assert told["unseen", "free"].wer == pytest.approx(2 / 6, abs=1e-4)
