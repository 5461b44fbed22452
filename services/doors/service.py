"""What every service is once it is put together: something that starts, says whether it is ready, drains and stops."""

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from pydantic import Field

from lipsol.runtime.settings import Section

if TYPE_CHECKING:
    from fastapi import FastAPI

    from services.doors.server import Beside

Faults = Callable[[], Sequence[str]]


class Working(Protocol):
    """`lipsol.runtime.worker.Worker`, as far as a service needs it."""

    @property
    def fault(self) -> str | None:
        """Why it takes no events just now; None: it does."""
        ...

    def start(self) -> None:
        """Begin to take events."""
        ...

    def stop(self, timeout_s: float) -> bool:
        """Finish what is in work and commit it; whether that was done in time."""
        ...


class DoorSettings(Section):
    """Where a service's HTTP door is, and how it leaves; the same for every service, but for the port."""

    host: str = "0.0.0.0"
    """Address that the HTTP door listens on. All of them, since in a container it must be reached from outside;
    `lipsol serve` takes this machine alone."""
    port: int = Field(default=0, ge=0, le=65535)
    """Port of the HTTP door; 0 takes any free one."""
    drain_s: float = Field(default=0.0, ge=0)
    """Seconds between "not ready" and no new connections on SIGTERM; in a cluster as long as a probe's period."""
    grace_s: float = Field(default=30.0, gt=0)
    """Seconds that what is in work has to be finished on SIGTERM; a cluster's usual grace period."""


class Starting(str):
    """A fault that is no more than this: the service has not yet done what it does before its first work."""

    __slots__ = ()


class Service:
    """One service: its workers on the bus and its HTTP door. Start it once, stop it once."""

    def __init__(
        self,
        name: str,
        settings: DoorSettings,
        workers: Sequence[Working],
        make_app: "Callable[[Faults], FastAPI]",
    ) -> None:
        """workers: started in this order, stopped in the other one. make_app: builds the HTTP door over what says why
        the service is not ready."""
        self.name = name
        self.settings = settings
        self._workers = tuple(workers)
        self._make_app = make_app
        self._started = self._leaving = False

    def start(self) -> None:
        """Begin to work."""
        for worker in self._workers:
            worker.start()
        self._started = True

    def drain(self) -> None:
        """Say "not ready" from now on, and work on."""
        self._leaving = True

    def stop(self) -> None:
        """Finish what is in work, commit it, and leave; all of that within the grace period."""
        self.drain()
        until = time.monotonic() + self.settings.grace_s
        for worker in reversed(self._workers):
            worker.stop(max(0.0, until - time.monotonic()))

    def faults(self) -> list[str]:
        """Why this service is not ready; empty: it is."""
        if self._leaving:
            return [f"{self.name} is leaving"]
        if not self._started:
            return [Starting(f"{self.name} is starting")]
        return list(dict.fromkeys(worker.fault for worker in self._workers if worker.fault))

    def ready(self) -> bool:
        """Whether this service should get work."""
        return not self.faults()

    def beside(self, host: str, faults: Faults) -> "Sequence[Beside]":
        """Doors beside the HTTP one, on the same address; `faults` says why what is behind them is not ready."""
        del host, faults  # only the edge has any
        return ()

    @cached_property
    def app(self) -> "FastAPI":
        """The HTTP door."""
        return self._make_app(self.faults)
