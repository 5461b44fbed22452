"""Clips of batches, fetched from the store and handed to the edge's own work."""

import hashlib
import threading

import pytest

from lipsol.errors import BadInput, Transient
from lipsol.events import ClipReceived, ClipRefused, MouthReady
from lipsol.store.objects import Objects
from lipsol.topics import CLIPS
from services.preprocess.fetching import Fetching
from services.preprocess.pool import Pool
from tests.services_made import letter_of, prediction_of
from tests.unit.services.test_preprocess_handler import Edge

CLIP = "b" * 32
SOURCE = "batches/b1/files/1"


class Batch(Edge):
    """The edge with a thread that fetches; `event` is about a video that lies in the store."""

    def __init__(self, folder, clock, ahead=16):
        super().__init__(folder, clock)
        self.pool = Pool(2, 4, 1.0, lambda _: None)
        objects = Objects(self.store)
        self.fetching = Fetching(self.handler, self.pool, objects, self.store, max_bytes=1000, ahead=ahead)

    def event(self, data=b"a clip", put=True, clip_id=CLIP, **changed):
        told = {
            "clip_id": clip_id, "session": "", "batch": "b1", "name": "a/b.mp4", "source": SOURCE,
            "digest": hashlib.sha256(data).hexdigest(), "size_bytes": len(data), "model": "", "grammar": "",
            "language": "en", "received_at": 1.0, "deadline_at": 0.0,
        }  # fmt: skip
        if put:
            self.store.put(SOURCE, data)
        return ClipReceived(**{**told, **changed})

    def fetch(self, *events):
        return self.fetching.handle(events)


@pytest.fixture
def batch(tmp_path, clock):
    made = Batch(tmp_path, clock)
    yield made
    made.pool.stop()


def test_a_clip_is_fetched_watched_and_handed_on_under_its_own_name_and_wishes(batch, clock):
    clock.advance(100)
    assert batch.fetch(batch.event(session="s1", grammar="none")) == []
    [ready] = batch.published
    assert isinstance(ready, MouthReady)
    assert (ready.clip_id, ready.session, ready.grammar, ready.language) == (CLIP, "s1", "none", "en")
    assert (ready.codec, ready.faces, ready.redo) == ("h264", 1, False)
    assert ready.received_at == clock.now()
    assert batch.handler.result(CLIP).state == "reading"


def test_what_was_sent_up_is_removed_once_it_was_watched(batch):
    batch.fetch(batch.event())
    assert not batch.store.exists(SOURCE)


def test_a_repeat_changes_nothing_whatever_became_of_the_clip(batch):
    event = batch.event()
    batch.fetch(event)
    assert batch.fetch(event) == []
    batch.settling.handle([prediction_of(CLIP)])
    before = batch.handler.result(CLIP)
    assert batch.fetch(event) == []
    assert batch.handler.result(CLIP) == before
    assert (len(batch.published), batch.handler.watcher.watched) == (1, 1)


def test_a_refused_clip_is_a_failed_result_and_a_refusal_with_its_batch(batch):
    [refused] = batch.fetch(batch.event(b"bad clip"))
    assert isinstance(refused, ClipRefused)
    assert (refused.clip_id, refused.batch, refused.reason, refused.cure) == (
        CLIP, "b1", "no face for 2.1 of 3.0 s", "face the camera",
    )  # fmt: skip
    result = batch.handler.result(CLIP)
    assert (result.state, result.problem.status, result.problem.detail) == ("failed", 422, "no face for 2.1 of 3.0 s")
    assert (batch.published, batch.told) == ([], [])


def test_a_refusal_that_was_perhaps_not_told_is_told_again_without_another_look(batch):
    event = batch.event(b"bad clip")
    first = batch.fetch(event)
    assert batch.fetch(event) == first
    assert batch.handler.watcher.watched == 1


def test_a_wish_that_can_not_be_met_is_a_refusal_too(batch):
    [refused] = batch.fetch(batch.event(model="other"))
    assert "other" in refused.reason
    assert batch.handler.result(CLIP).problem.status == 404


@pytest.mark.parametrize(
    "changed",
    [{"put": False}, {"digest": "0" * 64}, {"size_bytes": 7}, {"source": "clips/a/result.json"}, {"source": "../x"}],
    ids=["gone", "altered", "of another size", "private", "no key"],
)
def test_a_video_that_is_gone_or_not_the_one_announced_is_never_watched(batch, changed):
    event = batch.event(**changed)
    with pytest.raises(BadInput):
        batch.fetch(event)
    assert batch.handler.watcher.watched == 0
    assert batch.handler.result(CLIP).state == "reading"


def test_its_dead_letter_fails_the_result_and_a_replay_reads_it_after_all(batch):
    event = batch.event(put=False)
    with pytest.raises(BadInput, match="gone"):
        batch.fetch(event)
    letter = letter_of(CLIP, reason="the video is gone")
    batch.settling.handle([type(letter)(**{**vars(letter), "origin_topic": CLIPS.name})])
    assert batch.handler.result(CLIP).problem.detail == "the video is gone"
    batch.store.put(SOURCE, b"a clip")
    batch.fetch(event)
    assert batch.handler.result(CLIP).state == "reading"
    batch.settling.handle([prediction_of(CLIP)])
    assert batch.handler.result(CLIP).state == "read"


def test_what_was_left_half_done_is_done_again(batch):
    batch.fault = Transient("the bus is away", "wait")
    event = batch.event()
    with pytest.raises(Transient):
        batch.fetch(event)
    assert batch.store.exists(SOURCE)
    batch.fault = None
    batch.fetch(event)
    assert len(batch.published) == 1


def test_no_more_is_fetched_while_as_many_wait_to_be_read_as_may(tmp_path, clock):
    batch = Batch(tmp_path, clock, ahead=2)
    names = [str(n) * 32 for n in range(3)]
    for name in names[:2]:
        batch.fetch(batch.event(clip_id=name))
    third = threading.Thread(target=batch.fetch, args=[batch.event(clip_id=names[2])])
    third.start()
    third.join(0.2)
    assert third.is_alive()
    batch.settling.handle([prediction_of(names[0])])
    third.join(30)
    assert [ready.clip_id for ready in batch.published] == names
    batch.pool.stop()


def test_leaving_waits_for_no_room(tmp_path, clock):
    batch = Batch(tmp_path, clock, ahead=1)
    batch.fetch(batch.event())
    batch.fetching.leave()
    batch.fetch(batch.event(clip_id="c" * 32))
    assert len(batch.published) == 2
    batch.pool.stop()
