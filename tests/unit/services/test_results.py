"""Results grow by events, and the first reading stands."""

from dataclasses import replace

import pytest

from lipsol.errors import BadInput, ModelError, Transient
from services.preprocess.results import Alternative, Lips, Result, begun, failed, read
from tests.services_made import letter_of, prediction_of, ready_of

BEGUN = begun(ready_of("a" * 32))


def test_a_begun_result_has_no_words_and_says_so():
    assert (BEGUN.state, BEGUN.text, BEGUN.model, BEGUN.faces) == ("reading", "", None, 1)


def test_a_prediction_fills_in_the_words_and_keeps_what_the_edge_knew():
    result = read(BEGUN, prediction_of("a" * 32))
    assert (result.state, result.text, result.faces, result.received_at) == (
        "read", "bin blue at f two now", 1, BEGUN.received_at,
    )  # fmt: skip
    assert result.model is not None
    assert [word.text for word in result.words] == result.text.split()


def test_the_first_reading_stands():
    first = read(BEGUN, prediction_of("a" * 32))
    assert read(first, replace(prediction_of("a" * 32), text="set white")) is first
    assert failed(first, letter_of("a" * 32)) is first


def test_a_mended_dead_letter_gives_its_result_after_all():
    assert read(failed(BEGUN, letter_of("a" * 32)), prediction_of("a" * 32)).state == "read"


@pytest.mark.parametrize(
    ("kind", "status", "fault"),
    [("bad-input", 422, BadInput), ("model-error", 500, ModelError), ("exhausted", 503, Transient)],
)
def test_a_clip_that_was_given_up_says_why(kind, status, fault):
    result = failed(BEGUN, letter_of("a" * 32, kind))
    assert result.state == "failed"
    assert result.problem is not None
    assert result.problem.status == status
    assert type(result.fault()) is fault


def test_what_an_unexpected_fault_said_does_not_reach_the_client():
    result = failed(BEGUN, letter_of("a" * 32, "exhausted", reason="KeyError in somewhere/secret.py"))
    assert "secret" not in result.model_dump_json()


@pytest.mark.parametrize("kind", [Result, Lips])
def test_the_examples_are_true(kind):
    for example in kind.model_json_schema()["examples"]:
        kind.model_validate(example)


def offered(*others):
    """What is offered of a reading `text` and others, each with its look."""
    alternatives = tuple(Alternative(text=text, confidence=0.01, look=look) for text, look in others)
    return BEGUN.model_copy(update={"text": "text", "alternatives": alternatives}).offered()


@pytest.mark.parametrize(
    ("others", "groups"),
    [
        ([("a", 2), ("b", 3), ("c", 4)], [["text"], ["a"], ["b"]]),
        ([("a", 1), ("b", 2), ("c", 2), ("d", 3)], [["text", "a"], ["b", "c"], ["d"]]),
        ([("a", 1), ("b", 1), ("c", 2)], [["text", "b"], ["c"], ["a"]]),
        ([("a", 1), ("b", 1), ("c", 1)], [["text", "c"], ["a"], ["b"]]),
        ([("a", 0), ("b", 0), ("c", 0)], [["text"], ["a"], ["b"]]),
        ([], [["text"]]),
    ],
    ids=["unlike", "in pairs", "two looks", "one look", "not told", "alone"],
)
def test_readings_that_look_the_same_are_offered_together_unless_that_is_all_there_is(others, groups):
    assert offered(*others) == groups


def test_a_board_tells_how_sure_it_is_that_it_was_none():
    assert read(BEGUN, replace(prediction_of("a" * 32), none=0.25)).none == 0.25
    assert read(BEGUN, prediction_of("a" * 32)).none is None
