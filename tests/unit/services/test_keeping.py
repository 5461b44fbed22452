"""What the edge keeps, and that it forgets."""

import threading

import pytest

from lipsol.errors import NotFound
from lipsol.store.claims import Claims
from lipsol.store.local import LocalStore
from services.preprocess.keeping import Keeper
from services.preprocess.results import begun, failed, read
from tests.services_made import letter_of, mouth_of, prediction_of, ready_of

CLIP = "c" * 32


@pytest.fixture
def store(tmp_path, clock):
    return LocalStore(tmp_path, now=clock.now)


@pytest.fixture
def keeper(store):
    return Keeper(store, retention_s=60.0)


@pytest.mark.parametrize("frames", [5, 75], ids=["inside the event", "in the store"])
def test_a_mouth_comes_back_as_it_was_kept(keeper, store, frames):
    mouth = mouth_of(frames=frames)
    claim = keeper.keep_mouth(CLIP, mouth)
    assert Claims(store).cash(claim) == mouth.to_bytes()


def test_two_mouths_of_a_clip_lie_beside_each_other(keeper, store):
    mouths = [mouth_of(seed, frames=75) for seed in (1, 2)]
    claims = [keeper.keep_mouth(CLIP, mouth) for mouth in mouths]
    assert [Claims(store).cash(claim) for claim in claims] == [mouth.to_bytes() for mouth in mouths]


def test_a_result_changes_in_place_and_tells_whether_it_did(keeper):
    keeper.begin(begun(ready_of(CLIP)))
    settled = keeper.settle(CLIP, lambda before: read(before, prediction_of(CLIP)))
    again = keeper.settle(CLIP, lambda before: read(before, prediction_of(CLIP)))
    assert settled is not None
    assert again is not None
    assert (settled[1], again[1]) == (True, False)
    assert keeper.result(CLIP) == settled[0] == again[0]


def test_beginning_again_takes_no_reading_away(keeper):
    keeper.begin(begun(ready_of(CLIP)))
    keeper.settle(CLIP, lambda before: read(before, prediction_of(CLIP)))
    keeper.begin(begun(ready_of(CLIP)))
    keeper.reopen(CLIP)
    assert keeper.result(CLIP).state == "read"


def test_a_clip_that_was_given_up_can_be_opened_again(keeper):
    keeper.begin(begun(ready_of(CLIP)))
    keeper.settle(CLIP, lambda before: failed(before, letter_of(CLIP)))
    keeper.reopen(CLIP)
    assert keeper.result(CLIP).state == "reading"


def test_a_deletion_by_another_process_in_the_middle_of_a_change_wins(keeper, store):
    keeper.begin(begun(ready_of(CLIP)))

    def change(before):
        store.delete_prefix(f"clips/{CLIP}/")
        return read(before, prediction_of(CLIP))

    assert keeper.settle(CLIP, change) is None
    assert store.list("") == []


def test_what_comes_late_brings_no_deleted_clip_back(keeper, store):
    keeper.keep_mouth(CLIP, mouth_of())
    keeper.begin(begun(ready_of(CLIP)))
    assert keeper.forget(CLIP) == 2
    assert keeper.settle(CLIP, lambda before: read(before, prediction_of(CLIP))) is None
    assert store.list("") == []


def test_a_deletion_waits_for_a_change_that_has_begun_and_then_wins(keeper, store):
    keeper.begin(begun(ready_of(CLIP)))
    changing, deleted = threading.Event(), threading.Event()

    def change(before):
        changing.set()
        assert not deleted.wait(0.1)  # the deletion must not slip in between
        return read(before, prediction_of(CLIP))

    settler = threading.Thread(target=keeper.settle, args=(CLIP, change))
    settler.start()
    changing.wait(1)
    keeper.forget(CLIP)
    deleted.set()
    settler.join()
    assert store.list("") == []


def test_nothing_outlives_its_time(keeper, clock):
    keeper.keep_mouth(CLIP, mouth_of())
    keeper.begin(begun(ready_of(CLIP)))
    clock.advance(61)
    for asked in (keeper.result, keeper.lips):
        with pytest.raises(NotFound, match=CLIP):
            asked(CLIP)
