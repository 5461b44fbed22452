"""The protocol over REST: `/v2` beside the service's health. Errors are the protocol's: `{"error": "..."}`.

A body is bounded twice, as it comes and as it is once it is unpacked, and so is what all bodies hold together. A client
that goes away takes its requests along.
"""

import asyncio
import gzip
import json
import re
import time
import zlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from lipsol.errors import BadInput, Busy, LipsolError, Transient
from services.doors.problems import Refused, status_of
from services.inference.oip import bodies, contract
from services.inference.oip import models as known
from services.inference.oip.contract import errors, placed
from services.inference.oip.inferring import Inferring
from services.inference.oip.room import Room

ROOT = "/v2"
UNDER = re.compile(r"/v2(/.*)?")
INFER = re.compile(r"/v2/models/[^/]+(/versions/[^/]+)?/infer")
BODY_S = 60.0  # that one body may take to come
IN_PLACE_BYTES = 64 * 1024  # JSON up to this is parsed where it is: a thread costs more
PACKED_FROM = 512  # bytes of an answer that are worth compressing, where the client takes it so

Made = TypeVar("Made")
Faults = Callable[[], Sequence[str]]


class InferAddresses:
    """The addresses whose bodies this door bounds itself."""

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and INFER.fullmatch(path) is not None


def add_rest(app: FastAPI, faults: Faults, inferring: Inferring, models: known.Known) -> None:
    """Put the protocol's addresses into an app; `faults` says why the service is not ready."""
    room = Room()
    _speak(app)
    _add_server(app, faults, models)
    for place, names in (
        ("/v2/models/{model}", ("model",)),
        ("/v2/models/{model}/versions/{version}", ("model", "version")),
    ):
        _add_model(app, place, names, faults, models)
        _add_infer(app, place, names, inferring, room)


def _add_server(app: FastAPI, faults: Faults, models: known.Known) -> None:
    async def server() -> dict[str, Any]:
        """What this server is."""
        return known.server()

    async def live() -> contract.Live:
        """Does the process live?"""
        return contract.Live(live=True)

    async def ready() -> contract.Ready:
        """Are requests read just now?"""
        _refuse(faults())
        return contract.Ready(ready=True)

    async def index(request: Request) -> list[dict[str, str]]:
        """Every version of every model; one that can't be used is told of with the reason."""
        _checked_index(await request.body())
        return known.index(await models.models(), models.unusable())

    get: dict[str, Any] = {"methods": ["GET"], "tags": ["open inference protocol"]}
    app.add_api_route(ROOT, server, response_model=contract.Server, name="oip_server", **get)
    app.add_api_route(f"{ROOT}/health/live", live, name="oip_live", **get)
    app.add_api_route(f"{ROOT}/health/ready", ready, name="oip_ready", responses=errors(503), **get)
    app.add_api_route(
        f"{ROOT}/repository/index",
        index,
        **(get | {"methods": ["POST"]}),
        name="oip_index",
        response_model=list[contract.Indexed],
        responses=errors(400, 413, 503),
        openapi_extra={"requestBody": contract.INDEX_BODY},
    )


def _add_model(app: FastAPI, place: str, names: Sequence[str], faults: Faults, models: known.Known) -> None:
    async def metadata(request: Request) -> dict[str, Any]:
        """What a model takes and gives."""
        info = await models.find(**_which(request))
        return known.metadata(info, await models.versions(info.name))

    async def ready(request: Request) -> contract.ModelReady:
        """Are requests read by this model just now?"""
        info = await models.find(**_which(request))
        _refuse(faults())
        return contract.ModelReady(name=info.name, ready=True)

    async def config(request: Request) -> dict[str, Any]:
        """What a model takes and gives, in Triton's form."""
        return known.config(await models.find(**_which(request)))

    shown: dict[str, Any] = {
        "methods": ["GET"],
        "tags": ["open inference protocol"],
        "responses": errors(404, 503),
        "openapi_extra": placed(*names),
    }
    said = "_".join(["oip", *names])
    app.add_api_route(place, metadata, response_model=contract.Model, name=f"{said}_metadata", **shown)
    app.add_api_route(f"{place}/ready", ready, name=f"{said}_ready", **shown)
    app.add_api_route(f"{place}/config", config, response_model=contract.Config, name=f"{said}_config", **shown)


def _add_infer(app: FastAPI, place: str, names: Sequence[str], inferring: Inferring, room: Room) -> None:
    async def infer(request: Request) -> Response:
        """Read n mouths. The answer is JSON, or JSON with binary tensors behind it, as the request wants it."""
        with room.counting() as take:
            body = await _body(request, room, take)
            asked = await _parsed(request, body, room)
            del body
            reply = await _unless_gone(request, inferring.infer(asked.request))
        return _answer(*bodies.written(reply, asked.binary), request.headers.get("accept-encoding", ""))

    app.add_api_route(
        f"{place}/infer",
        infer,
        methods=["POST"],
        tags=["open inference protocol"],
        name="_".join(["oip", *names, "infer"]),
        response_model=contract.Inferred,
        responses=errors(400, 404, 408, 413, 415, 429, 500, 503, 504),
        openapi_extra=placed(*names) | {"requestBody": contract.INFER_BODY},
    )


async def _body(request: Request, room: Room, take: Callable[[int], None]) -> bytes:
    """The request's body, counted as it comes, and again once it is unpacked.

    Raises Refused (408 too slow, 413 too large, 415 packed in another way), BadInput if it is damaged.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", *bodies.ENCODINGS):
        raise Refused(415, f"the body is packed as {encoding[:40]!r}", f"use {' or '.join(bodies.ENCODINGS)}, or none")
    chunks = []
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                take(len(chunk))
                chunks.append(chunk)
    except TimeoutError as slow:
        raise Refused(408, f"the body took more than {BODY_S:g} s", "use a faster connection") from slow
    data = b"".join(chunks)
    if encoding == "identity":
        return data
    found = await room.unpack(lambda: bodies.inflated(data, encoding, room.request_bytes))
    if found is None:
        raise room.too_large()
    take(max(0, len(found) - len(data)))
    return found


async def _parsed(request: Request, body: bytes, room: Room) -> bodies.Asked:
    """The request in a body; a large JSON is taken apart in a thread, in turn."""
    which, now = _which(request), time.time()
    told = request.headers.get(bodies.HEADER_LENGTH)
    if told is not None and not (told.isdecimal() and told.isascii() and len(told) < 12):
        raise BadInput(f"{bodies.HEADER_LENGTH} is {told[:40]!r}", "say how many bytes of JSON there are")
    length = None if told is None else int(told)

    def parse() -> bodies.Asked:
        return bodies.parsed(body, length, which["name"], which["version"], now)

    heavy = (len(body) if length is None else length) > IN_PLACE_BYTES
    return await room.unpack(parse) if heavy else parse()


async def _unless_gone(request: Request, work: Awaitable[Made]) -> Made:
    """What comes of the work, which is cancelled when the client goes away. Raises ClientDisconnect then."""
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(request.receive())  # all of the body has come: what comes now is that
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        gone.cancel()


def _answer(body: bytes, header_length: int | None, accepted: str) -> Response:
    headers = {} if header_length is None else {bodies.HEADER_LENGTH: str(header_length)}
    offered = {part.partition(";")[0].strip().lower() for part in accepted.split(",") if "q=0" not in part}
    packed = next((each for each in bodies.ENCODINGS if each in offered), None)
    if packed is not None and len(body) >= PACKED_FROM:
        body = gzip.compress(body, 1) if packed == "gzip" else zlib.compress(body, 1)
        headers |= {"content-encoding": packed, "vary": "accept-encoding"}
    kind = "application/json" if header_length is None else "application/octet-stream"
    return Response(body, 200, headers, kind)


def _which(request: Request) -> dict[str, str]:
    """The model that an address names."""
    return {"name": request.path_params["model"], "version": request.path_params.get("version", "")}


def _checked_index(body: bytes) -> None:
    """Raise BadInput unless the body is empty or an object; `ready` changes nothing, as all models are."""
    if body.strip():
        bodies.json_object(body)


def _refuse(faults: Sequence[str]) -> None:
    if faults:
        raise Transient("; ".join(faults), "ask again in a moment")


def _speak(app: FastAPI) -> None:
    """Have the app's errors below /v2 told as the protocol tells them, all others as before."""
    for kind in (LipsolError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _or_error(app.exception_handlers[kind]))


def _or_error(otherwise: Callable[..., Any]) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def told(request: Request, fault: Exception) -> Response:
        if not UNDER.fullmatch(request.url.path):
            return await otherwise(request, fault)  # type: ignore[no-any-return]
        headers = dict(getattr(fault, "headers", None) or {})
        if isinstance(fault, Busy):
            headers["retry-after"] = str(max(1, round(fault.retry_after_s)))
        body = json.dumps({"error": _sentence(request, fault)})
        return Response(body, _status(fault), headers, "application/json")

    return told


def _status(fault: Exception) -> int:
    """The protocol's status of a fault: what can't be used is 400 there."""
    if isinstance(fault, HTTPException):
        return fault.status_code
    status = status_of(fault) if isinstance(fault, LipsolError) else 400
    return 400 if status == 422 else status


def _sentence(request: Request, fault: Exception) -> str:
    if isinstance(fault, HTTPException):
        return f"{request.method} {request.url.path[:200]} ({fault.detail})"
    return str(fault)
