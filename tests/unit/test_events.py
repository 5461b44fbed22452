"""Events and their bytes."""

import dataclasses
import math
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import given, settings
from hypothesis import strategies as st

from lipsol.errors import BadInput, NotFound
from lipsol.events import (
    EVENT_OF,
    Claim,
    ClipDeleted,
    DeadLetter,
    Event,
    FeedbackGiven,
    MouthReady,
    from_bytes,
    to_bytes,
)
from lipsol.proto.v1 import events_pb2, options_pb2
from lipsol.topics import PROMOTIONS, TOPICS

TOPIC_OF = {kind: topic for topic, kind in EVENT_OF.items()}
KINDS = sorted(TOPIC_OF, key=lambda kind: kind.__name__)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PLAIN: dict[object, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(2**31), 2**31 - 1),
    float: FINITE,
    bool: st.booleans(),
    NoneType: st.none(),
    bytes: st.binary(max_size=50),
    dict[str, float]: st.dictionaries(TEXT, FINITE, max_size=3),
}


@dataclasses.dataclass(frozen=True)
class Drawn:
    """What an event is made of. (Events can't be built while hypothesis draws: their type checks use chance.)"""

    kind: type
    fields: dict[str, Any]

    def built(self) -> Any:
        return self.kind(**{name: made(value) for name, value in self.fields.items()})


def made(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(made(each) for each in value)
    return value.built() if isinstance(value, Drawn) else value


def drawn(kind: Any, *, required: bool = False) -> st.SearchStrategy[Any]:
    """What a field of that type can hold."""
    if kind in PLAIN:
        return PLAIN[kind].filter(bool) if required else PLAIN[kind]
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        needed = required_of(kind)
        each = {name: drawn(hints[name], required=name in needed) for name in described(kind)}
        return st.fixed_dictionaries(each).map(lambda fields: Drawn(kind, fields))
    if get_origin(kind) is Literal:
        return st.sampled_from(get_args(kind))
    if get_origin(kind) is tuple:
        return st.lists(drawn(get_args(kind)[0]), max_size=3)
    return st.one_of([drawn(one) for one in get_args(kind)])


def described(kind: Any) -> dict[str, FieldDescriptor]:
    """The schema's fields for a dataclass."""
    return dict(getattr(events_pb2, kind.__name__).DESCRIPTOR.fields_by_name)


def required_of(kind: Any) -> set[str]:
    """Fields without which the schema refuses a message."""
    return {name for name, field in described(kind).items() if field.GetOptions().Extensions[options_pb2.required]}


def message_of(event: Event) -> Any:
    """The event as protobuf's own message, to be spoiled."""
    return getattr(events_pb2, type(event).__name__).FromString(to_bytes(event))


ANY_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
DELETED = ClipDeleted("ab12")
SAID = FeedbackGiven("ab12", "1", None, None, "bin blue", "f" * 64, 1.0)


def ready(**changes: object) -> MouthReady:
    mouth = Claim(b"", "clips/ab12/mouth", "f" * 64, 1, 2.0)
    plain = MouthReady("ab12", "", "stable", False, "", "", "", "en", mouth, 1, {"blur": 1.0}, {}, 1.0, 0.0)
    return dataclasses.replace(plain, **changes)


@ANY_KIND
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_event_comes_back_as_it_went(kind: type[Event], data: st.DataObject):
    event = data.draw(drawn(kind)).built()
    back = from_bytes(event.topic, to_bytes(event))
    assert type(back) is kind
    assert back == event


@ANY_KIND
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_the_same_event_gives_the_same_bytes(kind: type[Event], data: st.DataObject):
    event = data.draw(drawn(kind)).built()
    turned = {
        field.name: dict(reversed(value.items()))
        for field in dataclasses.fields(event)
        if isinstance(value := getattr(event, field.name), dict)
    }
    assert to_bytes(dataclasses.replace(event, **turned)) == to_bytes(event)


@ANY_KIND
@settings(max_examples=10, deadline=None)
@given(data=st.data(), number=st.integers(1000, 18999), told=st.binary(max_size=20))
def test_a_field_from_the_future_is_passed_over(kind: type[Event], data: st.DataObject, number: int, told: bytes):
    event = data.draw(drawn(kind)).built()
    tag = number << 3 | 2  # length-delimited
    future = bytes([tag & 0x7F | 0x80, tag >> 7 & 0x7F | 0x80 * (tag >= 1 << 14), *[tag >> 14] * (tag >= 1 << 14)])
    assert from_bytes(event.topic, to_bytes(event) + future + bytes([len(told)]) + told) == event


@ANY_KIND
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_an_event_without_what_identifies_it_is_refused_and_all_that_is_missing_named(
    kind: type[Event], data: st.DataObject
):
    message = message_of(data.draw(drawn(kind)).built())
    gone = data.draw(st.sets(st.sampled_from(sorted(required_of(kind))), min_size=1))
    for name in gone:
        message.ClearField(name)
    with pytest.raises(BadInput, match=kind.__name__) as refused:
        from_bytes(TOPIC_OF[kind], message.SerializeToString())
    assert {name for name in described(kind) if f" {name}: missing" in refused.value.detail} == gone


@ANY_KIND
def test_every_event_has_something_that_identifies_it(kind: type[Event]):
    assert required_of(kind)
    with pytest.raises(BadInput, match="missing"):
        from_bytes(TOPIC_OF[kind], b"")


def test_what_no_reader_would_take_is_not_sent():
    with pytest.raises(BadInput, match=r"clip_id: missing; mouth\.digest: missing; quality\.blur: nan is not finite"):
        to_bytes(ready(clip_id="", mouth=Claim(b"x", "", "", 1, 0.0), quality={"blur": math.nan}))


@settings(max_examples=100, deadline=None)
@given(topic=st.sampled_from(sorted(TOPICS)), data=st.binary())
def test_other_bytes_are_bad_input_or_an_event_and_nothing_worse(topic: str, data: bytes):
    try:
        event = from_bytes(topic, data)
    except BadInput:
        return
    assert from_bytes(topic, to_bytes(event)) == event


@pytest.mark.parametrize("data", [b"\xff", b"not an event", to_bytes(ready())[:-1], b'{"clip_id": "ab12"}'], ids=repr)
def test_bytes_that_are_no_event_are_told_as_such(data: bytes):
    with pytest.raises(BadInput, match=f"^{len(data)} bytes that are no MouthReady: they are not protobuf"):
        from_bytes(ready().topic, data)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda message: setattr(message, "track", 7), "track: 7 is none of stable, canary"),
        (lambda message: setattr(message, "received_at", math.nan), "received_at: nan is not finite"),
        (lambda message: message.quality.update(blur=math.inf), "quality.blur: inf is not finite"),
        (lambda message: message.mouth.ClearField("digest"), "mouth.digest: missing"),
        (lambda message: setattr(message.mouth, "expires_at", -math.inf), "mouth.expires_at: -inf is not finite"),
    ],
    ids=["an enum", "a number", "a measure", "a field of a field", "a number of a field"],
)
def test_a_field_that_holds_what_it_can_not_hold_is_named(spoil: Any, fault: str):
    message = message_of(ready())
    spoil(message)
    with pytest.raises(BadInput) as refused:
        from_bytes(ready().topic, message.SerializeToString())
    assert refused.value.detail.partition("MouthReady: ")[2] == fault


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=str)
def test_a_number_that_is_not_finite_is_not_sent(value: float):
    with pytest.raises(BadInput, match=r"quality\.blur: .* is not finite"):
        to_bytes(ready(quality={"blur": value}))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"faces": 2**31}, "faces"),
        ({"grammar": "\ud800"}, "grammar"),
        ({"mouth": Claim(b"", "r", "f", 2**63, 1.0)}, "mouth.size_bytes"),
    ],
    ids=["too large a number", "half a character", "too large a number within"],
)
def test_what_can_not_be_written_down_is_named(changes: dict[str, Any], fault: str):
    with pytest.raises(BadInput) as refused:
        to_bytes(ready(**changes))
    assert refused.value.detail.partition("sent: ")[2] == f"{fault}: can't be written down"


def test_a_refusal_tells_no_word_that_somebody_said():
    letter = DeadLetter("", "", False, "", 0, 0, "secret \ud800", "", "exhausted", "s", 1, b"secret")
    with pytest.raises(BadInput) as refused:
        to_bytes(letter)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("text", [None, "", "bin"])
@pytest.mark.parametrize("verdict", [None, "right", "wrong"])
def test_what_was_not_told_differs_from_what_was_told_to_be_nothing(text: str | None, verdict: Any):
    event = dataclasses.replace(SAID, text=text, verdict=verdict)
    back = from_bytes(event.topic, to_bytes(event))
    assert isinstance(back, FeedbackGiven)
    assert (back.text, back.verdict) == (text, verdict)


def test_an_unknown_topic_is_told_the_known_ones():
    with pytest.raises(NotFound, match=r"lipsol\.feedback\.v1"):
        from_bytes("lipsol.feedback.v9", b"")


def test_the_track_chooses_the_topic_and_the_session_the_order():
    assert ready().topic == "lipsol.mouths.stable.v1"
    assert ready(track="canary").topic == "lipsol.mouths.canary.v1"
    assert (ready().key, ready(session="talk").key) == ("ab12", "talk")


def test_urdu_travels_as_itself():
    event = DeadLetter("k", "c", False, "t", 0, 0, "پانی نہیں", "", "exhausted", "s", 3, b"\xff")
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
        assert topic.readers or topic is PROMOTIONS  # told to whoever else wants to know
        assert topic.writers
