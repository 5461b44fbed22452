"""What every service is once it is put together: something that starts, says whether it is ready, drains and stops."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from pydantic import Field

from lipsol.runtime.settings import Section

if TYPE_CHECKING:
    from fastapi import FastAPI

Faults = Callable[[], Sequence[str]]


class Working(Protocol):
    """`lipsol.runtime.worker.Worker`, as far as a service needs it."""

    @property
    def alive(self) -> bool:
        """Whether it takes events."""
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


class Service:
    """One service: its worker on the bus and its HTTP door. Start it once, stop it once."""

    def __init__(
        self, name: str, settings: DoorSettings, worker: Working, make_app: "Callable[[Faults], FastAPI]"
    ) -> None:
        """make_app: builds the HTTP door over what says why the service is not ready."""
        self.name = name
        self.settings = settings
        self._worker = worker
        self._make_app = make_app
        self._leaving = False

    def start(self) -> None:
        """Begin to work."""
        self._worker.start()

    def drain(self) -> None:
        """Say "not ready" from now on, and work on."""
        self._leaving = True

    def stop(self) -> None:
        """Finish what is in work, commit it, and leave."""
        self.drain()
        self._worker.stop(self.settings.grace_s)

    def faults(self) -> list[str]:
        """Why this service is not ready; empty: it is."""
        if self._leaving:
            return [f"{self.name} is leaving"]
        return [] if self._worker.alive else [f"{self.name} takes no events"]

    def ready(self) -> bool:
        """Whether this service should get work."""
        return not self.faults()

    @cached_property
    def app(self) -> "FastAPI":
        """The HTTP door."""
        return self._make_app(self.faults)
