"""What the services tell each other: the events, their topics, and their bytes.

An event is a fact, not an order; it is never changed, and reading one twice must do no harm. The form on the wire is
protobuf, message for dataclass and field for field (`lipsol/proto/v1/events.proto`). A field that a reader does not
know is passed over, so a new field is no new version; one that is not sent reads as its type's zero, but an event
without what identifies it (`required` in the schema) is refused. Anything else is a new topic version (`.v2`).
Few bytes of a picture ride inside, more wait in the store: see `Claim`.
"""

from collections.abc import Mapping
from types import MappingProxyType

from lipsol.errors import NotFound
from lipsol.events.base import Event, ModelName, Track
from lipsol.events.clips import Claim, ClipDeleted, ClipReceived, ClipRefused, MouthReady
from lipsol.events.letters import DeadLetter, DeathKind
from lipsol.events.readings import AlternativeText, FeedbackGiven, PredictionMade, TimedWord
from lipsol.events.releases import Looked, Mode, ModelPromoted, RolloutLooked, Told, TrafficSet
from lipsol.events.watching import (
    ActionKind,
    ActionTaken,
    Automation,
    DriftDetected,
    DriftKind,
    DriftState,
    Evidence,
    Remedy,
    StateKept,
)
from lipsol.proto.codec import Codec
from lipsol.proto.v1 import events_pb2
from lipsol.topics import (
    ACTIONS,
    CANARY_MOUTHS,
    CLIPS,
    DEAD_LETTERS,
    DELETIONS,
    DRIFT,
    FEEDBACK,
    PREDICTIONS,
    PROMOTIONS,
    REFUSALS,
    ROLLOUTS,
    STABLE_MOUTHS,
    TRAFFIC,
    WATCH,
)

__all__ = [
    "EVENT_OF",
    "ActionKind",
    "ActionTaken",
    "AlternativeText",
    "Automation",
    "Claim",
    "ClipDeleted",
    "ClipReceived",
    "ClipRefused",
    "DeadLetter",
    "DeathKind",
    "DriftDetected",
    "DriftKind",
    "DriftState",
    "Event",
    "Evidence",
    "FeedbackGiven",
    "Looked",
    "Mode",
    "ModelName",
    "ModelPromoted",
    "MouthReady",
    "PredictionMade",
    "Remedy",
    "RolloutLooked",
    "StateKept",
    "TimedWord",
    "Told",
    "Track",
    "TrafficSet",
    "from_bytes",
    "to_bytes",
]

EVENT_OF: Mapping[str, type[Event]] = MappingProxyType(
    {
        CLIPS.name: ClipReceived,
        STABLE_MOUTHS.name: MouthReady,
        CANARY_MOUTHS.name: MouthReady,
        PREDICTIONS.name: PredictionMade,
        REFUSALS.name: ClipRefused,
        FEEDBACK.name: FeedbackGiven,
        DELETIONS.name: ClipDeleted,
        DRIFT.name: DriftDetected,
        ACTIONS.name: ActionTaken,
        WATCH.name: StateKept,
        TRAFFIC.name: TrafficSet,
        PROMOTIONS.name: ModelPromoted,
        ROLLOUTS.name: RolloutLooked,
        DEAD_LETTERS.name: DeadLetter,
    }
)
"""The one kind of event that each topic carries."""


def to_bytes(event: Event) -> bytes:
    """An event as protobuf, the same bytes for the same event. Raises BadInput naming every field that is unfit."""
    return _codec(type(event)).to_bytes(event)


def from_bytes(topic: str, data: bytes) -> Event:
    """Undo `to_bytes` for a message of that topic.

    Raises NotFound for a topic that the catalogue lacks, BadInput naming every field that is missing or unfit.
    """
    if topic not in EVENT_OF:
        raise NotFound(f"no topic {topic!r}", f"known are {', '.join(sorted(EVENT_OF))}")
    event: Event = _codec(EVENT_OF[topic]).from_bytes(data)
    return event


_codecs: dict[type[Event], Codec] = {}  # made on first use


def _codec(kind: type[Event]) -> Codec:
    return _codecs.get(kind) or _codecs.setdefault(kind, Codec(kind, getattr(events_pb2, kind.__name__)))
