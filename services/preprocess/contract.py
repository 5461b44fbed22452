"""The edge's HTTP contract beside the result itself: what its operations take, and what else they answer."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lipsol.data.corrections import Correction
from lipsol.registry.port import ModelInfo
from services.preprocess.consent import CONSENT_MAX, TEXT, WORDING
from services.preprocess.results import Result

FEEDBACK_MAX = 2000  # characters of the right words

FIELDS = {
    "file": {"type": "string", "format": "binary", "description": "The clip: MP4, WebM, MOV, AVI or MPEG"},
    "model": {"type": "string", "description": "Name or digest of a model; without it the language's own"},
    "grammar": {
        "type": "string",
        "description": 'What can be said: a packaged grammar\'s name, inline JSON, or "none" to read freely;'
        " without it the model's own",
    },
    "phrases": {
        "type": "array",
        "items": {"type": "string"},
        "description": "A board, instead of a grammar: only these are read, and `none` tells how sure it is that it was"
        " none of them. The field as often as there are phrases, or once with a JSON list or a phrase a line",
    },
    "hotwords": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Words and short phrases that are likelier than usual: WORD or WORD:TIMES, TIMES from 1 to 1000"
        " (without it 10). As often as there are words, or once with a JSON object or a word a line",
    },
    "session": {
        "type": "string",
        "description": "Name of the stream that the clip was cut from: its clips are read in order, by one track",
    },
    "language": {"type": "string", "description": "What is spoken (en, ur); without it the model's, or English"},
}
FORM: dict[str, Any] = {"type": "object", "required": ["file"], "properties": FIELDS}
BEGUN: dict[str, Any] = {
    "description": "The clip is being read; ask its Location for the result",
    "headers": {"Location": {"schema": {"type": "string"}, "description": "Where the result is to be had"}},
    "model": Result,
}
SRT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/x-subrip": {"schema": {"type": "string"}}}, "description": "Captions as SubRip"}
}
VTT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/vtt": {"schema": {"type": "string"}}}, "description": "Captions as WebVTT"}
}


class Feedback(BaseModel):
    """What a person says of a reading: the right words, whether it was right, or that it was no help; one of these."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"text": "bin green by b three again"},
                {"verdict": "wrong"},
                {"gave_up": True},
                {"text": "bin green by b three again", "consent": WORDING},
            ]
        },
    )

    text: str | None = Field(default=None, max_length=FEEDBACK_MAX, description="The words that were really said")
    verdict: Literal["right", "wrong"] | None = Field(default=None, description="Whether the reading was right")
    gave_up: bool = Field(default=False, description="The reading was no help: the person gave up and typed instead")
    consent: str = Field(
        default="",
        max_length=CONSENT_MAX,
        description=f'"{WORDING}" where somebody agreed to this: {TEXT} Without it nothing is kept to teach',
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.text is not None) + (self.verdict is not None) + self.gave_up != 1:
            raise ValueError("give exactly one of text, verdict and gave_up")
        return self


class FeedbackTaken(BaseModel):
    """The feedback as it was understood."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "clip_id": "0b7c1c5f4e0d4a3f9d0e6a1b2c3d4e5f",
                    "text": "bin green by b three again",
                    "verdict": None,
                    "gave_up": False,
                    "kept": True,
                }
            ]
        }
    )

    clip_id: str
    text: str | None
    verdict: str | None
    gave_up: bool
    kept: bool = Field(description="Whether the clip's mouth and the right words are kept to teach LipSol")


class Lesson(BaseModel):
    """What is kept of a clip to teach LipSol, beside the picture of its mouth."""

    text: str = Field(description="The right words")
    language: str = Field(description="What is spoken, as BCP 47")
    consent: str = Field(description="Which wording was agreed to")
    consented_at: float = Field(description="When, Unix seconds")


class Lessons(BaseModel):
    """All that is kept of a clip to teach LipSol."""

    clip_id: str
    kept: list[Lesson]

    @classmethod
    def of(cls, clip_id: str, corrections: list[Correction]) -> Self:
        """As it is kept, without who is filmed."""
        lessons = [
            Lesson(text=each.text, language=each.language, consent=each.wording, consented_at=each.consented_at)
            for each in corrections
        ]
        return cls(clip_id=clip_id, kept=lessons)


class Model(BaseModel):
    """A model that clips can be read with."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "grid-sentences",
                    "version": "1",
                    "digest": "9f2c" * 16,
                    "kind": "sentences",
                    "language": "en",
                    "grammar": "grid",
                    "default": True,
                    "synthetic": False,
                    "card": {"licence": "CC BY 4.0"},
                }
            ]
        }
    )

    name: str
    version: str
    digest: str
    kind: Literal["words", "sentences"]
    language: str
    grammar: str = Field(description="The grammar that binds it unless asked otherwise; empty: none")
    default: bool = Field(description="Whether it reads its language when no model is named")
    synthetic: bool = Field(
        description="Whether it learnt from drawn mouths alone: it never met a real speaker, and is never sure"
    )
    card: dict[str, Any] = Field(description="All that is known of it: scores, training, licence, attribution")


class Models(BaseModel):
    """The models that are here."""

    models: list[Model]

    @classmethod
    def of(cls, infos: list[ModelInfo]) -> Self:
        """What the registry knows."""
        return cls(
            models=[
                Model(**{**vars(info), "synthetic": info.card.get("synthetic") is True, "card": dict(info.card)})
                for info in infos
            ]
        )
