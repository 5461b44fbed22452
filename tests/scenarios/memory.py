"""The platform in this process over the memory bus: the same three services, each with hands that can be cut off."""

import os
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from lipsol.bus.port import Bus
from lipsol.runtime.telemetry import Telemetry
from lipsol.runtime.wiring import open_bus, open_registry, open_store
from lipsol.store.port import Store
from services import inference, monitor, preprocess
from services.doors.server import Server
from services.doors.service import Service
from services.embedded import EmbeddedSettings
from services.local.broker import free_port
from services.operating.door import create_app
from services.operating.operations import Operations
from services.operating.settings import OperatingSettings
from tests.scenarios import mouths
from tests.scenarios.command import lipsol
from tests.scenarios.platform import HOST, START_S, Asked, kind_of, of_service, sections, stock_registry
from tests.scenarios.ready import await_ready
from tests.scenarios.severed import Hands, Line

BUILD = {"preprocess": preprocess.build, "inference": inference.build, "monitor": monitor.build}
AWAY_S = 2.0  # that the bus is away when it is restarted
GONE_S = 20.0  # that a crashed service's threads may take to end


class MemoryPlatform:
    """See `platform.Platform`."""

    kind = "memory"

    def __init__(self, asked: Asked) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="lipsol-scenarios-")
        folder = Path(self._folder.name)
        self.canary = stock_registry(folder / "models")
        self._services = asked.services
        self._ports = ports = {name: free_port() for name in (*asked.services, "grpc")}
        self._told = sections(folder, ports, asked)
        self.settings = EmbeddedSettings.model_validate(self._told)
        self.url, self.monitor = f"http://{HOST}:{ports['preprocess']}", f"http://{HOST}:{ports['monitor']}"
        self.grpc = f"{HOST}:{ports['grpc']}"
        self._doors = {name: f"http://{HOST}:{ports[name]}" for name in asked.services}
        self._bus = Line(open_bus(self.settings))
        self._store = open_store(self.settings)
        self._watcher = mouths.StoredWatcher(mouths.prepare())
        self._running: dict[str, Life] = {}

    @property
    def bus(self) -> Bus:
        return self._bus  # type: ignore[return-value]

    @property
    def store(self) -> Store:
        return self._store

    @property
    def models(self) -> Path:
        return Path(self._folder.name) / "models"

    def lipsol(self, *arguments: str) -> str:
        """Through an operating door over the bus, as the embedded platform has one."""
        operations = Operations(self.bus, self._store, open_registry(self.settings))
        server = Server(create_app(operations), HOST, 0, OperatingSettings(), lambda: None)
        thread = threading.Thread(target=server.run, name="operating", daemon=True)
        thread.start()
        try:
            ours = {name: value for name, value in os.environ.items() if not name.startswith("LIPSOL_")}
            return lipsol(ours | {"LIPSOL_OPERATING__PORT": str(server.port)}, *arguments)
        finally:
            server.leave()
            thread.join()

    def kill(self, service: str) -> None:
        self._running.pop(service).crash()

    def revive(self, service: str) -> None:
        parts: dict[str, Any] = {"watcher": self._watcher} if service == "preprocess" else {}
        settings = EmbeddedSettings.model_validate(of_service(service, self._told, self._ports))
        self._running[service] = Life(kind_of(service), settings, (Hands(self._bus), Hands(self._store)), parts)

    def restart_broker(self) -> None:
        self._bus.cut()
        time.sleep(AWAY_S)
        self._bus.mend()

    def memory(self) -> dict[str, int]:
        return {"all in one": psutil.Process().memory_info().rss}

    def await_ready(self, at_most_s: float = START_S) -> None:
        await_ready(self._doors, at_most_s)

    def __enter__(self) -> Self:
        try:
            for service in self._services:
                self.revive(service)
            self.await_ready()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        for life in self._running.values():
            life.crash()
        self._bus.close()
        self._store.close()
        self._folder.cleanup()


class Life:
    """One service from its start to its crash."""

    def __init__(
        self, name: str, settings: EmbeddedSettings, hands: tuple[Hands, Hands], parts: dict[str, Any]
    ) -> None:
        self._hands = hands
        place = getattr(settings, name)
        self._service: Service = BUILD[name](place, *hands, open_registry(settings), telemetry=Telemetry(), **parts)  # type: ignore[operator]
        beside = self._service.beside(place.host, self._service.faults)
        self._server = Server(self._service.app, place.host, place.port, place, self._service.drain, beside)
        self._service.start()
        self._thread = threading.Thread(target=self._server.run, name=f"door-{name}", daemon=True)
        self._thread.start()

    def crash(self) -> None:
        """Cut the hands off; then clear away what is left in this process."""
        for hand in self._hands:
            hand.cut()
        self._server._grace_s = 0.0
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(GONE_S)
        with suppress(Exception):
            self._service.stop()
