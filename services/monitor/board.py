"""The board: the monitor's page for operators, and the doors that it asks. Nothing here changes anything."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Query
from fastapi.responses import HTMLResponse

from services.doors.pages import add_pages
from services.doors.problems import responses
from services.monitor.alerts import Alerts, Link, beside_drift
from services.monitor.contract import ActionTold, AlertsTold, SeriesTold, StateTold, name_of_group
from services.monitor.runbooks import Runbooks
from services.monitor.settings import MonitorSettings
from services.monitor.views import Told
from services.monitor.wording import place_of

WEB = Path(__file__).parent / "web"

MEASURE = Query(description="Name of one measure; without it all")
SINCE = Query(description="No older windows than this, Unix seconds; without it all that are kept", ge=0)
GROUP = Query(description="Only the series of these groups, as /v1/state names them; all: those of everybody together")


@dataclass(frozen=True)
class Board:
    """What the board shows, and whom it asks. now: Unix time, seconds."""

    told: Told
    alerts: Alerts
    runbooks: Runbooks
    now: Callable[[], float] = time.time

    @classmethod
    def of(cls, settings: MonitorSettings, told: Told) -> "Board":
        """The board as the settings want it."""
        link = Link(settings.alertmanager) if settings.alertmanager else None
        return cls(told, Alerts(link, time.monotonic), Runbooks())

    def state(self, faults: Sequence[str]) -> StateTold:
        """How all stands; faults: why the monitor does not count."""
        watched, names = self.told.watched(), self.runbooks.names
        others = beside_drift(self.alerts.active(watched, names))
        return StateTold.of(watched, at=self.now(), faults=faults, alerts=others, runbooks=names)

    def windows(self, measure: str, since: float, groups: Sequence[str]) -> list[SeriesTold]:
        """Measures over time; groups: of these alone; (): of all."""
        found = sorted(self.told.series(measure, since), key=lambda each: place_of(each.measure))
        return [SeriesTold.of(each) for each in found if not groups or name_of_group(each.group) in groups]

    def active(self) -> AlertsTold:
        """The alerts that are active."""
        return self.alerts.active(self.told.watched(), self.runbooks.names)


def add_board(app: FastAPI, board: Board, faults: Callable[[], Sequence[str]]) -> None:
    """Serve the page and its doors; `faults` says why the monitor does not count."""

    @app.get("/v1/state", tags=["board"])
    def state() -> StateTold:
        """How all stands: in one line, and for each group that is watched, with the evidence and the remedy."""
        return board.state(faults())

    @app.get("/v1/windows", tags=["board"], responses=responses(422))
    def windows(
        measure: Annotated[str, MEASURE] = "",
        since: Annotated[float, SINCE] = 0.0,
        group: Annotated[tuple[str, ...], GROUP] = (),
    ) -> list[SeriesTold]:
        """The measures over time, window by window."""
        return board.windows(measure, since, group)

    @app.get("/v1/actions", tags=["board"])
    def actions() -> list[ActionTold]:
        """What was done, noted or proposed lately, and why; the newest first."""
        return [ActionTold.of(each) for each in board.told.actions()]

    @app.get("/v1/alerts", tags=["board"])
    def alerts() -> AlertsTold:
        """The alerts that are active: Alertmanager's, or where none can be asked the monitor's own findings."""
        return board.active()

    @app.get("/runbooks/{name}", tags=["board"], response_class=HTMLResponse, responses=responses(404))
    def runbook(name: str) -> HTMLResponse:
        """What to do about one kind of trouble, as a page."""
        return HTMLResponse(board.runbooks.page(name))

    add_pages(app, WEB)
