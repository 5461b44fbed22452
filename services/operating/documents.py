"""Events as JSON for a person's eyes and hands: shown, edited, taken back.

What goes over the bus has a form of its own (`lipsol.events`); this one is for reading and mending. Bytes are base64
in the URL's alphabet. A document that is taken back must be whole and hold nothing else: a slip of the pen is told.
"""

import json
from functools import cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from lipsol.errors import BadInput, NotFound
from lipsol.events import EVENT_OF, Event

STRICT = ConfigDict(extra="forbid", val_json_bytes="base64", allow_inf_nan=False)


def to_document(event: Event) -> dict[str, Any]:
    """An event's fields as JSON values."""
    fields = to_jsonable_python(event, bytes_mode="base64")
    if not isinstance(fields, dict):
        raise TypeError(f"{type(event).__name__} is no dataclass")
    return fields


def from_document(topic: str, document: str) -> Event:
    """The event of that topic that a JSON text tells.

    Raises NotFound for a topic that the catalogue lacks, BadInput naming every field that is missing, unfit or unknown.
    """
    if topic not in EVENT_OF:
        raise NotFound(f"no topic {topic!r}", f"known are {', '.join(sorted(EVENT_OF))}")
    kind = EVENT_OF[topic]
    try:
        told = _adapter(kind).validate_json(document)
    except ValidationError as fault:
        faults = "; ".join(f"{_place(each['loc'])}: {each['msg']}" for each in fault.errors(include_input=False))
        raise BadInput(
            f"a document that is no {kind.__name__}: {faults}",
            "begin with what `lipsol dead-letters show ID --event` says",
        ) from None
    return kind(**vars(told))


def pretty(document: object) -> str:
    """A document for the terminal: indented, letters as they are."""
    return json.dumps(document, ensure_ascii=False, indent=2)


@cache
def _adapter(kind: type[Event]) -> Any:  # a TypeAdapter[Event]; beartype, which checks types in tests, knows none
    """Takes documents of one kind of event more strictly than the wire does."""
    return TypeAdapter(type(kind.__name__, (kind,), {"__pydantic_config__": STRICT}))


def _place(where: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in where) or "document"
