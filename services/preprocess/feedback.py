"""What a person says of a reading, as the event that tells it, with what they had been shown; pure."""

import hashlib
from dataclasses import replace
from typing import Literal

from lipsol.errors import BadInput
from lipsol.events import FeedbackGiven
from lipsol.text.alphabet import ALPHABETS, normalise
from services.preprocess.results import Result

Verdict = Literal["right", "wrong"]


def judged(result: Result, text: str | None, verdict: Verdict | None, at: float) -> FeedbackGiven:
    """The right words, or whether the reading was right, said at `at`, Unix seconds. Raises BadInput where nothing was
    read yet, or the words are not of the reading's language.
    """
    given = _shown(result, at)
    text = _spelled(text, result.language) if text is not None else None
    return replace(given, feedback_id=_name(given, f"{text}\n{verdict}"), text=text, verdict=verdict)


def given_up(result: Result, at: float) -> FeedbackGiven:
    """The reading was no help, and the person typed instead. Raises BadInput where nothing was read yet."""
    given = _shown(result, at)
    return replace(given, feedback_id=_name(given, "gave up"), gave_up=True)


def _shown(result: Result, at: float) -> FeedbackGiven:
    """What the person had been shown, before what they say of it."""
    if result.sentences:
        raise BadInput(
            f"a recording of {len(result.sentences)} sentences can't be judged as one",
            "judge its sentences: each has a clip_id of its own",
        )
    if result.state != "read" or result.model is None:
        raise BadInput(f"the clip is {result.state}: there are no words to judge", "wait until it is read")
    return FeedbackGiven(
        clip_id=result.clip_id,
        feedback_id="",
        text=None,
        verdict=None,
        reading=result.text,
        model_digest=result.model.digest,
        given_at=at,
        track=result.track,
        model=result.model.name,
        language=result.language,
        confidence=result.confidence,
        abstained=result.abstained,
        read_at=result.received_at + result.timings_ms.get("total", 0.0) / 1e3,
    )


def _name(given: FeedbackGiven, said: str) -> str:
    """The same for the same word on the same clip, so that a repeat changes nothing."""
    return hashlib.sha256(f"{given.clip_id}\n{said}".encode()).hexdigest()[:32]


def _spelled(text: str, language: str) -> str:
    """The text as its language spells it. Raises BadInput naming what it has no letter for, or if it is empty."""
    spelled = normalise(text, language)
    ALPHABETS[language].encode(spelled)
    if not spelled.strip():
        raise BadInput("the right words are empty", 'give the words, or only {"verdict": "wrong"}')
    return spelled
