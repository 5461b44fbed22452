"""What measurements stand on: the same clips, the same reader, the same number of threads; made when first asked."""

from functools import cached_property
from pathlib import Path

from lipsol.bundle import Bundle
from lipsol.reader import Reader
from lipsol.runtime.cpus import available_cpus
from lipsol.runtime.settings import Settings, load
from lipsol.runtime.wiring import open_registry
from tests.conftest import TOP, read_samples

MODEL = "grid-sentences"  # what English is read with by default
BUILD = TOP / "build" / "bench"  # what measuring needs of its own: environments, films


class Ground:
    """Given to every measurement."""

    @cached_property
    def clips(self) -> list[bytes]:
        """The samples: GRID clips of 3 s, 360x288, 25 frames a second."""
        return [sample.bytes() for sample in read_samples()]

    @cached_property
    def model(self) -> Path:
        """The file of the bundle that the platform would read them with."""
        registry = open_registry(load(Settings))
        return registry.path(registry.find(MODEL).digest)

    @cached_property
    def reader(self) -> Reader:
        """That bundle, open."""
        return Reader(Bundle.load(self.model))

    @property
    def threads(self) -> int:
        """As many as there are CPUs for this process."""
        return available_cpus()
