"""What a client may ask for, checked before any work."""

import re

import pytest

from lipsol.errors import BadInput, NotFound
from lipsol.text.grammar import Grammar
from services.preprocess.asking import GRAMMAR_MAX, Asked
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
