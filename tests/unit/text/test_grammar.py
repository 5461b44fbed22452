import json
from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipsol.errors import BadInput, NotFound
from lipsol.text.alphabet import ALPHABETS
from lipsol.text.grammar import (
    MAX_DOCUMENT_LENGTH,
    MAX_NAME_LENGTH,
    MAX_PHRASE_LENGTH,
    MAX_PHRASES,
    MAX_SLOTS,
    Arc,
    Grammar,
)

WORDS = st.text("abc", min_size=1, max_size=2)
SLOTS = st.lists(st.lists(WORDS, min_size=1, max_size=3, unique=True), min_size=1, max_size=4)
PHRASES = st.lists(st.lists(WORDS, min_size=1, max_size=4).map(" ".join), min_size=1, max_size=8, unique=True)
# documents, not grammars: beartype, which checks what makes a grammar, draws random numbers of its own
DOCUMENTS = (SLOTS.map(lambda slots: {"slots": slots}) | PHRASES.map(lambda phrases: {"phrases": phrases})).map(
    lambda content: json.dumps({"name": "made", "language": "en", **content})
)


def document(**changes):
    """A small grammar document with some keys changed, or taken out where the change is None."""
    held = {"name": "tiny", "language": "en", "words": ["yes", "no"]} | changes
    return json.dumps({key: value for key, value in held.items() if value is not None})


def slot_sizes(grammar):
    return [len(slot) for slot in json.loads(grammar.to_json())["slots"]]


def test_grid_has_its_six_slots_and_51_words():
    grid = Grammar.named("grid")
    assert slot_sizes(grid) == [4, 4, 4, 25, 10, 4]
    assert len(grid.words) == 51
    assert grid.count() == 4 * 4 * 4 * 25 * 10 * 4
    assert (grid.name, grid.language, grid.states, grid.finals) == ("grid", "en", 7, frozenset({6}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("bin blue at f two now", True),
        ("Set WHITE with z zero again.", True),
        ("bin blue at w two now", False),
        ("bin blue at f two", False),
        ("bin blue at f two now now", False),
        ("blue bin at f two now", False),
        ("", False),
        ("bin blue at f ٢ now", False),
    ],
)
def test_grid_accepts_its_sentences_alone(text, told):
    assert Grammar.named("grid").accepts(text) is told


def test_every_sample_is_a_sentence_of_grid(samples):
    grid = Grammar.named("grid")
    assert all(grid.accepts(sample.text) for sample in samples)


def test_urdu_has_the_founders_six_slots():
    urdu = Grammar.named("urdu")
    assert slot_sizes(urdu) == [4, 4, 4, 3, 3, 9]
    assert (urdu.language, urdu.count(), len(urdu.words)) == ("ur", 5184, 27)


def test_urdu_knows_all_of_the_founders_sentences_and_no_word_beside_them(urdu):
    sentences = (urdu / "sentences.txt").read_text(encoding="utf-8").splitlines()
    grammar = Grammar.named("urdu")
    assert len(sentences) == 108
    assert [said for said in sentences if not grammar.accepts(said)] == []
    assert set(grammar.words) == {word for said in sentences for word in said.replace("پانچھ", "پانچ").split()}


def test_urdu_accepts_both_spellings_of_five():
    assert Grammar.named("urdu").accepts("آپ کیسے تھا جی کیوں پانچھ")
    assert Grammar.named("urdu").accepts("آپ کيسے تھا جی کیوں پانچ")


def test_phrases_share_their_beginnings():
    grammar = Grammar.of_phrases("doctor", "en", ["i feel ill", "i feel cold", "help", "i feel"])
    assert grammar.arcs == (
        Arc(0, 1, "help"),
        Arc(0, 2, "i"),
        Arc(2, 3, "feel"),
        Arc(3, 4, "cold"),
        Arc(3, 5, "ill"),
    )
    assert grammar.finals == {1, 3, 4, 5}
    assert list(grammar.sentences()) == ["help", "i feel", "i feel cold", "i feel ill"]
    assert grammar.count() == 4


def test_two_spellings_of_a_word_are_one_arc():
    assert Grammar.of_words("five", "ur", ["پانچ", "پانچھ"]).arcs == (Arc(0, 1, "پانچ"),)
    assert Grammar.of_phrases("yes", "en", ["Yes please", "yes, PLEASE"]).count() == 1


def test_words_stand_alone():
    grammar = Grammar.of_words("digits", "en", ["two", "one"])
    assert grammar.arcs == (Arc(0, 1, "one"), Arc(0, 1, "two"))
    assert grammar.accepts("one")
    assert not grammar.accepts("one two")


@given(SLOTS)
def test_slots_make_every_choice_once(slots):
    grammar = Grammar.of_slots("made", "en", slots)
    assert sorted(grammar.sentences()) == sorted(map(" ".join, product(*slots)))


@given(PHRASES)
def test_phrases_make_themselves(phrases):
    assert sorted(Grammar.of_phrases("made", "en", phrases).sentences()) == sorted(phrases)


@given(DOCUMENTS)
def test_a_grammar_is_a_deterministic_graph_in_topological_order(written):
    grammar = Grammar.from_json(written)
    assert all(arc.start < arc.end < grammar.states for arc in grammar.arcs)
    assert [arc.start for arc in grammar.arcs] == sorted(arc.start for arc in grammar.arcs)
    assert len({(arc.start, arc.word) for arc in grammar.arcs}) == len(grammar.arcs)
    assert {0, *(arc.end for arc in grammar.arcs)} == set(range(grammar.states))


@given(DOCUMENTS)
def test_a_grammar_counts_and_accepts_its_own_sentences(written):
    grammar = Grammar.from_json(written)
    sentences = list(grammar.sentences())
    assert grammar.count() == len(sentences) == len(set(sentences))
    assert all(grammar.accepts(said) for said in sentences)


@given(DOCUMENTS, st.lists(WORDS, max_size=4).map(" ".join))
def test_a_grammar_accepts_nothing_else(written, text):
    grammar = Grammar.from_json(written)
    assert grammar.accepts(text) is (text in set(grammar.sentences()))


@given(DOCUMENTS)
def test_a_grammar_comes_back_from_its_document(written):
    grammar = Grammar.from_json(written)
    assert Grammar.from_json(grammar.to_json()) == grammar


@pytest.mark.parametrize("name", ["grid", "urdu"])
def test_what_is_packaged_comes_back_from_its_document(name):
    assert Grammar.of(Grammar.named(name).to_json()) == Grammar.named(name)


def test_a_count_needs_no_listing():
    many = Grammar.of_slots("many", "en", [list("abcdefghij")] * MAX_SLOTS)
    assert many.count() == 10**MAX_SLOTS
    assert list(islice(many.sentences(), 2)) == ["a " * 99 + "a", "a " * 99 + "b"]


@pytest.mark.parametrize("spec", ["../grammars/grid", "grid.json", "/etc/passwd", "", "GRID", "x" * 9999])
def test_a_name_is_never_taken_for_a_path(spec):
    with pytest.raises(NotFound) as refused:
        Grammar.of(spec)
    assert refused.value.cure == "give one of grid, urdu"
    assert len(refused.value.detail) < 200


def test_a_spec_is_a_name_or_a_document():
    assert Grammar.of("urdu") == Grammar.named("urdu")
    assert Grammar.of("\n " + document()) == Grammar.of_words("tiny", "en", ["yes", "no"])
    assert Grammar.of(document(words=None, phrases=["no thanks"])).accepts("no thanks")
    assert Grammar.of(document(words=None, slots=[["a"], ["b", "c"]])).count() == 2


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        pytest.param('{"name": ', "not JSON .line 1, column", id="not JSON"),
        pytest.param('{"a": ' + "[" * 100_000, "not JSON", id="too deep"),
        pytest.param('{"a": ' + "1" * 5000 + "}", "not JSON", id="a number beyond all bounds"),
        pytest.param("{" + " " * MAX_DOCUMENT_LENGTH, f"give at most {MAX_DOCUMENT_LENGTH}", id="too long"),
        pytest.param(document(words=None), 'has the keys language, name: give "name"', id="no content"),
        pytest.param(document(slots=[["a"]]), "language, name, slots, words", id="two contents"),
        pytest.param(document(comment="x"), "comment, language", id="an unknown key"),
        pytest.param(document(name=None), '"name" .* missing or null', id="no name"),
        pytest.param(document(name=7), '"name" .* a number', id="a name that is no text"),
        pytest.param(document(name="  "), "not blanks alone", id="a blank name"),
        pytest.param(document(name="a\u202eb"), "can't be shown", id="a name with a bidi override"),
        pytest.param(document(name="x" * 101), f"101 characters: give 1 to {MAX_NAME_LENGTH}", id="a long name"),
        pytest.param(document(language="xx"), "'xx' is known: give one of en, ur", id="an unknown language"),
        pytest.param(document(words="yes"), '"words" .* is text: give a list', id="text for a list"),
        pytest.param(document(words=["yes", 1]), '"words" .* holds a number', id="a number for a word"),
        pytest.param(document(words=["yes", True]), '"words" .* holds true or false', id="a truth for a word"),
        pytest.param(document(words=None, slots=["yes"]), "a slot .* is text", id="text for a slot"),
        pytest.param(document(words=None, slots={"a": 1}), '"slots" .* is an object', id="an object for slots"),
        pytest.param(document(words=[]), "has 0 phrases or words: give 1 to", id="no word"),
        pytest.param(document(words=None, slots=[]), f"has 0 slots: give 1 to {MAX_SLOTS}", id="no slot"),
        pytest.param(document(words=None, slots=[["a"]] * 101), "has 101 slots", id="too many slots"),
        pytest.param(document(words=None, slots=[["a"], []]), "slot 2 of 'tiny': nothing is in it", id="an empty slot"),
        pytest.param(document(words=["yes", " "]), "' ' holds no word", id="a blank word"),
        pytest.param(document(words=["yes", "?!"]), "holds no word", id="punctuation alone"),
        pytest.param(document(words=["yes", "no", "yes"]), "'yes' is there twice: give each once", id="a word twice"),
        pytest.param(document(words=["thank you"]), "'thank you' is more than one word", id="two words for one"),
        pytest.param(document(words=["na\u00efve"]), r"'ï' \(U\+00EF .* character 3 of 5", id="an unknown letter"),
        pytest.param(document(language="ur"), r"'yes', 'y' \(U\+0079", id="words of another language"),
        pytest.param(
            document(words=["a" * 201]), f"201 characters: give at most {MAX_PHRASE_LENGTH}", id="a long word"
        ),
        pytest.param(
            document(words=None, phrases=["a"] * (MAX_PHRASES + 1)),
            f"10001 .*1 to {MAX_PHRASES}",
            id="too many phrases",
        ),
    ],
)
def test_a_bad_document_is_refused_with_its_cure(spec, said):
    with pytest.raises(BadInput, match=said) as refused:
        Grammar.of(spec)
    assert refused.value.cure
    assert len(str(refused.value)) < 500


def test_what_is_not_an_object_is_no_document():
    with pytest.raises(BadInput, match="is a list"):
        Grammar.from_json('["yes"]')


def test_as_many_phrases_as_allowed_are_taken():
    letters = ALPHABETS["en"].characters[1:27]
    phrases = [" ".join(each) for each in islice(product(letters, repeat=3), MAX_PHRASES)]
    assert Grammar.of_phrases("big", "en", phrases).count() == MAX_PHRASES


@pytest.mark.parametrize(
    ("lines", "language"),
    [("yes please\n\nno thank you\n", "en"), ("جی ہاں\r\n\r\nآپ کیسے ہیں؟\r\n", "ur")],
    ids=["English", "Urdu"],
)
def test_a_text_file_holds_a_phrase_a_line(tmp_path, lines, language):
    file = tmp_path / "asking.txt"
    file.write_bytes(b"\xef\xbb\xbf" + lines.encode())
    grammar = Grammar.from_file(file)
    assert (grammar.name, grammar.language, grammar.count()) == ("asking", language, 2)
    assert all(grammar.accepts(line) for line in lines.splitlines() if line)


def test_a_json_file_holds_a_document(tmp_path):
    file = tmp_path / "any.JSON"
    file.write_text(Grammar.named("urdu").to_json(), encoding="utf-8")
    assert Grammar.from_file(file) == Grammar.named("urdu")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("latin.txt", b"caf\xe9", "no UTF-8 text"),
        ("empty.txt", b"\n \n", "has 0 phrases"),
        ("mixed.txt", "yes please\nno جی".encode(), r"ARABIC LETTER JEEM"),
        ("text.json", b"yes please", "not JSON"),
    ],
)
def test_a_bad_file_is_refused(tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadInput, match=said):
        Grammar.from_file(tmp_path / name)


def test_a_file_that_is_not_there_is_refused_without_its_folder(tmp_path):
    with pytest.raises(BadInput, match=r"none\.txt can't be read") as refused:
        Grammar.from_file(tmp_path / "none.txt")
    assert str(tmp_path) not in str(refused.value)
