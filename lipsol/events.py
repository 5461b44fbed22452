"""What the services tell each other: the events, their topics, and their bytes.

An event is a fact, not an order; it is never changed, and reading one twice must do no harm. The form on the wire is
protobuf, message for dataclass and field for field (`lipsol/proto/v1/events.proto`). A field that a reader does not
know is passed over, so a new field is no new version; one that is not sent reads as its type's zero, but an event
without what identifies it (`required` in the schema) is refused. Anything else is a new topic version (`.v2`).
Few bytes of a picture ride inside, more wait in the store: see `Claim`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from lipsol.errors import NotFound
from lipsol.proto.codec import Codec
from lipsol.proto.v1 import events_pb2
from lipsol.topics import (
    CANARY_MOUTHS,
    CLIPS,
    DEAD_LETTERS,
    DELETIONS,
    DRIFT,
    FEEDBACK,
    PREDICTIONS,
    PROMOTIONS,
    REFUSALS,
    STABLE_MOUTHS,
    TRAFFIC,
)

Track = Literal["stable", "canary"]
Mode = Literal["stable", "canary", "shadow", "blueGreen"]
DeathKind = Literal["bad-input", "model-error", "exhausted", "too-late"]


@dataclass(frozen=True)
class Event(ABC):
    """The base of all events: each knows the topic it belongs on and the key that keeps it in order."""

    @property
    @abstractmethod
    def topic(self) -> str:
        """Name of the topic that this event is published on."""

    @property
    @abstractmethod
    def key(self) -> str:
        """What this event is ordered by."""


@dataclass(frozen=True)
class ClipReceived(Event):
    """A video lies in an object store and waits to be watched: how batches come in.

    clip_id      the clip's name, chosen by who submits it: the same for the same clip of the same batch
    session      name of the stream that the clip was cut from; "": a clip of its own
    batch        name of the batch it belongs to; "": none
    name         what the person who sent it calls it (a path, say), for reports
    source       where it lies: `s3://bucket/key`, or a key of the platform's own store
    digest       sha256 of its bytes, hex; "": not known beforehand
    size_bytes   how many bytes it has; 0: not known beforehand
    model, grammar, language  as in `MouthReady`
    received_at  when it was submitted, Unix seconds
    deadline_at  after this nobody waits any more, Unix seconds; 0.0: no such time
    """

    clip_id: str
    session: str
    batch: str
    name: str
    source: str
    digest: str
    size_bytes: int
    model: str
    grammar: str
    language: str
    received_at: float
    deadline_at: float

    @property
    def topic(self) -> str:
        return CLIPS.name

    @property
    def key(self) -> str:
        return self.session or self.clip_id


@dataclass(frozen=True)
class Claim:
    """Bytes that travel with an event, or a claim check for them (`lipsol.store.claims` makes and cashes them).

    inline      the bytes themselves, where they are few; then `ref` is ""
    ref         store key of the bytes, where they are many; then `inline` is empty
    digest      sha256 of the bytes, hex
    size_bytes  how many they are
    expires_at  until when the store keeps them, Unix seconds; later than any event that refers to them; 0.0 inline
    """

    inline: bytes
    ref: str
    digest: str
    size_bytes: int
    expires_at: float


@dataclass(frozen=True)
class MouthReady(Event):
    """A mouth was found and waits to be read.

    clip_id       the clip's name, chosen by the edge
    session       name of the stream that the clip was cut from; "": a clip of its own
    track         which deployment shall read it; the edge alone decides
    shadow        True: a copy, read for comparison alone; its reading never reaches a user
    model         name or digest of the bundle that the client wants; "": the default
    bundle        digest of the bundle that the traffic policy wants where the client names none; "": the default.
                  Stable, when it drains an aborted canary's topic, passes it over
    grammar       "": the bundle's own; "none": free reading; else a packaged name or an inline document, which may
                  hold hotwords and make its phrases a board (`lipsol.text.wording`)
    language      what is spoken, as BCP 47 ("en", "ur")
    mouth         the `MouthClip`'s bytes, or the claim check for them
    faces         people seen in the picture
    quality       what the picture was like, by measure (units in `lipsol.clips.quality`); finite numbers
    timings_ms    how long each stage before this took, ms
    received_at   when the edge had the whole clip, Unix seconds
    deadline_at   after this nobody waits any more and the work is dropped, Unix seconds; 0.0: no such time
    """

    clip_id: str
    session: str
    track: Track
    shadow: bool
    model: str
    bundle: str
    grammar: str
    language: str
    mouth: Claim
    faces: int
    quality: dict[str, float]
    timings_ms: dict[str, float]
    received_at: float
    deadline_at: float

    @property
    def topic(self) -> str:
        return (STABLE_MOUTHS if self.track == "stable" else CANARY_MOUTHS).name

    @property
    def key(self) -> str:
        return self.session or self.clip_id


@dataclass(frozen=True)
class AlternativeText:
    """Another reading, and the calibrated probability that it is the right one, in [0, 1].

    look  the same for readings that look the same on the lips; 1: like the best reading; 0: not told
    """

    text: str
    confidence: float
    look: int = 0


@dataclass(frozen=True)
class TimedWord:
    """One word: start_s and end_s in seconds from the clip's start, confidence in [0, 1].

    alike  other words that could stand in its place and look the same on the lips
    """

    text: str
    start_s: float
    end_s: float
    confidence: float
    alike: tuple[str, ...] = ()


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
    shadow         True: read for comparison alone; no user may see it
    timings_ms     how long each stage took, those of the mouth too, ms
    quality        the mouth's quality record, carried on for the monitor
    made_at        when the reading was done, Unix seconds
    none           of a board of phrases: the calibrated probability that none of them was said; None: no board
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
    shadow: bool
    timings_ms: dict[str, float]
    quality: dict[str, float]
    made_at: float
    none: float | None = None

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
class ClipRefused(Event):
    """The edge could not take a clip: no face, too dark, no video at all.

    clip_id     the clip
    batch       name of the batch it belongs to; "": none
    reason      what was wrong, in a person's words
    cure        what the person can do about it
    refused_at  Unix seconds
    """

    clip_id: str
    batch: str
    reason: str
    cure: str
    refused_at: float

    @property
    def topic(self) -> str:
        return REFUSALS.name

    @property
    def key(self) -> str:
        return self.clip_id


@dataclass(frozen=True)
class TrafficSet(Event):
    """How clips are split between stable and canary from now on; the newest one on the topic is the policy.

    mode           "stable": all to stable; "canary": `weight` per cent to the canary; "shadow": all to stable and a
                   copy of `weight` per cent to the canary; "blueGreen": as canary, with 0 or 100 alone
    weight         per cent of the sessions, 0 to 100
    canary_digest  bundle that the canary reads with, sha256 hex; "": the default
    expires_at     from then on all goes to stable, unless a newer policy came, Unix seconds; 0.0 (mode stable): never
    set_by         who set it
    reason         why
    set_at         Unix seconds
    """

    mode: Mode
    weight: float
    canary_digest: str
    expires_at: float
    set_by: str
    reason: str
    set_at: float

    @property
    def topic(self) -> str:
        return TRAFFIC.name

    @property
    def key(self) -> str:
        return "policy"


@dataclass(frozen=True)
class DriftDetected(Event):
    """What comes in, or what is read from it, is no longer like the reference.

    drift_id      name of this finding, so that a repeat changes nothing
    model_digest  the bundle that was watched, sha256 hex
    track         the deployment that was watched
    measure       what was compared ("confidence", "brightness", ...)
    method        by which test or distance ("psi", "ks", "mmd", ...)
    value         what it came to
    threshold     what it had to stay below
    samples       readings in the window
    window_from, window_to  the window, Unix seconds
    detected_at   Unix seconds
    """

    drift_id: str
    model_digest: str
    track: Track
    measure: str
    method: str
    value: float
    threshold: float
    samples: int
    window_from: float
    window_to: float
    detected_at: float

    @property
    def topic(self) -> str:
        return DRIFT.name

    @property
    def key(self) -> str:
        return self.model_digest


@dataclass(frozen=True)
class ModelPromoted(Event):
    """A bundle passed its gates and is to be released.

    model        the bundle
    language     what it reads, as BCP 47
    replaces     digest of the bundle that it was compared with, sha256 hex; "": none
    scores       the scores that the gates saw, by name
    run          the tracked run that made it; "": none
    promoted_at  Unix seconds
    """

    model: ModelName
    language: str
    replaces: str
    scores: dict[str, float]
    run: str
    promoted_at: float

    @property
    def topic(self) -> str:
        return PROMOTIONS.name

    @property
    def key(self) -> str:
        return self.language


@dataclass(frozen=True)
class DeadLetter(Event):
    """A message that could not be handled: kept, with the reason, for a person or a repair to pick up.

    dead_key          key of the message
    clip_id           the clip it was about; "": the message could not even be read
    shadow            True: it was a shadow copy, so no user waits for it
    origin_topic, origin_partition, origin_offset  where it lay
    reason            what was wrong, as the error said it
    cure              what a person can do about it; "": not known
    kind              "bad-input": the same again whenever repeated; "model-error": a bundle is unfit;
                      "exhausted": it was tried `attempts` times and something else failed each time;
                      "too-late": its deadline had passed before anybody came to it
    stage             the worker that gave up
    attempts          how often it was tried; 0: never, it could not be read or came too late
    value             the message's bytes as they were
    """

    dead_key: str
    clip_id: str
    shadow: bool
    origin_topic: str
    origin_partition: int
    origin_offset: int
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
        CLIPS.name: ClipReceived,
        STABLE_MOUTHS.name: MouthReady,
        CANARY_MOUTHS.name: MouthReady,
        PREDICTIONS.name: PredictionMade,
        REFUSALS.name: ClipRefused,
        FEEDBACK.name: FeedbackGiven,
        DELETIONS.name: ClipDeleted,
        DRIFT.name: DriftDetected,
        TRAFFIC.name: TrafficSet,
        PROMOTIONS.name: ModelPromoted,
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
