"""The outermost layer of every app: a trace for each request, headers that bind browsers, and no fault that escapes."""

import json
from collections.abc import Container

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lipsol.runtime.envelope import TRACEPARENT, Trace, following
from services.doors.problems import MEDIA_TYPE, Problem

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",  # results are somebody's words; what may be kept says so itself
}

BODY_BYTES = 64 * 1024  # of a request to any address that takes no uploads

log = structlog.get_logger("lipsol.doors")


class Shield:
    """ASGI middleware. `uploads`: the paths whose handlers bound their requests' bodies themselves; `most_bytes`: of a
    body that comes to any other.
    """

    def __init__(self, app: ASGIApp, uploads: Container[str] = (), most_bytes: int = BODY_BYTES) -> None:
        self._app = app
        self._uploads = uploads
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace = Trace.of({TRACEPARENT: Headers(scope=scope).get(TRACEPARENT, "")})
        answer = _Answer(send, trace)
        with following(trace):
            try:
                bounded = receive if scope["path"] in self._uploads else _bounded(receive, self._most_bytes)
                await self._app(scope, bounded, answer)
            except ClientDisconnect:
                log.info("client_left", path=scope["path"])
            except Exception:  # the last door: whatever it is, the client gets a problem and the log the rest
                log.exception("unexpected", path=scope["path"], method=scope["method"])
                await answer.broken()


def _bounded(receive: Receive, most_bytes: int) -> Receive:
    """The request's body, refused with 413 as soon as it is over the bound."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most_bytes:
            raise HTTPException(413, f"a body of over {most_bytes} bytes")
        return message

    return bounded


class _Answer:
    """Sends the answer on with the headers that are missing."""

    def __init__(self, send: Send, trace: Trace) -> None:
        self._send = send
        self._trace = trace
        self._started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._started = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers["trace-id"] = self._trace.trace_id
        await self._send(message)

    async def broken(self) -> None:
        """Answer 500, unless an answer has begun."""
        if self._started:
            return
        cure = f"try again; if it stays, tell the operator the trace id {self._trace.trace_id}"
        problem = Problem.of_status(500, "something unexpected happened", cure).model_dump()
        body = json.dumps(problem | {"trace_id": self._trace.trace_id}).encode()
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        await self({"type": "http.response.start", "status": 500, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})
