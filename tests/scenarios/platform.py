"""The platform as the scenarios need it: three services that can be killed, a bus that can go away, doors to knock at.

`processes.ProcessPlatform` runs them over a real Kafka, `memory.MemoryPlatform` over the memory bus in this process.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from lipsol.bundle import Bundle
from lipsol.bus.port import Bus
from lipsol.runtime.wiring import shipped_models
from lipsol.store.port import Store

SERVICES = ("inference", "monitor", "preprocess")
CANARY = "canary"  # a second inference, which a scenario may ask for: then the first one reads as stable
HOST = "127.0.0.1"
MODEL = "grid-sentences"  # what reads English by default
START_S = 240.0  # that all may take to be ready: some seconds, and minutes on a machine that is busy with other work
LONG_AGO = "2000-01-01T00:00:00+00:00"  # when the canary was made: it is nobody's default
Sections = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Asked:
    """What a scenario wants of its platform.

    settings  by section, on top of the usual ones
    services  those that run
    stored    whether the edge finds stored mouths, instead of watching videos
    """

    settings: Sections = field(default_factory=dict)
    services: tuple[str, ...] = SERVICES
    stored: bool = True


class Platform(Protocol):
    """Three services over one bus; entering starts all and waits until they are ready, leaving ends all.

    kind     the bus, as figures tell of it
    url      where the edge answers, whichever of its lives it is in
    monitor  where the monitor does
    grpc     where the edge's gRPC door is, host:port
    canary   digest of a bundle that is nobody's default
    """

    kind: str
    url: str
    monitor: str
    grpc: str
    canary: str

    @property
    def bus(self) -> Bus:
        """The bus, to look at and to publish on."""
        ...

    def kill(self, service: str) -> None:
        """End a service as a power cut would: what it has in hand is left as it is."""
        ...

    def revive(self, service: str) -> None:
        """Start a service again that was killed; does not wait until it is ready."""
        ...

    def restart_broker(self) -> None:
        """Take the bus away, and bring it back with all that it held."""
        ...

    @property
    def store(self) -> Store:
        """The platform's own store."""
        ...

    @property
    def models(self) -> Path:
        """The folder of the models that it reads with."""
        ...

    def lipsol(self, *arguments: str) -> str:
        """What the `lipsol` command prints, asked about this platform. Raises RuntimeError where it fails."""
        ...

    def memory(self) -> dict[str, int]:
        """Resident bytes of each process, by service."""
        ...

    def await_ready(self, at_most_s: float = START_S) -> None:
        """Wait until all services say that they are ready. Raises TimeoutError naming those that are not."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def stock_registry(folder: Path) -> str:
    """Put the shipped models into a folder, and a canary beside them; the canary's digest."""
    folder.mkdir(parents=True, exist_ok=True)
    for bundle in shipped_models().glob("*.lipsol"):
        (folder / bundle.name).symlink_to(bundle)
    shipped = Bundle.load(folder / f"{MODEL}.lipsol")
    card = {**shipped.card, "created": LONG_AGO}
    return replace(shipped, name=f"{MODEL}-canary", card=card).save(folder / f"{MODEL}-canary.lipsol")


def sections(folder: Path, ports: Mapping[str, int], asked: Asked) -> dict[str, dict[str, Any]]:
    """Settings of all services, by section; a scenario's own on top."""
    told: dict[str, dict[str, Any]] = {
        "store": {"folder": str(folder / "store")},
        "registry": {"folder": str(folder / "models")},
        "telemetry": {"metrics_port": 0, "metrics_host": HOST, "log_level": "warning", "log_format": "json"},
        "preprocess": {"host": HOST, "port": ports["preprocess"], "grpc_port": ports["grpc"], "grace_s": 10.0},
        "inference": {"host": HOST, "port": ports["inference"], "grpc_port": 0, "grace_s": 10.0},
        "monitor": {"host": HOST, "port": ports["monitor"], "grace_s": 10.0},
    }
    if CANARY in asked.services:
        told["inference"]["track"] = "stable"
    for section, values in asked.settings.items():
        told[section] = {**told.get(section, {}), **values}
    return told


def of_service(service: str, told: Mapping[str, dict[str, Any]], ports: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """The settings as one service gets them: the canary is an inference of another track, at another port."""
    if service != CANARY:
        return {**told}
    return {**told, "inference": {**told["inference"], "track": "canary", "port": ports[CANARY]}}


def kind_of(service: str) -> str:
    """Which of the three a service is."""
    return "inference" if service == CANARY else service
