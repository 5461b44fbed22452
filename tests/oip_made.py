"""The doors of the Open Inference Protocol for tests: served for real over a core, and asked by the stock clients."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np

from lipsol.bus.memory import MemoryBus
from lipsol.clips.clip import MouthClip
from lipsol.registry.local import LocalRegistry
from lipsol.store.local import LocalStore
from services.doors.server import Server
from services.doors.service import DoorSettings
from services.inference import build
from services.inference.api import create_app
from services.inference.core import Core
from services.inference.models import Models
from services.inference.oip.rpc import oip_server
from services.inference.settings import InferenceSettings
from tests.services_made import MadeReader, MadeRegistry, mouth_of

DATATYPES = {"mouth": "UINT8", "lips": "FP32", "jaw": "FP32", "outline": "FP32", "seen": "BOOL"}
NEEDED = ("mouth", "lips", "jaw")
PATIENCE_S = 30.0


@dataclass
class Doors:
    """Both doors, open; `faults` are why they are not ready."""

    core: Core
    rest: str = ""
    rpc: str = ""
    faults: list[str] = field(default_factory=list)

    def url(self, client) -> str:
        """Where a stock client (a module of tritonclient) finds its door."""
        return self.rest if client.__name__ == "tritonclient.http" else self.rpc


def made_core(reader: MadeReader) -> Core:
    """A core over stand-ins."""
    return Core(Models(MadeRegistry(), lambda _path, _info: reader, 4))


def real_core(models: Path, store: Path) -> Core:
    """The core of a reading service over the bundles of a folder."""
    return build(InferenceSettings(), MemoryBus(), LocalStore(store), LocalRegistry(models)).core


@contextmanager
def opened(core: Core) -> Iterator[Doors]:
    """The doors over a core, which is started and stopped with them."""
    doors = Doors(core)
    core.start()
    rpc = oip_server(core, "127.0.0.1", 0, lambda: doors.faults)
    app = create_app(lambda: doors.faults, core)
    server = Server(app, "127.0.0.1", 0, DoorSettings(grace_s=5.0), lambda: None, [rpc])
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        doors.rest = f"127.0.0.1:{server.port}"
        assert httpx.get(f"http://{doors.rest}/healthz", timeout=PATIENCE_S).status_code == 200  # then both are open
        doors.rpc = f"127.0.0.1:{rpc.port}"
        yield doors
    finally:
        server.leave()
        thread.join()
        core.stop(PATIENCE_S)


def inputs_of(client, mouths: Sequence[MouthClip], names: Sequence[str] = NEEDED, **how):
    """Mouths of one length as a stock client's inputs."""
    return [
        input_of(client, name, DATATYPES[name], np.stack([getattr(mouth, name) for mouth in mouths]), **how)
        for name in names
    ]


def input_of(client, name: str, datatype: str, array: np.ndarray, **how):
    """One input of a stock client."""
    made = client.InferInput(name, list(array.shape), datatype)
    made.set_data_from_numpy(array, **how)
    return made


def json_inputs(mouth=None):
    """The inputs of one small mouth as JSON has them."""
    mouth = mouth or mouth_of(frames=2)
    return [
        {"name": name, "datatype": kind, "shape": list(array[None].shape), "data": array[None].tolist()}
        for name, kind in (("mouth", "UINT8"), ("lips", "FP32"), ("jaw", "FP32"))
        if (array := getattr(mouth, name)) is not None
    ]


def eventually(ask, wanted, within_s: float = PATIENCE_S):
    """What `ask` says once it is what is wanted, or after some time."""
    until = time.monotonic() + within_s
    while (said := ask()) != wanted and time.monotonic() < until:
        time.sleep(0.01)
    return said
