"""What was read, and what people say of it."""

from dataclasses import dataclass
from typing import Literal

from lipsol.events.base import Event, ModelName, Track
from lipsol.topics import FEEDBACK, PREDICTIONS


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
    faces, codec, redo, received_at  of its `MouthReady`, carried on so that nobody need join the two; codec is "" and
                   the others 0 where a mouth came without
    embedding      the mouth as a few numbers (`lipsol.clips.embedding`), by which drift is seen; (): not told
    entropy        mean entropy of what the network said of a frame, over the most that it can be, in [0, 1]; None:
                   not told
    part           of the 65,536 even parts of the split (`lipsol.traffic.part`) that in which its session lies, or the
                   clip where there is none; 0: not told
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
    faces: int = 0
    codec: str = ""
    redo: bool = False
    received_at: float = 0.0
    embedding: tuple[float, ...] = ()
    entropy: float | None = None
    part: int = 0

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
    consent       wording of the consent under which the clip's mouth and right words are kept to teach; "": not kept
    gave_up       the person gave up on reading this clip and typed instead; with neither text nor verdict
    track, model, language, confidence, abstained, read_at  of the reading that they were shown (`PredictionMade`; its
                  made_at), carried on so that nobody need join the two; track and confidence None: not told
    """

    clip_id: str
    feedback_id: str
    text: str | None
    verdict: Literal["right", "wrong"] | None
    reading: str
    model_digest: str
    given_at: float
    consent: str = ""
    gave_up: bool = False
    track: Track | None = None
    model: str = ""
    language: str = ""
    confidence: float | None = None
    abstained: bool = False
    read_at: float = 0.0

    @property
    def topic(self) -> str:
        return FEEDBACK.name

    @property
    def key(self) -> str:
        return self.clip_id
