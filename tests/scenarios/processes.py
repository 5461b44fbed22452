"""The platform as it runs for real: a Kafka of its own, and each service a process that SIGKILL ends.

All of it is in one folder under `build/scenarios`, logs too, which stay when something went wrong. Whatever becomes of
this process, none of the others outlives it (`services.local.processes`).
"""

import json
import os
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from lipsol.bus.kafka import KafkaBus, Link, create_topics
from lipsol.bus.port import Bus
from lipsol.store.local import LocalStore
from lipsol.store.port import Store
from services.local.broker import Broker, free_port
from services.local.processes import Process
from tests.conftest import TOP
from tests.scenarios import mouths
from tests.scenarios.command import lipsol
from tests.scenarios.platform import HOST, START_S, Asked, kind_of, of_service, sections, stock_registry
from tests.scenarios.ready import await_ready

FOLDER = TOP / "build" / "scenarios"
SESSION_S = 4.0  # after which Kafka takes a consumer for dead: short, since killing is what happens here
BROKER_AWAY_S = 2.0  # between the broker's end and its new start
LEAVE_S = 20.0
MEMORYS = frozenset({"capacity", "history", "history_mib"})  # settings of the memory bus alone


class ProcessPlatform:
    """See `platform.Platform`."""

    kind = "kafka"

    def __init__(self, asked: Asked) -> None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="run-", dir=FOLDER))
        self.canary = stock_registry(self.folder / "models")
        self._how = "stored" if asked.stored else "real"
        if asked.stored:
            mouths.prepare()
        self._services = asked.services
        self._ports = ports = {name: free_port() for name in (*asked.services, "grpc")}
        self._doors = {name: f"http://{HOST}:{ports[name]}" for name in asked.services}
        self.url, self.monitor, self.grpc = self._doors["preprocess"], self._doors["monitor"], f"{HOST}:{ports['grpc']}"
        self._told = sections(self.folder, ports, asked)
        self._stack = ExitStack()
        self._store = LocalStore(self.folder / "store")
        self._running: dict[str, Process] = {}
        self._bus: KafkaBus | None = None
        self._broker: Broker | None = None

    @property
    def bus(self) -> Bus:
        assert self._bus is not None, "the platform was not entered"
        return self._bus

    @property
    def store(self) -> Store:
        return self._store

    @property
    def models(self) -> Path:
        return self.folder / "models"

    def lipsol(self, *arguments: str) -> str:
        return lipsol(self.environment(), *arguments)

    @property
    def servers(self) -> str:
        """Where the broker is."""
        assert self._broker is not None, "the platform was not entered"
        return self._broker.servers

    def kill(self, service: str) -> None:
        self._running.pop(service).kill()

    def revive(self, service: str) -> None:
        with (self.folder / f"{service}.log").open("ab") as log:
            command = [sys.executable, "-m", "tests.scenarios.service", kind_of(service), self._how]
            self._running[service] = Process(command, environment=self.environment(service), output=log, folder=TOP)

    def restart_broker(self) -> None:
        assert self._broker is not None, "the platform was not entered"
        self._broker.kill()
        time.sleep(BROKER_AWAY_S)
        self._broker.restart()

    def memory(self) -> dict[str, int]:
        return {name: _resident(process.pid) for name, process in self._running.items()}

    def await_ready(self, at_most_s: float = START_S) -> None:
        await_ready(self._doors, at_most_s, self._look)

    def _look(self) -> None:
        """Raise RuntimeError, with its last words, if a service ended that nobody killed."""
        for name, process in self._running.items():
            if not process.alive:
                said = (self.folder / f"{name}.log").read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{name} ended by itself: {said}")

    def environment(self, service: str = "") -> dict[str, str]:
        """Ours, with the settings of a service; of none: those that all share, for `lipsol`."""
        told: dict[str, dict[str, Any]] = of_service(service, self._told, self._ports)
        bus = {"kind": "kafka", "servers": self.servers, "session_s": SESSION_S}
        told["bus"] = {**bus, **{name: value for name, value in told.get("bus", {}).items() if name not in MEMORYS}}
        named = {
            f"LIPSOL_{section.upper()}__{name.upper()}": value if isinstance(value, str) else json.dumps(value)
            for section, values in told.items()
            for name, value in values.items()
        }
        ours = {name: value for name, value in os.environ.items() if not name.startswith("LIPSOL_")}
        return ours | named

    def __enter__(self) -> Self:
        try:
            self._broker = self._stack.enter_context(Broker.start(self.folder / "kafka"))
            create_topics(Link(self.servers))
            self._bus = KafkaBus(Link(self.servers))
            self._stack.callback(self._bus.close)
            self._stack.callback(self._end)
            for service in self._services:
                self.revive(service)
            self.await_ready()
        except BaseException as fault:
            self.__exit__(type(fault), fault, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if fault is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            print(f"the logs are in {self.folder.relative_to(TOP)}")

    def _end(self) -> None:
        for process in reversed(self._running.values()):
            process.stop(LEAVE_S)


def _resident(pid: int) -> int:
    """Bytes of a process and of all below it."""
    whole = psutil.Process(pid)
    return sum(each.memory_info().rss for each in (whole, *whole.children(recursive=True)))
