"""The bundles as the protocol's models: a bundle's name is the model's, its version the version, the newest by default.

A model that the registry has is ready: it is opened when first asked for.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from lipsol.errors import NotFound
from lipsol.registry.port import ModelInfo
from services.inference.oip.mouths import INPUTS, OUTPUTS, Declared

NAME = "lipsol"
VERSION = "2"  # of the protocol, as every server of it tells
EXTENSIONS = ("binary_tensor_data", "model_configuration", "model_repository(index)")
PLATFORM, BACKEND = "onnxruntime_onnx", "onnxruntime"  # as Triton calls what runs an ONNX network
LOOK_S = 1.0  # how old the list of models may be: asking the registry for each request would cost more than reading
TYPES = {"BYTES": "TYPE_STRING"}  # in a configuration; the others are TYPE_ and the datatype

Listed = Callable[[], Sequence[ModelInfo]]
Unusable = Callable[[], Sequence[tuple[ModelInfo, str]]]


class Known:
    """The registry's models, looked at again once they are LOOK_S old. For one event loop."""

    def __init__(self, listed: Listed, unusable: Unusable = list) -> None:
        """unusable: newer bundles that can't be used, and why."""
        self._listed, self.unusable = listed, unusable
        self._models: Sequence[ModelInfo] = ()
        self._until = 0.0

    async def models(self) -> Sequence[ModelInfo]:
        """Every model, by name, newest version first. Raises Transient while the registry is away."""
        if time.monotonic() >= self._until:
            self._models = await asyncio.to_thread(self._listed)
            self._until = time.monotonic() + LOOK_S
        return self._models

    async def find(self, name: str, version: str = "") -> ModelInfo:
        """The newest model of that name, or the one of that version. Raises NotFound, which lists what there is."""
        models = await self.models()
        for info in models:
            if info.name == name and version in ("", info.version):
                return info
        there = ", ".join(dict.fromkeys(f"{info.name} {info.version}" for info in models))
        asked = f"{name[:100]!r} of version {version[:100]!r}" if version else f"{name[:100]!r}"
        raise NotFound(f"no model {asked}", f"ask for {there}" if there else "train one, or fetch one")

    async def versions(self, name: str) -> list[str]:
        """The versions of a model, newest first."""
        return list(dict.fromkeys(info.version for info in await self.models() if info.name == name))


def server() -> dict[str, Any]:
    """What this server is."""
    return {"name": NAME, "version": VERSION, "extensions": list(EXTENSIONS)}


def metadata(info: ModelInfo, versions: Sequence[str]) -> dict[str, Any]:
    """What a model takes and gives."""
    return {
        "name": info.name,
        "versions": list(versions),
        "platform": PLATFORM,
        "inputs": [_described(each) for each in INPUTS],
        "outputs": [_described(each) for each in OUTPUTS],
    }


def config(info: ModelInfo) -> dict[str, Any]:
    """The same as a configuration in Triton's form; its shapes hold the batch."""
    return {
        "name": info.name,
        "platform": PLATFORM,
        "backend": BACKEND,
        "max_batch_size": 0,
        "input": [_configured(each) | {"optional": not each.required} for each in INPUTS],
        "output": [_configured(each) for each in OUTPUTS],
    }


def index(models: Sequence[ModelInfo], unusable: Sequence[tuple[ModelInfo, str]]) -> list[dict[str, str]]:
    """Every version of every model; those that never took over because they can't be used, last, and why."""
    named = dict.fromkeys((info.name, info.version) for info in models)
    ready = [{"name": name, "version": version, "state": "READY", "reason": ""} for name, version in named]
    return ready + [
        {"name": info.name, "version": info.version, "state": "UNAVAILABLE", "reason": why} for info, why in unusable
    ]


def _described(each: Declared) -> dict[str, Any]:
    return {"name": each.name, "datatype": each.datatype, "shape": list(each.full_shape)}


def _configured(each: Declared) -> dict[str, Any]:
    kind = TYPES.get(each.datatype, f"TYPE_{each.datatype}")
    return {"name": each.name, "data_type": kind, "dims": list(each.full_shape)}
