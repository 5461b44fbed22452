"""The store in a bucket: what is its own, beyond the contract."""

import socket
import uuid
from collections.abc import Callable, Iterator

import pytest
import structlog

from lipsol.errors import BadInput, NotFound, Transient
from lipsol.runtime.settings import Settings, StoreSettings
from lipsol.runtime.wiring import open_store
from lipsol.store.buckets import Buckets
from lipsol.store.s3 import EXPIRES, S3Store
from services.local.s3 import BUCKET
from tests.s3_made import buckets_of, s3_store

CALLS: dict[str, Callable[[S3Store], object]] = {
    "put": lambda store: store.put("a", b"x"),
    "get": lambda store: store.get("a"),
    "exists": lambda store: store.exists("a"),
    "delete": lambda store: store.delete("a"),
    "delete_prefix": lambda store: store.delete_prefix("a/"),
    "list": lambda store: store.list(""),
    "survey": lambda store: list(store.survey("")),
    "sweep": lambda store: store.sweep(),
}


@pytest.fixture
def store(s3, clock) -> Iterator[S3Store]:
    with s3_store(s3, clock) as opened:
        yield opened


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def settings_of(endpoint: str, **told: str) -> Settings:
    return Settings(store=StoreSettings(kind="s3", endpoint=endpoint, **told))  # type: ignore[arg-type]


def nobody() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize("name", CALLS)
def test_a_server_that_is_away_is_said_to_be_so_by_every_method(s3, name):
    store = S3Store(Buckets(nobody(), tries=1), BUCKET)
    with pytest.raises(Transient, match="does not answer"):
        CALLS[name](store)
    store.close()


def test_a_server_that_never_answers_is_not_waited_for_long(s3, silent):
    store = S3Store(Buckets(silent, read_s=0.1, tries=1), BUCKET)
    with pytest.raises(Transient, match="ReadTimeoutError"):
        store.get("a")
    store.close()


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"exists"}))
def test_a_bucket_that_vanished_is_passing_and_never_means_that_a_key_is_gone(s3, name):
    store = S3Store(buckets_of(s3), "no-such-bucket")
    with pytest.raises(Transient, match="no bucket 'no-such-bucket'"):
        CALLS[name](store)


def test_two_stores_share_a_bucket_by_their_prefixes(s3):
    name = uuid.uuid4().hex
    one, two = (S3Store(buckets_of(s3), BUCKET, f"{name}/{each}/") for each in ("one", "two"))
    one.put("clips/1/mouth", b"1")
    two.put("clips/1/mouth", b"2")
    assert one.delete_prefix("clips/") == 1
    assert two.get("clips/1/mouth") == b"2"
    assert one.list("") == []


def test_what_others_put_into_the_bucket_never_expires(store):
    buckets = store.buckets
    buckets.put(BUCKET, f"{store._prefix}theirs", b"x", {"expires": "0"})
    assert store.sweep() == 0
    assert store.get("theirs") == b"x"


def test_an_expiry_that_nobody_can_read_is_one_that_has_passed(store):
    store.buckets.put(BUCKET, f"{store._prefix}a", b"x", {EXPIRES: "soon"})
    with pytest.raises(NotFound):
        store.get("a")
    assert store.sweep() == 1


def test_the_settings_open_a_store(s3):
    store = open_store(settings_of(s3.uri, prefix=f"{uuid.uuid4().hex}/"))
    store.put("a", b"x", ttl_s=60.0)
    assert store.list("") == ["a"]
    store.close()


def test_a_start_without_the_bucket_says_so_and_what_to_do(s3):
    with pytest.raises(BadInput, match="no bucket 'elsewhere': make it"):
        open_store(settings_of(s3.uri, bucket="elsewhere"))


def test_a_start_without_credentials_says_so_and_what_to_do(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    with pytest.raises(BadInput, match="no credentials.*AWS_ACCESS_KEY_ID"):
        open_store(settings_of("http://127.0.0.1:9000"))


def test_a_server_that_is_not_there_yet_keeps_nobody_from_starting(s3):
    with structlog.testing.capture_logs() as lines:
        store = open_store(settings_of(nobody()))
    assert [line["event"] for line in lines] == ["store-away"]
    with pytest.raises(Transient):
        store.get("a")
    store.close()


@pytest.mark.parametrize(
    "told",
    [{"endpoint": "127.0.0.1:9000"}, {"bucket": "Lip_Sol"}, {"prefix": "/a"}, {"prefix": "a"}, {"prefix": "a//"}],
    ids=str,
)
def test_settings_that_can_not_work_are_refused(told):
    with pytest.raises(ValueError, match=next(iter(told))):
        StoreSettings(kind="s3", **told)
