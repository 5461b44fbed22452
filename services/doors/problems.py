"""Errors as people and programs meet them over HTTP: RFC 9457 problem details. The only place that knows status codes.

A problem names what is wrong and its cure; never a path of this machine, a traceback or a secret.
"""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from lipsol.errors import BadInput, Busy, LipsolError, ModelError, NotFound, TooLate, Transient

MEDIA_TYPE = "application/problem+json"

TITLES = {
    400: "The request is malformed",
    404: "There is no such thing here",
    405: "That can't be done to this address",
    408: "The upload took too long",
    413: "The clip is too big",
    415: "The request is of a kind that is not taken",
    422: "The input can't be used",
    429: "Too much is waiting already",
    500: "Something broke on our side",
    503: "Not ready just now",
    504: "Nobody came to it in time",
}
SLUGS = {
    400: "malformed",
    404: "not-found",
    405: "not-allowed",
    408: "too-slow",
    413: "too-large",
    415: "wrong-type",
    422: "bad-input",
    429: "busy",
    500: "broken",
    503: "not-ready",
    504: "too-late",
}


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it, with the cure beside it."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:lipsol:problem:bad-input",
                    "title": TITLES[422],
                    "status": 422,
                    "detail": "no face for 2.1 of 3.0 s",
                    "cure": "face the camera, and light your face from the front",
                }
            ]
        },
    )

    type: str = Field(description="Name of this kind of problem: urn:lipsol:problem:...")
    title: str = Field(description="This kind of problem in a few words")
    status: int = Field(description="The HTTP status")
    detail: str = Field(description="What is wrong this time: the value and the bound")
    cure: str = Field(default="", description="What can be done about it; empty if nothing is known")

    @classmethod
    def of_status(cls, status: int, detail: str, cure: str = "") -> Self:
        """A problem with the type and title that belong to `status`."""
        known = status if status in TITLES else (500 if status >= 500 else 400)
        return cls(
            type=f"urn:lipsol:problem:{SLUGS[known]}", title=TITLES[known], status=status, detail=detail, cure=cure
        )

    @classmethod
    def of(cls, fault: LipsolError) -> Self:
        """The problem that an expected fault is to a client."""
        return cls.of_status(status_of(fault), fault.detail, fault.cure)


class Refused(BadInput):
    """A request that its door turns away with a status of its own (400, 408, 413, 415)."""

    def __init__(self, status: int, detail: str, cure: str) -> None:
        super().__init__(detail, cure)
        self.status = status


def status_of(fault: LipsolError) -> int:
    """The HTTP status of a fault."""
    if isinstance(fault, Refused):
        return fault.status
    table = ((NotFound, 404), (BadInput, 422), (Busy, 429), (Transient, 503), (TooLate, 504), (ModelError, 500))
    return next((status for kind, status in table if isinstance(fault, kind)), 500)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of an operation, for its OpenAPI description."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {status: {"description": TITLES[status], "content": {MEDIA_TYPE: schema}} for status in statuses}
