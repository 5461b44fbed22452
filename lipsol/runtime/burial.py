"""What becomes of a message that can't be handled: why it is given up, and the dead letter that keeps it.

Whoever mends it finds in the letter's headers why it died and where it lay, without decoding anything:
`dead_reason, dead_stage, dead_attempts, dead_topic, dead_partition, dead_offset`. The trace is the message's own.
"""

from dataclasses import dataclass, replace

from lipsol.bus.port import Message, Outgoing
from lipsol.errors import BadInput, LipsolError, ModelError, TooLate, Transient
from lipsol.events import DeadLetter, DeathKind, Event
from lipsol.runtime.envelope import Trace, unwrap, wrap

VALUE_MAX = 512 * 1024  # bytes of a dead message that are kept: they and the reason must fit into a message
REASON_MAX = 4000  # characters of a dead letter's reason and of its cure


@dataclass(frozen=True)
class Taken:
    """A message, opened: its event, or why it holds none."""

    message: Message
    trace: Trace
    event: Event | None
    unfit: BadInput | None

    @classmethod
    def of(cls, message: Message) -> "Taken":
        """Open a message."""
        trace = Trace.of(message.headers)
        try:
            return cls(message, trace, unwrap(message), None)
        except BadInput as fault:
            return cls(message, trace, None, fault)

    def useless(self, now: float) -> BadInput | TooLate | None:
        """Why there is no use in handling it at `now`: it can't be read, or nobody waits for it any more."""
        deadline = float(getattr(self.event, "deadline_at", 0.0))
        if self.unfit is None and 0 < deadline <= now:
            return TooLate(f"its deadline passed {now - deadline:.1f} s ago", "send it again, and allow it more time")
        return self.unfit


def subject(event: Event) -> str:
    """The clip that an event is about; else its key."""
    return str(getattr(event, "clip_id", event.key))


def kind_of(fault: Exception) -> DeathKind:
    """What kind of death a fault is."""
    kinds: tuple[tuple[type[Exception], DeathKind], ...] = (
        (BadInput, "bad-input"),
        (ModelError, "model-error"),
        (TooLate, "too-late"),
    )
    return next((kind for raised, kind in kinds if isinstance(fault, raised)), "exhausted")


def reason_of(fault: Exception) -> str:
    """Why a try failed, as metrics have it."""
    if (kind := kind_of(fault)) != "exhausted":
        return kind
    return "transient" if isinstance(fault, Transient) else "fault"


def unforeseen(fault: Exception) -> Exception | None:
    """The fault, where its traceback is worth a look."""
    return None if isinstance(fault, LipsolError) else fault


def dead_letter(taken: Taken, fault: Exception, stage: str, attempts: int, now: float) -> Outgoing:
    """The letter that keeps a message; a fault that nobody foresaw is told by its type alone, as people may read it."""
    message, event = taken.message, taken.event
    letter = DeadLetter(
        dead_key=message.key,
        clip_id=subject(event) if event else "",
        shadow=bool(getattr(event, "shadow", False)),
        origin_topic=message.topic,
        origin_partition=message.partition,
        origin_offset=message.offset,
        reason=fault.detail[:REASON_MAX] if isinstance(fault, LipsolError) else type(fault).__name__,
        cure=fault.cure[:REASON_MAX] if isinstance(fault, LipsolError) else "",
        kind=kind_of(fault),
        stage=stage,
        attempts=attempts,
        value=message.value[:VALUE_MAX],
    )
    out = wrap(letter, stage, now, taken.trace)
    told = {
        "dead_reason": letter.reason,
        "dead_stage": stage,
        "dead_attempts": str(attempts),
        "dead_topic": message.topic,
        "dead_partition": str(message.partition),
        "dead_offset": str(message.offset),
    }
    return replace(out, headers={**out.headers, **told})
