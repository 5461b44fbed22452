"""`python -m services`: the whole platform in one process; with a service's name, that service alone.

A service alone talks to the others over a bus that they share; where there is none, it refuses to start.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any

from lipsol.bus.port import Bus
from lipsol.errors import BadInput, LipsolError
from lipsol.runtime.logs import set_up_logging
from lipsol.runtime.settings import Settings, load
from lipsol.runtime.telemetry import MetricsServer, Telemetry
from lipsol.runtime.wiring import open_bus, open_objects, open_registry, open_store
from services import inference, monitor, preprocess
from services.doors.server import Server
from services.doors.service import DoorSettings, Service
from services.embedded import Embedded, EmbeddedSettings

ALONE: dict[str, tuple[Callable[..., Any], int]] = {  # how each is built, and where its metrics are
    preprocess.NAME: (preprocess.build, 9464),
    inference.NAME: (inference.build, 9465),
    monitor.NAME: (monitor.build, 9466),
}
USAGE = f"usage: python -m services [{'|'.join(ALONE)}]"
FAULT, BAD_INPUT = 1, 2  # exit codes


def main(arguments: Sequence[str]) -> int:
    """Serve until told to leave; the exit code."""
    if len(arguments) > 1 or not set(arguments) <= set(ALONE):
        print(USAGE, file=sys.stderr)  # noqa: T201 - a program's own usage
        return BAD_INPUT
    try:
        settings = load(EmbeddedSettings)
        set_up_logging(settings.telemetry)
        if arguments:
            check_alone(arguments[0], settings)
            serve_alone(arguments[0], settings, open_bus(settings))
        else:
            with Embedded(settings) as platform:
                platform.serve()
    except LipsolError as fault:
        print(f"lipsol: {fault.detail}; {fault.cure}", file=sys.stderr)  # noqa: T201 - before and after logging
        return BAD_INPUT if isinstance(fault, BadInput) else FAULT
    return 0


def check_alone(name: str, settings: Settings) -> None:
    """Raise BadInput if the service could not meet the others, naming all that is missing."""
    missing = [
        fault
        for holds, fault in (
            (
                settings.bus.private,
                f"the {settings.bus.kind} bus ends at the process's edge (LIPSOL_BUS__KIND=kafka does not)",
            ),
            (
                settings.store.private,
                "the store has no folder that others could see (LIPSOL_STORE__FOLDER, or LIPSOL_STORE__KIND=s3)",
            ),
        )
        if holds
    ]
    if missing:
        raise BadInput(
            f"{name} alone would meet nobody: {'; '.join(missing)}",
            "run `python -m services` for all in one process, or set a bus and a store that the services share",
        )


def serve_alone(name: str, settings: EmbeddedSettings, bus: Bus, **parts: Any) -> None:
    """Serve one service over a bus until told to leave. parts: stand-ins, as the service's `build` takes them.

    The door is open from the first moment, so that whoever asks is told what the start is waiting for.
    """
    build, metrics_port = ALONE[name]
    place: DoorSettings = getattr(settings, name)
    telemetry, store = Telemetry(), open_store(settings)
    if name == preprocess.NAME:
        parts = {"objects": open_objects(settings, store), **parts}
    service: Service = build(place, bus, store, open_registry(settings), telemetry=telemetry, **parts)
    named = settings.telemetry.metrics_port
    metrics = MetricsServer(telemetry, metrics_port if named is None else named, settings.telemetry.metrics_host)
    try:
        beside = service.beside(place.host, service.faults)
        server = Server(service.app, place.host, place.port, place, service.drain, beside)
        with _starting(service, server):
            server.run()
    finally:
        service.stop()
        metrics.close()
        bus.close()
        store.close()


@contextmanager
def _starting(service: Service, server: Server) -> Iterator[None]:
    """Start the service beside the block. A fault of the start makes the server leave, and is raised here."""
    faults: list[BaseException] = []

    def start() -> None:
        try:
            service.start()
        except BaseException as fault:  # noqa: BLE001 - raised below, in the thread that answers for it
            faults.append(fault)
            server.leave()

    thread = Thread(target=start, name=f"start-{service.name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    for fault in faults:
        raise fault


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
