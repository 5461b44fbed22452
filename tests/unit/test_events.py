"""Events and their bytes."""

import dataclasses
import json
from base64 import urlsafe_b64encode
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lipsol.errors import BadInput, NotFound
from lipsol.events import EVENT_OF, Claim, ClipDeleted, DeadLetter, Event, MouthReady, from_bytes, to_bytes
from lipsol.topics import TOPICS

TOPIC_OF = {kind: topic for topic, kind in EVENT_OF.items()}
KINDS = sorted(TOPIC_OF, key=lambda kind: kind.__name__)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
PLAIN: dict[object, st.SearchStrategy[Any]] = {
    str: st.text(max_size=20),
    int: st.integers(-(2**63), 2**63 - 1),
    float: FINITE,
    bool: st.booleans(),
    NoneType: st.none(),
    bytes: st.binary(max_size=50).map(lambda data: urlsafe_b64encode(data).decode()),
    dict[str, float]: st.dictionaries(st.text(max_size=8), FINITE, max_size=3),
}


def documents(kind: Any) -> st.SearchStrategy[Any]:
    """What JSON can hold for a type. (The dataclasses themselves can't be built here: their type checks use chance.)"""
    if kind in PLAIN:
        return PLAIN[kind]
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return st.fixed_dictionaries({field.name: documents(hints[field.name]) for field in dataclasses.fields(kind)})
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if get_origin(kind) is tuple:
        return st.lists(documents(get_args(kind)[0]), max_size=3)
    return st.one_of([documents(one) for one in get_args(kind)])


ANY_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
DELETED = ClipDeleted("ab12")


def ready(**changes: object) -> MouthReady:
    mouth = Claim(b"", "clips/ab12/mouth", "f" * 64, 1, 2.0)
    plain = MouthReady("ab12", "", "stable", False, "", "", "", "en", mouth, 1, {}, {}, 1.0, 0.0)
    return dataclasses.replace(plain, **changes)


@ANY_KIND
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_event_comes_back_as_it_went(kind: type[Event], data: st.DataObject):
    document = data.draw(documents(kind))
    event = from_bytes(TOPIC_OF[kind], json.dumps(document).encode())
    assert type(event) is kind
    assert json.loads(to_bytes(event)) == document
    assert from_bytes(event.topic, to_bytes(event)) == event


@ANY_KIND
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_a_field_from_the_future_is_passed_over(kind: type[Event], data: st.DataObject):
    document = data.draw(documents(kind))
    more = {f"new-{data.draw(st.text(max_size=5))}": 1, **document}
    topic = TOPIC_OF[kind]
    assert from_bytes(topic, json.dumps(more).encode()) == from_bytes(topic, json.dumps(document).encode())


@ANY_KIND
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_a_missing_field_is_the_senders_fault_and_named(kind: type[Event], data: st.DataObject):
    document = data.draw(documents(kind))
    missing = data.draw(st.sampled_from(sorted(document)))
    del document[missing]
    with pytest.raises(BadInput, match=f"{kind.__name__}: {missing}: "):
        from_bytes(TOPIC_OF[kind], json.dumps(document).encode())


@settings(max_examples=100, deadline=None)
@given(topic=st.sampled_from(sorted(TOPICS)), data=st.binary())
def test_other_bytes_are_bad_input_and_nothing_worse(topic: str, data: bytes):
    with pytest.raises(BadInput):
        from_bytes(topic, data)


@pytest.mark.parametrize(
    ("field", "value"),
    [("faces", "one"), ("track", "blue"), ("received_at", "NaN"), ("quality", {"blur": None}), ("quality", [1])],
)
def test_a_field_that_holds_what_it_can_not_hold_is_named(field: str, value: object):
    document = json.loads(to_bytes(ready())) | {field: value}
    with pytest.raises(BadInput, match=field):
        from_bytes(ready().topic, json.dumps(document).encode())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")], ids=str)
def test_a_number_that_is_not_finite_is_not_sent(value: float):
    with pytest.raises(BadInput, match="finite"):
        to_bytes(ready(quality={"blur": value}))


def test_an_unknown_topic_is_told_the_known_ones():
    with pytest.raises(NotFound, match=r"lipsol\.feedback\.v1"):
        from_bytes("lipsol.feedback.v9", b"{}")


def test_the_track_chooses_the_topic_and_the_session_the_order():
    assert ready().topic == "lipsol.mouths.stable.v1"
    assert ready(track="canary").topic == "lipsol.mouths.canary.v1"
    assert (ready().key, ready(session="talk").key) == ("ab12", "talk")


def test_urdu_travels_as_itself():
    event = DeadLetter("k", "c", "t", "پانی نہیں", "", "exhausted", "s", 3, b"\xff")
    assert "پانی نہیں".encode() in to_bytes(event)


def test_an_event_can_not_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        DELETED.clip_id = "other"  # type: ignore[misc]


def test_topics_have_versions_readers_and_a_bounded_life():
    for name, topic in TOPICS.items():
        assert name == topic.name
        assert name.startswith("lipsol.")
        assert name.endswith(".v1")
        assert topic.partitions >= 1
        assert 0 < topic.retention_s < 366 * 86400
        assert topic.readers
        assert topic.writers
