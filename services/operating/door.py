"""The embedded platform's door for its operator: `POST /v1/NAME` calls the operation of that name.

The body is a JSON object of its arguments, the answer its result as JSON. It is for programs of this machine alone: a
page in a browser can't send it what it takes (JSON, to this machine by its own name), so no website can move traffic.
"""

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, Request
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ArgsKwargs
from starlette.responses import Response

from lipsol.bus.port import VALUE_MAX_BYTES
from lipsol.errors import BadInput
from lipsol.validation import told
from services.doors.problems import Refused, responses
from services.doors.server import aside
from services.doors.web import new_app
from services.operating.operations import OPERATIONS, Operations
from services.operating.settings import OperatingSettings

MOST_BYTES = 4 * VALUE_MAX_BYTES  # of a call: a mended event is the longest, its bytes as base64 and JSON's escapes
SELF = frozenset({"127.0.0.1", "localhost", "::1"})  # how programs of this machine call it


def door(operations: Operations, settings: OperatingSettings) -> AbstractContextManager[int]:
    """The door, open in a thread of its own for as long as the block lasts; gives its port.

    Raises BadInput if the port can't be had.
    """
    app = create_app(operations, settings.host)
    return aside("operator's door", app, settings.host, settings.port, settings, "LIPSOL_OPERATING__PORT")


def create_app(operations: Operations, host: str = "127.0.0.1") -> FastAPI:
    """The app over the operations; host: the address that it listens on."""
    app = new_app(
        "LipSol, for operators", "Moves the traffic of a platform in one process.", lambda: (), most_bytes=MOST_BYTES
    )
    known = [Depends(_caller(SELF | {host}))]
    for name in OPERATIONS:
        operation = getattr(operations, name)
        called: TypeAdapter[object] = TypeAdapter(operation)  # pydantic takes functions, too
        app.add_api_route(
            f"/v1/{name}",
            _endpoint(called, _result(operation)),
            methods=["POST"],
            name=name,
            dependencies=known,
            response_model=_result(operation),
            responses=responses(400, 404, 413, 415, 422, 429, 503),
            openapi_extra={
                "requestBody": {"content": {"application/json": {"schema": _inlined(called.json_schema())}}}
            },
        )
    return app


def _result(operation: Callable[..., object]) -> Any:
    """What an operation's answer is, as a type."""
    return inspect.signature(operation, eval_str=True).return_annotation


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema with its definitions where they are used: a description has one place for all, and not in there."""
    kept = schema.pop("$defs", {})

    def inlined(part: Any) -> Any:
        if isinstance(part, dict):
            named = part.get("$ref", "").removeprefix("#/$defs/")
            return inlined(kept[named]) if named else {key: inlined(value) for key, value in part.items()}
        return part

    return {key: inlined(value) for key, value in schema.items()}


def _endpoint(called: TypeAdapter[object], kind: Any) -> Callable[..., Response]:
    """The handler of one operation's address; kind: what its answer is."""
    result: TypeAdapter[object] = TypeAdapter(kind)

    def endpoint(arguments: Annotated[dict[str, Any], Body()]) -> Response:
        try:
            answer = called.validate_python(ArgsKwargs((), arguments))
        except ValidationError as fault:
            raise BadInput(f"arguments that can't be taken: {told(fault)}", "see `lipsol --help`") from None
        return Response(result.dump_json(answer), media_type="application/json")

    return endpoint


def _caller(names: frozenset[str]) -> Callable[[Request], None]:
    """A check that raises Refused for what a website could have had a browser send."""

    def check(request: Request) -> None:
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if kind != "application/json":
            raise Refused(415, f"a body that is called {kind[:80]!r}", "send Content-Type: application/json")
        if request.url.hostname not in names:
            raise Refused(400, f"a call to {str(request.url.hostname)[:80]!r}", "call it 127.0.0.1")

    return check
