"""Readings and words that look the same: numbered, kept apart, told at their place."""

import pytest

from lipsol.model.alike import looks_of, varied, words_alike
from lipsol.text.grammar import Grammar

GRID = Grammar.named("grid")


def test_readings_that_look_the_same_have_the_same_number():
    texts = ["bin blue at b one now", "bin blue in p one now", "bin blue at f one now", "bin blue in b one now"]
    assert looks_of(texts, "en") == [1, 1, 2, 1]


@pytest.mark.parametrize(
    ("texts", "kept"),
    [
        (["b", "c", "f", "h", "o", "q"], [0, 1, 2, 3]),
        (["b", "p", "c", "f"], [0, 1, 2, 3]),
        (["b", "p", "b", "p", "c", "f"], [0, 1, 4, 5]),
        (["b", "p", "p", "p", "p", "c"], [0, 1, 2, 5]),
        (["b", "p", "p", "p", "p", "p"], [0, 1, 2, 3]),
        (["b"], [0]),
    ],
    ids=["all differ", "enough differ", "two looks come late", "one comes late", "none comes", "alone"],
)
def test_looks_that_are_missing_take_the_place_of_the_least_likely_repeats(texts, kept):
    assert varied(texts, "en", 3) == kept


def test_words_alike_are_those_that_could_stand_in_the_words_place():
    assert words_alike("bin blue at b three again".split(), GRID, (), "en") == [
        (), (), ("in",), ("p",), (), (),
    ]  # fmt: skip
    assert words_alike(["l"], None, GRID.words, "en") == [("at", "eight", "in", "n")]


def test_in_a_tree_of_phrases_the_words_before_decide_which_could_stand_there():
    board = Grammar.of_phrases("board", "en", ["bring a pan", "bring a man", "find a ban", "bring water"])
    assert words_alike("bring a pan".split(), board, (), "en") == [(), (), ("man",)]
