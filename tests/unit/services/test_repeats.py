"""Idempotency keys."""

import pytest

from lipsol.errors import BadInput
from lipsol.store.local import LocalStore
from services.preprocess.repeats import Repeats, body_digest, checked_key, named


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path)


@pytest.fixture
def repeats(store):
    return Repeats(store, 60.0)


def test_a_key_and_a_body_name_the_same_clip_at_every_replica(repeats, tmp_path):
    clip_id = repeats.remember("key", "body")
    assert len(clip_id) == 32
    assert repeats.remember("key", "body") == Repeats(LocalStore(tmp_path / "other"), 60.0).remember("key", "body")
    assert repeats.remember("another key", "body") != clip_id


def test_a_key_with_another_body_is_refused(repeats):
    repeats.remember("key", "body")
    with pytest.raises(BadInput, match="another request"):
        repeats.remember("key", "other body")


def test_a_clip_was_handed_on_once_it_is_marked_until_its_deadline(repeats):
    clip_id = repeats.remember("key", "body")
    assert not repeats.handed_on(clip_id, 100.0)
    repeats.mark(clip_id, 0.0)
    assert repeats.handed_on(clip_id, 100.0)
    repeats.mark(clip_id, 100.0)
    assert repeats.handed_on(clip_id, 99.0)
    assert not repeats.handed_on(clip_id, 100.0)


def test_forgetting_a_clip_forgets_its_key_and_leaves_no_trace_of_it(repeats, store):
    repeats.forget(repeats.remember("key", "body"))
    assert repeats.remember("key", "other body")
    repeats.forget(named("key", "other body"))
    assert store.list("") == []


def test_the_key_itself_is_not_kept(repeats, store):
    repeats.remember("mailto:someone", "body")
    assert not any("someone" in key or b"someone" in store.get(key) for key in store.list(""))


@pytest.mark.parametrize("key", ["", "k" * 256, "schlüssel", "line\nbreak"], ids=["empty", "long", "letters", "line"])
def test_a_key_that_can_not_be_one_is_refused(key):
    with pytest.raises(BadInput, match="Idempotency-Key"):
        checked_key(key)


def test_fields_can_not_run_into_each_other():
    assert body_digest(b"clip", ["ab", ""]) != body_digest(b"clip", ["a", "b"])
