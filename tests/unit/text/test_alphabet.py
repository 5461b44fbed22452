import json
import unicodedata
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipsol.errors import BadInput, NotFound
from lipsol.text.alphabet import ALPHABETS, LANGUAGES, Alphabet, normalise

HAMZA, ZWNJ, RLM, BOM = "\u0654", "\u200c", "\u200f", "\ufeff"
NO_BREAK_SPACE = "\u00a0"
# letters, marks and folded characters in a dense mix: what laws are most likely to break on
URDU_MIX = (
    "".join(LANGUAGES["ur"].folds) + "یہوےاھئؤۂ " + LANGUAGES["ur"].dropped + HAMZA + "\u0653\u0655" + ZWNJ + "۔3پانچھ"
)


@pytest.mark.parametrize(
    ("written", "usual"),
    [
        pytest.param("ي", "ی", id="Arabic yeh"),
        pytest.param("ى", "ی", id="alef maksura"),
        pytest.param("ك", "ک", id="Arabic kaf"),
        pytest.param("ه", "ہ", id="Arabic heh"),
        pytest.param("ة", "ۃ", id="teh marbuta"),
        pytest.param("ی" + HAMZA, "ئ", id="yeh and hamza, which NFC leaves apart"),
        pytest.param("ى" + HAMZA, "ئ", id="alef maksura and hamza"),
        pytest.param("ي" + HAMZA, "ئ", id="Arabic yeh and hamza"),
        pytest.param("ہ" + HAMZA, "ۂ", id="heh goal and hamza"),
        pytest.param("ه" + HAMZA, "ۂ", id="Arabic heh and hamza"),
        pytest.param("ۀ", "ۂ", id="heh with yeh above"),
        pytest.param("و" + HAMZA, "ؤ", id="waw and hamza"),
        pytest.param("ے" + HAMZA, "ۓ", id="yeh barree and hamza"),
        pytest.param("ا\u0653", "آ", id="alef and madda"),
        pytest.param("ی\u064e" + HAMZA, "ئ", id="a vowel mark between yeh and hamza"),
        pytest.param("ی" + RLM + HAMZA, "ئ", id="a bidi mark between yeh and hamza"),
        pytest.param("کِتَابٌ", "کتاب", id="harakat"),
        pytest.param("اعلیٰ", "اعلی", id="superscript alef"),
        pytest.param("کـــون", "کون", id="tatweel"),
        pytest.param(BOM + RLM + "\u202bکب\u202c", "کب", id="byte order mark and bidi controls"),
        pytest.param("کون" + ZWNJ + "سا", "کون سا", id="ZWNJ is a space"),
        pytest.param(f" آپ{NO_BREAK_SPACE}\t کب\r\n", "آپ کب", id="white space"),
        pytest.param("آپ، کب؟ جی۔", "آپ کب جی", id="punctuation"),
        pytest.param("۳٣3", "۳۳۳", id="digits of three scripts"),
        pytest.param("کیوں پانچھ", "کیوں پانچ", id="the founders' spelling of five"),
    ],
)
def test_urdu_has_one_spelling(written, usual):
    assert normalise(written, "ur") == usual


def test_the_aspirating_heh_is_never_the_other_one():
    assert normalise("بھائی", "ur") != normalise("بہائی", "ur")
    assert normalise("ھ", "ur") == "ھ"


def test_only_whole_words_are_respelled():
    assert normalise("پانچھے", "ur") == "پانچھے"


@pytest.mark.parametrize(
    ("written", "usual"),
    [
        pytest.param("Bin  BLUE\tat\n", "bin blue at", id="capitals and white space"),
        pytest.param("we’re", "we're", id="typographic apostrophe"),
        pytest.param("Yes, please!", "yes please", id="punctuation"),
        pytest.param("twenty-one", "twenty one", id="hyphen"),
        pytest.param("so\u00adon", "soon", id="soft hyphen"),
        pytest.param("caf\u0065\u0301", "café", id="an unknown letter is composed and kept"),
    ],
)
def test_english_has_one_spelling(written, usual):
    assert normalise(written, "en") == usual


@given(st.text() | st.text(URDU_MIX), st.sampled_from(sorted(ALPHABETS)))
def test_to_normalise_twice_is_to_normalise_once(text, language):
    once = normalise(text, language)
    assert normalise(once, language) == once


@given(st.text() | st.text(URDU_MIX), st.sampled_from(sorted(ALPHABETS)))
def test_what_is_normalised_is_nfc_with_single_spaces(text, language):
    spelled = normalise(text, language)
    assert unicodedata.is_normalized("NFC", spelled)
    assert spelled == " ".join(spelled.split())


@given(st.characters(exclude_categories=["Cs"]), st.sampled_from(sorted(ALPHABETS)))
def test_a_character_without_a_rule_is_kept(character, language):
    """Whatever a language drops or parts words with stands in its row, or is white space."""
    rules = LANGUAGES[language]
    known = unicodedata.normalize("NFC", character)
    named = set(known) <= set(rules.dropped + rules.separators) or not known.strip()
    assert bool(normalise(character, language)) != named


@pytest.mark.parametrize("language", sorted(ALPHABETS))
def test_an_alphabet_is_what_its_language_is_normalised_to(language):
    characters = ALPHABETS[language].characters
    assert normalise(" ".join(characters), language) == " ".join(characters.strip())


def test_english_is_small_letters_space_and_apostrophe():
    assert ALPHABETS["en"].characters == " abcdefghijklmnopqrstuvwxyz'"


def test_the_blank_keeps_class_nought():
    assert Alphabet("en", " ab").encode("b a") == [3, 1, 2]


@pytest.mark.parametrize("language", sorted(ALPHABETS))
@given(data=st.data())
def test_text_comes_back_from_its_ids(language, data):
    alphabet = ALPHABETS[language]
    text = data.draw(st.text(alphabet.characters))
    assert alphabet.decode(alphabet.encode(text)) == text


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("en", "at 9", "'9' (U+0039 DIGIT NINE), character 4 of 4"),
        ("en", "Bin", "'B' (U+0042 LATIN CAPITAL LETTER B), character 1 of 3"),
        ("ur", "کب؟", "'؟' (U+061F ARABIC QUESTION MARK), character 3 of 3"),
        ("ur", "ا\u0655", r"'ٕ' (U+0655 ARABIC HAMZA BELOW), character 2 of 2"),
        ("en", "a\ue000", r"'\ue000' (U+E000 without a name), character 2 of 2"),
    ],
)
def test_an_unknown_character_is_named_with_its_place(language, text, said):
    with pytest.raises(BadInput) as refused:
        ALPHABETS[language].encode(text)
    assert refused.value.detail.startswith(said)
    assert ALPHABETS[language].characters.strip() in refused.value.cure


@pytest.mark.parametrize("wrong", [0, -1, 4])
def test_an_id_without_a_character_is_refused(wrong):
    with pytest.raises(BadInput, match=rf"class {wrong}, number 2 of 2.*1 to 3"):
        Alphabet("en", "abc").decode([1, wrong])


@pytest.mark.parametrize(("characters", "said"), [("", "no characters"), ("aba", r"repeats 'a' \(U\+0061")])
def test_an_alphabet_has_each_character_once(characters, said):
    with pytest.raises(BadInput, match=said):
        Alphabet("en", characters)


def test_an_alphabet_is_data_alone_in_a_language_without_rules_too():
    welsh = Alphabet("cy", " abcdefghilmnoprstuwyŵŷ")
    assert Alphabet(**json.loads(json.dumps(asdict(welsh)))) == welsh
    assert welsh.decode(welsh.encode("tŷ")) == "tŷ"
    assert len(welsh) == 23


def test_a_language_without_rules_is_not_found():
    with pytest.raises(NotFound, match=r"'cy'.*en, ur"):
        normalise("tŷ", "cy")
