"""The edge's work, without a door."""

from dataclasses import replace

import pytest

from lipsol.errors import BadInput, Busy, NotFound, TooLate, Transient
from lipsol.events import ClipDeleted, ClipRefused, Event, FeedbackGiven, MouthReady
from lipsol.runtime.telemetry import Telemetry
from lipsol.store.claims import Claims
from lipsol.store.local import LocalStore
from lipsol.topics import CANARY_MOUTHS, STABLE_MOUTHS
from lipsol.traffic import Route
from services.preprocess.asking import Asked
from services.preprocess.flight import Flight
from services.preprocess.handler import Handler, known_id, new_id
from services.preprocess.keeping import Keeper
from services.preprocess.repeats import Repeats
from services.preprocess.settling import Settling
from services.preprocess.tries import Tries
from services.preprocess.waiting import Waiters
from tests.services_made import SAID, MadeRegistry, MadeWatcher, letter_of, mouth_of, prediction_of

CLIP = "a" * 32


class Edge:
    """A handler over a store in a folder, and what it published."""

    def __init__(self, folder, clock):
        self.store = LocalStore(folder, now=clock.now)
        self.published: list[Event] = []
        self.told: list[Event] = []  # beside the answer
        self.fault: Exception | None = None
        self.telemetry = Telemetry()
        self.routes = Route("stable")
        self.settling = Settling(
            Keeper(self.store, 60.0), Repeats(self.store, 60.0), Waiters(), Flight(8, 1.0), clock.now, self.telemetry
        )
        self.handler = Handler(
            MadeWatcher(), self.settling, MadeRegistry(), "en", lambda _: self.routes,
            self.publish, self.told.append, clock.now, self.telemetry,
        )  # fmt: skip

    def publish(self, event: Event) -> None:
        if self.fault is not None:
            raise self.fault
        self.published.append(event)

    def receive(self, data=b"a clip", *, clip_id=CLIP, deadline_at=0.0, keyed=False, **asked):
        return self.handler.receive(
            clip_id, data, Asked(**asked), 1_795_251_600.0, deadline_at=deadline_at, keyed=keyed
        )


@pytest.fixture
def edge(tmp_path, clock):
    return Edge(tmp_path, clock)


def test_a_clip_becomes_a_mouth_in_the_store_and_an_event_that_names_it(edge):
    result = edge.receive(grammar="grid")
    (event,) = edge.published
    assert isinstance(event, MouthReady)
    assert (event.clip_id, event.language, event.grammar, event.track) == (CLIP, "en", "grid", "stable")
    assert Claims(edge.store).cash(event.mouth) == mouth_of(len(b"a clip")).to_bytes()
    assert result.state == edge.handler.result(CLIP).state == "reading"


def test_nothing_is_kept_of_a_clip_that_is_refused(edge):
    with pytest.raises(BadInput, match="no face"):
        edge.receive(b"bad clip")
    assert (edge.published, edge.store.list("")) == ([], [])
    assert edge.telemetry.value("lipsol_clips_refused_total", reason="bad-input") == 1


def test_a_wish_that_can_not_be_met_is_refused_before_any_work(edge):
    with pytest.raises(NotFound, match="grid-sentences"):
        edge.receive(model="other")
    assert edge.handler.watcher.watched == 0


def test_nothing_is_kept_of_a_clip_that_the_bus_can_not_take(edge):
    edge.fault = Busy("full")
    with pytest.raises(Busy):
        edge.receive()
    assert edge.store.list("") == []
    assert edge.handler.flight.wait(0)


def test_a_prediction_settles_the_clip_and_wakes_who_waits(edge):
    edge.receive()
    with edge.handler.waiters.waiting(CLIP) as answer:
        edge.settling.handle([prediction_of(CLIP)])
        assert answer.result(1) == edge.handler.result(CLIP)
    assert edge.handler.result(CLIP).text == SAID
    assert edge.handler.flight.wait(0)


def test_an_answer_is_measured_once_however_often_it_comes(edge, clock):
    edge.receive()
    clock.advance(0.2)
    edge.settling.handle([prediction_of(CLIP), prediction_of(CLIP)])
    assert edge.telemetry.value("lipsol_answer_seconds", track="stable") == 1


def test_a_dead_letter_settles_the_clip_as_failed(edge):
    edge.receive()
    edge.settling.handle([letter_of(CLIP)])
    assert edge.handler.result(CLIP).state == "failed"


def test_a_dead_letter_of_another_topic_is_no_ones_reading(edge):
    edge.receive()
    letter = letter_of(CLIP)
    edge.settling.handle([type(letter)(**{**vars(letter), "origin_topic": "lipsol.feedback.v1"})])
    assert edge.handler.result(CLIP).state == "reading"


def test_deleting_leaves_nothing_and_tells_the_others(edge):
    clip_id = edge.handler.repeats.remember("key", "body")
    edge.receive(clip_id=clip_id, keyed=True)
    edge.handler.delete(clip_id)
    edge.settling.handle([prediction_of(clip_id)])
    assert edge.store.list("") == []
    assert edge.published[-1] == ClipDeleted(clip_id)
    with pytest.raises(NotFound):
        edge.handler.delete(clip_id)


def test_a_refusal_is_told_to_the_others_beside_the_answer(edge):
    with pytest.raises(BadInput):
        edge.receive(b"bad clip")
    (told,) = edge.told
    assert isinstance(told, ClipRefused)
    assert (told.clip_id, told.reason, told.cure) == (CLIP, "no face for 2.1 of 3.0 s", "face the camera")


def test_a_wish_that_can_not_be_met_or_a_bus_that_is_away_is_no_refusal_of_the_clip(edge):
    with pytest.raises(NotFound):
        edge.receive(model="other")
    edge.fault = Transient("the bus is away")
    with pytest.raises(Transient):
        edge.receive()
    assert edge.told == []


def test_what_comes_after_its_deadline_is_not_watched_and_nothing_is_kept_of_it(edge, clock):
    with pytest.raises(TooLate, match="deadline"):
        edge.receive(deadline_at=clock.now())
    assert (edge.handler.watcher.watched, edge.published, edge.store.list("")) == (0, [], [])
    edge.receive(deadline_at=clock.now() + 1)
    (event,) = edge.published
    assert event.deadline_at == clock.now() + 1


def test_a_clip_of_the_canary_goes_there_with_its_bundle(edge):
    edge.routes = Route("canary", "b" * 64)
    assert edge.receive().track == "canary"
    (event,) = edge.published
    assert (event.topic, event.bundle, event.shadow) == (CANARY_MOUTHS.name, "b" * 64, False)


def test_a_copy_goes_to_the_canary_beside_the_answer_and_its_reading_is_no_ones(edge):
    edge.routes = Route("stable", "b" * 64, copy=True)
    edge.receive()
    (event,), (copy,) = edge.published, edge.told
    assert (event.topic, copy.topic, copy.shadow, copy.bundle) == (
        STABLE_MOUTHS.name, CANARY_MOUTHS.name, True, "b" * 64,
    )  # fmt: skip
    assert replace(copy, track="stable", shadow=False, bundle="") == event  # all else is the same
    edge.settling.handle([replace(prediction_of(CLIP), shadow=True), replace(letter_of(CLIP), shadow=True)])
    edge.settling.hear([replace(prediction_of(CLIP), shadow=True)])
    assert edge.handler.result(CLIP).state == "reading"
    edge.settling.handle([prediction_of(CLIP, "bin red")])
    assert edge.handler.result(CLIP).text == "bin red"


def test_a_session_goes_one_way_whatever_its_clips_are_called(edge):
    asked = []
    edge.handler = replace(edge.handler, route=lambda name: asked.append(name) or Route("stable"))
    edge.receive(session="talk")
    edge.receive()
    assert asked == ["talk", CLIP]


def test_an_ear_answers_its_own_clients_and_keeps_what_it_answered(edge):
    edge.receive()
    with edge.handler.waiters.waiting(CLIP) as answer:
        edge.settling.hear([prediction_of(CLIP)])
        assert answer.result(1) == edge.handler.result(CLIP)
    edge.settling.handle([prediction_of(CLIP, "another reading")])
    assert edge.handler.result(CLIP).text == SAID


def test_an_ear_passes_over_what_is_of_other_replicas(edge):
    edge.receive()
    edge.handler.flight.remove(CLIP)
    edge.settling.hear([prediction_of(CLIP), letter_of(CLIP), ClipDeleted(CLIP)])
    assert edge.handler.result(CLIP).state == "reading"


def test_who_waits_for_a_clip_that_is_deleted_is_told_so(edge):
    edge.receive()
    with edge.handler.waiters.waiting(CLIP) as answer:
        edge.settling.hear([ClipDeleted(CLIP)])
        with pytest.raises(NotFound, match="deleted"):
            answer.result(1)


def test_a_letter_that_came_too_late_fails_the_clip_with_a_status_of_its_own(edge):
    edge.receive()
    edge.settling.handle([letter_of(CLIP, "too-late", "2.1 s past its deadline")])
    assert edge.handler.result(CLIP).problem.status == 504


def test_a_letter_of_a_try_that_came_too_late_does_not_fail_the_next_one(edge, clock):
    edge.receive(deadline_at=clock.now() + 5, keyed=True)
    clock.advance(10)
    edge.receive(deadline_at=clock.now() + 5, keyed=True)
    edge.settling.handle([letter_of(CLIP, "too-late")])
    assert edge.handler.result(CLIP).state == "reading"
    clock.advance(10)
    edge.settling.handle([letter_of(CLIP, "too-late")])
    assert edge.handler.result(CLIP).problem.status == 504


def test_a_keyed_clip_that_could_not_be_handed_on_is_left_to_its_repeat(edge, clock):
    edge.fault = Transient("the bus is away")
    with pytest.raises(Transient):
        edge.receive(keyed=True)
    assert not edge.handler.repeats.handed_on(CLIP, clock.now())
    edge.fault = None
    edge.receive(keyed=True)
    assert edge.handler.repeats.handed_on(CLIP, clock.now())
    assert edge.handler.result(CLIP).state == "reading"


def test_a_deletion_that_another_replica_took_is_followed(edge):
    edge.receive()
    edge.settling.handle([ClipDeleted(CLIP)])
    assert edge.store.list("") == []


def sent_again(edge, clock, after_s, *, clip_id="b" * 32, session="a visit", **options):
    """Whether a clip counts as another try that comes so long after one of the same visit."""
    for each, later_s in ((CLIP, 0.0), (clip_id, after_s)):
        clock.advance(later_s)
        asked = Asked(session="a visit" if each == CLIP else session)
        edge.handler.receive(each, b"a clip", asked, clock.now(), **options)
    (first, *others) = [event.redo for event in edge.published if isinstance(event, MouthReady)]
    assert not first
    return others[-1]


@pytest.mark.parametrize(
    ("after_s", "again"), [(3.5, False), (4.5, True), (59.0, True), (61.0, False)],
    ids=["a stream goes on", "a look and a new try", "within a minute", "a new wish"],
)  # fmt: skip
def test_who_sends_another_clip_within_a_minute_tries_again(edge, clock, after_s, again):
    assert sent_again(edge, clock, after_s) is again  # the clips are 3 s long


def test_neither_another_session_nor_none_nor_a_batch_tries_again(edge, clock):
    assert not sent_again(edge, clock, 10.0, session="somebody else")
    assert not sent_again(edge, clock, 10.0, session="")
    assert not sent_again(edge, clock, 10.0, patient=True)


def test_the_same_clip_sent_twice_is_one_try(edge, clock):
    assert not sent_again(edge, clock, 10.0, clip_id=CLIP, keyed=True)


def test_who_was_refused_and_films_again_tries_again(edge, clock):
    with pytest.raises(BadInput):
        edge.handler.receive(CLIP, b"bad", Asked(session="a visit"), clock.now())
    clock.advance(10.0)
    edge.handler.receive("b" * 32, b"a clip", Asked(session="a visit"), clock.now())
    assert [event.redo for event in edge.published] == [True]


def test_no_more_sessions_are_remembered_than_may_be():
    tries = Tries(3)
    for number in range(5):
        assert tries.begin(f"visit {number}", CLIP, float(number)) is None
    assert tries.begin("visit 4", "b" * 32, 5.0) == 1.0
    assert tries.begin("visit 0", "b" * 32, 5.0) is None


def test_how_the_picture_was_coded_and_how_many_were_seen_goes_along(edge):
    edge.handler.watcher.codec = "vp9"
    edge.receive()
    (event,) = edge.published
    assert (event.codec, event.faces) == ("vp9", 1)


def test_feedback_carries_what_the_person_had_been_shown(edge):
    edge.receive()
    made = replace(prediction_of(CLIP), track="canary", abstained=True, timings_ms={"total": 1500.0})
    edge.settling.handle([made])
    for given in (edge.handler.feedback(CLIP, None, "wrong"), edge.handler.gave_up(CLIP)):
        shown = (given.track, given.model, given.language, given.confidence, given.abstained, given.reading)
        assert shown == ("canary", "grid-sentences", "en", 0.9, True, SAID)
        assert given.read_at == pytest.approx(1_795_251_601.5, abs=0.01)  # the clip came 1.5 s before
        assert given in edge.published


def test_who_gave_up_says_nothing_else_and_says_it_once(edge):
    edge.receive()
    with pytest.raises(BadInput, match="no words"):
        edge.handler.gave_up(CLIP)
    edge.settling.handle([prediction_of(CLIP)])
    first, second = edge.handler.gave_up(CLIP), edge.handler.gave_up(CLIP)
    assert first.feedback_id == second.feedback_id != edge.handler.feedback(CLIP, None, "wrong").feedback_id
    assert (first.gave_up, first.text, first.verdict, first.consent) == (True, None, None, "")


def test_work_that_nobody_waits_for_is_counted(edge, clock):
    with pytest.raises(TooLate):
        edge.receive(deadline_at=clock.now() - 1.0)
    assert edge.telemetry.value("lipsol_abandoned_total", stage="edge", reason="too-late") == 1


def test_feedback_is_spelled_as_the_language_spells_and_names_what_was_shown(edge):
    edge.receive()
    edge.settling.handle([prediction_of(CLIP)])
    given = edge.handler.feedback(CLIP, "Bin BLUE, at f three now", None)
    assert edge.published[-1] == given
    assert isinstance(given, FeedbackGiven)
    assert (given.text, given.reading, given.model_digest) == (
        "bin blue at f three now", SAID, prediction_of(CLIP).model.digest,
    )  # fmt: skip


def test_the_same_feedback_twice_is_the_same_feedback(edge):
    edge.receive()
    edge.settling.handle([prediction_of(CLIP)])
    names = {edge.handler.feedback(CLIP, text, None).feedback_id for text in ("bin blue", "Bin blue", "bin red")}
    assert len(names) == 2


@pytest.mark.parametrize(("text", "said"), [("bin blue 7", "7"), ("پانچ", "not in the alphabet"), (" , ", "empty")])
def test_feedback_that_the_alphabet_can_not_spell_is_refused(edge, text, said):
    edge.receive()
    edge.settling.handle([prediction_of(CLIP)])
    with pytest.raises(BadInput, match=said):
        edge.handler.feedback(CLIP, text, None)


def test_nothing_can_be_said_of_a_clip_that_is_not_read(edge):
    edge.receive()
    with pytest.raises(BadInput, match="reading"):
        edge.handler.feedback(CLIP, None, "right")


def test_the_lips_are_as_the_machine_saw_them(edge):
    edge.receive()
    lips, mouth = edge.handler.lips(CLIP), mouth_of(len(b"a clip"))
    assert (lips.fps, len(lips.points), len(lips.points[0]), lips.seen) == (25.0, len(mouth), 40, [True] * len(mouth))
    assert lips.points[1][2] == pytest.approx(mouth.outline[1, 2], abs=5e-5)


def test_ids_are_unlike_each_other_and_nothing_else_is_one():
    ids = {new_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(known_id(each) == each for each in ids)


@pytest.mark.parametrize("name", ["", "..", "a" * 31, "A" * 32, "../" + "a" * 29, "a" * 33, "٣" * 32])
def test_what_is_no_id_is_not_looked_for(name):
    with pytest.raises(NotFound):
        known_id(name)
