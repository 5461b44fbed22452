"""`python -m services`: the whole platform in one process; with a service's name, that service alone;
with `analyst`, the judge of a release's canary.

A service alone talks to the others over a bus that they share; where there is none, it refuses to start.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

from lipsol.bus.port import Bus
from lipsol.errors import BadInput, LipsolError
from lipsol.runtime.certificates import tell_certificates
from lipsol.runtime.logs import set_up_logging
from lipsol.runtime.settings import Settings, load
from lipsol.runtime.telemetry import MetricsServer, Telemetry
from lipsol.runtime.wiring import open_bus, open_objects, open_registry, open_store
from services.doors.server import Server
from services.doors.service import DoorSettings, Service


@dataclass(frozen=True)
class Alone:
    """One service by itself: where its metrics are, and what brings its settings and its `build`.

    It is imported when it is asked for, and no other is: an image carries what its own service needs. sections: of the
    settings that `build` takes by name, beside the service's own.
    """

    metrics_port: int
    bring: Callable[[], tuple[type[Settings], Callable[..., Service]]]
    sections: tuple[str, ...] = ()


def _preprocess() -> tuple[type[Settings], Callable[..., Service]]:
    from services.preprocess import build
    from services.preprocess.settings import PreprocessSettings

    class PreprocessAlone(Settings):
        preprocess: PreprocessSettings = PreprocessSettings()

    return PreprocessAlone, build


def _inference() -> tuple[type[Settings], Callable[..., Service]]:
    from services.inference import build
    from services.inference.rehearsal import RehearsalSettings
    from services.inference.settings import InferenceSettings

    class InferenceAlone(Settings):
        inference: InferenceSettings = InferenceSettings()
        rehearsal: RehearsalSettings = RehearsalSettings()

    return InferenceAlone, build


def _monitor() -> tuple[type[Settings], Callable[..., Service]]:
    from services.monitor import build
    from services.monitor.settings import MonitorSettings

    class MonitorAlone(Settings):
        monitor: MonitorSettings = MonitorSettings()

    return MonitorAlone, build


ALONE = {
    "preprocess": Alone(9464, _preprocess),
    "inference": Alone(9465, _inference, ("rehearsal",)),
    "monitor": Alone(9466, _monitor),
}
USAGE = f"usage: python -m services [{'|'.join(ALONE)}|analyst [--hand-back|--way-back]]"
ANALYST = (("analyst",), ("analyst", "--hand-back"), ("analyst", "--way-back"))  # serves nothing: a Job of a release
FAULT, BAD_INPUT = 1, 2  # exit codes


def main(arguments: Sequence[str]) -> int:
    """Serve until told to leave; the exit code."""
    if tuple(arguments) in ANALYST:
        from services.analyst.program import main as analyst  # its own image's packages, as for the services

        return analyst(arguments[1:])
    if len(arguments) > 1 or not set(arguments) <= set(ALONE):
        print(USAGE, file=sys.stderr)  # noqa: T201 - a program's own usage
        return BAD_INPUT
    try:
        if arguments:
            settings = load(ALONE[arguments[0]].bring()[0])
            set_up_logging(settings.telemetry)
            check_alone(arguments[0], settings)
            serve_alone(arguments[0], settings, open_bus(settings))
        else:
            serve_all()
    except LipsolError as fault:
        print(f"lipsol: {fault.detail}; {fault.cure}", file=sys.stderr)  # noqa: T201 - before and after logging
        return BAD_INPUT if isinstance(fault, BadInput) else FAULT
    return 0


def serve_all() -> None:
    """Serve the whole platform until told to leave."""
    from services.embedded import Embedded, EmbeddedSettings

    settings = load(EmbeddedSettings)
    set_up_logging(settings.telemetry)
    with Embedded(settings) as platform:
        platform.serve()


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


def serve_alone(name: str, settings: Settings, bus: Bus, **parts: Any) -> None:
    """Serve one service over a bus until told to leave. parts: stand-ins, as the service's `build` takes them.

    settings  with the service's own section

    The door is open from the first moment, so that whoever asks is told what the start is waiting for.
    """
    _, build = ALONE[name].bring()
    place: DoorSettings = getattr(settings, name)
    parts = {section: getattr(settings, section) for section in ALONE[name].sections} | parts
    telemetry, store = Telemetry(), open_store(settings)
    tell_certificates(settings.bus, telemetry)
    if name == "preprocess":
        parts = {"objects": open_objects(settings, store), **parts}
    service: Service = build(place, bus, store, open_registry(settings), telemetry=telemetry, **parts)
    telemetry.follow("lipsol_ready", service.ready, stage=name)
    named = settings.telemetry.metrics_port
    metrics = MetricsServer(
        telemetry, ALONE[name].metrics_port if named is None else named, settings.telemetry.metrics_host
    )
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
