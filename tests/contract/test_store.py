"""What every store must do: the law of `lipsol/store/port.py`, sentence by sentence."""

from itertools import groupby
from threading import Thread

import pytest

from lipsol.errors import BadInput, NotFound
from lipsol.store.port import KEY_MAX

UNSAFE = [
    "", "/", "a/", "/a", "a//b", "..", "a/../b", ".hidden", "a/.b", "a b", "a\\b", "c:d", "ä", "a\0", "a\n", "a=", "~",
]  # fmt: skip


def test_what_was_put_is_got(store):
    store.put("clips/ab12/mouth", b"\0\1\2")
    assert store.get("clips/ab12/mouth") == b"\0\1\2"
    assert store.exists("clips/ab12/mouth")


def test_nothing_at_all_can_be_kept_too(store):
    store.put("empty", b"")
    assert store.get("empty") == b""


def test_a_second_put_replaces_the_first_and_its_expiry(store, clock):
    store.put("a", b"1", ttl_s=10.0)
    store.put("a", b"2")
    clock.advance(1e6)
    assert store.get("a") == b"2"


def test_what_is_not_there_is_not_found_by_name(store):
    with pytest.raises(NotFound, match="clips/x"):
        store.get("clips/x")
    assert not store.exists("clips/x")


def test_what_has_expired_is_gone_for_every_reader(store, clock):
    store.put("clips/1/mouth", b"x", ttl_s=10.0)
    clock.advance(9.9)
    assert store.exists("clips/1/mouth")
    clock.advance(0.2)
    assert not store.exists("clips/1/mouth")
    assert store.list("clips/1/") == []
    assert store.delete_prefix("clips/1/") == 0
    with pytest.raises(NotFound):
        store.get("clips/1/mouth")


def test_what_has_expired_is_swept_and_nothing_else(store, clock):
    store.put("clips/1/mouth", b"x", ttl_s=10.0)
    store.put("clips/1/result.json", b"x", ttl_s=100.0)
    store.put("clips/2/mouth", b"x")
    for n in range(5):
        store.put(f"clips/3/{n}", b"x", ttl_s=10.0)
    assert store.sweep() == 0
    clock.advance(50)
    assert store.sweep() == 6
    assert store.sweep() == 0
    assert sorted(kept.key for kept in store.survey("")) == ["clips/1/result.json", "clips/2/mouth"]


def test_a_sweep_of_what_is_old_leaves_the_young_for_later(store, clock):
    store.put("a", b"x", ttl_s=10.0)
    clock.advance(100)
    store.put("b", b"x", ttl_s=10.0)
    clock.advance(50)
    assert store.sweep(older_s=120.0) == 1
    assert [kept.key for kept in store.survey("")] == ["b"]


def test_a_survey_tells_size_and_age_of_all_even_of_the_expired(store, clock):
    store.put("clips/1/mouth", b"12345", ttl_s=10.0)
    clock.advance(1000)
    store.put("clips/1/result.json", b"123")
    store.put("clips/10/mouth", b"")
    clock.advance(100)
    kept = {each.key: (each.size_bytes, each.age_s) for each in store.survey("clips/1/")}
    assert kept == {
        "clips/1/mouth": (5, pytest.approx(1100, abs=60)),
        "clips/1/result.json": (3, pytest.approx(100, abs=60)),
    }


def test_in_a_survey_what_shares_a_prefix_comes_together(store):
    for key in ("clips/1/a", "clips/1/z", "clips/1/b/c", "clips/10/a", "clips/2/a", "other"):
        store.put(key, b"")
    seen = [kept.key.split("/")[1] for kept in store.survey("clips/")]
    assert sorted(clip for clip, _ in groupby(seen)) == ["1", "10", "2"]
    assert list(store.survey("nothing/")) == []


def test_more_bytes_than_are_wanted_are_refused(store):
    store.put("a", b"12345")
    assert store.get("a", max_bytes=5) == b"12345"
    with pytest.raises(BadInput, match="5 bytes") as refused:
        store.get("a", max_bytes=4)
    assert not isinstance(refused.value, NotFound)


@pytest.mark.parametrize("ttl_s", [0.0, -1.0])
def test_a_time_to_live_must_be_above_zero(store, ttl_s):
    with pytest.raises(BadInput, match=str(ttl_s)):
        store.put("a", b"", ttl_s=ttl_s)


def test_a_key_can_be_a_prefix_of_another(store):
    store.put("a", b"1")
    store.put("a/b", b"2")
    store.put("a/b/c", b"3")
    assert [store.get(key) for key in ("a", "a/b", "a/b/c")] == [b"1", b"2", b"3"]
    assert store.list("a/") == ["a/b", "a/b/c"]


def test_listing_is_sorted_and_by_whole_parts(store):
    for key in ("clips/10/mouth", "clips/1/result.json", "clips/1/mouth", "other"):
        store.put(key, b"")
    assert store.list("clips/1/") == ["clips/1/mouth", "clips/1/result.json"]
    assert store.list("") == ["clips/1/mouth", "clips/1/result.json", "clips/10/mouth", "other"]


def test_deleting_is_harmless_twice_and_spares_the_neighbours(store):
    for key in ("clips/10/mouth", "clips/1/result.json", "clips/1/mouth"):
        store.put(key, b"")
    store.delete("clips/10/nothing")
    assert store.delete_prefix("clips/1/") == 2
    assert store.delete_prefix("clips/1/") == 0
    assert store.list("") == ["clips/10/mouth"]
    store.delete("clips/10/mouth")
    store.delete("clips/10/mouth")
    assert store.list("") == []


@pytest.mark.parametrize("key", UNSAFE, ids=repr)
def test_an_unsafe_key_is_refused_by_every_method(store, key):
    for call in (store.get, store.exists, store.delete, lambda k: store.put(k, b"")):
        with pytest.raises(BadInput) as refused:
            call(key)
        assert not isinstance(refused.value, NotFound)


@pytest.mark.parametrize("prefix", ["", "a", "../", "/", "a//", "./"], ids=repr)
def test_an_unsafe_prefix_deletes_nothing(store, prefix):
    store.put("a/b", b"")
    with pytest.raises(BadInput):
        store.delete_prefix(prefix)
    assert store.exists("a/b")


def test_the_longest_key_is_kept_and_a_longer_one_is_refused(store):
    longest = "/".join(["x" * 127] * 4)[:KEY_MAX]
    store.put(longest, b"1")
    assert store.get(longest) == b"1"
    with pytest.raises(BadInput, match=str(KEY_MAX)):
        store.put(longest + "x" * 2, b"1")


def test_a_reader_never_sees_half_of_a_put(store):
    sizes = (10, 400_000)
    store.put("a", bytes(sizes[0]))
    seen = set()

    def write() -> None:
        for turn in range(60):
            store.put("a", bytes(sizes[turn % 2]))

    writer = Thread(target=write)
    writer.start()
    while writer.is_alive():
        seen.add(len(store.get("a")))
    writer.join()
    assert seen <= set(sizes)


def test_deleting_beside_a_put_harms_neither(store):
    done = []

    def put() -> None:
        for turn in range(100):
            store.put(f"clips/1/{turn}", b"x")
            done.append(turn)

    writer = Thread(target=put)
    writer.start()
    while writer.is_alive():
        store.delete_prefix("clips/1/")
    writer.join()
    assert len(done) == 100
    store.delete_prefix("clips/1/")
    assert store.list("") == []


def test_closing_twice_is_harmless(store):
    store.close()
    store.close()
