"""What a client may ask for, checked before any work."""

import re
from dataclasses import replace

import pytest

from lipsol.errors import BadInput, NotFound
from lipsol.text.grammar import Grammar
from lipsol.text.wording import Wording
from services.preprocess.asking import GRAMMAR_MAX, Asked, asked_of
from tests.services_made import MadeRegistry, info_of


def test_nothing_asked_for_is_the_default_language_and_leaves_the_model_open():
    assert Asked().checked(MadeRegistry(), "en") == Asked(language="en")


def test_a_model_settles_the_language():
    registry = MadeRegistry([info_of(), info_of("urdu-sentences", "ur")])
    assert Asked(model="urdu-sentences").checked(registry, "en").language == "ur"


def test_an_inline_grammar_is_taken():
    document = Grammar.of_phrases("greetings", "en", ["good morning", "good night"]).to_json()
    assert Asked(grammar=document).checked(MadeRegistry(), "en").grammar == document


@pytest.mark.parametrize(
    ("asked", "kind", "named"),
    [
        (Asked(model="gird"), NotFound, "grid-sentences"),
        (Asked(language="xx"), NotFound, "en, ur"),
        (Asked(language="ur"), NotFound, "en"),
        (Asked(model="grid-words", language="ur"), BadInput, "reads 'en'"),
        (Asked(grammar="../../etc/passwd"), NotFound, "grid"),
        (Asked(grammar='{"name": '), BadInput, "JSON"),
        (Asked(grammar="urdu"), BadInput, "'ur'"),
        (Asked(grammar="x" * (GRAMMAR_MAX + 1)), BadInput, str(GRAMMAR_MAX)),
        (Asked(model="m" * 201), BadInput, "200"),
    ],
    ids=["no model", "no language", "no reader", "other language", "a path", "broken", "other's", "huge", "long"],
)
def test_what_is_not_here_is_refused_naming_what_is(asked, kind, named):
    with pytest.raises(kind, match=re.escape(named)):
        asked.checked(MadeRegistry(), "en")


def test_phrases_become_a_board_and_hotwords_go_into_the_grammar_that_travels():
    asked = Asked(phrases=("Good morning!", "good night"), hotwords=(("night", 5.0),))
    wording = Wording.of(asked.checked(MadeRegistry(), "en").grammar)
    assert wording.board and isinstance(wording.grammar, Grammar)
    assert set(wording.grammar.sentences()) == {"good morning", "good night"}
    assert wording.hotwords.document() == {"night": 5.0}


@pytest.mark.parametrize("grammar", ["", "none", "grid"], ids=["own", "free", "packaged"])
def test_hotwords_go_beside_any_grammar(grammar):
    asked = Asked(grammar=grammar, hotwords=(("bin", 5.0),)).checked(MadeRegistry(), "en")
    plain, hot = Wording.of(grammar), Wording.of(asked.grammar)
    assert (hot.grammar, hot.hotwords.document()) == (plain.grammar, {"bin": 5.0})
    assert asked.checked(MadeRegistry(), "en") == asked


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (Asked(grammar="grid", phrases=("bin",)), "both a grammar and phrases"),
        (Asked(phrases=("call 911",)), "'9' (U+0039 DIGIT NINE)"),
        (Asked(phrases=("bin", "bin")), "'bin' is there twice"),
        (Asked(phrases=tuple(f"bin {'a' * n}" for n in range(501))), "at most 500"),
        (Asked(phrases=tuple(f"{'bin ' * 45}{'a' * (n + 1)}"[:200] for n in range(20)) * 20), "twice"),
        (Asked(phrases=tuple("bin " + chr(97 + n // 26) * 90 + chr(97 + n % 26) * 90 for n in range(400))), "fewer"),
        (Asked(hotwords=(("bin", 0.5),)), "from 1 to 1000"),
        (Asked(hotwords=(("bin", 5.0), ("bin", 6.0))), "'bin' is there twice"),
        (Asked(hotwords=(("ب", 5.0),)), "U+0628"),
    ],
    ids=["both", "digit", "twice", "many", "long and twice", "too much", "weak", "hot twice", "other alphabet"],
)
def test_phrases_and_hotwords_that_can_not_be_are_refused_by_name(asked, named):
    with pytest.raises(BadInput, match=re.escape(named)):
        asked.checked(MadeRegistry(), "en")


@pytest.mark.parametrize(
    "values",
    [["bin blue", "set red"], ['["bin blue", "set red"]'], ["bin blue\r\n\n set red \n"], ['["bin blue"]', "set red"]],
    ids=["fields", "json", "lines", "mixed"],
)
def test_phrases_are_taken_in_every_form(values):
    assert asked_of({"phrases": values}).phrases == ("bin blue", "set red")


@pytest.mark.parametrize(
    "values",
    [["bin:5", "set red"], ['{"bin": 5, "set red": 10}'], ["bin : 5\nset red"], ["bin:5", '["set red"]']],
    ids=["fields", "json", "lines", "mixed"],
)
def test_hotwords_are_taken_in_every_form(values):
    assert asked_of({"hotwords": values}).hotwords == (("bin", 5.0), ("set red", 10.0))


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"phrases": ["[1]"]}, "no list of texts"),
        ({"phrases": ['["a"']}, "not JSON"),
        ({"phrases": ["  "]}, "0 phrases"),
        ({"hotwords": ['{"bin": "5"}']}, "no words with numbers"),
        ({"hotwords": ['{"bin": true}']}, "no words with numbers"),
        ({"hotwords": ["[[1]]"]}, "no words with numbers"),
        ({"hotwords": ["bin:often"]}, "'often' times"),
        ({"hotwords": ["{"]}, "not JSON"),
    ],
    ids=["number", "cut", "empty", "text", "truth", "list", "word", "brace"],
)
def test_fields_that_can_not_be_read_are_refused(fields, named):
    with pytest.raises(BadInput, match=named):
        asked_of(fields)


def test_requests_that_differ_in_phrases_alone_are_told_apart():
    plain = Asked(model="m", session="s")
    assert plain.told() == ["m", "", "", "s"]
    told = [plain.told(), replace(plain, phrases=("a",)).told(), replace(plain, hotwords=(("a", 2.0),)).told()]
    assert len({tuple(each) for each in told}) == 3
