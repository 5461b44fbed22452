"""What the edge keeps to teach: under a consent alone, for its time, and never once it was taken back."""

import hashlib

import pytest

from lipsol.clips.clip import MouthClip
from lipsol.errors import BadInput, NotFound
from lipsol.events import ClipDeleted
from services.preprocess.consent import WORDING
from services.preprocess.keeping import Keeper
from services.preprocess.settling import Settling
from tests.services_made import SAID, mouth_of, prediction_of
from tests.unit.services.test_preprocess_handler import CLIP, Edge

LATER_S = 3600.0


@pytest.fixture(params=[10**6, 0], ids=["mouth in the event", "mouth in the store"])
def edge(request, tmp_path, clock):
    """An edge that has read a clip of the session "talk"."""
    edge = Edge(tmp_path, clock)
    keeper = Keeper(edge.store, LATER_S, request.param, 10 * LATER_S)
    settling = edge.settling
    edge.settling = Settling(keeper, settling.repeats, settling.waiters, settling.flight, clock.now, settling.telemetry)
    object.__setattr__(edge.handler, "settling", edge.settling)
    read(edge, CLIP)
    return edge


def read(edge, clip_id):
    edge.receive(clip_id=clip_id, session="talk")
    edge.settling.handle([prediction_of(clip_id)])


def kept(edge):
    return [key for key in edge.store.list("") if not key.startswith("clips/")]


def test_without_consent_nothing_is_kept(edge):
    given = edge.handler.feedback(CLIP, "bin red", None)
    assert (given.consent, kept(edge)) == ("", [])
    with pytest.raises(NotFound, match="could teach"):
        edge.handler.corrections(CLIP)


def test_with_consent_the_mouth_and_the_words_are_kept_and_no_face(edge, clock):
    given = edge.handler.feedback(CLIP, "Bin RED", None, WORDING)
    (correction,) = edge.handler.corrections(CLIP)
    mouth = edge.handler.keeper.corrections.mouth(correction)
    assert mouth == mouth_of(len(b"a clip")).to_bytes()
    assert (given.consent, edge.published[-1]) == (WORDING, given)
    assert (correction.text, correction.language, correction.reading) == ("bin red", "en", SAID)
    assert (correction.wording, correction.consented_at) == (WORDING, clock.now())
    assert correction.mouth == hashlib.sha256(mouth).hexdigest()
    assert len(kept(edge)) == 2


def test_a_reading_that_is_called_right_teaches_its_own_words_and_one_that_is_called_wrong_none(edge):
    assert edge.handler.feedback(CLIP, None, "wrong", WORDING).consent == ""
    assert kept(edge) == []
    edge.handler.feedback(CLIP, None, "right", WORDING)
    assert [each.text for each in edge.handler.corrections(CLIP)] == [SAID]


def test_the_clips_of_a_session_have_one_contributor_who_is_not_named(edge):
    read(edge, "b" * 32)
    edge.receive(clip_id="c" * 32)
    edge.settling.handle([prediction_of("c" * 32)])
    for clip_id in (CLIP, "b" * 32, "c" * 32):
        edge.handler.feedback(clip_id, "bin red", None, WORDING)
    talk, again, alone = (edge.handler.corrections(each * 32)[0].contributor for each in "abc")
    assert talk == again != alone
    assert "talk" not in talk
    assert "contributor" not in edge.handler.result(CLIP).model_dump_json()


def test_the_same_feedback_again_is_kept_once(edge):
    for _ in range(2):
        edge.handler.feedback(CLIP, "bin red", None, WORDING)
    assert len(edge.handler.corrections(CLIP)) == 1


def test_a_wording_that_nobody_asks_is_refused(edge):
    with pytest.raises(BadInput, match="consent 'yes' is not to the wording"):
        edge.handler.feedback(CLIP, "bin red", None, "yes")
    assert kept(edge) == []


@pytest.mark.parametrize("how", ["delete", "event"])
def test_deleting_the_clip_takes_back_what_it_was_to_teach(edge, how):
    edge.handler.feedback(CLIP, "bin red", None, WORDING)
    if how == "delete":
        edge.handler.delete(CLIP)
    else:
        edge.settling.handle([ClipDeleted(CLIP)])
    assert edge.store.list("") == [f"withdrawn/{CLIP}"]


def test_what_teaches_outlives_its_clip_and_can_still_be_taken_back(edge, clock):
    edge.handler.feedback(CLIP, "bin red", None, WORDING)
    clock.advance(2 * LATER_S)
    with pytest.raises(NotFound):
        edge.handler.result(CLIP)
    assert MouthClip.from_bytes(edge.handler.keeper.corrections.mouth(edge.handler.corrections(CLIP)[0]))
    edge.handler.delete(CLIP)
    with pytest.raises(NotFound):
        edge.handler.delete(CLIP)


def test_what_teaches_has_its_time_too(edge, clock):
    edge.handler.feedback(CLIP, "bin red", None, WORDING)
    clock.advance(11 * LATER_S)
    assert kept(edge) == []


def test_a_consent_can_be_taken_back_and_given_anew_while_the_clip_stays(edge):
    edge.handler.feedback(CLIP, "bin red", None, WORDING)
    edge.handler.withdraw(CLIP)
    corrections = edge.handler.keeper.corrections
    assert (list(corrections.all()), corrections.withdrawn()) == ([], {CLIP})
    assert edge.handler.result(CLIP).text == SAID
    with pytest.raises(NotFound):
        edge.handler.withdraw(CLIP)
    edge.handler.feedback(CLIP, "bin red", None, WORDING)
    assert (len(list(corrections.all())), corrections.withdrawn()) == (1, frozenset())


def test_new_corrections_are_counted_by_clip_from_a_time_on(edge, clock):
    corrections = edge.handler.keeper.corrections
    corrections._now = clock.now
    began = clock.now()
    edge.handler.feedback(CLIP, "bin red", None, WORDING)
    clock.advance(10)
    read(edge, "b" * 32)
    for text in ("bin red", "bin blue"):
        edge.handler.feedback("b" * 32, text, None, WORDING)
    assert [corrections.count_new(since) for since in (began - 1, began + 5, began + 11)] == [2, 1, 0]


def test_a_mouth_that_was_altered_teaches_nothing(edge):
    edge.handler.feedback(CLIP, "bin red", None, WORDING)
    corrections = edge.handler.keeper.corrections
    (correction,) = corrections.all()
    key = next(key for key in kept(edge) if key.endswith(".npz"))
    edge.store.put(key, b"another")
    with pytest.raises(BadInput, match="not the one that was kept"):
        corrections.mouth(correction)
