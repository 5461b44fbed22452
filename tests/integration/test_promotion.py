"""Promotions under a platform that reads: taken up without a restart, nothing lost on the way."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.errors import ModelError
from lipsol.registry.local import LocalRegistry
from lipsol.registry.port import ModelInfo
from lipsol.runtime.promoting import demote, promote
from services.embedded import Embedded
from services.inference.settings import InferenceSettings
from tests.bundles_made import bundle, promotion_of
from tests.services_made import SAID, MadeReader, MadeWatcher, settings_of

PATIENCE_S = 60.0


class Looked(LocalRegistry):
    """The registry of a folder, which knows how often inference looked for what names mean by now."""

    looks = 0

    def models(self) -> list[ModelInfo]:
        held = super().models()
        self.looks += threading.current_thread().name == "models"
        return held

    def wait_for(self, looks: int) -> None:
        """Until so many more have begun and, but for the last, ended."""
        until, wanted = time.monotonic() + PATIENCE_S, self.looks + looks
        while self.looks < wanted:
            assert time.monotonic() < until
            time.sleep(0.01)


def opened(tmp_path: Path, *pins: str, registry: LocalRegistry | None = None) -> Embedded:
    """The platform over a folder of bundles whose networks are stood in for; it looks anew fifty times a second."""
    reading = InferenceSettings(look_s=0.02, bundles=list(pins))
    settings = settings_of(tmp_path).model_copy(update={"inference": reading})
    return Embedded(settings, watcher=MadeWatcher(), open_reader=lambda _path, _info: MadeReader(), registry=registry)


class Readings:
    """Clips read one after the other while something happens; `digests`: by which bundle each was."""

    def __init__(self, platform: Embedded) -> None:
        self.platform, self.digests, self.faults = platform, [], []
        self._enough = threading.Event()

    def run(self) -> None:
        while not self._enough.is_set():
            try:
                result = self.platform.read(b"clip %d" % len(self.digests))
                assert result.text == SAID
                self.digests.append(result.model.digest)
            except Exception as fault:  # noqa: BLE001 - told by the test
                self.faults.append(fault)

    @contextmanager
    def going(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._enough.set()
            thread.join()

    def wait_for(self, digest: str) -> None:
        """Until a clip is read by that bundle that was sent after this call."""
        until, start = time.monotonic() + PATIENCE_S, len(self.digests) + 1
        while digest not in self.digests[start:]:
            assert time.monotonic() < until and not self.faults
            time.sleep(0.01)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    (tmp_path / "made").mkdir()
    return tmp_path / "models"


def candidate(models: Path, name: str) -> ModelInfo:
    """A newer bundle, registered and nothing more."""
    bundle(models.parent / "made", name, version=name, created="2027-01-01T00:00:00Z")
    return LocalRegistry(models).register(models.parent / "made" / f"{name}.lipsol")


def test_a_platform_that_serves_takes_up_a_promotion_and_a_demotion_and_loses_nothing(models: Path, tmp_path: Path):
    old = bundle(models, "old")
    bus, registry = MemoryBus(), LocalRegistry(models)  # another process's: nothing is shared but the folder
    with opened(tmp_path) as platform:
        readings = Readings(platform)
        with readings.going():
            readings.wait_for(old)
            new = candidate(models, "new").digest
            looked = len(readings.digests)
            readings.wait_for(old)
            assert set(readings.digests[looked:]) == {old}  # a candidate reads nothing unasked
            promote(registry, bus, new, by="anna", against_the_gate="a test")
            readings.wait_for(new)
            demote(registry, bus, "grid-sentences", by="anna")
            readings.wait_for(old)
        assert platform.read(b"by digest", model=new[:12]).model.digest == new
    bus.close()
    assert readings.faults == []
    changes = [
        digest for digest, before in zip(readings.digests, ["", *readings.digests], strict=False) if digest != before
    ]
    assert changes == [old, new, old]


def test_a_platform_that_is_pinned_reads_on_by_its_bundle_whatever_is_promoted_and_says_so(
    models: Path, tmp_path: Path
):
    old = bundle(models, "old")
    bus, registry = MemoryBus(), Looked(models)
    with opened(tmp_path, old, registry=registry) as platform:
        assert platform.read(b"before").model.digest == old
        new = candidate(models, "new").digest
        promote(registry, bus, new, by="anna", against_the_gate="a test")
        registry.wait_for(looks=3)
        assert platform.read(b"after").model.digest == old
        assert platform.read(b"by name", model="grid-sentences").model.digest == old
        assert platform.read(b"by digest", model=new).model.digest == new
        told = [(info.digest, info.default) for info in platform.edge.handler.registry.models()]
        assert told == [(old, True), (new, False)]  # what /v1/models lists
        assert platform.registry.default("en").digest == new  # the registry's own story is another
    bus.close()


def test_a_platform_does_not_start_on_a_promotion_that_nobody_trusted_signed(models: Path, tmp_path: Path):
    from lipsol.signing import SigningKey

    old = bundle(models, "old")
    new = candidate(models, "new").digest
    LocalRegistry(models).promote(promotion_of(new, old, version="new"))
    (tmp_path / "key.pem").write_bytes(SigningKey.new().public_pem())
    settings = settings_of(tmp_path)
    keys = settings.registry.model_copy(update={"keys": tmp_path / "key.pem"})
    platform = Embedded(
        settings.model_copy(update={"registry": keys}),
        watcher=MadeWatcher(),
        open_reader=lambda _path, _info: MadeReader(),
    )
    with pytest.raises(ModelError, match="is unsigned.*lipsol models promote"), platform:
        pass
