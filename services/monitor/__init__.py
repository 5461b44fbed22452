"""The watching service: what happened comes over the bus, figures and findings go out. `build` puts it together."""

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from lipsol.bus.port import Bus
from lipsol.events import ActionTaken
from lipsol.registry.port import Registry
from lipsol.runtime.policy import LivePolicy
from lipsol.runtime.telemetry import Telemetry
from lipsol.runtime.worker import Worker
from lipsol.store.port import Store
from lipsol.topics import ACTIONS, DEAD_LETTERS, DELETIONS, FEEDBACK, PREDICTIONS, REFUSALS
from services.doors.service import Faults, Service, Working
from services.monitor.concern import Concern
from services.monitor.figures import Figures
from services.monitor.grounds import Grounds
from services.monitor.group import Group
from services.monitor.groups import Groups
from services.monitor.handler import Handler
from services.monitor.keeping import Keeper
from services.monitor.ownership import Ownership
from services.monitor.references import References
from services.monitor.remembering import Memory
from services.monitor.reports.kept import Reports
from services.monitor.reports.maker import Maker
from services.monitor.reports.rows import Row, usual_rows
from services.monitor.series import series
from services.monitor.settings import MonitorSettings
from services.monitor.state import State
from services.monitor.views import Series, Watched
from services.monitor.windows import Counts, Windows

if TYPE_CHECKING:
    from fastapi import FastAPI

NAME = "monitor"
HEARD = (PREDICTIONS.name, FEEDBACK.name, DELETIONS.name, REFUSALS.name, DEAD_LETTERS.name, ACTIONS.name)


class Monitor(Service):
    """The watching service, put together, and what its doors ask (`views.Told`). Asking is safe between threads."""

    def __init__(
        self,
        settings: MonitorSettings,
        handler: Handler,
        ownership: Ownership,
        maker: Maker,
        workers: Sequence[Working],
    ) -> None:
        super().__init__(NAME, settings, (*workers, maker), self._door)
        self._place, self._handler, self._ownership, self._maker = settings, handler, ownership, maker

    def stop(self) -> None:
        """As every service; and wait for no other monitor any more."""
        self._ownership.interrupt()
        super().stop()

    def counts(self) -> Counts:
        """All that is in the windows, each thing once."""
        handler = self._handler
        with handler.lock:
            return Counts.of(handler.windows.since(time.time() - handler.windows.kept_s), handler.memory.clips)

    def watched(self) -> Sequence[Watched]:
        """Every group that is watched."""
        with self._handler.lock:
            return self._handler.concern.watched(self._handler.groups.standings())

    def actions(self) -> Sequence[ActionTaken]:
        """What was done or proposed lately, the newest first."""
        return self._handler.concern.actions()

    def series(self, measure: str = "", since: float = 0.0) -> Sequence[Series]:
        """Measures over time; "": all. since: no older windows than this, Unix seconds."""
        windows = self._handler.windows
        with self._handler.lock:
            return series(windows.since(max(since, time.time() - windows.kept_s)), measure)

    def _door(self, faults: Faults) -> "FastAPI":
        from services.monitor.api import create_app
        from services.monitor.board import Board

        return create_app(faults, self.counts, Board.of(self._place, self), self._maker)


def build(
    settings: MonitorSettings, bus: Bus, store: Store, registry: Registry, *, telemetry: Telemetry | None = None
) -> Monitor:
    """The service over its ports."""
    telemetry = telemetry or Telemetry()
    policy = LivePolicy(bus, stage=NAME, telemetry=telemetry)
    ownership = Ownership(bus, telemetry, settings.answer_s)
    grounds = Grounds(policy, registry)
    concern = Concern(settings.automation, settings.sensitivity, telemetry, grounds, grounds.ended)
    handler = Handler(
        Memory(settings.window_clips, settings.window_s),
        Windows(settings.tumbling_s, settings.window_s),
        Groups(References(registry, time.monotonic), settings.sensitivity, concern, telemetry),
        concern,
        Figures(telemetry),
        ownership.owner,
        time.time,
    )
    state = State(bus, ownership.owner, telemetry, time.time)
    keeper = Keeper(handler, state, ownership, bus, HEARD, NAME, settings.keep_s, time.time, time.monotonic)
    worker = Worker(
        bus,
        HEARD,
        NAME,
        handler.handle,
        batch=settings.batch,
        attempts=settings.attempts,
        stage=NAME,
        telemetry=telemetry,
        prepare=keeper.prepare,
        places=keeper.coming,
        settled=keeper.settled,
    )
    ownership.ends(worker, keeper)
    reports = Reports(store, settings.reports.kept_s)
    maker = Maker(bus, reports, partial(_usual, handler), settings.reports, telemetry)
    return Monitor(settings, handler, ownership, maker, (policy, ownership, keeper, worker))


def _usual(handler: Handler, group: Group) -> tuple[str, Sequence[Row]]:
    """What reports compare a group with: whence, and its rows; "" and none where there is no reference."""
    with handler.lock:
        reference = handler.groups.reference(group)
    return ("", ()) if reference is None else (reference.learned, usual_rows(reference))
