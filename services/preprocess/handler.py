"""What the edge does with a clip, whichever door it came through: watch it, keep its mouth, tell that it is ready;
and with what the others tell: keep the result, wake who waits, forget what was deleted.
"""

import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from lipsol.clips.watch import Watched
from lipsol.errors import BadInput, Busy, ModelError, NotFound, Transient
from lipsol.events import (
    ClipDeleted,
    DeadLetter,
    Event,
    FeedbackGiven,
    MouthReady,
    PredictionMade,
)
from lipsol.registry.port import Registry
from lipsol.runtime.telemetry import Telemetry
from lipsol.text.alphabet import ALPHABETS, normalise
from lipsol.topics import CANARY_MOUTHS, STABLE_MOUTHS
from services.preprocess.asking import Asked
from services.preprocess.keeping import Keeper
from services.preprocess.repeats import Repeats
from services.preprocess.results import Lips, Result, begun, failed, read
from services.preprocess.track import track_of
from services.preprocess.waiting import Unread, Waiters

READING = frozenset({STABLE_MOUTHS.name, CANARY_MOUTHS.name})  # topics whose dead letters mean a clip without a reading


class Watching(Protocol):
    """`lipsol.clips.watch.Watcher`, as far as the edge needs it."""

    def watch(self, data: bytes) -> Watched:
        """The mouth in a video file's bytes. Raises BadInput for what can't be read. Called by many threads."""
        ...


@dataclass(frozen=True)
class Handler:
    """The edge's work; safe to share between threads.

    language  what is spoken where neither language nor model is named
    publish   puts an event on the bus
    now       Unix time, seconds
    telemetry counts clips, refusals and answers
    """

    watcher: Watching
    keeper: Keeper
    repeats: Repeats
    waiters: Waiters
    unread: Unread
    registry: Registry
    language: str
    publish: Callable[[Event], None]
    now: Callable[[], float]
    telemetry: Telemetry

    def receive(self, clip_id: str, data: bytes, asked: Asked, received_at: float) -> Result:
        """Take one clip: watch it, keep its mouth, and have it read. Returns its result so far ("reading").

        Raises BadInput for a clip or a wish that can't be met, Transient or Busy when store or bus can't take it; then
        nothing of it is kept.
        """
        self.telemetry.add("lipsol_clips_received_total")
        self.telemetry.observe("lipsol_clip_bytes", float(len(data)))
        try:
            asked = asked.checked(self.registry, self.language)
            event = self._kept(clip_id, self.watcher.watch(data), asked, received_at)
            result = begun(event)
            self.keeper.begin(result)
            self.unread.add(clip_id)
            self.publish(event)
        except Exception as fault:
            if not isinstance(fault, Busy):  # the door counts those, together with what it turns away itself
                self.telemetry.add("lipsol_clips_refused_total", reason=_reason(fault))
            self._forget(clip_id)
            raise
        return result

    def handle(self, events: Sequence[Event]) -> list[Event]:
        """Take what the other services told; a repeat changes nothing."""
        for event in events:
            match event:
                case PredictionMade():
                    self._settle(event.clip_id, lambda before, made=event: read(before, made))  # type: ignore[misc]
                case DeadLetter() if event.clip_id and event.origin_topic in READING:
                    self._settle(event.clip_id, lambda before, letter=event: failed(before, letter))  # type: ignore[misc]
                case ClipDeleted():
                    self._forget(event.clip_id)
                case _:
                    pass
        return []

    def result(self, clip_id: str) -> Result:
        """A clip's result as it stands. Raises NotFound."""
        return self.keeper.result(clip_id)

    def lips(self, clip_id: str) -> Lips:
        """The lips of a clip, frame by frame. Raises NotFound."""
        return self.keeper.lips(clip_id)

    def delete(self, clip_id: str) -> None:
        """Forget a clip and all that belongs to it, here and everywhere. Raises NotFound if there is nothing."""
        self.keeper.result(clip_id)
        self._forget(clip_id)
        self.publish(ClipDeleted(clip_id))

    def feedback(self, clip_id: str, text: str | None, verdict: str | None) -> FeedbackGiven:
        """Take a person's word on a reading: what was really said, or whether it was right.

        Raises NotFound without the clip, BadInput where nothing was read yet or the text is not of its language.
        """
        result = self.result(clip_id)
        if result.state != "read" or result.model is None:
            raise BadInput(f"the clip is {result.state}: there are no words to judge", "wait until it is read")
        text = _spelled(text, result.language) if text is not None else None
        name = hashlib.sha256(f"{clip_id}\n{text}\n{verdict}".encode()).hexdigest()[:32]
        given = FeedbackGiven(
            clip_id=clip_id,
            feedback_id=name,
            text=text,
            verdict="right" if verdict == "right" else "wrong" if verdict else None,
            reading=result.text,
            model_digest=result.model.digest,
            given_at=self.now(),
        )
        self.publish(given)
        return given

    def _kept(self, clip_id: str, watched: Watched, asked: Asked, received_at: float) -> MouthReady:
        """The event of a mouth that now lies in the store."""
        return MouthReady(
            clip_id=clip_id,
            session=asked.session,
            track=track_of(asked.session or clip_id),
            shadow=False,
            model=asked.model,
            bundle="",
            grammar=asked.grammar,
            language=asked.language,
            mouth=self.keeper.keep_mouth(clip_id, watched.mouth),
            faces=watched.faces,
            quality=watched.quality.as_dict(),
            timings_ms=watched.timings_ms,
            received_at=received_at,
            deadline_at=0.0,
        )

    def _settle(self, clip_id: str, change: Callable[[Result], Result]) -> None:
        settled = self.keeper.settle(clip_id, change)
        if settled is None:
            return
        result, changed = settled
        if changed and result.state == "read":
            self.telemetry.observe("lipsol_answer_seconds", self.now() - result.received_at, track=result.track)
        if result.state != "reading":
            self.waiters.wake(result)
            self.unread.remove(clip_id)

    def _forget(self, clip_id: str) -> None:
        self.repeats.forget(clip_id)
        self.keeper.forget(clip_id)
        self.unread.remove(clip_id)


def _reason(fault: Exception) -> str:
    """A fault's kind, as the metric's label has it."""
    kinds = ((BadInput, "bad-input"), (Transient, "transient"), (ModelError, "model-error"))
    return next((reason for kind, reason in kinds if isinstance(fault, kind)), "fault")


def _spelled(text: str, language: str) -> str:
    """The text as its language spells it. Raises BadInput naming what it has no letter for, or if it is empty."""
    spelled = normalise(text, language)
    ALPHABETS[language].encode(spelled)
    if not spelled.strip():
        raise BadInput("the right words are empty", 'give the words, or only {"verdict": "wrong"}')
    return spelled


def new_id() -> str:
    """A name for a clip that nobody can guess: 122 random bits (UUID version 4), hex."""
    return uuid.uuid4().hex


def known_id(clip_id: str) -> str:
    """The clip id itself. Raises NotFound for what can't be one, so that no path is ever made of it."""
    if len(clip_id) != 32 or not set(clip_id) <= set("0123456789abcdef"):
        raise NotFound(f"{clip_id[:64]!r} is no clip id", "use the clip_id of the answer to POST /v1/clips")
    return clip_id
