"""The monitor's real door over a made monitor, on a free port: the board as operators get it, in any state."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import FastAPI, Request, Response
from starlette.middleware.base import RequestResponseEndpoint

from services.doors.server import Server
from services.doors.service import DoorSettings
from services.monitor.alerts import Link
from tests.board_made import MadeMonitor


@dataclass
class Made:
    """The board's address, the monitor behind it, and what the page asked of that."""

    monitor: MadeMonitor = field(default_factory=MadeMonitor)
    url: str = ""
    asked: list[str] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)  # the groups whose windows were asked for last
    reports: list[dict[str, object]] | None = None  # None: nobody makes any


@contextmanager
def serving(made: Made, alertmanager: str = "", runbooks: Path | None = None) -> Iterator[Made]:
    """The board of a made monitor; alertmanager: the address of one, if any."""
    app = made.monitor.app(Link(alertmanager) if alertmanager else None, runbooks)
    _watch(app, made)
    server = Server(app, "127.0.0.1", 0, DoorSettings(), lambda: None)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.port}"
    try:
        yield made
    finally:
        server.leave()
        thread.join()


def _watch(app: FastAPI, made: Made) -> None:
    @app.middleware("http")
    async def note(request: Request, follow: RequestResponseEndpoint) -> Response:
        made.asked.append(f"{request.method} {request.url.path}")
        if request.url.path == "/v1/windows":
            made.wanted = request.query_params.getlist("group")
        return await follow(request)

    if made.reports is not None:

        @app.get("/v1/reports")
        def reports() -> list[dict[str, object]]:
            return made.reports or []
