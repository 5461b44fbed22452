"""What a client is told about a clip: the result, from the moment the clip is taken until it is read or given up.

A result grows by events alone (`MouthReady`, then `PredictionMade` or `DeadLetter`), and a repeat of an event
changes nothing: the first reading stands.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from lipsol.errors import BadInput, LipsolError, ModelError, TooLate, Transient
from lipsol.events import DeadLetter, MouthReady, PredictionMade, Track
from lipsol.text.captions import Reading, srt_of, to_srt, to_vtt, vtt_of
from services.doors.problems import Problem

State = Literal["reading", "read", "failed"]
POSSIBILITIES = 3  # readings that are offered when the reader is not sure
LIKE_TEXT = 1  # the look of readings that look like the best one

_EXAMPLE: dict[str, Any] = {
    "clip_id": "0b7c1c5f4e0d4a3f9d0e6a1b2c3d4e5f",
    "state": "read",
    "text": "bin green by b three again",
    "confidence": 0.94,
    "abstained": False,
    "alternatives": [
        {"text": "bin green by p three again", "confidence": 0.03, "look": 1},
        {"text": "bin green by d three again", "confidence": 0.01, "look": 2},
        {"text": "bin green by b two again", "confidence": 0.01, "look": 3},
    ],
    "words": [
        {"text": "bin", "start_s": 0.56, "end_s": 0.8, "confidence": 0.99},
        {"text": "green", "start_s": 0.8, "end_s": 1.08, "confidence": 0.99},
        {"text": "by", "start_s": 1.08, "end_s": 1.24, "confidence": 0.98},
        {"text": "b", "start_s": 1.24, "end_s": 1.4, "confidence": 0.95, "alike": ["p"]},
        {"text": "three", "start_s": 1.4, "end_s": 1.72, "confidence": 0.98},
        {"text": "again", "start_s": 1.72, "end_s": 2.12, "confidence": 0.99},
    ],
    "quality": {"seconds": 3.0, "brightness": 117.4, "face_found": 1.0, "mouth_px": 41.2, "yaw_deg": 1.9},
    "faces": 1,
    "language": "en",
    "grammar": "grid",
    "none": None,
    "model": {"name": "grid-sentences", "version": "1", "digest": "9f2c" * 16},
    "track": "stable",
    "timings_ms": {
        "decode": 31.0,
        "face": 118.2,
        "mouth": 9.1,
        "quality": 4.4,
        "queue": 2.8,
        "read": 21.5,
        "total": 190.0,
    },
    "received_at": 1795251600.25,
    "problem": None,
}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Alternative(_Part):
    """Another reading, and the calibrated probability that it is the right one."""

    text: str
    confidence: float = Field(ge=0, le=1)
    look: int = Field(
        default=0,
        ge=0,
        description="The same number for readings that look the same on the lips; 1: like `text`; 0: not told",
    )


class Word(_Part):
    """One word as it was spoken, in seconds from the clip's start."""

    text: str
    start_s: float = Field(ge=0)
    end_s: float = Field(ge=0)
    confidence: float = Field(ge=0, le=1)
    alike: tuple[str, ...] = Field(
        default=(), description="Other words that could stand here and look the same on the lips"
    )


class ReadBy(_Part):
    """The bundle that read the clip."""

    name: str
    version: str
    digest: str = Field(description="sha256 of the bundle's file, hex")


class Sentence(_Part):
    """A part of a recording, seconds from its start: what was read in it, or why nothing was."""

    clip_id: str = Field(default="", description="The part as a clip of its own, to be judged; empty: it was not read")
    start_s: float = Field(ge=0)
    end_s: float = Field(ge=0)
    text: str = Field(default="", description="The best reading, also when the reader abstained")
    confidence: float = Field(default=0.0, ge=0, le=1, description="Calibrated probability that all of `text` is right")
    abstained: bool = Field(default=False, description="True: not sure")
    alternatives: tuple[Alternative, ...] = ()
    words: tuple[Word, ...] = Field(default=(), description="In seconds from the recording's start")
    none: float | None = Field(default=None, ge=0, le=1, description="As a clip has it")
    problem: Problem | None = Field(default=None, description="Why this part was not read; null: it was")

    def offered(self) -> list[list[str]]:
        """As a clip offers it."""
        return _offered(self.text, self.alternatives)

    def reading(self) -> Reading:
        """As captions show it."""
        words = [(word.text, word.start_s, word.end_s) for word in self.words]
        others = [group[0] for group in self.offered()[1:]]
        return Reading(words, not self.abstained, others, (self.start_s, self.end_s) if self.problem else None)


class Result(_Part):
    """A clip and what was read from it. While `state` is not "read" there are no words yet, and `model` is null."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [_EXAMPLE]})

    clip_id: str
    state: State
    text: str = Field(default="", description="The best reading, also when the reader abstained: ask `abstained` first")
    confidence: float = Field(default=0.0, ge=0, le=1, description="Calibrated probability that all of `text` is right")
    abstained: bool = Field(default=False, description="True: not sure; offer `text` and the alternatives, claim none")
    alternatives: tuple[Alternative, ...] = Field(default=(), description="Other readings, without `text` itself")
    words: tuple[Word, ...] = ()
    sentences: tuple[Sentence, ...] = Field(
        default=(), description="Of a recording: what was read part by part; empty for a clip, which is read as one"
    )
    watched_s: float | None = Field(default=None, description="Of a recording: seconds that were watched so far")
    quality: dict[str, float] = Field(default={}, description="What the picture was like, by measure")
    faces: int = Field(default=0, ge=0, description="How many people were seen; the one that speaks most is read")
    language: str = Field(description="What is spoken, as BCP 47")
    grammar: str | None = Field(default=None, description="The grammar that bound the reading; null: read freely")
    none: float | None = Field(
        default=None, ge=0, le=1, description="Of `phrases`: probability that none of them was said; null: no board"
    )
    model: ReadBy | None = None
    track: Track = "stable"
    timings_ms: dict[str, float] = Field(default={}, description="How long each stage took, milliseconds")
    received_at: float = Field(description="When the whole clip had come in, Unix seconds")
    problem: Problem | None = Field(default=None, description='Why there is no reading, if `state` is "failed"')

    def captions(self, form: str) -> str:
        """The words as captions, form "srt" or "vtt"; where the reader is not sure, one cue offers three readings.

        Those of a recording have a cue or more for each sentence, and say where nothing could be read.
        """
        if self.sentences:
            readings = [each.reading() for each in self.sentences]
            return srt_of(readings) if form == "srt" else vtt_of(readings, language=self.language)
        words = [(word.text, word.start_s, word.end_s) for word in self.words]
        others = [group[0] for group in self.offered()[1:]]
        if form == "srt":
            return to_srt(words, sure=not self.abstained, alternatives=others)
        return to_vtt(words, sure=not self.abstained, alternatives=others, language=self.language)

    def offered(self) -> list[list[str]]:
        """What is offered when the reader is not sure: a few readings, each followed by those that look the same."""
        return _offered(self.text, self.alternatives)

    def fault(self) -> LipsolError | None:
        """Why this clip was given up, as it would have been raised; None if it was not."""
        if self.problem is None:
            return None
        kinds: dict[int, type[LipsolError]] = {500: ModelError, 503: Transient, 504: TooLate}
        return kinds.get(self.problem.status, BadInput)(self.problem.detail, self.problem.cure)


def _offered(text: str, alternatives: Sequence[Alternative]) -> list[list[str]]:
    """A few readings, the first of them `text`. Readings that look alike are apart only where there are no others."""
    groups: list[list[str]] = [[text]]
    at: dict[int, int] = {LIKE_TEXT: 0}
    for other in alternatives:
        place = at.get(other.look) if other.look else None
        if place is not None:
            groups[place].append(other.text)
        elif len(groups) < POSSIBILITIES:
            at[other.look] = len(groups)
            groups.append([other.text])
    for group in groups:
        while len(groups) < POSSIBILITIES and len(group) > 1:
            groups.append([group.pop(1)])
    return groups


# pydantic describes a tuple in a way that few readers of descriptions follow.
PAIR = {
    "type": "array",
    "items": {"type": "number"},
    "minItems": 2,
    "maxItems": 2,
}
Point = Annotated[tuple[float, float], WithJsonSchema(PAIR)]


class Lips(_Part):
    """The lips as the machine saw them: 20 outer, then 20 inner points a frame."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"examples": [{"fps": 25.0, "seen": [True], "points": [[[0.48, 0.61]] * 40]}]}
    )

    fps: float
    seen: list[bool] = Field(description="False where the lips were interpolated between frames that showed a face")
    points: list[list[Point]] = Field(description="x and y as fractions of the picture, for each frame")


def begun(event: MouthReady) -> Result:
    """The result of a clip whose mouth was found and waits to be read."""
    return Result(
        clip_id=event.clip_id,
        state="reading",
        quality=event.quality,
        faces=event.faces,
        language=event.language,
        track=event.track,
        timings_ms=event.timings_ms,
        received_at=event.received_at,
    )


def read(before: Result, event: PredictionMade) -> Result:
    """The result with its reading; one that has been read already stays as it is."""
    if before.state == "read":
        return before
    return before.model_copy(
        update={
            "state": "read",
            "text": event.text,
            "confidence": event.confidence,
            "abstained": event.abstained,
            "alternatives": tuple(
                Alternative(text=each.text, confidence=each.confidence, look=each.look) for each in event.alternatives
            ),
            "words": tuple(
                Word(
                    text=each.text,
                    start_s=each.start_s,
                    end_s=each.end_s,
                    confidence=each.confidence,
                    alike=each.alike,
                )
                for each in event.words
            ),
            "language": event.language,
            "grammar": event.grammar,
            "none": event.none,
            "model": ReadBy(name=event.model.name, version=event.model.version, digest=event.model.digest),
            "track": event.track,
            "timings_ms": event.timings_ms,
            "problem": None,
        }
    )


def failed(before: Result, letter: DeadLetter) -> Result:
    """The result of a clip that could not be read; one that has been read stays as it is."""
    if before.state == "read":
        return before
    return before.model_copy(update={"state": "failed", "problem": _why(letter)})


def _why(letter: DeadLetter) -> Problem:
    """The reason as the client may hear it: an unexpected fault's own words stay in the log and the dead letter."""
    if letter.kind == "exhausted":
        return Problem.of_status(503, f"the clip could not be read in {letter.attempts} tries", "send it again later")
    statuses = {"bad-input": 422, "too-late": 504}
    return Problem.of_status(statuses.get(letter.kind, 500), letter.reason, letter.cure)
