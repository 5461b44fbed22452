"""What is read wrong, by slot, word and look."""

from lipsol.evaluation.mistakes import mistakes_of
from tests.clips_read import GRID, read


def test_errors_stand_in_the_slot_of_the_word_that_was_said():
    told = mistakes_of(
        [
            read("a", "bin blue at f two now", "bin blue at s two soon"),
            read("b", "bin red at f two now", "red at f two now"),  # "bin" left out: no other place is wrong
        ],
        GRID,
        "en",
    )
    assert [(slot["said"], slot["wrong"]) for slot in told["slots"]] == [(2, 1), (2, 0), (2, 0), (2, 1), (2, 0), (2, 1)]
    assert ["f", "s", 1] in told["slots"][3]["pairs"] and ["bin", "", 1] in told["slots"][0]["pairs"]
    assert told["slots"][0]["name"] == "1: bin, lay, place, set"


def test_a_word_put_in_before_moves_no_other_out_of_its_slot():
    told = mistakes_of([read("a", "bin red at f two now", "so bin red at f two now")], GRID, "en")
    assert [(slot["said"], slot["wrong"]) for slot in told["slots"]] == [(1, 0)] * 6


def test_a_word_cut_out_of_its_sentence_finds_its_slot():
    told = mistakes_of(
        [read("a word 4", "f", "s", way="words"), read("a word 5", "two", "two", way="words")], GRID, "en"
    )
    assert [(slot["name"], slot["wrong"]) for slot in told["slots"]] == [
        ("4: a, b … z", 1),
        ("5: eight, five … zero", 0),
    ]


def test_without_a_grammar_the_place_is_all_that_is_told():
    told = mistakes_of([read("a", "hello there", "hello where")], None, "en")
    assert [(slot["name"], slot["wrong"]) for slot in told["slots"]] == [("word 1", 0), ("word 2", 1)]


def test_words_come_the_greatest_share_wrong_first_with_what_they_are_taken_for():
    clips = [read("a", "at f", "at s"), read("b", "at f", "by f"), read("c", "at", "at")]
    assert mistakes_of(clips, GRID, "en")["words"] == [["f", 2, 1, "s"], ["at", 3, 1, "by"]]


def test_words_that_look_alike_confuse_no_look():
    looks = mistakes_of([read("a", "bin at p", "bin at b")], GRID, "en")["visemes"]
    assert looks and all(truth == told for truth, told, _ in looks)
    apart = mistakes_of([read("a", "f", "s")], GRID, "en")["visemes"]
    assert ["lip to teeth", "teeth together", 1] in apart


def test_a_language_without_sounds_has_no_looks():
    assert mistakes_of([read("a", "mot", "mat")], None, "fr")["visemes"] == []
