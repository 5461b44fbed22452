"""Dead letters: listed, opened, and replayed as they were or mended."""

import base64
import json
from dataclasses import replace

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.bus.port import Outgoing
from lipsol.errors import BadInput, NotFound
from lipsol.events import DeadLetter, to_bytes
from lipsol.runtime.burial import VALUE_MAX
from lipsol.runtime.envelope import Trace, unwrap, wrap
from lipsol.store.local import LocalStore
from lipsol.topics import DEAD_LETTERS, STABLE_MOUTHS
from services.operating.documents import from_document, to_document
from services.operating.letters import Letters, Wanted
from tests.services_made import ready_of

NOW = 1_795_251_700.0
CLIP = "ab" * 16


@pytest.fixture
def bus(clock):
    opened = MemoryBus(now=clock.now)
    yield opened
    opened.close()


@pytest.fixture
def letters(bus, tmp_path, clock):
    return Letters(bus, LocalStore(tmp_path, now=clock.now))


def buried(bus, value, *, clip_id=CLIP, kind="bad-input", stage="inference", topic=STABLE_MOUTHS.name, key=CLIP):
    """A dead letter on the bus, and the trace that it is of."""
    letter = DeadLetter(key, clip_id, False, topic, 3, 41, "the mouth is gone", "send it again", kind, stage, 2, value)
    trace = Trace.new()
    bus.publish_all([wrap(letter, stage, NOW, trace)])
    return trace


def sent(bus, topic=STABLE_MOUTHS.name):
    """What lies on a topic."""
    return list(bus.replay([topic]))


def only(letters):
    [letter] = letters.listed()
    return letter


def test_a_letter_is_listed_with_its_reason_its_origin_and_its_trace(bus, letters):
    trace = buried(bus, to_bytes(ready_of(CLIP)))
    letter = only(letters)
    message = sent(bus, DEAD_LETTERS.name)[0]
    assert letter.id == f"{message.partition}-{message.offset}"
    assert (letter.kind, letter.stage, letter.attempts) == ("bad-input", "inference", 2)
    assert (letter.reason, letter.cure) == ("the mouth is gone", "send it again")
    assert (letter.origin_topic, letter.origin_partition, letter.origin_offset) == (STABLE_MOUTHS.name, 3, 41)
    assert (letter.clip_id, letter.trace_id, letter.at) == (CLIP, trace.trace_id, message.timestamp)
    assert letter.replays == ()


def test_letters_can_be_picked_by_kind_stage_and_time(bus, letters, clock):
    buried(bus, b"1", kind="exhausted")
    clock.advance(100)
    buried(bus, b"2", stage="monitor")
    assert [each.kind for each in letters.listed()] == ["exhausted", "bad-input"]
    assert [each.kind for each in letters.listed(Wanted(kind="exhausted"))] == ["exhausted"]
    assert [each.stage for each in letters.listed(Wanted(stage="monitor"))] == ["monitor"]
    assert [each.stage for each in letters.listed(Wanted(since=clock.now()))] == ["monitor"]


def test_an_opened_letter_shows_the_event_that_died(bus, letters):
    event = ready_of(CLIP)
    buried(bus, to_bytes(event))
    opened = letters.opened(only(letters).id)
    assert opened.event == to_document(event)
    assert base64.urlsafe_b64decode(opened.value) == to_bytes(event)
    assert (opened.fault, opened.whole) == ("", True)
    assert opened.headers["ce_source"] == "/lipsol/inference"


def test_what_can_not_be_read_is_listed_shown_and_replayed_all_the_same(bus, letters):
    trace = buried(bus, b"\xff\x00 poison", clip_id="")
    opened = letters.opened(only(letters).id)
    assert opened.event is None
    assert opened.fault
    assert base64.urlsafe_b64decode(opened.value) == b"\xff\x00 poison"
    letters.replay(opened.letter.id, "ann", NOW)
    [message] = sent(bus)
    assert (message.key, message.value) == (CLIP, b"\xff\x00 poison")
    assert Trace.of(message.headers).trace_id == trace.trace_id


def test_a_replay_is_the_same_bytes_under_the_same_key_and_trace_and_is_remembered(bus, letters):
    value = to_bytes(ready_of(CLIP))
    trace = buried(bus, value, key="session-1")
    name = only(letters).id
    letters.replay(name, "ann", NOW)
    [message] = sent(bus)
    assert (message.key, message.value) == ("session-1", value)
    assert Trace.of(message.headers).trace_id == trace.trace_id
    assert (message.headers["replay_of"], message.headers["replay_by"]) == (name, "ann")
    [replayed] = only(letters).replays
    assert (replayed.at, replayed.by, replayed.mended) == (NOW, "ann", False)


def test_a_mended_letter_is_sent_as_it_was_mended(bus, letters):
    buried(bus, to_bytes(ready_of(CLIP, model="gone")))
    name = only(letters).id
    mended = {**letters.opened(name).event, "model": "grid-sentences"}
    letters.replay(name, "ann", NOW, json.dumps(mended))
    [message] = sent(bus)
    assert unwrap(message) == ready_of(CLIP, model="grid-sentences")
    assert only(letters).replays[0].mended


@pytest.mark.parametrize(
    ("change", "told"),
    [({"modell": "x"}, "modell"), ({"faces": "many"}, "faces"), ({"clip_id": "another"}, "another")],
    ids=["a slip of the pen", "an unfit value", "another clip"],
)
def test_a_mended_event_must_be_whole_and_of_its_clip(bus, letters, change, told):
    buried(bus, to_bytes(ready_of(CLIP)))
    with pytest.raises(BadInput, match=told):
        letters.replay(only(letters).id, "ann", NOW, json.dumps({**to_document(ready_of(CLIP)), **change}))
    assert sent(bus) == []
    assert only(letters).replays == ()


def test_a_deadline_that_has_passed_is_lifted_and_one_to_come_stays(bus, letters):
    buried(bus, to_bytes(ready_of(CLIP, deadline_at=NOW - 1)), kind="too-late")
    buried(bus, to_bytes(ready_of(CLIP, deadline_at=NOW + 1)))
    letters.replay_all(Wanted(), "ann", NOW)
    assert sorted(unwrap(message).deadline_at for message in sent(bus)) == [0.0, NOW + 1]


def test_replaying_all_leaves_out_what_was_replayed_and_one_that_can_not_be_keeps_no_other_back(bus, letters):
    buried(bus, to_bytes(ready_of(CLIP)))
    letters.replay(only(letters).id, "ann", NOW)
    buried(bus, b"x" * VALUE_MAX)
    buried(bus, to_bytes(ready_of(CLIP, model="other")))
    done = letters.replay_all(Wanted(), "ann", NOW)
    assert [bool(each.fault) for each in done] == [True, False]
    assert [unwrap(message).model for message in sent(bus)] == ["", "other"]
    assert [each.fault[:4] for each in letters.replay_all(Wanted(), "ann", NOW)] == ["only"]


def test_only_what_is_wanted_is_replayed(bus, letters):
    buried(bus, to_bytes(ready_of(CLIP)), kind="exhausted")
    buried(bus, to_bytes(ready_of(CLIP)))
    assert len(letters.replay_all(Wanted(kind="exhausted"), "ann", NOW)) == 1


def test_a_message_that_was_cut_is_replayed_only_mended(bus, letters):
    buried(bus, b"x" * VALUE_MAX)
    name = only(letters).id
    assert not letters.opened(name).whole
    with pytest.raises(BadInput, match="mended"):
        letters.replay(name, "ann", NOW)
    letters.replay(name, "ann", NOW, json.dumps(to_document(ready_of(CLIP))))
    assert unwrap(sent(bus)[0]) == ready_of(CLIP)


def test_what_is_no_letter_at_all_is_listed_and_never_sent(bus, letters):
    bus.publish_all([Outgoing(DEAD_LETTERS.name, "who knows", b"\x00garbage")])
    letter = only(letters)
    assert (letter.kind, letter.key, letter.trace_id) == ("unreadable", "who knows", "")
    assert letters.opened(letter.id).event is None
    with pytest.raises(BadInput, match="can't be read"):
        letters.replay(letter.id, "ann", NOW)


def test_a_letter_of_a_topic_that_nobody_knows_is_told_and_not_sent(bus, letters):
    buried(bus, b"{}", topic="elsewhere.v1")
    name = only(letters).id
    assert "elsewhere.v1" in letters.opened(name).fault
    with pytest.raises(NotFound, match=r"elsewhere\.v1"):
        letters.replay(name, "ann", NOW)
    assert only(letters).replays == ()


def test_a_letter_that_is_not_there_is_not_found(letters):
    with pytest.raises(NotFound, match="9-9"):
        letters.opened("9-9")


def test_a_document_of_an_event_becomes_the_event_again():
    event = replace(ready_of(CLIP), mouth=replace(ready_of(CLIP).mouth, inline=b"\xff\xfe\x00"))
    assert from_document(STABLE_MOUTHS.name, json.dumps(to_document(event))) == event
