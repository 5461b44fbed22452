"""The dead letters: what could not be handled, with its reason; and sending it again once the cause is mended.

- A letter is named by its place on the dead letters' topic, `partition-offset`, and stays there for its retention: to
  replay one takes nothing away. A record in the store says that it was replayed, when, by whom and whether mended.
- A replay is the original message, byte for byte, on its original topic under its original key and trace; mended, it
  is another event of the same kind. The header `replay_of` names the letter. Handlers make repeats harmless, so a
  replay of what was done meanwhile changes nothing.
- A deadline that has passed is lifted: the operator waits, whoever else gave up.
- What can't be read is listed, shown and replayed like the rest; but what was too long to be kept whole can only be
  replayed mended.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from lipsol.bus.port import Bus, Message, Outgoing
from lipsol.errors import BadInput, LipsolError, NotFound
from lipsol.events import EVENT_OF, DeadLetter, Event, from_bytes, to_bytes
from lipsol.runtime.burial import VALUE_MAX
from lipsol.runtime.envelope import TRACEPARENT, Trace, unwrap, wrap
from lipsol.store.port import Store
from lipsol.topics import DEAD_LETTERS
from services.operating.documents import from_document, to_document

REPLAY_OF, REPLAY_BY, REPLAY_MENDED = "replay_of", "replay_by", "replay_mended"  # headers of what was sent again
UNREADABLE = "unreadable"  # kind of what lies among the dead letters and is none
SOURCE = "operating"  # who publishes, in envelopes
RECORDS = "replays"  # where in the store it is remembered what was sent again


@dataclass(frozen=True)
class Replayed:
    """That a letter was sent again: when (Unix seconds), by whom, onto which topic; mended: with another content."""

    at: float
    by: str
    topic: str
    mended: bool


@dataclass(frozen=True)
class Letter:
    """One dead letter, without its content.

    id        `partition-offset` on the dead letters' topic
    at        when it was buried, Unix seconds
    kind      as `DeadLetter.kind`; "unreadable": the letter itself can't be read, and nothing but `reason` is known
    key       of the message that died
    trace_id  of the request that it was part of
    replays   how often it was sent again, oldest first
    """

    id: str
    at: float
    kind: str
    stage: str
    reason: str
    cure: str
    attempts: int
    clip_id: str
    shadow: bool
    key: str
    origin_topic: str
    origin_partition: int
    origin_offset: int
    trace_id: str
    replays: tuple[Replayed, ...] = ()


@dataclass(frozen=True)
class Opened:
    """A letter with what is in it.

    headers  of the letter's own message
    value    bytes of the message that died, base64
    whole    whether those are all of them
    event    the message as JSON values; None where it can't be read
    fault    why it can't be read; "": it can
    """

    letter: Letter
    headers: dict[str, str]
    value: str
    whole: bool
    event: dict[str, Any] | None
    fault: str


@dataclass(frozen=True)
class Wanted:
    """Which letters are meant: of a kind, of a stage ("": any), and buried since (Unix seconds)."""

    kind: str = ""
    stage: str = ""
    since: float = 0.0

    def __contains__(self, letter: Letter) -> bool:
        return self.kind in ("", letter.kind) and self.stage in ("", letter.stage) and letter.at >= self.since


@dataclass(frozen=True)
class Again:
    """What came of the wish to replay one letter; fault: why it was not sent, "": it was."""

    id: str
    topic: str
    fault: str = ""


@dataclass(frozen=True)
class Letters:
    """The dead letters of a bus; `store` remembers what was replayed."""

    bus: Bus
    store: Store

    def listed(self, wanted: Wanted = Wanted()) -> list[Letter]:
        """The letters that are wanted, oldest first."""
        records = self._records()
        found = [self._letter(message, records) for message in self._messages(wanted.since)]
        return sorted((letter for letter in found if letter in wanted), key=lambda letter: letter.at)

    def opened(self, name: str) -> Opened:
        """The letter called that, whole. Raises NotFound."""
        message = self._message(name)
        letter = self._letter(message, self._records())
        dead = _dead(message)
        if isinstance(dead, LipsolError):
            return Opened(letter, dict(message.headers), _base64(message.value), True, None, dead.detail)
        event = _event(dead)
        read, fault = (None, event.detail) if isinstance(event, LipsolError) else (to_document(event), "")
        return Opened(letter, dict(message.headers), _base64(dead.value), _whole(dead), read, fault)

    def replay(self, name: str, by: str, now: float, mended: str = "") -> Again:
        """Send a letter's message again; `mended`: its event as JSON, edited.

        Raises NotFound for no such letter, BadInput for one whose message is not known whole, or a document that does
        not fit.
        """
        return self._replay(self._message(name), by, now, mended)

    def replay_all(self, wanted: Wanted, by: str, now: float) -> list[Again]:
        """Send all again that are wanted and have not been sent again yet; one that can't be keeps no other back."""
        records = self._records()
        done = []
        for message in self._messages(wanted.since):
            letter = self._letter(message, records)
            if letter.replays or letter not in wanted:
                continue
            try:
                done.append(self._replay(message, by, now))
            except BadInput as fault:
                done.append(Again(letter.id, letter.origin_topic, f"{fault.detail}; {fault.cure}"))
        return done

    def _replay(self, message: Message, by: str, now: float, mended: str = "") -> Again:
        name = _name(message)
        dead = _dead(message)
        if isinstance(dead, LipsolError):
            raise BadInput(f"letter {name} can't be read ({dead.detail})", "publish what it stands for anew")
        again = _again(dead, Trace.of(message.headers), now, mended)
        marks = {REPLAY_OF: name, REPLAY_BY: by, **({REPLAY_MENDED: "yes"} if mended else {})}
        self.bus.publish_all([replace(again, headers={**again.headers, **marks})])
        record = Replayed(now, by, again.topic, bool(mended))
        self.store.put(f"{_place(message)}/{now:.6f}", _record().dump_json(record), DEAD_LETTERS.retention_s)
        return Again(name, again.topic)

    def _messages(self, since: float) -> Iterator[Message]:
        return self.bus.replay([DEAD_LETTERS.name], since)

    def _message(self, name: str) -> Message:
        for message in self._messages(0.0):
            if _name(message) == name:
                return message
        raise NotFound(f"no dead letter {name!r} (any more)", "take an id of `lipsol dead-letters list`")

    def _records(self) -> dict[str, list[str]]:
        """Keys of what is remembered of replays, by the letter's place."""
        by_place: dict[str, list[str]] = {}
        for key in self.store.list(f"{RECORDS}/"):
            by_place.setdefault(key.rpartition("/")[0], []).append(key)
        return by_place

    def _letter(self, message: Message, records: Mapping[str, list[str]]) -> Letter:
        """What is told of a letter; records: as `_records` found them."""
        replays = tuple(_record().validate_json(self.store.get(key)) for key in records.get(_place(message), ()))
        dead = _dead(message)
        if isinstance(dead, LipsolError):
            return _unreadable(message, dead, replays)
        return Letter(
            id=_name(message),
            at=message.timestamp,
            kind=dead.kind,
            stage=dead.stage,
            reason=dead.reason,
            cure=dead.cure,
            attempts=dead.attempts,
            clip_id=dead.clip_id,
            shadow=dead.shadow,
            key=dead.dead_key,
            origin_topic=dead.origin_topic,
            origin_partition=dead.origin_partition,
            origin_offset=dead.origin_offset,
            trace_id=trace_id(message),
            replays=replays,
        )


def _again(dead: DeadLetter, trace: Trace, now: float, mended: str) -> Outgoing:
    """The message to send: mended, or as it died but for a deadline that has passed."""
    if mended:
        return wrap(_mended(dead, mended), SOURCE, now, trace)
    if not _whole(dead):
        raise BadInput(
            f"only the first {len(dead.value)} bytes of the message were kept", "replay it mended, with its whole event"
        )
    event = _event(dead)
    if isinstance(event, LipsolError):
        headers = {TRACEPARENT: trace.child().header}
        return Outgoing(dead.origin_topic, dead.dead_key, dead.value, headers)
    patient = _without_passed_deadline(event, now)
    value = dead.value if patient is event else to_bytes(patient)
    return replace(wrap(patient, SOURCE, now, trace), topic=dead.origin_topic, key=dead.dead_key, value=value)


def _mended(dead: DeadLetter, document: str) -> Event:
    """The event that shall take the dead one's place. Raises BadInput unless it is of its kind and clip."""
    event = from_document(dead.origin_topic, document)
    clip_id = getattr(event, "clip_id", "")
    if dead.clip_id not in ("", clip_id, event.key):
        raise BadInput(
            f"the letter is about {dead.clip_id!r}, the mended event about {clip_id!r}", "leave its id as it was"
        )
    return event


def _without_passed_deadline(event: Event, now: float) -> Event:
    passed = 0.0 < getattr(event, "deadline_at", 0.0) <= now
    return replace(event, deadline_at=0.0) if passed else event  # type: ignore[call-arg]


def _dead(message: Message) -> DeadLetter | BadInput:
    """The letter in a message, or why there is none."""
    try:
        event = unwrap(message)
    except BadInput as fault:
        return fault
    return event if isinstance(event, DeadLetter) else BadInput(f"a {type(event).__name__} among the dead letters")


def _event(dead: DeadLetter) -> Event | BadInput:
    """What died, or why it can't be read."""
    if dead.origin_topic not in EVENT_OF:
        return BadInput(f"topic {dead.origin_topic!r} is in no catalogue")
    try:
        return from_bytes(dead.origin_topic, dead.value)
    except BadInput as fault:
        return fault


def _whole(dead: DeadLetter) -> bool:
    return len(dead.value) < VALUE_MAX


def _unreadable(message: Message, fault: LipsolError, replays: tuple[Replayed, ...]) -> Letter:
    return Letter(
        id=_name(message),
        at=message.timestamp,
        kind=UNREADABLE,
        stage="",
        reason=fault.detail,
        cure=fault.cure,
        attempts=0,
        clip_id="",
        shadow=False,
        key=message.key,
        origin_topic="",
        origin_partition=-1,
        origin_offset=-1,
        trace_id=trace_id(message),
        replays=replays,
    )


@cache
def _record() -> Any:  # a TypeAdapter[Replayed]
    """Writes and reads what is remembered of replays."""
    return TypeAdapter(Replayed)


def _name(message: Message) -> str:
    return f"{message.partition}-{message.offset}"


def _place(message: Message) -> str:
    """Where a letter's records are kept: by name and time, so that a topic that was made anew finds no old ones."""
    return f"{RECORDS}/{_name(message)}/{message.timestamp:.3f}"


def trace_id(message: Message) -> str:
    """The trace that a message belongs to; "": it tells none."""
    told = Trace.of(message.headers).trace_id  # a new one where the header makes no sense
    return told if told in message.headers.get(TRACEPARENT, "") else ""


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()
