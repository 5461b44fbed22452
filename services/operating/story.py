"""A clip's story: every event about it that is still kept, in the order in which things happened, and what they mean.

Told from the events alone: who (service and instance, from the envelope), when, on which track and by which model, how
long each stage took, why it was refused or died, what was sent again, what people said of it, and that it was deleted.
The words stay hidden unless they are asked for, and those of a deleted clip stay hidden whoever asks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lipsol.bus.port import Bus, Message
from lipsol.errors import BadInput, NotFound
from lipsol.events import (
    ClipDeleted,
    ClipReceived,
    ClipRefused,
    DeadLetter,
    Event,
    FeedbackGiven,
    MouthReady,
    PredictionMade,
)
from lipsol.runtime.envelope import Teller, unwrap
from lipsol.topics import (
    CANARY_MOUTHS,
    CLIPS,
    DEAD_LETTERS,
    DELETIONS,
    FEEDBACK,
    PREDICTIONS,
    REFUSALS,
    STABLE_MOUTHS,
)
from services.operating.letters import REPLAY_BY, REPLAY_MENDED, REPLAY_OF, trace_id

TOPICS = (CLIPS, STABLE_MOUTHS, CANARY_MOUTHS, PREDICTIONS, REFUSALS, FEEDBACK, DELETIONS, DEAD_LETTERS)
"""Topics that tell of clips, in the order in which one passes them."""


@dataclass(frozen=True)
class Step:
    """One event of a clip's story.

    at          when it was told, Unix seconds, by the bus's clock
    after_s     seconds since the story's first event
    what        kind of event; "unreadable": a message under the clip's key that no event can be made of
    service     who told it; "": the envelope does not say
    instance    which one of its like; "": the envelope does not say
    track       the deployment it concerns; "": none
    shadow      of a copy that is read for comparison alone
    model       name, version and digest of the bundle that read; "": none did
    told        what it says, in a line
    timings_ms  how long each stage took that no step before this had told of, ms
    attempts    how many tries it took, or how many it was given before it was given up; 0: the envelope does not say
    repeat      the same had been told before; it changes nothing
    replay_of   the dead letter that this was sent again for; "": none
    topic, partition, offset  where it lies on the bus
    """

    at: float
    after_s: float
    what: str
    service: str
    instance: str
    track: str
    shadow: bool
    model: str
    told: str
    timings_ms: dict[str, float]
    attempts: int
    repeat: bool
    replay_of: str
    trace_id: str
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True)
class Story:
    """All that is known of a clip; `traces`: ids of the traces that it was part of, the first one first."""

    clip_id: str
    traces: tuple[str, ...]
    deleted: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class _Found:
    """A message about the clip, and its event; None where it can't be read."""

    message: Message
    event: Event | None


def tell(bus: Bus, clip_id: str, since: float = 0.0, *, words: bool = False) -> Story:
    """The story of a clip, from what was told since then (Unix seconds).

    words: with what was read and what people said it was, unless the clip was deleted.

    Raises NotFound where nothing tells of it, Transient when the bus is away.
    """
    found = sorted(_about(bus, clip_id, since), key=lambda each: each.message.timestamp)
    if not found:
        raise NotFound(f"no event tells of a clip {clip_id[:64]!r}", "check its id, or look further back")
    deleted = any(isinstance(each.event, ClipDeleted) for each in found)
    steps = tuple(_steps(found, words=words and not deleted))
    return Story(clip_id, tuple(dict.fromkeys(step.trace_id for step in steps if step.trace_id)), deleted, steps)


def _about(bus: Bus, clip_id: str, since: float) -> Iterator[_Found]:
    """What is kept about a clip. Only messages that hold its id anywhere are unwrapped: most do not."""
    held = clip_id.encode()
    for message in bus.replay([topic.name for topic in TOPICS], since):
        if message.key != clip_id and held not in message.value:
            continue
        try:
            event: Event | None = unwrap(message)
        except BadInput:
            event = None
        subject = message.key if event is None else getattr(event, "clip_id", "") or event.key
        if subject == clip_id:
            yield _Found(message, event)


def _steps(found: Sequence[_Found], *, words: bool) -> Iterator[Step]:
    """The steps of a story, one by one, each knowing what was told before it."""
    began = found[0].message.timestamp
    known: set[tuple[object, ...]] = set()
    timed: dict[str, float] = {}
    for each in found:
        message, event = each.message, each.event
        name = _identity(each)
        timings = {stage: ms for stage, ms in getattr(event, "timings_ms", {}).items() if timed.get(stage) != ms}
        timed |= timings
        teller = Teller.of(message.headers)
        yield Step(
            at=message.timestamp,
            after_s=round(message.timestamp - began, 6),
            what="unreadable" if event is None else type(event).__name__,
            service=teller.stage,
            instance=teller.instance,
            track=getattr(event, "track", ""),
            shadow=bool(getattr(event, "shadow", False)),
            model=_model(event),
            told="; ".join([_told(event), *_replayed(message), *(_words(event) if words else [])]),
            timings_ms=timings,
            attempts=getattr(event, "attempts", teller.attempts),
            repeat=name in known,
            replay_of=message.headers.get(REPLAY_OF, ""),
            trace_id=trace_id(message),
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
        )
        known.add(name)


def _identity(found: _Found) -> tuple[object, ...]:
    """What makes two events the same fact: equal for a redelivery, unlike for everything else."""
    event = found.event
    match event:
        case PredictionMade():
            return (type(event), event.prediction_id, event.shadow)
        case FeedbackGiven():
            return (type(event), event.feedback_id)
        case MouthReady():
            return (type(event), event.track, event.shadow)
        case DeadLetter():
            return (type(event), event.origin_topic, event.origin_partition, event.origin_offset)
        case None:
            return (None, found.message.value)
    return (type(event),)


def _told(event: Event | None) -> str:
    """What an event says, without the clip's words."""
    match event:
        case ClipReceived():
            batch = f" in batch {event.batch}" if event.batch else ""
            return f"submitted{batch} as {event.name}, {event.size_bytes} bytes"
        case MouthReady():
            wish = f", for the model {event.model or event.bundle[:12]}" if event.model or event.bundle else ""
            copy = "a shadow copy of the mouth" if event.shadow else "the mouth was found and"
            return f"{copy} waits for {event.track}{wish}; {event.faces} face{'s' * (event.faces != 1)}"
        case PredictionMade():
            return f"read{', not sure' if event.abstained else ''}, {100 * event.confidence:.0f} % confident"
        case ClipRefused():
            return _with_cure(f"refused: {event.reason}", event.cure)
        case FeedbackGiven():
            said = "the right words were given" if event.text is not None else f"called {event.verdict}"
            return f"{said}, of the reading by {event.model_digest[:12]}"
        case ClipDeleted():
            return "deleted"
        case DeadLetter():
            tries = f"{event.attempts} attempt{'s' * (event.attempts != 1)}"
            origin = f"{event.origin_topic} {event.origin_partition}-{event.origin_offset}"
            return _with_cure(
                f"given up by {event.stage} ({event.kind}, {tries}) from {origin}: {event.reason}", event.cure
            )
        case None:
            return "no event can be made of it"
    return ""


def _replayed(message: Message) -> list[str]:
    """Why a message was sent again, if it was."""
    if REPLAY_OF not in message.headers:
        return []
    how = "mended and replayed" if REPLAY_MENDED in message.headers else "replayed"
    return [f"{how} from dead letter {message.headers[REPLAY_OF]} by {message.headers.get(REPLAY_BY, '')}"]


def _words(event: Event | None) -> list[str]:
    """The words that an event holds."""
    match event:
        case PredictionMade():
            return [f"“{event.text}”"]
        case FeedbackGiven() if event.text is not None:
            return [f"“{event.text}”"]
    return []


def _model(event: Event | None) -> str:
    match event:
        case PredictionMade():
            return f"{event.model.name} {event.model.version} {event.model.digest}"
    return ""


def _with_cure(what: str, cure: str) -> str:
    return f"{what}; {cure}" if cure else what
