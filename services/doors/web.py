"""The ground of every HTTP door: an app whose errors are problems, and that tells of its health.

`/healthz` says that the process lives: only a restart helps one that does not. `/startupz` says whether it has done
what it does before its first work (its models are open, say), whoever else is missing. `/readyz` says whether it should
get work now, and if not, why not: a broker that is away makes it unready, and no more.
"""

import json
from collections.abc import Callable, Container, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from structlog.contextvars import get_contextvars

from lipsol.errors import Busy, LipsolError, Transient
from services.doors.problems import MEDIA_TYPE, Problem, responses
from services.doors.service import Starting
from services.doors.shield import BODY_BYTES, Shield

CURES = {
    404: "see /docs for the addresses that there are",
    405: "see /docs for what can be done to this address",
}


class Health(BaseModel):
    """That a service lives, has started, or is ready."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [{"status": "ready"}]})

    status: str


def new_app(
    title: str,
    description: str,
    faults: Callable[[], Sequence[str]],
    uploads: Container[str] = (),
    most_bytes: int = BODY_BYTES,
) -> FastAPI:
    """An app with problem answers and health.

    faults      says why the service is not ready (empty: it is)
    uploads     paths that bound their bodies themselves
    most_bytes  of a body that comes to any other
    """
    app = FastAPI(
        title=title,
        description=description,
        version="1",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.add_middleware(Shield, uploads=uploads, most_bytes=most_bytes)
    app.add_exception_handler(LipsolError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    _describe_problems(app)

    @app.get("/healthz", tags=["health"])
    async def healthz() -> Health:
        """Does the process live?"""
        return Health(status="alive")

    @app.get("/startupz", tags=["health"], responses=responses(503))
    async def startupz() -> Health:
        """Has this service done what it does before its first work?"""
        _refuse([fault for fault in faults() if isinstance(fault, Starting)])
        return Health(status="started")

    @app.get("/readyz", tags=["health"], responses=responses(503))
    async def readyz() -> Health:
        """Should this service get work now: its models loaded, its workers at their topics, not on its way out?"""
        _refuse(faults())
        return Health(status="ready")

    return app


def _refuse(faults: Sequence[str]) -> None:
    if faults:
        raise Transient("; ".join(faults), "ask again in a moment")


def answer(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """A problem as an HTTP response, with the request's trace id beside it: what to tell an operator."""
    body = problem.model_dump() | {"trace_id": get_contextvars().get("trace_id", "")}
    return Response(json.dumps(body, ensure_ascii=False), problem.status, headers, MEDIA_TYPE)


async def _expected(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, LipsolError)  # noqa: S101 - Starlette types every handler alike
    headers = {"Retry-After": str(max(1, round(fault.retry_after_s)))} if isinstance(fault, Busy) else None
    return answer(Problem.of(fault), headers)


async def _invalid(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, RequestValidationError)  # noqa: S101
    named = (f"{'.'.join(str(part) for part in error['loc'])}: {error['msg']}" for error in fault.errors())
    return answer(Problem.of_status(422, "; ".join(named), "see /docs for what this address takes"))


async def _http(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)  # noqa: S101
    detail = f"{request.method} {request.url.path[:200]} ({fault.detail})"
    return answer(
        Problem.of_status(fault.status_code, detail, CURES.get(fault.status_code, "")), dict(fault.headers or {})
    )


def _describe_problems(app: FastAPI) -> None:
    """Have the OpenAPI document tell of Problem, in the place of FastAPI's own validation error."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        if "HTTPValidationError" in schemas or "Problem" not in schemas:
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            for operation in (each for path in document["paths"].values() for each in path.values()):
                if "HTTPValidationError" in str(operation.get("responses", {}).get("422", "")):
                    operation["responses"].update({"422": responses(422)[422]})
        return document

    app.openapi = openapi  # type: ignore[method-assign]
