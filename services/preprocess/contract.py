"""The edge's HTTP contract beside the result itself: what its operations take, and what else they answer."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lipsol.registry.port import ModelInfo
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
    """What a person says of a reading: the right words, or whether it was right; one of the two."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"text": "bin green by b three again"}, {"verdict": "wrong"}]},
    )

    text: str | None = Field(default=None, max_length=FEEDBACK_MAX, description="The words that were really said")
    verdict: Literal["right", "wrong"] | None = Field(default=None, description="Whether the reading was right")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.text is None) == (self.verdict is None):
            raise ValueError("give exactly one of text and verdict")
        return self


class FeedbackTaken(BaseModel):
    """The feedback as it was understood."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"clip_id": "0b7c1c5f4e0d4a3f9d0e6a1b2c3d4e5f", "text": "bin green by b three again", "verdict": None}
            ]
        }
    )

    clip_id: str
    text: str | None
    verdict: str | None


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
    card: dict[str, Any] = Field(description="All that is known of it: scores, training, licence, attribution")


class Models(BaseModel):
    """The models that are here."""

    models: list[Model]

    @classmethod
    def of(cls, infos: list[ModelInfo]) -> Self:
        """What the registry knows."""
        return cls(models=[Model(**{**vars(info), "card": dict(info.card)}) for info in infos])
