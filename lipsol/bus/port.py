"""The bus: what carries messages between services. The law stands here; an adapter that breaks it fails the suite.

Delivery
- At least once. A message is done when its group has committed it, never before; a consumer that closes or crashes
  before that leaves it to the group's next consumer. So a handler must make a repeat harmless.
- Publish, then commit: what a message caused is out before the message is done.
- Order holds for a key (equal keys share a partition), and for nothing else.
- Nothing is dropped in silence: a bus that can't take more says Busy and names its bound. Only a topic's retention
  ends a message's life before every group has seen it.

Groups
- Consumers of one group share the work: a partition belongs to one of them at a time. Groups don't know each other:
  each gets every message.
- A consumer that joins or leaves moves partitions. A partition changes hands after its holder has committed what it
  polled (or has gone); then the new holder goes on from the committed position.
- A new group starts with the oldest message that is still kept (`start="earliest"`, the default: work that waits for
  its first worker is not lost) or with the next one published (`start="latest"`). A group that has committed before
  goes on where it was, whatever `start` says.
- Group None is a listener: it alone gets every message from its `start` on, and is forgotten when it closes.

What is kept
- A topic keeps its messages for its retention, whoever has read them, so that what happened can be told again. (The
  memory bus has less room: it keeps the newest ones that fit its bounds, and always those that a group still needs.)
- A compacted topic keeps at least the newest message of each key, for ever: it is a state that a newcomer reads from
  the start. Older messages of a key may be gone.
- `replay` reads what is kept, without a group and without moving any.

A value holds at most 960 KiB (`VALUE_MAX_BYTES`): more goes to the store, by reference.

Every method may be called from any thread, except that one consumer is polled by one thread at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, Protocol, runtime_checkable

from lipsol.errors import BadInput, Transient

Start = Literal["earliest", "latest"]
Places = Mapping[tuple[str, int], int]  # (topic, partition) -> offset
NOWHERE: Places = MappingProxyType({})

VALUE_MAX_BYTES = 960 << 10  # of one message's value
ENVELOPE_MAX_BYTES = 60 << 10  # of its key and headers; both fit into what a Kafka broker takes by default: 1 MiB


class Closed(Transient):
    """The consumer, or its bus, was closed: nothing will ever come from it again."""


@dataclass(frozen=True)
class Outgoing:
    """A message to be published: `value` is an event's bytes, `headers` its envelope."""

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def check_size(message: Outgoing) -> None:
    """Raises BadInput for a message that is too long for any bus."""
    if len(message.value) > VALUE_MAX_BYTES:
        raise BadInput(
            f"a message of {len(message.value)} bytes on {message.topic}",
            f"keep it under {VALUE_MAX_BYTES}: put what is big into the store and send its key",
        )
    envelope = len(message.key.encode()) + sum(len(k.encode()) + len(v.encode()) for k, v in message.headers.items())
    if envelope > ENVELOPE_MAX_BYTES:
        raise BadInput(
            f"key and headers of {envelope} bytes on {message.topic}", f"keep them under {ENVELOPE_MAX_BYTES} bytes"
        )


@dataclass(frozen=True)
class Message:
    """A message as the bus holds it.

    partition  which part of the topic holds it; equal keys, equal partition
    offset     its place there: later is larger, gaps are possible
    timestamp  when the bus took it, Unix seconds
    """

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, str]
    partition: int
    offset: int
    timestamp: float


@runtime_checkable
class Consumer(Protocol):
    """One member of a group, over one or more topics."""

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        """Up to max_messages that are next, in order for a key; waits up to timeout_s for the first.

        Empty when nothing came, when paused, or when woken. Raises Closed once the consumer or the bus
        is closed, Transient when the bus is away.
        """
        ...

    def commit(self, messages: Sequence[Message]) -> None:
        """These, and all before them in their partitions, are done for the group.

        What no longer belongs to this consumer is passed over: its new holder repeats it.
        """
        ...

    def pause(self) -> None:
        """Get nothing more until `resume`; partitions and place are kept."""
        ...

    def resume(self) -> None:
        """Undo `pause`."""
        ...

    def wake(self) -> None:
        """Make the poll that waits now, or else the next one, return at once. The one call meant for other threads."""
        ...

    def lag(self) -> int:
        """How many messages in this consumer's partitions its group has not committed yet."""
        ...

    def close(self) -> None:
        """Leave the group; what was polled and not committed goes to the next consumer. Twice is harmless."""
        ...


@runtime_checkable
class Bus(Protocol):
    """Takes messages, and hands them to groups of consumers."""

    def publish(self, topic: str, key: str, value: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Put one message on a topic; on return the bus holds it as safely as it ever will.

        Raises Busy when the topic is full, NotFound for an unknown topic, BadInput for a value that is too long, and
        Transient when the bus is away, Closed when it was closed.
        """
        ...

    def publish_all(self, messages: Sequence[Outgoing]) -> None:
        """Put many, in order; on return the bus holds them all. Raises as `publish`; then any of them may be held."""
        ...

    def consumer(self, topics: Sequence[str], group: str | None, *, start: Start = "earliest") -> Consumer:
        """Join a group (None: listen alone). From the return on nothing published there is missed.

        Raises NotFound for an unknown topic, BadInput for none, Transient when the bus is away, Closed when it was
        closed.
        """
        ...

    def replay(
        self, topics: Sequence[str], since: float = 0.0, *, before: str | None = None, after: Places = NOWHERE
    ) -> Iterator[Message]:
        """What is kept on the topics from `since` (Unix seconds, by the bus's own time) to the end as of this call.

        In order within a partition. `before`: only what that group has committed. `after`: of the partitions that it
        names, only what lies behind that offset. An end that moves on meanwhile is not followed, so this always comes
        to an end. Raises as `consumer`.
        """
        ...

    def close(self) -> None:
        """Close every consumer and let go of all that is held. Twice is harmless."""
        ...
