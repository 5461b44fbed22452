"""The envelope around an event: CloudEvents 1.0 attributes in the Kafka binding's form, and a W3C trace.

https://github.com/cloudevents/spec (kafka-protocol-binding, binary mode) and https://www.w3.org/TR/trace-context/
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import structlog

from lipsol.bus.port import VALUE_MAX_BYTES, Message, Outgoing
from lipsol.errors import BadInput
from lipsol.events import Event, from_bytes, to_bytes

TRACEPARENT = "traceparent"
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True)
class Trace:
    """Where we are in a trace: trace_id (32 hex digits) names all that one request set off, span_id (16) this step."""

    trace_id: str
    span_id: str
    flags: str = "01"  # sampled

    @classmethod
    def new(cls) -> "Trace":
        """The first step of a trace of its own."""
        return cls(secrets.token_hex(16), secrets.token_hex(8))

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Trace":
        """The trace that the `traceparent` header tells; a new one where there is none or it makes no sense."""
        match = _TRACEPARENT.fullmatch(headers.get(TRACEPARENT, ""))
        if match is None or (match[1] == "00" and match[5] is not None):
            return cls.new()
        return cls(match[2], match[3], match[4])

    def child(self) -> "Trace":
        """The next step of the same trace."""
        return Trace(self.trace_id, secrets.token_hex(8), self.flags)

    @property
    def header(self) -> str:
        """The `traceparent` header's value."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


@contextmanager
def following(trace: Trace) -> Iterator[Trace]:
    """Make the block a step of a trace: its events and its log lines carry the trace's id."""
    step = trace.child()
    token = _current.set(step)
    try:
        with structlog.contextvars.bound_contextvars(trace_id=step.trace_id):
            yield step
    finally:
        _current.reset(token)


def wrap(event: Event, source: str, now: float, trace: Trace | None = None) -> Outgoing:
    """An event as a message, told by `source` (a service's name) at `now` (Unix seconds).

    trace  the step that caused it; None: the one that the caller is `following`, else a new trace

    Raises BadInput for an event that can't be written down, or that is longer than a message may be.
    """
    value = to_bytes(event)
    if len(value) > VALUE_MAX_BYTES:
        raise BadInput(f"a {type(event).__name__} of {len(value)} bytes", f"keep it under {VALUE_MAX_BYTES}")
    step = (trace or _current.get() or Trace.new()).child()
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_type": f"lipsol.{type(event).__name__}",
        "ce_source": f"/lipsol/{source}",
        "ce_subject": event.key,
        "ce_time": datetime.fromtimestamp(now, UTC).isoformat(),
        "content-type": "application/json",
        TRACEPARENT: step.header,
    }
    return Outgoing(event.topic, event.key, value, headers)


def unwrap(message: Message) -> Event:
    """The event in a message. Raises BadInput naming what is missing or unfit."""
    return from_bytes(message.topic, message.value)
