"""Words that look the same on the lips, in both languages."""

import pytest

from lipsol.text.grammar import Grammar
from lipsol.text.homophenes import homophenes, look_of
from lipsol.text.visemes import VISEMES

GRID = Grammar.named("grid")


@pytest.mark.parametrize(
    ("word", "others", "alike"),
    [
        ("b", "a c d p m t", ("p",)),
        ("at", "by in with", ("in",)),
        ("l", "m n r", ("n",)),
        ("bin", "pin min set fin", ("min", "pin")),
        ("van", "fan than ban", ("fan",)),
        ("happy", "letter puppy", ()),
    ],
)
def test_english_words_look_alike_by_their_sounds(word, others, alike):
    assert homophenes(word, others.split(), "en") == alike


@pytest.mark.parametrize(
    ("word", "others", "alike"),
    [("دو", ["نو", "چھ", "سات"], ("نو",)), ("بال", ["پال", "مال", "فال"], ("مال", "پال")), ("آپ", ["ہم"], ())],
    ids=["two and nine", "lips together", "nothing like it"],
)
def test_urdu_words_look_alike_by_their_letters(word, others, alike):
    assert homophenes(word, others, "ur") == tuple(sorted(alike))


@pytest.mark.parametrize("grammar", ["grid", "urdu"])
def test_every_word_of_a_packaged_grammar_has_a_look_of_known_visemes(grammar):
    held = Grammar.named(grammar)
    for word in held.words:
        look = look_of(word, held.language)
        assert look or word == "ہاں"
        assert set(look) <= set(VISEMES)


def test_likeness_is_mutual_and_no_word_is_its_own_homophene():
    for word in GRID.words:
        alike = homophenes(word, GRID.words, "en")
        assert word not in alike
        assert all(word in homophenes(other, GRID.words, "en") for other in alike)


def test_lips_do_not_show_where_a_word_ends():
    assert look_of("by bin", "en") == look_of("b", "en")[:1] + look_of("by", "en")[1:] + look_of("bin", "en")


def test_letters_of_a_language_without_a_table_look_like_themselves_alone():
    assert look_of("ab", "xx") == ("a", "b")
