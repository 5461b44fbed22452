"""Words as frames of phones."""

import pytest

from lipsol.text.grammar import Grammar
from lipsol.text.phones import PHONES_OF, phones_of
from lipsol.training.phones import inventory, phone_frames


def test_every_word_of_the_grammar_has_phones():
    assert set(PHONES_OF) == set(Grammar.named("grid").words)


@pytest.mark.parametrize(("name", "language"), [("grid", "en"), ("urdu", "ur")])
def test_every_word_of_a_grammar_has_phones_that_are_classes(name, language):
    words = Grammar.named(name).words
    classes = inventory(words, language)
    assert list(classes) == sorted(set(classes))
    assert all(min(phone_frames(phones_of(word, language), 9, classes)) >= 1 for word in words)


def test_vowels_last_twice_as_long():
    classes = inventory(["bin", "seven"], "en")
    frames = [classes[n - 1] for n in phone_frames(phones_of("bin"), 8, classes)]
    assert frames == ["b", "b", "ih", "ih", "ih", "ih", "n", "n"]
    assert len(phone_frames(phones_of("seven"), 3, classes)) == 3
