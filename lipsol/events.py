"""What the services tell each other: the events, their topics, and their bytes.

An event is a fact, not an order; it is never changed, and reading one twice must do no harm. The form on the wire is
JSON: a field that a reader does not know is ignored, so a new field with a default is no new version; a field that is
missing, or that holds what it can't hold, is the sender's fault. Anything else is a new topic version (`.v2`).
Pictures never ride inside: `mouth_ref` names them in the store.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from lipsol.errors import BadInput, NotFound

Track = Literal["stable", "canary"]
DeathKind = Literal["bad-input", "model-error", "exhausted"]

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S


@dataclass(frozen=True)
class Topic:
    """One stream of events.

    key          what the key names: events with equal keys stay in order
    partitions   how many consumers of one group can share the work
    retention_s  seconds that a message is kept at most, read or not
    writers      services that publish here
    readers      services that consume from here
    """

    name: str
    key: str
    partitions: int
    retention_s: float
    writers: tuple[str, ...]
    readers: tuple[str, ...]


STABLE_MOUTHS = Topic(
    "lipsol.mouths.stable.v1", "session, or clip where there is none", 12, DAY_S, ("preprocess",), ("inference",)
)
CANARY_MOUTHS = Topic(
    "lipsol.mouths.canary.v1", "session, or clip where there is none", 12, DAY_S, ("preprocess",), ("inference",)
)
PREDICTIONS = Topic("lipsol.predictions.v1", "clip", 12, 7 * DAY_S, ("inference",), ("preprocess", "monitor"))
FEEDBACK = Topic("lipsol.feedback.v1", "clip", 3, 30 * DAY_S, ("preprocess",), ("monitor",))
DELETIONS = Topic("lipsol.deletions.v1", "clip", 3, 30 * DAY_S, ("preprocess",), ("preprocess", "monitor"))
DEAD_LETTERS = Topic(
    "lipsol.dead-letters.v1", "key of what died", 3, 30 * DAY_S, ("every service",), ("preprocess", "monitor")
)

TOPICS: Mapping[str, Topic] = MappingProxyType(
    {t.name: t for t in (STABLE_MOUTHS, CANARY_MOUTHS, PREDICTIONS, FEEDBACK, DELETIONS, DEAD_LETTERS)}
)


@dataclass(frozen=True)
class Event(ABC):
    """The base of all events: each knows the topic it belongs on and the key that keeps it in order."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        extra="ignore",
        ser_json_bytes="base64",
        val_json_bytes="base64",
        ser_json_inf_nan="constants",
        allow_inf_nan=False,
    )

    @property
    @abstractmethod
    def topic(self) -> str:
        """Name of the topic that this event is published on."""

    @property
    @abstractmethod
    def key(self) -> str:
        """What this event is ordered by."""


@dataclass(frozen=True)
class MouthReady(Event):
    """A mouth was found and waits in the store to be read.

    clip_id       the clip's name, chosen by the edge
    session       name of the stream that the clip was cut from; "": a clip of its own
    track         which deployment shall read it; the edge alone decides
    model         name or digest of the bundle that shall read it; "": the language's default
    grammar       "": the bundle's own; "none": free reading; else a packaged name or an inline document
    language      what is spoken, as BCP 47 ("en", "ur")
    mouth_ref     store key of the `MouthClip`'s bytes
    mouth_digest  sha256 of those bytes, hex
    faces         people seen in the picture
    quality       what the picture was like, by measure (units in `lipsol.clips.quality`); finite numbers
    timings_ms    how long each stage before this took, ms
    received_at   when the edge had the whole clip, Unix seconds
    """

    clip_id: str
    session: str
    track: Track
    model: str
    grammar: str
    language: str
    mouth_ref: str
    mouth_digest: str
    faces: int
    quality: dict[str, float]
    timings_ms: dict[str, float]
    received_at: float

    @property
    def topic(self) -> str:
        return (STABLE_MOUTHS if self.track == "stable" else CANARY_MOUTHS).name

    @property
    def key(self) -> str:
        return self.session or self.clip_id


@dataclass(frozen=True)
class AlternativeText:
    """Another reading, and the calibrated probability that it is the right one, in [0, 1]."""

    text: str
    confidence: float


@dataclass(frozen=True)
class TimedWord:
    """One word: start_s and end_s in seconds from the clip's start, confidence in [0, 1]."""

    text: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True)
class ModelName:
    """Which bundle read: its name, its version, and the sha256 of its file, hex."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True)
class PredictionMade(Event):
    """A clip was read.

    clip_id        the clip
    prediction_id  the same for the same clip read by the same bundle, so that a repeat changes nothing
    text           the best reading, also when the reader abstained
    confidence     calibrated probability that all of `text` is right, in [0, 1]
    abstained      True: not sure
    alternatives   other readings, most probable first, without `text`
    words          `text` word by word
    language       what was read, as BCP 47
    grammar        name of the grammar that bound the reading; None: free
    model          the bundle that read
    track          the deployment that read
    timings_ms     how long each stage took, those of the mouth too, ms
    quality        the mouth's quality record, carried on for the monitor
    made_at        when the reading was done, Unix seconds
    """

    clip_id: str
    prediction_id: str
    text: str
    confidence: float
    abstained: bool
    alternatives: tuple[AlternativeText, ...]
    words: tuple[TimedWord, ...]
    language: str
    grammar: str | None
    model: ModelName
    track: Track
    timings_ms: dict[str, float]
    quality: dict[str, float]
    made_at: float

    @property
    def topic(self) -> str:
        return PREDICTIONS.name

    @property
    def key(self) -> str:
        return self.clip_id


@dataclass(frozen=True)
class FeedbackGiven(Event):
    """A person said what was really spoken, or whether the reading was right.

    clip_id       the clip
    feedback_id   name of this feedback, so that a repeat changes nothing
    text          the right words; None: not told
    verdict       whether the reading was right; None: not told
    reading       the text that the person had been shown
    model_digest  the bundle that had read it, sha256 hex
    given_at      Unix seconds
    """

    clip_id: str
    feedback_id: str
    text: str | None
    verdict: Literal["right", "wrong"] | None
    reading: str
    model_digest: str
    given_at: float

    @property
    def topic(self) -> str:
        return FEEDBACK.name

    @property
    def key(self) -> str:
        return self.clip_id


@dataclass(frozen=True)
class ClipDeleted(Event):
    """A person took the clip `clip_id` back: forget all that belongs to it, and what may still come."""

    clip_id: str

    @property
    def topic(self) -> str:
        return DELETIONS.name

    @property
    def key(self) -> str:
        return self.clip_id


@dataclass(frozen=True)
class DeadLetter(Event):
    """A message that could not be handled: kept, with the reason, for a person or a repair to pick up.

    dead_key      key of the message
    clip_id       the clip it was about; "": the message could not even be read
    origin_topic  where it lay
    reason        what was wrong, as the error said it
    cure          what a person can do about it; "": not known
    kind          "bad-input": the same again whenever repeated; "model-error": a bundle is unfit;
                  "exhausted": it was tried `attempts` times and something else failed each time
    stage         the worker that gave up
    attempts      how often it was tried; 0: never, it could not be read
    value         the message's bytes as they were (base64 on the wire)
    """

    dead_key: str
    clip_id: str
    origin_topic: str
    reason: str
    cure: str
    kind: DeathKind
    stage: str
    attempts: int
    value: bytes

    @property
    def topic(self) -> str:
        return DEAD_LETTERS.name

    @property
    def key(self) -> str:
        return self.dead_key


EVENT_OF: Mapping[str, type[Event]] = MappingProxyType(
    {
        STABLE_MOUTHS.name: MouthReady,
        CANARY_MOUTHS.name: MouthReady,
        PREDICTIONS.name: PredictionMade,
        FEEDBACK.name: FeedbackGiven,
        DELETIONS.name: ClipDeleted,
        DEAD_LETTERS.name: DeadLetter,
    }
)
"""The one kind of event that each topic carries."""


def to_bytes(event: Event) -> bytes:
    """An event as UTF-8 JSON. Raises BadInput where a number is not finite: JSON has none such."""
    fields = _codec(type(event)).dump_python(event, mode="json")
    try:
        return json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except ValueError as fault:
        raise BadInput(f"{type(event).__name__} holds a number that is not finite", "leave the measure out") from fault


def from_bytes(topic: str, data: bytes) -> Event:
    """Undo `to_bytes` for a message of that topic.

    Raises NotFound for a topic that the catalogue lacks, BadInput naming every field that is missing or unfit.
    """
    if topic not in EVENT_OF:
        raise NotFound(f"no topic {topic!r}", f"known are {', '.join(sorted(EVENT_OF))}")
    kind = EVENT_OF[topic]
    try:
        event: Event = _codec(kind).validate_json(data)
    except ValidationError as fault:
        faults = "; ".join(_fault(error["loc"], error["msg"]) for error in fault.errors(include_input=False))
        raise BadInput(
            f"{len(data)} bytes that are no {kind.__name__}: {faults}", "send what `to_bytes` wrote"
        ) from None
    return event


def _fault(where: tuple[int | str, ...], what: str) -> str:
    return f"{'.'.join(str(part) for part in where) or 'document'}: {what}"


_codecs: dict[type[Event], TypeAdapter[Event]] = {}  # made on first use: building one takes a millisecond


def _codec(kind: type[Event]) -> Any:  # a TypeAdapter[Event]; beartype, which checks types in tests, knows none
    return _codecs.get(kind) or _codecs.setdefault(kind, TypeAdapter(kind))
