"""Recordings at the edge, without a door and without a picture: cut, handed on, told of, deleted, gone on with."""

import threading
import time
from dataclasses import replace

import pytest

from lipsol.clips.framing import TooLong
from lipsol.clips.watch import Watched, Window
from lipsol.errors import BadInput, Busy, NotFound, Transient
from lipsol.events import ClipDeleted, Event, MouthReady
from lipsol.runtime.telemetry import Telemetry
from lipsol.store.local import LocalStore
from lipsol.traffic import Route
from services.preprocess.asking import Asked
from services.preprocess.flight import Flight
from services.preprocess.handler import Handler
from services.preprocess.keeping import Keeper
from services.preprocess.pool import Pool
from services.preprocess.recordings import Recordings
from services.preprocess.repeats import Repeats
from services.preprocess.settling import Settling
from services.preprocess.waiting import Waiters
from tests.services_made import QUALITY, SAID, MadeRegistry, letter_of, mouth_of, prediction_of

CLIP = "a" * 32
BOUND_S = 60.0  # for what takes milliseconds


def window(number, *, fault=None, rest=False):
    watched = None if fault or rest else Watched(mouth_of(number), QUALITY, 1, {"decode": 1.0, "face": 2.0}, "h264")
    return Window(number, 3.0 * number, 3.0 * number + 3, max(0.0, 3.0 * number - 0.2), watched, fault)


class LongWatcher:
    """Finds every clip too long, and in it the windows it was given."""

    def __init__(self, found):
        self.found = found
        self.cut = 0
        self.closed = False

    def watch(self, _):
        raise TooLong("the clip lasts 61.00 s, at most 12.00 s can be read", "cut it")

    def windows(self, _):
        try:
            for each in self.found:
                self.cut += 1
                yield each
        finally:
            self.closed = True


class Edge:
    """A handler over a store in a folder; readings come when they are told to."""

    def __init__(self, folder, clock, found, *, bound=1, ahead=2):
        self.store = LocalStore(folder, now=clock.now)
        self.published: list[Event] = []
        self.fault: Exception | None = None
        self.read = True
        self.pool = Pool(1, 4, 1.0, lambda _: None)
        self.recordings = Recordings(self.pool, bound=bound, ahead=ahead)
        self.watcher = LongWatcher(found)
        telemetry = Telemetry()
        self.settling = Settling(
            Keeper(self.store, 60.0), Repeats(self.store, 60.0), Waiters(), Flight(64, 1.0), clock.now, telemetry
        )
        self.handler = Handler(
            self.watcher, self.settling, MadeRegistry(), "en", lambda _: Route("stable"),
            self.publish, self.published.append, clock.now, telemetry, self.recordings,
        )  # fmt: skip

    def publish(self, event):
        if self.fault is not None:
            raise self.fault
        self.published.append(event)
        if self.read and isinstance(event, MouthReady):
            threading.Thread(target=self.settling.hear, args=([self.answer(event)],)).start()

    def answer(self, event):
        return prediction_of(event.clip_id)

    def receive(self, **how):
        return self.handler.receive(CLIP, b"a film", Asked(), 1_795_251_600.0, **how)

    def mouths(self):
        return [event for event in self.published if isinstance(event, MouthReady)]

    def done(self, **how):
        """The recording's result, once it is read or given up."""
        self.receive(**how)
        self.recordings.wait(CLIP)
        return self.handler.result(CLIP)


@pytest.fixture
def edge(tmp_path, clock):
    made = []

    def make(found, **how):
        made.append(Edge(tmp_path, clock, found, **how))
        return made[-1]

    yield make
    for each in made:
        each.recordings.stop(0.0)
        each.pool.stop()


def until(what):
    """Wait until it is so."""
    end = time.monotonic() + BOUND_S
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_recording_is_told_sentence_by_sentence_on_its_own_clock(edge):
    own = edge([window(number) for number in range(5)])
    result = own.done()
    assert (result.state, len(result.sentences), result.watched_s) == ("read", 5, 15.0)
    assert result.text.split("\n") == [SAID] * 5
    assert [each.words[0].start_s for each in result.sentences] == [0.0, 2.8, 5.8, 8.8, 11.8]
    starts = [word.start_s for word in result.words]
    assert starts == sorted(starts) and len(starts) == 5 * len(SAID.split())
    assert result.confidence == pytest.approx(0.9**5)
    assert result.model is not None


def test_windows_are_clips_of_their_own_in_one_session(edge):
    own = edge([window(0), window(1)])
    result = own.done()
    assert {event.session for event in own.mouths()} == {CLIP}
    assert [event.clip_id for event in own.mouths()] == [each.clip_id for each in result.sentences]
    assert own.handler.result(result.sentences[1].clip_id).text == SAID


def test_windows_tell_what_clips_tell_and_none_is_another_try(edge):
    own = edge([window(0), window(1), window(2)])
    own.done()
    assert [(event.codec, event.faces, event.redo) for event in own.mouths()] == [("h264", 1, False)] * 3


def test_a_window_that_can_not_be_read_is_a_gap_with_its_reason_and_a_rest_is_nothing(edge):
    gone = BadInput("no face for 3.0 of 3.0 s", "face the camera")
    result = edge([window(0), window(1, fault=gone), window(2, rest=True), window(3)]).done()
    assert [each.problem and each.problem.detail for each in result.sentences] == [None, gone.detail, None]
    assert (result.state, result.abstained) == ("read", True)
    assert result.text == f"{SAID}\n[not read]\n{SAID}"
    assert "[not read]" in result.captions("srt")


def test_what_died_is_a_gap_and_what_is_unsure_is_marked(edge):
    own = edge([window(0), window(1), window(2)])
    answers = iter(["letter", "unsure", "sure"])

    def answer(event):
        kind = next(answers)
        return (
            letter_of(event.clip_id) if kind == "letter" else prediction_of(event.clip_id, abstained=kind == "unsure")
        )

    own.answer = answer
    result = own.done()
    assert result.text.split("\n") == ["[not read]", f"[not sure] {SAID}", SAID]
    assert result.sentences[0].problem.detail == "the mouth is gone"
    assert result.abstained
    assert result.captions("vtt").count("[not sure]") == 1


def test_a_recording_of_which_nothing_can_be_read_fails_for_the_reason_that_most_of_it_has(edge):
    dark, gone = BadInput("nearly black", "light your face"), BadInput("no face", "face the camera")
    result = edge([window(0, fault=dark), window(1, fault=gone), window(2, fault=gone)]).done()
    assert (result.state, result.problem.status, result.problem.detail) == ("failed", 422, "no face")


def test_lips_that_always_rest_say_nothing(edge):
    result = edge([window(0, rest=True)]).done()
    assert (result.state, result.problem.status) == ("failed", 422)
    assert "the lips rest for all 3.0 s" in result.problem.detail


def test_no_more_is_watched_than_may_wait_to_be_read(edge):
    own = edge([window(number) for number in range(20)], ahead=2)
    own.read = False
    own.receive()
    until(lambda: len(own.mouths()) == 3)
    time.sleep(0.1)
    assert (len(own.mouths()), own.watcher.cut) == (3, 3)
    assert own.handler.result(CLIP).state == "reading"


def test_progress_is_told_while_it_is_read(edge):
    own = edge([window(number) for number in range(9)], ahead=2)
    own.read = False
    own.receive()
    until(lambda: len(own.mouths()) == 3)
    own.settling.hear([prediction_of(own.mouths()[0].clip_id)])
    until(lambda: len(own.handler.result(CLIP).sentences) == 1)
    so_far = own.handler.result(CLIP)
    assert (so_far.state, so_far.text) == ("reading", SAID)
    assert 0 < so_far.watched_s < 27


def test_a_recording_too_many_is_turned_away_and_patient_ones_wait(edge):
    own = edge([window(number) for number in range(9)])
    own.read = False
    own.receive()
    with pytest.raises(Busy, match="recordings"):
        own.handler.receive("b" * 32, b"a film", Asked(), 0.0)
    assert own.handler.receive("c" * 32, b"a film", Asked(), 0.0, patient=True).state == "reading"


def test_deleting_midway_ends_it_and_leaves_nothing(edge):
    own = edge([window(number) for number in range(9)])
    own.read = False
    own.receive()
    until(lambda: len(own.mouths()) == 3)
    own.handler.delete(CLIP)
    own.recordings.wait(CLIP)
    assert own.store.list("") == []
    assert own.watcher.closed
    gone = {event.clip_id for event in own.published if isinstance(event, ClipDeleted)}
    assert gone >= {CLIP, *(event.clip_id for event in own.mouths())}
    with pytest.raises(NotFound):
        own.handler.result(CLIP)


def test_who_begins_anew_hands_on_only_what_is_missing(edge, tmp_path, clock):
    found = [window(number) for number in range(6)]
    dying = edge(found)
    dying.read = False
    dying.receive(keyed=True)
    until(lambda: len(dying.mouths()) == 3)
    dying.recordings.stop(0.0)
    dying.settling.handle([prediction_of(event.clip_id) for event in dying.mouths()])
    assert dying.handler.result(CLIP).problem.status == 503
    dying.handler.keeper.reopen(CLIP)
    other = edge(found)
    result = other.done(keyed=True)
    assert [each.text for each in result.sentences] == [SAID] * 6
    handed_on = {event.clip_id for event in dying.mouths()}
    assert handed_on.isdisjoint(event.clip_id for event in other.mouths())
    assert other.handler.repeats.handed_on(CLIP, clock.now())


def test_a_repeat_while_it_is_read_is_the_same_recording(edge):
    own = edge([window(number) for number in range(9)])
    own.read = False
    own.receive(keyed=True)
    until(lambda: len(own.mouths()) == 3)
    assert own.receive(keyed=True).clip_id == CLIP
    assert len(own.mouths()) == 3


def test_what_comes_after_the_deadline_is_a_gap(edge, clock):
    own = edge([window(0), window(1), window(2)])
    own.answer = lambda event: clock.advance(10) or prediction_of(event.clip_id)
    own.recordings._ahead = 0
    result = own.done(deadline_at=clock.now() + 5)
    assert [each.problem and each.problem.status for each in result.sentences] == [None, 504]
    assert (result.state, own.watcher.cut) == ("read", 2)


def test_a_bus_that_is_away_for_a_moment_costs_no_window(edge):
    own = edge([window(0), window(1)])
    own.fault = Transient("the bus is away")
    own.receive()
    until(lambda: own.watcher.cut == 1)
    own.fault = None
    own.recordings.wait(CLIP)
    assert [each.text for each in own.handler.result(CLIP).sentences] == [SAID, SAID]


def test_a_recording_can_not_be_judged_as_one_but_its_sentences_can(edge):
    own = edge([window(0), window(1)])
    result = own.done()
    with pytest.raises(BadInput, match="2 sentences"):
        own.handler.feedback(CLIP, None, "right")
    assert own.handler.feedback(result.sentences[0].clip_id, None, "right").reading == SAID


def test_where_no_recordings_are_taken_a_long_clip_is_refused(edge):
    own = edge([window(0)])
    own.handler = replace(own.handler, recordings=None)
    with pytest.raises(TooLong, match=r"61\.00 s"):
        own.receive()
    assert own.store.list("") == []
