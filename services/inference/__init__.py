"""The reading service: mouths come over the bus, predictions go out. `build` puts it together."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lipsol.bus.port import Bus
from lipsol.registry.port import Registry
from lipsol.runtime.cpus import available_cpus
from lipsol.runtime.telemetry import Telemetry
from lipsol.store.claims import Claims
from lipsol.store.port import Store
from services.doors.service import Faults, Service, Working
from services.inference.core import Core
from services.inference.models import Models, OpenReader
from services.inference.opening import opener
from services.inference.rehearsal import RehearsalSettings, core_of, opener_of
from services.inference.settings import InferenceSettings
from services.inference.tracks import NAME as NAME
from services.inference.tracks import Tracks

if TYPE_CHECKING:
    from fastapi import FastAPI

    from services.doors.server import Beside

GPU_LANES = 2  # one batch on the GPU, one that is made ready for it


class Inference(Service):
    """The reading service, put together."""

    def __init__(self, settings: InferenceSettings, core: Core, workers: Sequence[Working]) -> None:
        super().__init__(NAME, settings, workers, self._door)
        self.core, self._grpc_port = core, settings.grpc_port

    def start(self) -> None:
        """Open the models that read by default, then begin to read. Raises ModelError if one can't be used."""
        self.core.start()
        super().start()

    def stop(self) -> None:
        """Let the workers finish, then what other doors asked."""
        until = time.monotonic() + self.settings.grace_s
        super().stop()
        self.core.stop(max(0.0, until - time.monotonic()))

    def faults(self) -> list[str]:
        """Why this service is not ready; empty: it is."""
        return super().faults() + ([] if len(self.core.models) else ["no model is loaded"])

    def beside(self, host: str, faults: Faults) -> "Sequence[Beside]":
        """The gRPC door; both doors ask the same core."""
        from services.inference.oip.rpc import oip_server

        return [oip_server(self.core, host, self._grpc_port, faults)]

    def _door(self, faults: Faults) -> "FastAPI":
        from services.inference.api import create_app

        return create_app(faults, self.core)


def build(
    settings: InferenceSettings,
    bus: Bus,
    store: Store,
    registry: Registry,
    *,
    telemetry: Telemetry | None = None,
    open_reader: OpenReader | None = None,
    rehearsal: RehearsalSettings = RehearsalSettings(),  # noqa: B008 - it is frozen
) -> Inference:
    """The service over its ports. open_reader: stands in for onnxruntime's readers; rehearsal: what goes wrong."""
    telemetry = telemetry or Telemetry()
    opening = opener_of(rehearsal, open_reader or opener(settings.engine(), registry.keys), telemetry)
    models = Models(registry, opening, settings.models_held, telemetry, bundles=settings.bundles)
    cpus = available_cpus()
    lanes, searchers = _shared(cpus, settings.threads) if settings.provider == "cpu" else (GPU_LANES, cpus)
    batching, look_s = settings.batching(), settings.look_s
    core = core_of(rehearsal)(models, batching, lanes=lanes, searchers=searchers, telemetry=telemetry, look_s=look_s)
    made = Tracks(settings, bus, core, Claims(store), telemetry)
    return Inference(settings, core, made.workers())


def _shared(cpus: int, threads: int) -> tuple[int, int]:
    """Batches in the network and clips in the search at the same time, out of so many CPUs.

    More threads than CPUs only wait for each other: two CPUs read fewer clips a second with two of each than with one.
    """
    lanes = threads or max(1, cpus // 2)
    return lanes, max(1, cpus - lanes)
