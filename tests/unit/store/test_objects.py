"""What clients name is fetched, within bounds, and only from where the operator allows it."""

import uuid

import pytest

from lipsol.errors import BadInput, NotFound, Transient
from lipsol.runtime.settings import Settings, StoreSettings
from lipsol.runtime.wiring import open_objects, open_store
from lipsol.store.local import LocalStore
from lipsol.store.objects import Listed, Objects
from lipsol.store.s3 import S3Store
from services.local.s3 import BUCKET
from tests.s3_made import buckets_of

VIDEO = b"a video"


@pytest.fixture(scope="module")
def prefix() -> str:
    return f"{uuid.uuid4().hex}/"


@pytest.fixture(scope="module")
def objects(s3, prefix) -> Objects:
    """A store in a bucket with a video beside what the platform keeps, and another bucket that may be read."""
    buckets = buckets_of(s3)
    store = S3Store(buckets, BUCKET, prefix)
    for key in ("batches/b1/1.mp4", "clips/1/mouth", "idempotency/f"):
        store.put(key, VIDEO)
    for bucket in ("videos", "secrets"):
        s3.make_bucket(bucket)
        for name in ("s1/a video, 100 % ü.mp4", "s1/", "s1/b.mp4", "s2/c.mp4", "s10/d.mp4"):
            buckets.put(bucket, name, VIDEO, {})
    return Objects(store, buckets, frozenset({BUCKET, "videos"}), (BUCKET, prefix))


def refusal(objects: Objects, source: str) -> str:
    """Why nobody may fetch or list a source, ever."""
    for call in (lambda: objects.fetch(source, 100), lambda: list(objects.walk(source))):
        with pytest.raises(BadInput) as refused:
            call()
        assert not isinstance(refused.value, NotFound)
    return str(refused.value)


@pytest.mark.parametrize("name", ["s1/b.mp4", "s1/a video, 100 % ü.mp4"])
def test_an_object_is_fetched_by_its_name(objects, name):
    assert objects.fetch(f"s3://videos/{name}", len(VIDEO)) == VIDEO


def test_a_key_of_the_platforms_own_store_is_fetched(objects):
    assert objects.fetch("batches/b1/1.mp4", len(VIDEO)) == VIDEO
    assert list(objects.walk("batches/b1/")) == [Listed("batches/b1/1.mp4", len(VIDEO))]


def test_too_many_bytes_are_refused_before_they_are_fetched(objects):
    for source in ("s3://videos/s1/b.mp4", "batches/b1/1.mp4"):
        with pytest.raises(BadInput, match="7 bytes.*at most 6"):
            objects.fetch(source, 6)


def test_what_is_not_there_is_not_found(objects):
    for source in ("s3://videos/s1/none.mp4", "batches/b1/none.mp4"):
        with pytest.raises(NotFound):
            objects.fetch(source, 100)
    assert list(objects.walk("s3://videos/none/")) == []


def test_a_listing_names_what_can_be_fetched_by_name_and_without_folders(objects):
    assert list(objects.walk("s3://videos/s1")) == [
        Listed("s3://videos/s1/a video, 100 % ü.mp4", 7),
        Listed("s3://videos/s1/b.mp4", 7),
        Listed("s3://videos/s10/d.mp4", 7),
    ]
    assert [each.source for each in objects.walk("s3://videos/s1/")][1:] == ["s3://videos/s1/b.mp4"]
    assert len(list(objects.walk("s3://videos"))) == 4
    assert all(objects.fetch(each.source, each.size_bytes) == VIDEO for each in objects.walk("s3://videos"))


def test_a_bucket_that_nobody_allowed_is_not_read_and_the_operator_is_told_how(objects):
    assert "LIPSOL_STORE__READABLE" in refusal(objects, "s3://secrets/s1/b.mp4")


@pytest.mark.parametrize("key", ["clips/1/mouth", "idempotency/f"])
def test_what_the_platform_keeps_of_people_is_nobodys_to_name(objects, prefix, key):
    with pytest.raises(BadInput, match="own"):
        objects.fetch(key, 100)
    assert "own" in refusal(objects, f"s3://{BUCKET}/{prefix}{key}")


def test_a_listing_of_the_own_bucket_leaves_out_what_the_platform_keeps(objects, prefix):
    listed = list(objects.walk(f"s3://{BUCKET}/{prefix}"))
    assert [each.source for each in listed] == [f"s3://{BUCKET}/{prefix}batches/b1/1.mp4"]


@pytest.mark.parametrize(
    "source",
    [
        "s3://",
        "s3:///a",
        "s3://videos@evil.example/a",
        "s3://VIDEOS/a",
        "s3://videos/a\0b",
        "s3://videos/\ud800",
        f"s3://videos/{'x' * 1025}",
    ],
    ids=ascii,
)
def test_what_is_no_name_is_refused(objects, source):
    assert "s3://bucket/key" in refusal(objects, source)


@pytest.mark.parametrize("source", ["s3://videos", "s3://videos/", "s3://videos/s1/"])
def test_a_folder_is_no_object(objects, source):
    with pytest.raises(BadInput, match="names no object"):
        objects.fetch(source, 100)


@pytest.mark.parametrize("source", ["", "/etc/passwd", "../a", "file:///etc/passwd", "http://127.0.0.1/a", "S3://a/b"])
def test_no_other_scheme_and_no_path_is_opened(objects, source):
    refusal(objects, source)


def test_an_allowed_bucket_that_is_not_there_may_still_come(s3):
    objects = Objects(LocalStore(), buckets_of(s3), frozenset({"later"}))
    with pytest.raises(Transient, match="later"):
        objects.fetch("s3://later/a.mp4", 100)


def test_without_a_setting_a_local_platform_reads_its_own_store_alone(tmp_path):
    store = LocalStore(tmp_path)
    store.put("batches/b1/1.mp4", VIDEO)
    objects = open_objects(Settings(store=StoreSettings(folder=tmp_path)), store)
    assert objects.fetch("batches/b1/1.mp4", 100) == VIDEO
    assert "may not read" in refusal(objects, f"s3://{BUCKET}/a.mp4")


def test_the_settings_name_the_buckets_that_may_be_read(s3, objects, tmp_path):
    told = StoreSettings(folder=tmp_path, endpoint=s3.uri, readable="videos,more-videos")
    opened = open_objects(Settings(store=told), LocalStore(tmp_path))
    assert opened.fetch("s3://videos/s1/b.mp4", 100) == VIDEO
    assert "may not read" in refusal(opened, "s3://secrets/s1/b.mp4")


def test_a_store_in_a_bucket_lets_its_own_bucket_be_read(s3, objects, prefix):
    told = StoreSettings(kind="s3", endpoint=s3.uri, prefix=prefix)
    settings = Settings(store=told)
    opened = open_objects(settings, open_store(settings))
    assert opened.fetch(f"s3://{BUCKET}/{prefix}batches/b1/1.mp4", 100) == VIDEO
    assert "own" in refusal(opened, f"s3://{BUCKET}/{prefix}clips/1/mouth")
    assert "may not read" in refusal(opened, "s3://videos/s1/b.mp4")
