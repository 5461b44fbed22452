"""What Alertmanager says is wrong just now: neither silenced nor held back by a worse one. The one door to it.

It is asked by its API v2 (`GET /api/v2/alerts`), and not more often than every few seconds however many people look at
the board. Where none is named, or it is away, the monitor's own findings stand in, and the answer says why.
"""

import http.client
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from threading import Lock
from urllib.parse import urlsplit

from pydantic import BaseModel, TypeAdapter, ValidationError

from lipsol.errors import Transient
from services.monitor.contract import AlertsTold, AlertTold
from services.monitor.views import Watched
from services.monitor.wording import headline_of, runbook_of, said_of

PATH = "/api/v2/alerts?active=true&silenced=false&inhibited=false&unprocessed=false"
WAIT_S = 2.0  # for an answer: people look at the board meanwhile
FRESH_S = 5.0  # that an answer is told again
AWAY_S = 15.0  # that it is taken to be away once it was
MOST_BYTES = 4 * 1024 * 1024  # of an answer
NOT_SET = (
    "No Alertmanager is named, so this is what the monitor itself found",
    "set LIPSOL_MONITOR__ALERTMANAGER to its address, as http://alertmanager:9093",
)
SEVERITIES = ("page", "ticket")  # the first wakes somebody
DRIFT = "LipSolDrift"  # alerts of this name tell what the monitor found itself


class _Heard(BaseModel):
    """One alert as Alertmanager tells it; what else it says is not wanted."""

    labels: dict[str, str]
    annotations: dict[str, str] = {}
    startsAt: datetime  # noqa: N815 - Alertmanager's name


_ALL = TypeAdapter(list[_Heard])


@dataclass(frozen=True)
class Link:
    """Where an Alertmanager is: its address, with the path that stands before its API, if any."""

    address: str

    def get(self) -> list[_Heard]:
        """Its active alerts. Raises Transient where it gives none, whatever the reason."""
        try:
            return _ALL.validate_json(self._body())
        except (OSError, http.client.HTTPException) as fault:
            raise self._away(str(fault) or type(fault).__name__) from fault
        except ValidationError as fault:
            raise self._away("it answers, but not as Alertmanager's API v2 does") from fault

    def _body(self) -> bytes:
        place = urlsplit(self.address)
        kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        with closing(kind(place.hostname or "", place.port, timeout=WAIT_S)) as connection:
            connection.request("GET", place.path.rstrip("/") + PATH, headers={"Accept": "application/json"})
            answer = connection.getresponse()
            body = answer.read(MOST_BYTES + 1)
            if answer.status != http.client.OK:
                raise self._away(f"it answers {answer.status}")
            if len(body) > MOST_BYTES:
                raise self._away(f"it answers with over {MOST_BYTES} bytes")
            return body

    def _away(self, why: str) -> Transient:
        return Transient(f"Alertmanager at {self.address} does not tell its alerts ({why})", "see that it runs there")


class Alerts:
    """The active alerts, as told by whoever can. Safe between threads."""

    def __init__(self, link: Link | None, now: Callable[[], float]) -> None:
        """link: None: no Alertmanager is named. now: a clock's seconds, from wherever."""
        self._link = link
        self._now = now
        self._lock = Lock()
        self._heard: list[_Heard] | Transient = []
        self._until = -math.inf

    def active(self, watched: Sequence[Watched], runbooks: Sequence[str]) -> AlertsTold:
        """The alerts; where nobody else tells any, the findings among `watched`."""
        if self._link is None:
            return _own(watched, runbooks, *NOT_SET)
        with self._lock:  # who comes meanwhile gets the same answer
            if self._now() >= self._until:
                self._heard = self._ask(self._link)
                self._until = self._now() + (AWAY_S if isinstance(self._heard, Transient) else FRESH_S)
            heard = self._heard
        if isinstance(heard, Transient):
            return _own(watched, runbooks, heard.detail, heard.cure)
        told = sorted((_told(each, runbooks) for each in heard), key=_urgency)
        return AlertsTold(source="alertmanager", problem="", cure="", alerts=told)

    @staticmethod
    def _ask(link: Link) -> list[_Heard] | Transient:
        try:
            return link.get()
        except Transient as away:
            return away


def beside_drift(alerts: AlertsTold) -> list[str]:
    """What Alertmanager's alerts say that the monitor did not find itself."""
    others = alerts.alerts if alerts.source == "alertmanager" else []
    return [each.summary or each.name for each in others if not each.name.startswith(DRIFT)]


def _told(heard: _Heard, runbooks: Sequence[str]) -> AlertTold:
    runbook = PurePosixPath(urlsplit(heard.annotations.get("runbook_url", "")).path).stem
    return AlertTold(
        name=heard.labels.get("alertname", ""),
        severity=heard.labels.get("severity", ""),
        summary=heard.annotations.get("summary", ""),
        description=heard.annotations.get("description", ""),
        since=heard.startsAt.timestamp(),
        labels=dict(sorted(heard.labels.items())),
        runbook=f"/runbooks/{runbook}" if runbook in runbooks else "",
    )


def _own(watched: Sequence[Watched], runbooks: Sequence[str], problem: str, cure: str) -> AlertsTold:
    """The monitor's findings as alerts; of shadow copies none, as they are nobody's."""
    alerts = [
        AlertTold(
            name=headline_of(each),
            severity="",
            summary=headline_of(each),
            description=said_of(each),
            since=each.since,
            labels=_labels(each),
            runbook=f"/runbooks/{runbook_of(each)}" if runbook_of(each) in runbooks else "",
        )
        for each in watched
        if each.state == "drift" and not each.group.shadow
    ]
    return AlertsTold(source="monitor", problem=problem, cure=cure, alerts=sorted(alerts, key=_urgency))


def _labels(watched: Watched) -> Mapping[str, str]:
    group = watched.group
    return {"language": group.language, "model": group.model, "track": group.track}


def _urgency(alert: AlertTold) -> tuple[int, float]:
    known = alert.severity in SEVERITIES
    return SEVERITIES.index(alert.severity) if known else len(SEVERITIES), -alert.since
