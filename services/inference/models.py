"""The bundles in memory: opened when first asked for, checked against their digest, the longest unused making way."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from lipsol.bundle import Bundle
from lipsol.clips.clip import MouthClip
from lipsol.engine import Engine
from lipsol.errors import ModelError
from lipsol.model.prediction import Prediction
from lipsol.reader import Bound, Heard, Reader
from lipsol.registry.port import ModelInfo, Registry


class Reading(Protocol):
    """`lipsol.reader.Reader`, as far as this service needs it."""

    def hear(self, mouths: Sequence[MouthClip], at_once: int) -> list[Heard]:
        """What the network says of each mouth, in the order given; at_once: clips of one batch at most."""
        ...

    def decode(self, heard: Heard, grammar: Bound) -> Prediction:
        """The words of what was heard, under a grammar."""
        ...


OpenReader = Callable[[Path, ModelInfo], Reading]


class Models:
    """Readers by bundle, at most `held` of them; safe to share between threads."""

    def __init__(self, registry: Registry, open_reader: OpenReader, held: int) -> None:
        self._registry = registry
        self._open = open_reader
        self._held = held
        self._lock = threading.Lock()
        self._readers: OrderedDict[str, Reading] = OrderedDict()

    def open_defaults(self) -> int:
        """Open the bundle of every language's default, so that no client waits for it; returns how many that were.

        Raises ModelError if one can't be used, or if there is none at all.
        """
        defaults = [info for info in self._registry.models() if info.default]
        if not defaults:
            raise ModelError("no model is here", "train one (`make train`), or name the folder that has them")
        for info in defaults:
            self.reader(info)
        return len(defaults)

    def known(self) -> list[ModelInfo]:
        """Every bundle that the registry has, by name, the newest version first. Raises Transient."""
        return self._registry.models()

    def info(self, model: str, language: str) -> ModelInfo:
        """The bundle of that name or digest, or the language's default for "". Raises NotFound."""
        return self._registry.find(model) if model else self._registry.default(language)

    def usable(self, bundle: str) -> ModelInfo:
        """The bundle of that digest, open. Raises NotFound if it is not here, ModelError if it can't be used."""
        info = self._registry.find(bundle)
        self.reader(info)
        return info

    def reader(self, info: ModelInfo) -> Reading:
        """The reader of a bundle. Raises ModelError if its file can't be used."""
        with self._lock:
            if info.digest not in self._readers:
                self._readers[info.digest] = self._open(self._registry.path(info.digest), info)
                while len(self._readers) > self._held:
                    self._readers.popitem(last=False)
            self._readers.move_to_end(info.digest)
            return self._readers[info.digest]

    def __len__(self) -> int:
        return len(self._readers)


def opener(threads: int) -> OpenReader:
    """How bundles are opened for real: by onnxruntime, on that many threads each."""

    def open_reader(path: Path, info: ModelInfo) -> Reading:
        bundle = Bundle.load(path)
        if bundle.digest != info.digest:
            raise ModelError(
                f"the bundle {info.name} has digest {bundle.digest[:12]}, not {info.digest[:12]} as the registry says",
                "fetch it again: it was changed on its way",
            )
        return Reader(bundle, Engine(threads=threads))

    return open_reader
