"""What speaks for and against a canary in one step: messages in, `Evidence` out. Pure: no clock, no bus.

- Of a step counts what came in after it began, and after the canary's first answer in this rollout: what it read while
  it warmed up is no evidence, and what waited from before is another step's. So it is after each time that the canary
  was away: a pod that is replaced, or a policy that ran out while the brokers were away, is no fault of the release.
- Of the canary counts what it read by its bundle, told as its own; of stable, what it read in that bundle's language,
  by whichever bundle it reads most of that. Where the image alone is new, all counts at both sides.
- Each other language is compared by itself, all that both sides read of it: it is let in with the rest.
- Latency is waiting and reading, without the edge's own stages. Between copies and what they were made of it is reading
  alone: a copy is handed on after the clip that somebody waits for, and so waits longer by nobody's fault.
- A repeat counts once. A death counts for the track on whose topic it lay; people's word for the side that answered.
- All that the canary answers, and when stable read what, tells whether it is silent (`lipsol.rollout.silence`).
- Memory is bounded: sums for ever, names for a while.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import structlog

from lipsol.bus.port import Message
from lipsol.errors import LipsolError
from lipsol.events import DeadLetter, FeedbackGiven, MouthReady, PredictionMade, Track, from_bytes
from lipsol.rollout.evidence import Evidence, Moments, Tally
from lipsol.rollout.plan import Step
from lipsol.rollout.silence import Silence
from lipsol.runtime.envelope import unwrap
from lipsol.topics import CANARY_MOUTHS, DEAD_LETTERS, FEEDBACK, PREDICTIONS, STABLE_MOUTHS
from lipsol.traffic import part
from services.analyst.book import Answer, Book, Recent

TOPICS = (PREDICTIONS.name, FEEDBACK.name, DEAD_LETTERS.name)
TRACK_OF: Mapping[str, Track] = {STABLE_MOUTHS.name: "stable", CANARY_MOUTHS.name: "canary"}
INFERENCE = frozenset({"queue", "read", "total"})  # of the timings; all others are the edge's stages
LEAST_MS = 1.0  # below it a clock's grain is all that is measured
LANGUAGES = 16  # that are compared by themselves

log = structlog.get_logger()


@dataclass(frozen=True)
class Sought:
    """Which readings are evidence. digest: of the canary's bundle, language: what that reads; "": any."""

    digest: str = ""
    language: str = ""


class Gathering:
    """Adds up one step after the other. life_s: how long a policy may live."""

    def __init__(self, sought: Sought, life_s: float = 0.0) -> None:
        self._sought = sought
        self._silence = Silence(life_s)
        self._step: Step | None = None
        self._began_at, self._step_at = math.inf, math.inf
        self._first_at = math.inf  # the canary's first answer in this rollout, or since it was away
        self._led = True  # stable has read everything so far
        self._seen: Recent[object, None] = Recent()
        self._judged: Recent[tuple[Track, str], bool] = Recent()  # whether wrong
        self._book = Book(self._judged, by_chief=bool(sought.digest))
        self._others: dict[str, Book] = {}  # by language

    def begin(self, step: Step, at: float) -> None:
        """From `at` on (Unix seconds) it is in that step."""
        if self._step is None:
            self._began_at = at
        self._step, self._step_at = step, at
        self._led = self._led and step.kind == "shadow"
        self._silence.begin(step.weight if step.kind == "canary" else 0.0, at)
        for book in self._books:
            book.begin(step)

    def pause(self) -> None:
        """The canary is away: nothing counts until it is back."""
        self._began_at = self._first_at = math.inf
        self._silence.away()

    def resume(self, at: float) -> None:
        """It is back since `at` (Unix seconds): its next answer to what comes in from then on is its first."""
        self._began_at, self._first_at = at, math.inf
        self._silence.back(at)

    def unknown(self, at: float) -> None:
        """Brokers were away until then (Unix seconds): who answered nothing meanwhile was not silent by that."""
        self._silence.unknown(at)

    def silent(self, now: float, alpha: float) -> str:
        """Why the canary is silent, for people; "": as far as one can know it is not."""
        return self._silence.objection(now, alpha)

    def take(self, messages: Iterable[Message]) -> None:
        """Count what they tell; what can't be read is passed over, and told."""
        for message in messages:
            try:
                event = unwrap(message)
            except LipsolError as fault:
                log.warning("event-refused", topic=message.topic, offset=message.offset, reason=fault.detail)
                continue
            if isinstance(event, PredictionMade):
                if event.track == "canary":
                    came = event.received_at or event.made_at
                    self._silence.answered(came, event.made_at, shadow=event.shadow)
                self._answered(self._reading(event), (event.track, event.shadow, event.prediction_id))
            elif isinstance(event, DeadLetter) and event.origin_topic in TRACK_OF:
                place = (event.origin_topic, event.origin_partition, event.origin_offset)
                self._answered(self._death(event, message.timestamp), place)
            elif isinstance(event, FeedbackGiven):
                self._judge(event)

    def evidence(self) -> Evidence:
        """Of the step that it is in."""
        others = {language: book.evidence() for language, book in self._others.items()}
        if not self._sought.language and len(others) < 2:
            others = {}  # all that there is
        return replace(self._book.evidence(), others=others)

    def lacking(self, step: Step) -> str:
        """What there must be before that step can be judged, in words; "": it is there."""
        return self._book.lacking(step)

    @property
    def _books(self) -> list[Book]:
        return [self._book, *self._others.values()]

    def _reading(self, event: PredictionMade) -> Answer | None:
        """What a reading tells; None: it is no evidence."""
        sought = self._sought
        if event.track == "canary" and event.language == sought.language and event.model.digest != sought.digest:
            return None  # a client named another
        sure_of = None if event.abstained or not event.text.split() else _name(event.text)
        return Answer(
            event.track,
            event.clip_id,
            event.language,
            event.model.digest,
            event.shadow,
            event.received_at,
            event.made_at,
            Tally(
                readings=1,
                empty=int(not event.text.split()),
                abstained=int(event.abstained),
                confidence=Moments.of(event.confidence),
                log_ms=_log(own_ms(event.timings_ms)),
            ),
            _log(event.timings_ms.get("read", 0.0)),
            sure_of,
            event.part if event.received_at else 0,
        )

    def _death(self, letter: DeadLetter, at: float) -> Answer:
        """What a death tells. A mouth that can't be read came when the letter did, in the language that is sought."""
        track, mouth = TRACK_OF[letter.origin_topic], None
        try:
            mouth = from_bytes(letter.origin_topic, letter.value)
        except LipsolError:
            log.info("dead-mouth-unreadable", track=track)
        language = mouth.language if isinstance(mouth, MouthReady) else self._sought.language
        received_at = mouth.received_at if isinstance(mouth, MouthReady) else at
        if track == "canary":
            self._silence.answered(received_at, at, shadow=letter.shadow)
        lies = part(mouth.key) if isinstance(mouth, MouthReady) else 0
        return Answer(track, letter.clip_id, language, "", letter.shadow, received_at, at, Tally(died=1), part=lies)

    def _answered(self, answer: Answer | None, key: object) -> None:
        if answer is None or key in self._seen:
            return
        self._seen[key] = None
        if answer.track == "canary" and answer.received_at >= self._began_at:
            self._first_at = min(self._first_at, answer.at)
        if answer.track == "stable" and answer.received_at:
            self._silence.stable(answer.received_at, answer.at, answer.part)
        if answer.track == "stable" and not (self._step is not None and self._step.alone):
            for book in self._of(answer):
                book.led(answer, alone=self._led)
        if self._step is not None and answer.received_at >= max(self._step_at, self._first_at):
            for book in self._of(answer):
                book.count(answer)

    def _of(self, answer: Answer) -> list[Book]:
        """Where an answer belongs: what is compared with the canary's bundle, or all; and its language's own."""
        language, sought = answer.language, self._sought.language
        books = [self._book] if sought in ("", language) else []
        if language in ("", sought):
            return books
        if language not in self._others and len(self._others) < LANGUAGES:
            self._others[language] = other = Book(self._judged, by_chief=False)
            if self._step is not None:
                other.begin(self._step)
        return [*books, self._others[language]] if language in self._others else books

    def _judge(self, given: FeedbackGiven) -> None:
        """Count people's word on a reading; the last word on a clip holds."""
        wrong = _wrong(given)
        if given.track is None or wrong is None:
            return
        key = (given.track, given.clip_id)
        held = self._judged.get(key)
        self._judged[key] = wrong
        change = Tally(told=int(held is None), wrong=int(wrong) - int(held or False))
        for book in self._books:
            book.correct(key, change)


def own_ms(timings_ms: Mapping[str, float]) -> float:
    """Milliseconds that a clip took beyond the edge's own stages: waiting and reading."""
    return timings_ms.get("total", 0.0) - sum(ms for stage, ms in timings_ms.items() if stage not in INFERENCE)


def _log(ms: float) -> Moments:
    return Moments.of(math.log(max(LEAST_MS, ms)))


def _wrong(given: FeedbackGiven) -> bool | None:
    """Whether people say that the reading was wrong; None: they did not say."""
    if given.verdict is not None:
        return given.verdict == "wrong"
    return None if given.text is None else _name(given.text) != _name(given.reading)


def _name(text: str) -> str:
    """The same for the same words, and no words."""
    return hashlib.sha256(" ".join(text.split()).casefold().encode()).hexdigest()[:32]
