"""An operator and a platform in one process: through the door, and over the bus itself."""

import json
import socket
import time

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.errors import BadInput, NotFound, Transient
from lipsol.events import DeadLetter, to_bytes
from lipsol.runtime.envelope import unwrap, wrap
from lipsol.store.local import LocalStore
from lipsol.topics import STABLE_MOUTHS
from services.doors.service import DoorSettings
from services.doors.web import new_app
from services.operating import OperatorSettings, open_operations
from services.operating.door import create_app, door
from services.operating.letters import Wanted
from services.operating.operations import Operations
from services.operating.remote import Remote
from services.operating.settings import OperatingSettings
from tests.rollouts_made import SLOWER, Analyst
from tests.services_made import SAID, MadeRegistry, info_of, prediction_of, ready_of, served_app

CLIP = "ab" * 16
DIGEST = info_of().digest


@pytest.fixture
def operations(tmp_path, clock):
    bus = MemoryBus()
    yield Operations(bus, LocalStore(tmp_path), MadeRegistry(), clock.now)
    bus.close()


@pytest.fixture(params=["here", "through the door"])
def operating(request, operations):
    """The operations themselves, and the same ones from another process's side."""
    if request.param == "here":
        yield operations
        return
    with served_app(create_app(operations), DoorSettings()) as client:
        yield Remote(client.base_url.port)


def test_where_nobody_set_anything_all_goes_to_stable(operating):
    state = operating.traffic()
    assert (state.mode, state.live, state.expires_in_s) == ("stable", False, 0.0)


def test_a_policy_rules_until_it_expires(operating, clock):
    set_to = operating.set_traffic("canary", 10.0, 60.0, canary_digest=DIGEST, set_by="ali@clinic", reason="try it")
    assert operating.traffic() == set_to
    assert (set_to.live, set_to.expires_in_s, set_to.expires_at) == (True, 60.0, clock.now() + 60)
    assert (set_to.mode, set_to.weight, set_to.canary_digest, set_to.set_by) == ("canary", 10.0, DIGEST, "ali@clinic")
    clock.advance(60)
    assert not operating.traffic().live


def test_abort_sends_all_to_stable_and_says_who_and_why(operating):
    operating.set_traffic("shadow", 50.0, 60.0, set_by="ali@clinic")
    state = operating.abort(set_by="sara@clinic", reason="it reads nonsense")
    assert operating.traffic() == state
    assert (state.mode, state.live, state.set_by, state.reason) == (
        "stable", False, "sara@clinic", "it reads nonsense",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "weight", "life_s", "kind", "told"),
    [
        ("canary", 101.0, 60.0, BadInput, "101 %"),
        ("blueGreen", 5.0, 60.0, BadInput, "0 or 100"),
        ("canary", 5.0, 1e9, BadInput, "at most"),
        ("canary", 5.0, -1e10, BadInput, "until when"),
    ],
)
def test_what_can_not_be_meant_changes_nothing(operating, mode, weight, life_s, kind, told):
    with pytest.raises(kind, match=told):
        operating.set_traffic(mode, weight, life_s, set_by="me")
    assert operating.traffic().mode == "stable"


def test_a_bundle_that_the_platform_does_not_have_is_refused_naming_those_that_it_has(operating):
    with pytest.raises(NotFound, match="grid-sentences"):
        operating.set_traffic("canary", 5.0, 60.0, canary_digest="0" * 64, set_by="me")


def test_what_is_no_argument_is_named(operations):
    with served_app(create_app(operations), DoorSettings()) as client:
        answer = client.post("/v1/set_traffic", json={"mode": "green", "weight": "much", "by": "me"})
    assert answer.status_code == 422
    assert all(name in answer.json()["detail"] for name in ("mode", "weight", "life_s", "set_by", "by"))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({}, 415),
        ({"Content-Type": "application/json", "Host": "evil.example"}, 400),
    ],
    ids=["a form of another site", "bytes of another site", "another site's name for this machine"],
)
def test_no_website_can_move_the_traffic(operations, headers, status):
    operations.set_traffic("canary", 10.0, 60.0, set_by="me")
    with served_app(create_app(operations), DoorSettings()) as client:
        answer = client.post("/v1/abort", content=b'{"set_by": "them"}', headers=headers)
    assert answer.status_code == status
    assert operations.traffic().set_by == "me"


def test_where_no_platform_is_it_says_how_to_get_one():
    nobody = OperatorSettings(operating=OperatingSettings(port=1))
    with open_operations(nobody) as operating, pytest.raises(Transient, match=r"lipsol serve.*LIPSOL_BUS__KIND=kafka"):
        operating.traffic()


def test_dead_letters_are_listed_opened_and_replayed_mended(operating, operations):
    dead = to_bytes(ready_of(CLIP, model="gone"))
    letter = DeadLetter(
        CLIP, CLIP, False, STABLE_MOUTHS.name, 1, 2, "no model", "name one", "bad-input", "inference", 1, dead
    )
    operations.bus.publish_all([wrap(letter, "inference", 1.0)])
    [listed] = operating.letters(Wanted(kind="bad-input"))
    opened = operating.letter(listed.id)
    assert (opened.letter, opened.event["model"]) == (listed, "gone")
    mended = json.dumps({**opened.event, "model": "grid-sentences"})
    assert operating.replay(listed.id, by="ali@clinic", mended=mended).topic == STABLE_MOUTHS.name
    assert [unwrap(each).model for each in operations.bus.replay([STABLE_MOUTHS.name])] == ["grid-sentences"]
    assert [(each.by, each.mended) for each in operating.letters(Wanted())[0].replays] == [("ali@clinic", True)]
    assert operating.replay_all(Wanted(), by="ali@clinic") == []
    with pytest.raises(NotFound, match="9-9"):
        operating.letter("9-9")


def test_a_clips_story_is_told_with_its_words_only_if_asked(operating, operations):
    operations.bus.publish_all([wrap(ready_of(CLIP), "preprocess", 1.0), wrap(prediction_of(CLIP), "inference", 2.0)])
    story = operating.story(CLIP)
    assert [step.what for step in story.steps] == ["MouthReady", "PredictionMade"]
    assert SAID not in str(story)
    assert SAID in str(operating.story(CLIP, words=True))
    with pytest.raises(NotFound):
        operating.story(CLIP, since=4e9)


def test_the_embedded_platform_is_operated_from_outside(platform):
    with door(platform.operations, OperatingSettings(port=0)) as port:
        remote = Remote(port)
        assert platform.read(b"a clip").track == "stable"
        remote.set_traffic("canary", 100.0, 60.0, set_by="me")
        wait_for(lambda: platform.read(b"a clip").track == "canary")
        remote.abort(set_by="me")
        wait_for(lambda: platform.read(b"a clip").track == "stable")
        with pytest.raises(NotFound, match="grid-sentences"):
            remote.set_traffic("canary", 100.0, 60.0, canary_digest="0" * 64, set_by="me")


def test_a_taken_port_is_said_with_the_variable_that_names_another(operations):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = OperatingSettings(port=taken.getsockname()[1])
        refused = pytest.raises(BadInput, match="operator's door.*LIPSOL_OPERATING__PORT")
        with refused, door(operations, place):
            pass


def test_what_answers_there_and_is_no_platform_is_told(operations):
    other = new_app("Other", "Another service.", lambda: ())
    with served_app(other, DoorSettings()) as client, pytest.raises(NotFound, match="/v1/traffic"):
        Remote(client.base_url.port).traffic()


def wait_for(happened):
    until = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_rollouts_are_told_with_their_steps_here_and_through_the_door(operating, operations, clock):
    assert operating.rollouts() == []
    analyst = Analyst(operations.bus, clock)
    analyst.through(1)
    analyst.tell("abort", "worse", (SLOWER,), after_s=2.0)
    (seen,) = operating.rollouts(release="lipsol")
    assert (seen.state, seen.steps[-1].findings) == ("aborted", (SLOWER,))
    assert operating.rollouts(release="another") == []
    assert operating.rollouts(since=time.time() + 60.0) == []
