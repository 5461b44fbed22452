"""The envelope around an event: CloudEvents 1.0 attributes in the Kafka binding's binary mode, and a W3C trace.

https://github.com/cloudevents/spec (kafka-protocol-binding) and https://www.w3.org/TR/trace-context/

    ce_type      the event's message in the schema: `lipsol.v1.MouthReady`; the value is that message's bytes
    ce_source    who tells it: `/lipsol/` and the stage
    ce_instance  which one of its like: host and process (an extension)
    ce_attempts  how many tries it took (an extension); 1: none failed
    ce_subject   the event's key, unless that is empty
    traceparent  the step of the trace that it is part of

What is said here helps people and tools; to handle an event nobody needs more than its topic and its value.
"""

import os
import re
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from uuid import uuid4

import structlog

from lipsol.bus.port import VALUE_MAX_BYTES, Message, Outgoing
from lipsol.errors import BadInput
from lipsol.events import Event, from_bytes, to_bytes

CONTENT_TYPE = "application/protobuf"
SOURCES = "/lipsol/"  # before the stage
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


_in_hand: ContextVar[Mapping[str, Trace]] = ContextVar("in-hand", default=MappingProxyType({}))


@contextmanager
def handling(traces: Mapping[str, Trace]) -> Iterator[None]:
    """Let the block know the traces of what it handles, by the clip or key that each is about."""
    token = _in_hand.set(traces)
    try:
        yield
    finally:
        _in_hand.reset(token)


def trace_id_of(subject: str = "") -> str:
    """The id of the trace that something in hand belongs to; else of the one that is followed; "": neither."""
    trace = _in_hand.get().get(subject) or _current.get()
    return trace.trace_id if trace else ""


@dataclass(frozen=True)
class Teller:
    """Who told an event, as its envelope says: stage and instance ("": it does not say), and how many tries it took."""

    stage: str
    instance: str
    attempts: int

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Teller":
        """What the headers say; 0 attempts where they say none."""
        source, attempts = headers.get("ce_source", ""), headers.get("ce_attempts", "")
        stage = source.removeprefix(SOURCES) if source.startswith(SOURCES) else ""
        return cls(stage, headers.get("ce_instance", ""), int(attempts) if re.fullmatch("[0-9]{1,9}", attempts) else 0)


def instance() -> str:
    """This process among all that do the same: `host/process id`; in Kubernetes the host is the pod."""
    return f"{_host()}/{os.getpid()}"


@cache
def _host() -> str:
    return socket.gethostname()


def wrap(event: Event, source: str, now: float, trace: Trace | None = None, *, attempts: int = 1) -> Outgoing:
    """An event as a message, told by `source` (a stage's name) at `now` (Unix seconds).

    trace     the step that caused it; None: the one that the caller is `following`, else a new trace
    attempts  how many tries it took

    Raises BadInput for an event that can't be written down, or that is longer than a message may be.
    """
    value = to_bytes(event)
    if len(value) > VALUE_MAX_BYTES:
        raise BadInput(f"a {type(event).__name__} of {len(value)} bytes", f"keep it under {VALUE_MAX_BYTES}")
    step = (trace or _current.get() or Trace.new()).child()
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_type": f"lipsol.v1.{type(event).__name__}",
        "ce_source": f"{SOURCES}{source}",
        "ce_instance": instance(),
        "ce_attempts": str(attempts),
        "ce_time": datetime.fromtimestamp(now, UTC).isoformat(),
        "content-type": CONTENT_TYPE,
        TRACEPARENT: step.header,
    }
    subject = {"ce_subject": event.key} if event.key else {}
    return Outgoing(event.topic, event.key, value, headers | subject)


def unwrap(message: Message) -> Event:
    """The event in a message. Raises BadInput naming what is missing or unfit."""
    return from_bytes(message.topic, message.value)
