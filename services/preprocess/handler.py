"""What the edge does with a clip, whichever door it came through: watch it, keep its mouth, tell that it is ready.
What then comes back of it is `settling`'s.
"""

import hashlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from lipsol.clips.framing import TooLong
from lipsol.clips.watch import Watched, Window
from lipsol.data.corrections import Correction
from lipsol.errors import BadInput, Busy, ModelError, NotFound, TooLate, Transient
from lipsol.events import ClipDeleted, ClipRefused, Event, FeedbackGiven, MouthReady
from lipsol.registry.port import Registry
from lipsol.runtime.envelope import trace_id_of
from lipsol.runtime.telemetry import Telemetry
from lipsol.traffic import Route, routed
from services.preprocess.asking import Asked
from services.preprocess.consent import checked_consent
from services.preprocess.feedback import Verdict, given_up, judged
from services.preprocess.flight import Flight
from services.preprocess.keeping import Keeper
from services.preprocess.recordings import Recording, Recordings
from services.preprocess.repeats import Repeats
from services.preprocess.results import Lips, Result, begun
from services.preprocess.settling import Settling
from services.preprocess.tries import Tries, again
from services.preprocess.waiting import Waiters


class Watching(Protocol):
    """`lipsol.clips.watch.Watcher`, as far as the edge needs it."""

    def watch(self, data: bytes) -> Watched:
        """The mouth in a video file's bytes. Raises BadInput for what can't be read, TooLong for what is no clip but a
        recording. Called by many threads.
        """
        ...

    def windows(self, data: bytes) -> Iterator[Window]:
        """The windows of a recording. Raises BadInput for one of which nothing can be decoded."""
        ...


@dataclass(frozen=True)
class Handler:
    """The edge's work; safe to share between threads.

    settling  keeps and forgets what comes of clips
    language  what is spoken where neither language nor model is named
    route     where the session or clip of a name is read
    publish   puts an event on the bus
    aside     the same some time soon, for events that no answer hangs on
    now       Unix time, seconds
    telemetry counts clips, refusals and answers
    recordings reads what is too long for a clip; None: that is refused
    tries     knows who tries again
    """

    watcher: Watching
    settling: Settling
    registry: Registry
    language: str
    route: Callable[[str], Route]
    publish: Callable[[Event], None]
    aside: Callable[[Event], None]
    now: Callable[[], float]
    telemetry: Telemetry
    recordings: Recordings | None = None
    tries: Tries = field(default_factory=Tries)

    @property
    def keeper(self) -> Keeper:
        """What is kept of clips."""
        return self.settling.keeper

    @property
    def repeats(self) -> Repeats:
        """What is kept of requests."""
        return self.settling.repeats

    @property
    def waiters(self) -> Waiters:
        """Who waits here for a clip."""
        return self.settling.waiters

    @property
    def flight(self) -> Flight:
        """The clips that were taken here and are not settled yet."""
        return self.settling.flight

    def receive(
        self,
        clip_id: str,
        data: bytes,
        asked: Asked,
        received_at: float,
        *,
        deadline_at: float = 0.0,
        keyed: bool = False,
        batch: str = "",
        patient: bool = False,
    ) -> Result:
        """Take one clip: watch it, keep its mouth, and have it read. Returns its result so far ("reading").

        A recording is watched by `recordings` from here on, window by window.

        deadline_at  Unix seconds after which nobody waits for it any more; 0.0: no such time
        keyed        it may be sent again under the same id
        batch        the batch that it belongs to: who fetched it tells of a refusal; "": none
        patient      no person waits for it: a recording may wait for its turn, and is not turned away with Busy

        Raises BadInput for a clip or a wish that can't be met, TooLate past the deadline, Transient or Busy when store
        or bus can't take it; then nothing of it is kept, but for what a repeat of a keyed one goes on from.
        """
        self.telemetry.add("lipsol_clips_received_total")
        self.telemetry.observe("lipsol_clip_bytes", float(len(data)), trace_id=trace_id_of())
        try:
            self._check_time(deadline_at)
            asked = asked.checked(self.registry, self.language)
            try:
                after_s = None if patient else self.tries.begin(asked.session, clip_id, received_at)
                watched = self._watched(clip_id, data, batch)
            except TooLong:
                if self.recordings is None:
                    raise
                recording = Recording(clip_id, asked, received_at, deadline_at, keyed)
                return self.recordings.begin(self, recording, self.watcher.windows(data), patient=patient)
            event = self._kept(clip_id, watched, asked, received_at, deadline_at)
            event = replace(event, redo=again(after_s, watched.quality.seconds))
            self._check_time(deadline_at)
            return self._hand_on(event, keyed=keyed)
        except Exception as fault:
            if isinstance(fault, TooLate):
                self.telemetry.add("lipsol_abandoned_total", stage="edge", reason="too-late")
            if not isinstance(fault, Busy):  # the door counts those, together with what it turns away itself
                self.telemetry.add("lipsol_clips_refused_total", reason=_reason(fault))
            if keyed and isinstance(fault, Transient | TooLate):  # another replica may be at the same clip
                self.flight.remove(clip_id)
            else:
                self.settling.forget(clip_id)
            raise

    def result(self, clip_id: str) -> Result:
        """A clip's result as it stands. Raises NotFound."""
        return self.keeper.result(clip_id)

    def hand_on_window(self, window_id: str, window: Window, of: Recording) -> None:
        """Have a window of a recording read, as a clip of its own. Raises Transient when store or bus can't take it."""
        if window.watched is not None:
            asked = replace(of.asked, session=of.asked.session or of.clip_id)
            event = self._kept(window_id, window.watched, asked, self.now(), of.deadline_at)
            self._hand_on(event, keyed=True)

    def lips(self, clip_id: str) -> Lips:
        """The lips of a clip, frame by frame. Raises NotFound; for a recording too, whose sentences have theirs."""
        return self.keeper.lips(clip_id)

    def delete(self, clip_id: str) -> None:
        """Forget a clip and all that belongs to it, here and everywhere. Raises NotFound if there is nothing."""
        if not self.keeper.corrections.of(clip_id):
            self.keeper.result(clip_id)
        windows = self.keeper.windows(clip_id)
        self.settling.delete(clip_id)
        for each in (*windows, clip_id):
            self.publish(ClipDeleted(each))

    def corrections(self, clip_id: str) -> list[Correction]:
        """What is kept of a clip to teach, oldest first. Raises NotFound if that is nothing."""
        kept = self.keeper.corrections.of(clip_id)
        if not kept:
            raise NotFound(
                f"nothing that {clip_id} could teach is kept", "it never was, or was taken back, or is too old"
            )
        return kept

    def withdraw(self, clip_id: str) -> None:
        """Take back what a clip teaches; the clip itself stays. Raises NotFound if that is nothing."""
        self.corrections(clip_id)
        self.keeper.corrections.forget(clip_id)

    def feedback(self, clip_id: str, text: str | None, verdict: Verdict | None, consent: str = "") -> FeedbackGiven:
        """Take a person's word on a reading: what was really said, or whether it was right.

        consent  the wording that somebody agreed to, so that the mouth and the right words are kept to teach; "": none.
                 Where no right words follow from what is said, nothing is kept

        Raises NotFound without the clip, BadInput where nothing was read yet, the text is not of its language, or the
        wording is not the one that is asked now.
        """
        checked_consent(consent)
        result = self.result(clip_id)
        given = judged(result, text, verdict, self.now())
        if consent:
            given = self._taught(given, result, consent)
        self.publish(given)
        return given

    def gave_up(self, clip_id: str) -> FeedbackGiven:
        """Take a person's word that a reading was no help: they gave up and typed instead.

        Raises NotFound without the clip, BadInput where nothing was read yet.
        """
        given = given_up(self.result(clip_id), self.now())
        self.publish(given)
        return given

    def _taught(self, given: FeedbackGiven, result: Result, consent: str) -> FeedbackGiven:
        """The feedback, kept with the clip's mouth if the right words are known; else as it was."""
        words = given.text or (given.reading if given.verdict == "right" else "")
        if not words:
            return given
        try:
            mouth = self.keeper.mouth(given.clip_id)
        except NotFound:  # in the last moment of the clip's time here
            return given
        self.keeper.corrections.keep(
            Correction(
                clip_id=given.clip_id,
                feedback_id=given.feedback_id,
                text=words,
                language=result.language,
                contributor=self.keeper.contributor(given.clip_id),
                model=given.model_digest,
                reading=given.reading,
                wording=consent,
                consented_at=given.given_at,
                mouth=hashlib.sha256(mouth).hexdigest(),
            ),
            mouth,
        )
        try:
            self.keeper.result(given.clip_id)
        except NotFound:  # deleted meanwhile
            self.keeper.corrections.forget(given.clip_id)
            raise
        return replace(given, consent=consent)

    def _check_time(self, deadline_at: float) -> None:
        late_s = self.now() - deadline_at
        if deadline_at and late_s >= 0:
            raise TooLate(
                f"the clip's deadline passed {late_s:.1f} s before it was read", "allow more time, or try again later"
            )

    def _watched(self, clip_id: str, data: bytes, batch: str) -> Watched:
        """What was seen in a clip; if it can't be read, the others are told."""
        try:
            return self.watcher.watch(data)
        except BadInput as fault:
            if not batch and (self.recordings is None or not isinstance(fault, TooLong)):
                self.aside(ClipRefused(clip_id, "", fault.detail, fault.cure, self.now()))
            raise

    def _kept(self, clip_id: str, watched: Watched, asked: Asked, received_at: float, deadline_at: float) -> MouthReady:
        """The event of a mouth that is now kept."""
        return MouthReady(
            clip_id=clip_id,
            session=asked.session,
            track="stable",
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
            deadline_at=deadline_at,
            codec=watched.codec,
        )

    def _hand_on(self, event: MouthReady, *, keyed: bool) -> Result:
        """Have a mouth read by its track. What is kept before the event goes out is what its answer needs."""
        event, *copies = routed(event, self.route(event.key))
        result = begun(event)
        self.keeper.begin(result, event.session)
        self.flight.add(event.clip_id, event.deadline_at - self.now() if event.deadline_at else None)
        self.publish(event)
        if keyed:
            self.repeats.mark(event.clip_id, event.deadline_at)
        for copy in copies:
            self.aside(copy)
        return result


def _reason(fault: Exception) -> str:
    """A fault's kind, as the metric's label has it."""
    kinds = (
        (BadInput, "bad-input"),
        (Transient, "transient"),
        (TooLate, "too-late"),
        (ModelError, "model-error"),
    )
    return next((reason for kind, reason in kinds if isinstance(fault, kind)), "fault")


def new_id() -> str:
    """A name for a clip that nobody can guess: 122 random bits (UUID version 4), hex."""
    return uuid.uuid4().hex


def known_id(clip_id: str) -> str:
    """The clip id itself. Raises NotFound for what can't be one, so that no path is ever made of it."""
    if len(clip_id) != 32 or not set(clip_id) <= set("0123456789abcdef"):
        raise NotFound(f"{clip_id[:64]!r} is no clip id", "use the clip_id of the answer to POST /v1/clips")
    return clip_id
