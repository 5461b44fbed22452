"""What may be said, as a document that travels."""

import json

import pytest

from lipsol.errors import BadInput, NotFound
from lipsol.text.grammar import Grammar
from lipsol.text.hotwords import Hotwords
from lipsol.text.wording import BUNDLE_GRAMMAR, MAX_BOARD, Wording, wording_of

HOT = Hotwords.of({"bin": 5, "blue at": 2}, "en")
GRID = Grammar.named("grid")


@pytest.mark.parametrize(
    "wording",
    [
        Wording(),
        Wording(None),
        Wording(GRID),
        Wording(GRID, HOT),
        Wording(None, HOT),
        Wording(BUNDLE_GRAMMAR, HOT),
        Wording.of_phrases("board", "en", ["good morning", "good night"]),
        Wording.of_phrases("board", "en", ["water"], HOT),
    ],
    ids=["own", "free", "grammar", "grammar hot", "free hot", "own hot", "board", "board of one, hot"],
)
def test_a_wording_written_down_is_the_same_wording(wording):
    assert Wording.of(wording.spec("en")) == wording


def test_names_and_plain_documents_are_taken_as_before():
    assert Wording.of("grid") == Wording(GRID)
    assert Wording.of(GRID.to_json()) == Wording(GRID)
    assert wording_of(None) == Wording(None) and wording_of(GRID) == Wording(GRID)


def test_hotwords_go_beside_a_named_grammar():
    held = {"language": "en", "grammar": "grid", "hotwords": {"bin": 5, "blue at": 2}}
    assert Wording.of(json.dumps(held)) == Wording(GRID, HOT)


@pytest.mark.parametrize(
    ("held", "named"),
    [
        ({"name": "b", "language": "en", "words": ["a"], "none": True}, 'without "phrases"'),
        ({"name": "b", "language": "en", "phrases": ["a"], "none": 1}, "neither true nor false"),
        ({"name": "b", "language": "en", "phrases": ["a"], "hotwords": ["a"]}, "is no object"),
        ({"name": "b", "language": "en", "phrases": ["a"], "hotwords": {"a": 0}}, "0 times"),
        ({"name": "b", "language": "en", "phrases": [], "none": True}, "0 phrases"),
        ({"name": "b", "language": "en", "phrases": ["call 911"], "none": True}, "'9'"),
        ({"language": "ur", "grammar": "grid", "hotwords": {}}, "is of 'en'"),
        ({"language": "en", "grammar": "grid", "phrases": ["a"]}, "phrases"),
        ({"language": "en", "grammar": "none", "none": True}, "none"),
        ({"grammar": "none", "hotwords": {"a": 2}}, '"language"'),
    ],
    ids=["words", "one", "list", "weight", "empty", "digit", "other's", "two", "both", "no language"],
)
def test_what_can_not_be_meant_is_refused(held, named):
    with pytest.raises(BadInput, match=named):
        Wording.of(json.dumps(held))


def test_a_board_is_not_endless():
    phrases = ["a" * n + " b" * m for n in range(1, 30) for m in range(1, 20)]
    with pytest.raises(BadInput, match=f"{len(phrases)} phrases.*{MAX_BOARD}"):
        Wording.of_phrases("board", "en", phrases)


def test_a_name_is_never_a_path():
    with pytest.raises(NotFound, match="grid"):
        Wording.of("../grid")
