"""The envelope: CloudEvents attributes and the trace."""

import os
import socket

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from lipsol.bus.port import VALUE_MAX_BYTES, Message
from lipsol.errors import BadInput
from lipsol.events import EVENT_OF, ClipDeleted, DeadLetter, Event
from lipsol.proto.v1 import events_pb2
from lipsol.runtime.envelope import Teller, Trace, following, unwrap, wrap

KNOWN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"  # W3C's own example, not sampled
BAD = [
    "", "nonsense", KNOWN.upper(), KNOWN + "-more", KNOWN[:-1], "ff" + KNOWN[2:],
    "00-" + "0" * 32 + "-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
]  # fmt: skip


def test_a_message_says_what_it_is_and_where_it_comes_from():
    out = wrap(ClipDeleted("ab12"), "preprocess", 1_795_251_600.0)
    assert (out.topic, out.key) == ("lipsol.deletions.v1", "ab12")
    assert {name: out.headers[name] for name in out.headers if name not in {"ce_id", "traceparent"}} == {
        "ce_specversion": "1.0", "ce_type": "lipsol.v1.ClipDeleted", "ce_source": "/lipsol/preprocess",
        "ce_instance": f"{socket.gethostname()}/{os.getpid()}", "ce_attempts": "1", "ce_subject": "ab12",
        "ce_time": "2026-11-21T09:00:00+00:00", "content-type": "application/protobuf",
    }  # fmt: skip
    assert out.headers["ce_id"] != wrap(ClipDeleted("ab12"), "preprocess", 1.0).headers["ce_id"]


@pytest.mark.parametrize("kind", dict.fromkeys(EVENT_OF.values()), ids=lambda kind: kind.__name__)
def test_the_type_that_is_told_is_a_message_of_the_schema(kind: type[Event]):
    assert getattr(events_pb2, kind.__name__).DESCRIPTOR.full_name == f"lipsol.v1.{kind.__name__}"


def test_the_envelope_tells_who_and_after_how_many_tries():
    headers = wrap(ClipDeleted("ab12"), "inference", 1.0, attempts=3).headers
    assert Teller.of(headers) == Teller("inference", f"{socket.gethostname()}/{os.getpid()}", 3)


@pytest.mark.parametrize("attempts", ["", "-1", "many", "9" * 5000, "٣"])
def test_an_envelope_that_tells_nothing_of_use_is_no_fault(attempts: str):
    assert Teller.of({"ce_source": "urn:somebody", "ce_attempts": attempts}) == Teller("", "", 0)


def test_an_event_without_a_key_has_no_subject():
    letter = DeadLetter("", "", False, "lipsol.clips.v1", 0, 0, "r", "", "bad-input", "s", 0, b"")
    assert "ce_subject" not in wrap(letter, "s", 1.0).headers


def test_what_was_wrapped_is_unwrapped():
    out = wrap(ClipDeleted("ab12"), "preprocess", 1.0)
    assert unwrap(Message(out.topic, out.key, out.value, out.headers, 0, 0, 1.0)) == ClipDeleted("ab12")


def test_a_trace_is_carried_on_step_by_step():
    trace = Trace.of({"traceparent": KNOWN})
    carried = Trace.of(wrap(ClipDeleted("a"), "s", 1.0, trace).headers)
    assert (carried.trace_id, carried.flags) == ("4bf92f3577b34da6a3ce929d0e0e4736", "00")
    assert carried.span_id != trace.span_id


def test_a_future_version_of_the_header_is_read_as_far_as_it_is_known():
    assert Trace.of({"traceparent": "01" + KNOWN[2:] + "-more"}).header == KNOWN


@pytest.mark.parametrize("header", BAD, ids=repr)
def test_a_trace_that_makes_no_sense_begins_anew(header: str):
    trace = Trace.of({"traceparent": header})
    assert trace.trace_id not in {"4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32}
    assert Trace.of({"traceparent": trace.header}) == trace


@given(header=st.text())
def test_no_header_breaks_a_trace(header: str):
    assert len(Trace.of({"traceparent": header}).header) == len(KNOWN)


def test_events_and_log_lines_follow_the_trace():
    with following(Trace.of({"traceparent": KNOWN})):
        inside = Trace.of(wrap(ClipDeleted("a"), "s", 1.0).headers)
        bound = structlog.contextvars.get_contextvars()
    outside = Trace.of(wrap(ClipDeleted("a"), "s", 1.0).headers)
    assert inside.trace_id == bound["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736" != outside.trace_id
    assert "trace_id" not in structlog.contextvars.get_contextvars()


def test_an_event_too_long_for_a_message_is_refused():
    letter = DeadLetter("k", "c", False, "t", 0, 0, "r", "", "exhausted", "s", 3, bytes(VALUE_MAX_BYTES))
    with pytest.raises(BadInput, match=str(VALUE_MAX_BYTES)):
        wrap(letter, "s", 1.0)
