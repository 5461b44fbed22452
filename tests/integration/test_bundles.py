"""Bundles that come and go under a service that reads: real ones, over the real registry."""

import time
from dataclasses import replace

import pytest

from lipsol.bundle import Bundle
from lipsol.bus.memory import MemoryBus
from lipsol.errors import ModelError
from lipsol.registry.local import LocalRegistry
from lipsol.runtime.telemetry import Telemetry
from lipsol.store.local import LocalStore
from lipsol.topics import TOPICS
from services import inference
from services.inference.core import Ask
from services.inference.settings import InferenceSettings
from tests.services_made import served_app

PATIENCE_S = 60.0
SOON = {"look_s": 0.02, "threads": 1, "buckets": [25, 50]}


class Here:
    """A folder of bundles, and a service over it that is stopped at the end."""

    def __init__(self, folder, shipped):
        self.folder, self.shipped, self.telemetry = folder / "models", shipped, Telemetry()
        self.folder.mkdir()
        self.bus, self.store = MemoryBus(TOPICS.values()), LocalStore(folder / "store")
        self.service = None

    def put(self, version, year, **changed):
        """A bundle of that version, made in that year, into the folder; its digest."""
        card = {**self.shipped.card, "created": f"{year}-01-01T00:00:00+00:00"}
        path = self.folder / f"words-{version}.lipsol"
        digest = replace(self.shipped, version=version, card=card, **changed).save(path.with_suffix(".part"))
        path.with_suffix(".part").rename(path)
        return digest

    def start(self, **settings):
        told = InferenceSettings.model_validate({**SOON, **settings})
        registry = LocalRegistry(self.folder)
        self.service = inference.build(told, self.bus, self.store, registry, telemetry=self.telemetry)
        self.service.start()
        return self.service

    def read(self):
        """Read the bundle's own golden clip by the default; the answer."""
        core = self.service.core
        return core.submit(Ask(self.shipped.golden[0].mouth, core.models.info("", "en"))).result(PATIENCE_S)

    def forged(self):
        """Golden clips of which something else is promised than is read."""
        (first, *others) = self.shipped.golden
        return (replace(first, answers=tuple(replace(each, text="never") for each in first.answers)), *others)


@pytest.fixture
def here(tmp_path, top):
    made = Here(tmp_path, Bundle.load(top / "models" / "grid-words.lipsol"))
    yield made
    if made.service is not None:
        made.service.stop()
    made.bus.close()
    made.store.close()


def wait_for(happened):
    until = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_provider_that_is_not_here_ends_the_start_and_nothing_is_ready(here):
    here.put("1", 2026)
    with pytest.raises(ModelError, match="cuda was asked for.*LIPSOL_INFERENCE__PROVIDER=cpu"):
        here.start(provider="cuda")
    assert not here.service.ready()


def test_a_default_that_does_not_read_as_it_promised_ends_the_start(here):
    here.put("1", 2026, golden=here.forged())
    with pytest.raises(ModelError, match=r"words-1\.lipsol does not read its golden clip .* expected 'never'"):
        here.start()
    assert not here.service.ready()


def test_a_newer_bundle_takes_over_only_if_it_reads_as_it_promised_and_the_older_one_reads_on(here):
    first = here.put("1", 2026)
    here.start()
    assert here.service.ready() and here.read().info.digest == first
    here.put("2", 2027, golden=here.forged())
    wait_for(lambda: here.telemetry.value("lipsol_refused_models") > 0)
    assert here.service.ready() and here.read().info.digest == first
    assert all("words-2.lipsol" in why for why in here.service.core.models.refused.values())
    with served_app(here.service.app, here.service.settings) as client:
        index = client.post("/v2/repository/index").json()
    assert [(each["version"], each["state"]) for each in index] == [("1", "READY"), ("2", "UNAVAILABLE")]
    assert "words-2.lipsol does not read its golden clip" in index[1]["reason"]
    third = here.put("3", 2028)
    wait_for(lambda: here.read().info.digest == third)
    answer, promised = here.read(), here.shipped.golden[0].answers[0]
    assert answer.prediction.text == promised.text
    wait_for(lambda: here.telemetry.value("lipsol_refused_models") == 0)


def test_a_file_that_is_cut_short_harms_nobody(here):
    first = here.put("1", 2026)
    here.start()
    whole = (here.folder / "words-1.lipsol").read_bytes()
    (here.folder / "words-2.lipsol").write_bytes(whole[: len(whole) // 2])
    time.sleep(0.2)  # some looks
    assert here.service.ready() and here.read().info.digest == first
