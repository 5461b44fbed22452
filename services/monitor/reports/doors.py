"""The reports' doors: a list for people at `/reports`, each page below it, and the same list as JSON.

A report's page is a program of Evidently's that runs in the reader's browser: it may do so, and nothing else. It is
shut in a sandbox without this address's rights, and may fetch nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from services.doors.problems import responses
from services.monitor.reports.kept import Kind, Report
from services.monitor.reports.maker import Maker

SHUT_IN = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
WHAT = {
    "data-drift": "Is what came in, and what came out, as in the reference?",
    "data-quality": "What came in: ranges, gaps, what is usual",
    "model-quality": "How right the readings were that people judged",
}


class ReportTold(BaseModel):
    """One report."""

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Kind
    made_at: float = Field(description="Unix seconds")
    track: str
    model: str
    digest: str
    language: str
    shadow: bool
    clips: int = Field(description="Clips that came in while the report looks")
    held: int = Field(description="Of them in the report: a fair sample")
    methods: Mapping[str, str] = Field(description="By which method each column was compared, and its bound")
    drifted: Sequence[str] = Field(description="Columns that are not as in the reference")
    reference: str = Field(description="What was compared with: the bundle's own, the accepted one, or nothing")
    page: str = Field(description="Where its page is")

    @classmethod
    def of(cls, report: Report) -> "ReportTold":
        """A report as the door tells it."""
        return cls(**vars(report), page=f"/reports/{report.name}")


class Asked(BaseModel):
    """That a round of reports will be made."""

    model_config = ConfigDict(frozen=True)

    status: str


def add_reports(app: FastAPI, maker: Maker) -> None:
    """Serve the reports that are kept, and let people ask for new ones."""
    reports = maker.reports

    @app.get("/v1/reports", tags=["reports"])
    def report_list() -> list[ReportTold]:
        """Every report that is kept, the newest first."""
        return [ReportTold.of(report) for report in reports.all()]

    @app.post("/v1/reports", tags=["reports"], status_code=202, responses=responses(503))
    def ask_for_reports() -> Asked:
        """Have a round of reports made now; each takes some seconds and a core."""
        maker.ask()
        return Asked(status="asked")

    @app.get("/reports", include_in_schema=False)
    def report_index() -> HTMLResponse:
        return HTMLResponse(_index(reports.all(), maker.missing))

    @app.get("/reports/{name}", tags=["reports"], response_class=HTMLResponse, responses=responses(404))
    def report_page(name: str) -> Response:
        """One report, as a page."""
        return HTMLResponse(reports.page(name), headers={"content-security-policy": SHUT_IN})


def _index(reports: Sequence[Report], missing: str) -> str:
    rows = "".join(
        f'<tr><td><a href="/reports/{escape(each.name)}">{escape(each.kind)}</a><td>{escape(WHAT[each.kind])}'
        f"<td>{datetime.fromtimestamp(each.made_at, UTC):%Y-%m-%d %H:%M} UTC<td>{escape(each.track)}"
        f"{' (shadow)' if each.shadow else ''}<td>{escape(each.model)}<td>{escape(each.language)}"
        f"<td>{each.held} of {each.clips}<td>{escape(', '.join(each.drifted)) or ('none' if each.methods else '')}"
        for each in reports
    )
    none = "" if rows else f"<p>{escape(missing) or 'None yet. POST /v1/reports asks for them.'}</p>"
    columns = "".join(
        f'<th scope="col">{name}'
        for name in ("Report", "Asks", "Made", "Track", "Model", "Language", "Clips", "Drifted")
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<title>LipSol reports</title><link rel="stylesheet" href="/assets/board.css"><main><h1>Reports</h1>'
        f'<p><a href="/">The board</a></p>{none}<table><thead><tr>{columns}<tbody>{rows}</table></main></html>'
    )
