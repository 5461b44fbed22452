"""A clip's story, from its events."""

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.bus.port import Outgoing
from lipsol.errors import NotFound
from lipsol.events import ClipDeleted, ClipReceived, ClipRefused
from lipsol.runtime.envelope import Trace, wrap
from lipsol.topics import PREDICTIONS, STABLE_MOUTHS
from services.operating.story import tell
from tests.services_made import SAID, feedback_of, letter_of, prediction_of, ready_of

CLIP = "ab" * 16
OTHER = "cd" * 16


@pytest.fixture
def bus(clock):
    opened = MemoryBus(now=clock.now)
    yield opened
    opened.close()


@pytest.fixture
def publish(bus, clock):
    """Puts an event on the bus, a second after the last."""

    def put(event, source="preprocess", trace=None, **headers):
        clock.advance(1)
        out = wrap(event, source, clock.now(), trace or Trace.new())
        bus.publish_all([Outgoing(out.topic, out.key, out.value, {**out.headers, **headers})])

    return put


def test_a_clip_that_was_read_is_told_step_by_step_under_one_trace(bus, publish):
    trace = Trace.new()
    publish(ready_of(CLIP), trace=trace)
    publish(prediction_of(CLIP), "inference", trace)
    publish(prediction_of(OTHER), "inference")
    story = tell(bus, CLIP)
    assert [(step.what, step.service, step.after_s) for step in story.steps] == [
        ("MouthReady", "preprocess", 0.0),
        ("PredictionMade", "inference", 1.0),
    ]
    assert story.traces == (trace.trace_id,)
    assert story.steps[0].timings_ms == {"decode": 1.0, "face": 2.0}
    assert story.steps[1].timings_ms == {"read": 20.0, "total": 200.0}
    assert story.steps[1].model.startswith("grid-sentences 1 ")
    assert (story.steps[1].track, story.steps[1].shadow, story.steps[1].topic) == ("stable", False, PREDICTIONS.name)


def test_who_told_it_is_the_service_and_which_of_its_like_and_how_many_tries_it_took(bus, publish):
    publish(ready_of(CLIP), ce_instance="edge-7/12", ce_attempts="2")
    [step] = tell(bus, CLIP).steps
    assert (step.service, step.instance, step.attempts) == ("preprocess", "edge-7/12", 2)


def test_a_clip_in_a_session_is_found_though_its_key_is_another(bus, publish):
    publish(ready_of(CLIP, session="stream-1"))
    publish(ready_of(OTHER, session="stream-1"))
    assert len(tell(bus, CLIP).steps) == 1


def test_the_words_are_hidden_unless_asked_for(bus, publish):
    publish(prediction_of(CLIP))
    publish(feedback_of(CLIP, text="bin red at f two now"))
    assert not any(word in str(tell(bus, CLIP)) for word in ("blue", "red at"))
    told = [step.told for step in tell(bus, CLIP, words=True).steps]
    assert SAID in told[0]
    assert "bin red at f two now" in told[1]


def test_the_words_of_a_deleted_clip_stay_hidden_whoever_asks(bus, publish):
    publish(prediction_of(CLIP))
    publish(ClipDeleted(CLIP))
    story = tell(bus, CLIP, words=True)
    assert story.deleted
    assert SAID not in str(story)


def test_a_redelivery_is_marked_and_a_shadow_copy_is_no_redelivery(bus, publish):
    publish(ready_of(CLIP))
    publish(ready_of(CLIP, track="canary", shadow=True))
    publish(ready_of(CLIP))
    assert [(step.track, step.shadow, step.repeat) for step in tell(bus, CLIP).steps] == [
        ("stable", False, False),
        ("canary", True, False),
        ("stable", False, True),
    ]


def test_a_death_tells_its_reason_and_its_attempts_and_a_replay_whose_it_is(bus, publish):
    publish(letter_of(CLIP, "exhausted", "ZeroDivisionError"), "inference")
    publish(ready_of(CLIP), "operating", replay_of="0-5", replay_by="ann", replay_mended="yes")
    died, again = tell(bus, CLIP).steps
    assert died.attempts == 3
    assert "exhausted, 3 attempts" in died.told
    assert "ZeroDivisionError" in died.told
    assert again.replay_of == "0-5"
    assert "mended and replayed from dead letter 0-5 by ann" in again.told


def test_a_clip_of_a_batch_that_was_refused_is_told_with_reason_and_cure(bus, publish):
    publish(ClipReceived(CLIP, "", "b1", "a/b.mp4", "batches/b1/x", "", 7, "", "", "en", 1.0, 0.0), "cli")
    publish(ClipRefused(CLIP, "b1", "no face", "face the camera", 2.0))
    submitted, refused = tell(bus, CLIP).steps
    assert "in batch b1 as a/b.mp4, 7 bytes" in submitted.told
    assert refused.told == "refused: no face; face the camera"


def test_what_can_not_be_read_under_the_clips_key_is_told_too(bus):
    bus.publish_all([Outgoing(STABLE_MOUTHS.name, CLIP, b"\xff\xffpoison")])
    [step] = tell(bus, CLIP).steps
    assert (step.what, step.service) == ("unreadable", "")


def test_only_what_was_told_since_is_told(bus, publish, clock):
    publish(ready_of(CLIP))
    publish(prediction_of(CLIP))
    assert [step.what for step in tell(bus, CLIP, clock.now()).steps] == ["PredictionMade"]


def test_a_clip_that_nothing_tells_of_is_not_found(bus):
    with pytest.raises(NotFound, match=CLIP):
        tell(bus, CLIP)
