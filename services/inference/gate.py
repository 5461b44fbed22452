"""A worker that works only while it is wanted: how a deployment takes a topic up and leaves it again."""

from collections.abc import Callable
from threading import Event as Flag
from threading import Thread

import structlog

from lipsol.errors import LipsolError
from services.doors.service import Working

LOOK_S = 0.2  # between two looks at whether it is wanted: an expired policy is acted upon within this
STOP_S = 30.0  # that the work in hand may take when it is wanted no more

log = structlog.get_logger()


class Gate:
    """Starts its worker when `wanted`, stops it when not; a LipsolError of `wanted` is a no, and told as the fault."""

    def __init__(self, worker: Working, wanted: Callable[[], bool], name: str) -> None:
        self._worker, self._wanted, self._name = worker, wanted, name
        self._stopping = Flag()
        self._thread: Thread | None = None
        self._why: str | None = None
        self._open = False

    @property
    def fault(self) -> str | None:
        """Why it can't do what it should, in one line; None: it works, or rests as it should."""
        if self._thread is None or not self._thread.is_alive():
            return f"{self._name} is not looked after"
        return self._worker.fault if self._open else self._why

    @property
    def open(self) -> bool:
        """Whether the worker was wanted when last looked at."""
        return self._open

    def start(self) -> None:
        """Look from now on."""
        self._stopping.clear()
        self._thread = Thread(target=self._run, name=f"gate-{self._name}", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = STOP_S) -> bool:
        """Let what is in hand end, and look no more; whether that took less than timeout_s."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
        return self._worker.stop(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._turn(wanted=self._look())
            self._stopping.wait(LOOK_S)

    def _look(self) -> bool:
        try:
            wanted = self._wanted()
        except LipsolError as fault:
            if self._why != fault.detail:
                log.info("gate-kept-shut", gate=self._name, reason=fault.detail, cure=fault.cure)
            self._why = fault.detail
            return False
        self._why = None
        return wanted

    def _turn(self, *, wanted: bool) -> None:
        before = self._open
        if wanted:
            self._worker.start()  # harmless where it works already
            self._open = True
        elif self._open and self._worker.stop(STOP_S):
            self._open = False
        if self._open != before:
            log.info("gate-opens" if self._open else "gate-closes", gate=self._name, reason=self._why or "")
