"""Makes reports now and then, or when asked: gathers rows, has a process of its own make the page, and keeps it.

What fails is told in the log and in a figure, and the next round tries again; the monitor itself goes on counting.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Condition, Thread
from typing import Any

import structlog

from lipsol.bus.port import Bus
from lipsol.errors import LipsolError, Transient
from lipsol.runtime.clock import Clock, SystemClock
from lipsol.runtime.telemetry import Telemetry
from services.monitor.group import Group
from services.monitor.reports.kept import Kind, Report, Reports
from services.monitor.reports.rows import KINDS, RIGHT, Row, Rows, gather
from services.monitor.reports.settings import ReportSettings

LEAST = 50  # clips of a group below which a report says nothing
LEAST_JUDGED = 30  # of them judged, below which nothing is said of the model
MISSING, CURE = "Evidently is not installed here", "install requirements/monitor.txt"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

RowsOf = Callable[[Group], tuple[str, Sequence[Row]]]
"""A group's reference: "bundle" or "accepted", and its rows; "" and none where there is no reference."""

Made = tuple[bytes, Mapping[str, Any]]  # a page, and what was found

log = structlog.get_logger()


class Maker:
    """A thread that makes a round of reports every `every_s` seconds, and one when asked; start once, stop once."""

    def __init__(
        self,
        bus: Bus,
        reports: Reports,
        reference: RowsOf,
        settings: ReportSettings,
        telemetry: Telemetry,
        clock: Clock | None = None,
    ) -> None:
        self.reports = reports
        self._bus, self._reference, self._settings = bus, reference, settings
        self._telemetry, self._clock = telemetry, clock or SystemClock()
        self._wake = Condition()
        self._asked = self._stopping = False
        self._child: subprocess.Popen[str] | None = None
        self._thread: Thread | None = None

    @property
    def fault(self) -> str | None:
        """None: a monitor without reports still counts. The figures tell of it."""
        return None

    @property
    def missing(self) -> str:
        """Why no report can be made here, and what helps; "": it can."""
        return "" if find_spec("evidently") else f"{MISSING}: {CURE}"

    def start(self) -> None:
        """Begin to make reports when it is time."""
        self._thread = Thread(target=self._run, name="reports", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Make no more, and give up the one in hand; whether that was done within timeout_s."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
            if self._child is not None:
                self._child.kill()
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def ask(self) -> None:
        """Have a round made soon; asked twice before it begins, it is one. Raises Transient where none can be made."""
        if self.missing:
            raise Transient(MISSING, CURE)
        with self._wake:
            self._asked = True
            self._wake.notify()

    def round(self) -> list[Report]:
        """One round: every kind of report of every group for which there is enough. Raises as the bus and store do."""
        now = self._clock.now()
        found = gather(self._bus, now - self._settings.window_s, self._settings.clips)
        return [
            report
            for group, rows in found.items()
            if len(rows.sample) >= LEAST
            for report in self._of_group(group, rows, now)
        ]

    def _run(self) -> None:
        while self._wait():
            try:
                made = self.round()
                log.info("reports-made", reports=len(made))
            except Exception as fault:  # whatever it was, the next round may do better
                self._telemetry.add("lipsol_reports_failed_total", reason="round")
                log.warning("reports-failed", exc_info=not isinstance(fault, LipsolError), reason=type(fault).__name__)

    def _wait(self) -> bool:
        """Until it is time; False once stopped."""
        every = self._settings.every_s
        with self._wake:
            self._wake.wait_for(lambda: self._asked or self._stopping, every if every and not self.missing else None)
            self._asked = False
            return not self._stopping

    def _of_group(self, group: Group, rows: Rows, now: float) -> Iterable[Report]:
        source, reference = self._reference(group)
        asked: list[tuple[Kind, Sequence[Row], Sequence[Row]]] = [("data-quality", rows.sample, ())]
        if reference:
            asked.append(("data-drift", rows.sample, reference))
        if len({row[RIGHT] for row in rows.judged}) == 2 and len(rows.judged) >= LEAST_JUDGED:
            asked.append(("model-quality", rows.judged, ()))
        for kind, current, against in asked:
            if made := self._make(kind, current, against):
                page, facts = made
                whose = (group.track, group.model, group.digest, group.language, group.shadow)
                told = (rows.clips, len(current), facts["methods"], facts["drifted"], source if against else "")
                yield self.reports.keep(Report("", kind, now, *whose, *told), page)
                self._telemetry.add("lipsol_reports_made_total", kind=kind)

    def _make(
        self, kind: Kind, current: Sequence[Row], against: Sequence[Row]
    ) -> tuple[bytes, Mapping[str, Any]] | None:
        """The page and what was found; None where the process failed, which is told."""
        with TemporaryDirectory(prefix="lipsol-report-") as place:
            folder = Path(place)
            lay(folder, kind, current, against, self._settings.memory_mib)
            if not self._ran(folder, kind):
                return None
            return (folder / "page.html").read_bytes(), json.loads((folder / "found.json").read_text())

    def _ran(self, folder: Path, kind: Kind) -> bool:
        command = [sys.executable, "-m", "services.monitor.reports.worker", str(folder)]
        with self._wake:
            if self._stopping:
                return False
            self._child = child = subprocess.Popen(  # noqa: S603 - our own module
                command, env={**os.environ, **ONE_THREAD}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
        try:
            _, said = child.communicate(timeout=self._settings.limit_s)
            reason = "memory" if "MemoryError" in said else "fault"
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            reason = "time"
        finally:
            self._child = None
        if child.returncode == 0:
            return True
        if not self._stopping:
            self._telemetry.add("lipsol_reports_failed_total", reason=reason)
            log.warning("report-failed", kind=kind, reason=reason, status=child.returncode)
        return False


def lay(folder: Path, kind: Kind, current: Sequence[Row], against: Sequence[Row], memory_mib: int) -> None:
    """Write down what `services.monitor.reports.worker` makes a report of; against: empty to compare with nothing."""
    columns = _shared(current, against)
    for name, rows in (("current", current), ("reference", against)):
        if rows:
            (folder / f"{name}.json").write_text(json.dumps([_only(row, columns) for row in rows]))
    asked = {"kind": kind, "kinds": [*KINDS, RIGHT], "memory_mib": memory_mib}
    (folder / "asked.json").write_text(json.dumps(asked))


def _shared(*tables: Sequence[Row]) -> list[str]:
    """The columns that all tables have; a table that is empty has no say."""
    return sorted(frozenset.intersection(*(frozenset().union(*rows) for rows in tables if rows)))


def _only(row: Row, columns: Sequence[str]) -> Mapping[str, float | str | None]:
    return {name: row.get(name) for name in columns}
