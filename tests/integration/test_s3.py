"""The platform with everything that it keeps in a bucket of a real S3 API."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from lipsol.events import MouthReady
from lipsol.runtime.envelope import unwrap
from lipsol.runtime.settings import StoreSettings
from lipsol.runtime.wiring import shipped_models
from lipsol.store.s3 import S3Store
from lipsol.topics import STABLE_MOUTHS
from services.embedded import Embedded, EmbeddedSettings
from services.local.s3 import BUCKET, S3Server
from tests.s3_made import buckets_of
from tests.services_made import SAID, MadePlatform, clip, served, settings_of

WAIT = {"wait": "true"}
PATIENCE = 120.0  # seconds; a machine that trains models meanwhile is slow


@pytest.fixture
def prefix() -> str:
    """Of this test's keys in the bucket."""
    return f"{uuid.uuid4().hex}/"


@pytest.fixture
def settings(s3, prefix, tmp_path) -> EmbeddedSettings:
    """A platform that keeps all mouths in the bucket, however small they are."""
    made = settings_of(tmp_path, wait_s=PATIENCE, inline_bytes=0)
    return made.model_copy(update={"store": StoreSettings(kind="s3", endpoint=s3.uri, prefix=prefix)})


def names(server: S3Server, prefix: str) -> list[str]:
    """What lies in the bucket, expired or not; the digest in a mouth's name is left out."""
    found = [kept.key.removeprefix(prefix) for kept in buckets_of(server).walk(BUCKET, prefix)]
    return sorted(name.rpartition("/")[2].partition("-")[0] for name in found)


def test_a_clip_is_read_and_nothing_of_it_stays_in_the_bucket(s3, prefix, settings):
    with MadePlatform(settings).open() as platform:
        assert platform.read(b"a clip").text == SAID
        assert names(s3, prefix) == []
    assert names(s3, prefix) == []


def test_a_clip_that_was_sent_lies_in_the_bucket_until_it_is_deleted(s3, prefix, settings):
    with MadePlatform(settings).open() as platform, served(platform) as client:
        sent = client.post("/v1/clips", files=clip(), params=WAIT, headers={"Idempotency-Key": "once"})
        assert sent.json()["text"] == SAID
        address = f"/v1/clips/{sent.json()['clip_id']}"
        assert {"begun.json", "lips.npz", "mouth", "result.json"} <= set(names(s3, prefix))
        assert client.get(f"{address}/lips").status_code == 200
        assert client.delete(address).status_code == 204
        assert client.get(address).status_code == 404
    assert names(s3, prefix) == []


def test_a_mouth_that_was_altered_in_the_bucket_is_never_read(s3, prefix, settings):
    made = MadePlatform(settings)
    with made.open() as platform, served(platform) as client:
        made.reader.hold.clear()
        store = S3Store(buckets_of(s3), BUCKET, prefix)
        first = client.post("/v1/clips", files=clip()).json()["clip_id"]
        wait_for(lambda: made.reader.batches)
        second = client.post("/v1/clips", files=clip(b"another clip")).json()["clip_id"]
        [event] = [
            event
            for message in platform.bus.replay([STABLE_MOUTHS.name])
            if isinstance(event := unwrap(message), MouthReady) and event.clip_id == second
        ]
        mouth = store.get(event.mouth.ref)
        store.put(event.mouth.ref, mouth[:-1] + bytes([mouth[-1] ^ 1]))
        made.reader.hold.set()
        results = [settled(client, name) for name in (first, second)]
    assert [result["state"] for result in results] == ["read", "failed"]
    assert "digest" in results[1]["problem"]["detail"]


def settled(client: httpx.Client, clip_id: str) -> dict[str, Any]:
    """A clip's result once it is read or given up."""
    wait_for(lambda: client.get(f"/v1/clips/{clip_id}").json()["state"] != "reading")
    result: dict[str, Any] = client.get(f"/v1/clips/{clip_id}").json()
    return result


def wait_for(there: Callable[[], object]) -> None:
    """Return once it is there."""
    until = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_real_clip_is_read_by_way_of_the_bucket(s3, prefix, settings, sample):
    real = settings.registry.model_copy(update={"folder": shipped_models()})
    usual = settings.preprocess.model_copy(update={"inline_bytes": 256 * 1024})
    with Embedded(settings.model_copy(update={"registry": real, "preprocess": usual})) as platform:
        with served(platform) as client:
            client.timeout = PATIENCE
            sent = client.post("/v1/clips", files=clip(sample.bytes()), params=WAIT).json()
            assert sent["text"] == sample.text
            assert "mouth" in names(s3, prefix)  # 75 frames are too many for an event
        platform.edge.handler.delete(sent["clip_id"])
    assert names(s3, prefix) == []
