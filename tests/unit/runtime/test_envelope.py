"""The envelope: CloudEvents attributes and the trace."""

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from lipsol.bus.port import VALUE_MAX_BYTES, Message
from lipsol.errors import BadInput
from lipsol.events import ClipDeleted, DeadLetter
from lipsol.runtime.envelope import Trace, following, unwrap, wrap

KNOWN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"  # W3C's own example, not sampled
BAD = [
    "", "nonsense", KNOWN.upper(), KNOWN + "-more", KNOWN[:-1], "ff" + KNOWN[2:],
    "00-" + "0" * 32 + "-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
]  # fmt: skip


def test_a_message_says_what_it_is_and_where_it_comes_from():
    out = wrap(ClipDeleted("ab12"), "preprocess", 1_795_251_600.0)
    assert (out.topic, out.key) == ("lipsol.deletions.v1", "ab12")
    assert {name: out.headers[name] for name in out.headers if name not in {"ce_id", "traceparent"}} == {
        "ce_specversion": "1.0", "ce_type": "lipsol.ClipDeleted", "ce_source": "/lipsol/preprocess",
        "ce_subject": "ab12", "ce_time": "2026-11-21T09:00:00+00:00", "content-type": "application/json",
    }  # fmt: skip
    assert out.headers["ce_id"] != wrap(ClipDeleted("ab12"), "preprocess", 1.0).headers["ce_id"]


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
