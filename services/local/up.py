"""`make up`: Kafka and the three services on this machine, each in a process of its own, until told to leave.

- The settings are those of the environment. What they leave open is chosen for one machine: Kafka as the bus, a store
  folder that the services share under `build/local`, and doors that only this machine reaches.
- Where a Kafka answers already at `LIPSOL_BUS__SERVERS`, it is used; else one is started there, and ended at the end.
- They leave in the direction of the flow, so that each still hears what those before it had to say.
- One that dies takes the rest along: half a platform is none.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

from lipsol.bus.kafka import create_topics
from lipsol.errors import BadInput
from lipsol.runtime.settings import load
from lipsol.runtime.wiring import kafka_link
from services.doors.service import DoorSettings
from services.embedded import EmbeddedSettings
from services.local.broker import HOST, LIBS, Broker, is_free
from services.local.processes import Process
from services.local.screen import Screen, growing

SERVICES = ("preprocess", "inference", "monitor")  # in the direction of the flow
BUILD = LIBS.parents[1]
KAFKA_DATA = BUILD / "kafka" / "data"  # that of `make kafka` too
STORE = BUILD / "local" / "store"
NARRATOR = "up"
LOOK_S = 0.2  # between two looks at the services
SPARE_S = 10.0  # beyond its own grace that a service has to leave, before it is killed


@dataclass(frozen=True)
class Running:
    """One service in its process."""

    name: str
    place: DoorSettings
    process: Process

    def ready(self) -> bool:
        """Whether it says that it is."""
        connection = HTTPConnection(HOST, self.place.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


def up(leave: threading.Event, screen: Screen) -> int:
    """Run it all until `leave`; the exit code.

    Raises BadInput for settings that can't work, Transient where Kafka can't be had.
    """
    environment = choose(os.environ)
    settings = _load(environment)
    with ExitStack() as stack:
        stack.enter_context(_kafka(settings, screen))
        create_topics(kafka_link(settings))
        running = [stack.enter_context(_service(name, settings, environment, screen)) for name in reversed(SERVICES)]
        waiting = True
        while not leave.wait(LOOK_S):
            for service in running:
                if not service.process.alive:
                    code = service.process.wait()
                    screen.say(NARRATOR, f"{service.name} ended with exit code {code}; the others end with it")
                    return 1
            if waiting and all(service.ready() for service in running):
                waiting = False
                page, board = (f"http://{HOST}:{place.port}/" for place in (settings.preprocess, settings.monitor))
                screen.say(NARRATOR, f"all are ready; the page is at {page} and the board at {board}")
        screen.say(NARRATOR, "leaving: what is in work is finished first; a second Ctrl-C ends it at once")
    return 0


def choose(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment, and what it leaves open as one machine needs it."""
    open_here = {f"LIPSOL_{name.upper()}__HOST": HOST for name in SERVICES}
    chosen = {"LIPSOL_BUS__KIND": "kafka", "LIPSOL_TELEMETRY__METRICS_HOST": HOST, **open_here}
    if environment.get("LIPSOL_STORE__KIND", "local") == "local":
        chosen["LIPSOL_STORE__FOLDER"] = str(STORE)
    if sys.stdout.isatty():
        chosen["LIPSOL_TELEMETRY__LOG_FORMAT"] = "console"
    return chosen | dict(environment)


def _load(environment: Mapping[str, str]) -> EmbeddedSettings:
    """The settings that the services will see. Raises BadInput where they would not be a platform."""
    os.environ.update(environment)
    settings = load(EmbeddedSettings)
    if settings.bus.kind != "kafka":
        raise BadInput(f"LIPSOL_BUS__KIND={settings.bus.kind} ends at a process's edge", "leave it out, or say kafka")
    for name in SERVICES:
        if not getattr(settings, name).port:
            raise BadInput(f"LIPSOL_{name.upper()}__PORT=0 is a port that nobody knows", "name one, or leave it out")
    return settings


@contextmanager
def _kafka(settings: EmbeddedSettings, screen: Screen) -> Iterator[None]:
    """A Kafka at the settings' address: the one that answers there, else one of our own."""
    host, _, port = settings.bus.servers.partition(":")
    if host not in {HOST, "localhost"} or not port.isdecimal() or not is_free(int(port)):
        screen.say(NARRATOR, f"using the Kafka at {settings.bus.servers}")
        yield
        return
    screen.say(NARRATOR, f"starting Kafka at {settings.bus.servers} (the first time its jars are fetched)")
    with Broker.start(KAFKA_DATA, int(port)) as broker:
        screen.follow("kafka", growing(broker.log, lambda: not broker.alive))
        yield


@contextmanager
def _service(
    name: str, settings: EmbeddedSettings, environment: Mapping[str, str], screen: Screen
) -> Iterator[Running]:
    """One service, from its start to its end in good order."""
    place: DoorSettings = getattr(settings, name)
    command = [sys.executable, "-m", "services", name]
    process = Process(command, environment=environment, output=subprocess.PIPE)
    said = screen.follow(name, process.output)
    try:
        yield Running(name, place, process)
    finally:
        began = time.monotonic()
        code = process.stop(place.drain_s + place.grace_s + SPARE_S)
        said.join(timeout=SPARE_S)
        process.output.close()
        screen.say(NARRATOR, f"{name} has left after {time.monotonic() - began:.1f} s (exit code {code})")
