"""Idempotency keys."""

import pytest

from lipsol.errors import BadInput
from lipsol.store.local import LocalStore
from services.preprocess.repeats import Repeats, body_digest, checked_key

CLIP = "d" * 32


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path)


@pytest.fixture
def repeats(store):
    return Repeats(store, 60.0)


def test_a_key_names_the_clip_that_it_named_before(repeats):
    assert repeats.clip_of("key", "body") is None
    repeats.remember("key", "body", CLIP)
    assert repeats.clip_of("key", "body") == CLIP


def test_a_key_with_another_body_is_refused(repeats):
    repeats.remember("key", "body", CLIP)
    with pytest.raises(BadInput, match="another request"):
        repeats.clip_of("key", "other body")


def test_forgetting_a_clip_forgets_its_key_and_leaves_no_trace_of_it(repeats, store):
    repeats.remember("key", "body", CLIP)
    repeats.forget(CLIP)
    assert repeats.clip_of("key", "other body") is None
    assert store.list("") == []


def test_the_key_itself_is_not_kept(repeats, store):
    repeats.remember("mailto:someone", "body", CLIP)
    assert not any("someone" in key or b"someone" in store.get(key) for key in store.list(""))


@pytest.mark.parametrize("key", ["", "k" * 256, "schlüssel", "line\nbreak"], ids=["empty", "long", "letters", "line"])
def test_a_key_that_can_not_be_one_is_refused(key):
    with pytest.raises(BadInput, match="Idempotency-Key"):
        checked_key(key)


def test_fields_can_not_run_into_each_other():
    assert body_digest(b"clip", ["ab", ""]) != body_digest(b"clip", ["a", "b"])
