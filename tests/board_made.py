"""Stand-ins for what the board asks: a monitor that has found whatever a test wants, and an Alertmanager."""

import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from lipsol.drift.comparison import Comparison
from lipsol.drift.verdict import Kind, Remedy, Verdict
from lipsol.drift.wording import sentences
from lipsol.errors import Transient
from lipsol.events import ActionTaken
from services.doors.web import new_app
from services.monitor.alerts import Alerts, Link
from services.monitor.board import Board, add_board
from services.monitor.group import Group
from services.monitor.runbooks import Runbooks
from services.monitor.views import Point, Series, State, Watched

STABLE = Group("stable", "grid-sentences", "ab" * 32, "en")
CANARY = Group("canary", "grid-sentences", "cd" * 32, "en")
COPY = Group("canary", "grid-sentences", "cd" * 32, "en", shadow=True)
URDU = Group("stable", "urdu-synthetic-sentences", "ef" * 32, "ur")

WINDOWS = 36
FINDINGS: dict[Kind, tuple[Remedy, Sequence[Comparison]]] = {
    "camera": (
        "tell-users",
        [
            Comparison("brightness", "ks", 0.71, 0.12, 0.71, drifted=True, change=-52.0, was=117.0),
            Comparison("contrast", "psi", 0.9, 0.25, 0.4, drifted=True, change=-11.0, was=31.0),
        ],
    ),
    "speaker": ("retrain", [Comparison("embedding", "mmd", 0.081, 0.02, 0.6, drifted=True)]),
    "mix": ("nothing", [Comparison("words", "chi-square", 0.33, 0.1, 0.2, drifted=True)]),
    "model": ("roll-back", [Comparison("wer", "ratio", 0.31, 0.08, 0.0, drifted=True, change=0.23, was=0.08)]),
    "software": ("repair", [Comparison("mirror", "mirror", 12.4, 3.0, 0.97, drifted=True)]),
}


def quiet(
    group: Group = STABLE, state: State = "quiet", clips: int = 1240, said: str = "", since: float = 0.0
) -> Watched:
    """A group of which nothing was found."""
    return Watched(group, clips, state, None, since or time.time() - 7200, said or "Like what the model knows.")


def drifted(kind: Kind, group: Group = STABLE, since: float = 0.0) -> Watched:
    """A group of which something was found."""
    remedy, evidence = FINDINGS[kind]
    said = sentences(kind, remedy, (), evidence)
    verdict = Verdict(kind, remedy, tuple(evidence), said)
    return Watched(group, 200, "drift", verdict, since or time.time() - 3600, said)


def action(kind: str = "retrain", **changed: Any) -> ActionTaken:
    """Something that the monitor did."""
    made = ActionTaken(
        "a1" * 16, "retrain", "act", True, "Other people speak: train again.", "d1" * 16, STABLE.digest, "stable", "en",
        "monitor", time.time() - 60,
    )  # fmt: skip
    return replace(made, **{"kind": kind, **changed})


def series(
    measure: str, group: Group | None = STABLE, unit: str = "ratio", around: float = 0.6, dip: float = 0.0
) -> Series:
    """A measure over three hours in windows of five minutes, one of them unknown; dip: how far it fell in the last."""
    first = 300 * (time.time() // 300) - 300 * WINDOWS
    levels = [around * (1 + 0.04 * math.sin(2.7 * n)) - (dip if n >= WINDOWS - 10 else 0.0) for n in range(WINDOWS)]
    points = [
        Point(first + 300 * n, None if n == WINDOWS // 3 else level, 20 + 7 * n % 30) for n, level in enumerate(levels)
    ]
    return Series(measure, unit, "input", group, tuple(points))


@dataclass
class MadeMonitor:
    """What the board asks, as a test has it."""

    groups: list[Watched] = field(default_factory=list)
    done: list[ActionTaken] = field(default_factory=list)
    measured: list[Series] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    asked: list[tuple[str, float]] = field(default_factory=list)
    broken: bool = False

    def watched(self) -> Sequence[Watched]:
        if self.broken:
            raise Transient("the monitor is broken", "mend it")
        return list(self.groups)

    def actions(self) -> Sequence[ActionTaken]:
        return list(self.done)

    def series(self, measure: str = "", since: float = 0.0) -> Sequence[Series]:
        self.asked.append((measure, since))
        return [
            replace(each, points=tuple(point for point in each.points if point.at >= since))
            for each in self.measured
            if measure in ("", each.measure)
        ]

    def app(
        self, link: Link | None = None, runbooks: Path | None = None, now: Callable[[], float] = time.monotonic
    ) -> FastAPI:
        """The monitor's door with the board."""
        app = new_app("LipSol monitor", "Made for tests.", lambda: self.faults)
        books = Runbooks(runbooks) if runbooks else Runbooks()
        add_board(app, Board(self, Alerts(link, now), books), lambda: self.faults)
        return app


def alert(name: str = "LipSolServiceDown", severity: str = "page", **annotations: str) -> dict[str, Any]:
    """An alert as Alertmanager's API v2 tells it."""
    return {
        "annotations": {"summary": "inference does not answer", **annotations},
        "endsAt": "2026-11-22T03:10:00.000Z",
        "fingerprint": "0123456789abcdef",
        "receivers": [{"name": severity}],
        "startsAt": "2026-11-22T03:00:00.000Z",
        "status": {"inhibitedBy": [], "silencedBy": [], "state": "active"},
        "updatedAt": "2026-11-22T03:05:00.000Z",
        "generatorURL": "",
        "labels": {"alertname": name, "severity": severity, "service": "inference"},
    }


@dataclass
class MadeAlertmanager:
    """What it answers, and what it was asked."""

    alerts: Any = field(default_factory=list)
    status: int = 200
    asked: list[str] = field(default_factory=list)
    address: str = ""

    @contextmanager
    def serving(self) -> Iterator["MadeAlertmanager"]:
        """It on a free port of this machine."""
        made = self

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                made.asked.append(self.path)
                body = made.alerts if isinstance(made.alerts, bytes) else json.dumps(made.alerts).encode()
                self.send_response(made.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        self.address = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
