"""Words have sounds, in both languages, and what can't be told is refused."""

import pytest

from lipsol.errors import NotFound
from lipsol.text.alphabet import ALPHABETS
from lipsol.text.grammar import Grammar
from lipsol.text.phones import URDU_LETTERS, URDU_PHONES_OF, phones_of
from lipsol.text.visemes import visemes_of


def test_every_word_of_the_urdu_grammar_has_sounds_that_have_looks():
    words = Grammar.named("urdu").words
    assert set(words) == set(URDU_PHONES_OF)
    assert all(visemes_of(phones_of(word, "ur")) for word in words)


def test_urdu_words_of_other_wordings_are_sounded_by_their_letters():
    assert phones_of("بابا", "ur") == ["b", "aa", "b", "aa"]
    assert phones_of("ورق", "ur") == ["w", "r", "k"] and phones_of("دور", "ur") == ["d", "ow", "r"]


def test_every_urdu_letter_that_is_heard_has_a_sound():
    silent = set(" عںء") | {letter for letter in ALPHABETS["ur"].characters if letter.isdigit()}
    assert set(ALPHABETS["ur"].characters) - silent == set(URDU_LETTERS)


def test_english_is_sounded_as_before():
    assert phones_of("blue") == phones_of("blue", "en") == ["b", "l", "uw"]


def test_a_language_without_sounds_is_refused():
    with pytest.raises(NotFound, match="'fr'"):
        phones_of("bleu", "fr")
