"""Several edges over one bus and one store: they share nothing else, and a client may meet any of them, any time."""

import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import httpx
import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.errors import Transient
from lipsol.events import MouthReady, PredictionMade, from_bytes
from lipsol.runtime.telemetry import Telemetry
from lipsol.store.local import LocalStore
from lipsol.topics import PREDICTIONS, STABLE_MOUTHS, TOPICS
from services import inference, preprocess
from services.inference.settings import InferenceSettings
from services.preprocess.asking import Asked
from services.preprocess.repeats import body_digest, named
from tests.services_made import SAID, MadeReader, MadeRegistry, MadeWatcher, clip, served_app, settings_of

WAIT = {"wait": "true"}
KEY = {"Idempotency-Key": "one"}
BODY = body_digest(b"a clip", ["", "", "", ""])
STEPS = ["remember", "keep_mouth", "begin", "publish", "mark"]


class Killed(BaseException):
    """What SIGKILL is to a program: nothing after it runs, and nobody catches it."""


class Cluster:
    """A reader and as many edges as are asked for."""

    def __init__(self, folder):
        self.bus = MemoryBus(TOPICS.values())
        self.store = LocalStore(folder / "store")
        self.settings = settings_of(folder).preprocess
        self.watcher, self.reader = MadeWatcher(), MadeReader()
        self.registry = MadeRegistry()
        self.telemetry = []

    @contextmanager
    def reading(self):
        """The service that reads."""
        service = inference.build(
            InferenceSettings(), self.bus, self.store, self.registry, open_reader=lambda _path, _info: self.reader
        )
        service.start()
        try:
            yield
        finally:
            service.stop()

    @contextmanager
    def replica(self):
        """An edge, and a client of it."""
        self.telemetry.append(Telemetry())
        edge = preprocess.build(
            self.settings, self.bus, self.store, self.registry, telemetry=self.telemetry[-1], watcher=self.watcher
        )
        edge.start()
        try:
            with served_app(edge.app, self.settings) as client:
                yield edge, client
        finally:
            edge.stop()

    def told(self, topic, kind):
        """All that was ever published there."""
        events = [from_bytes(message.topic, message.value) for message in self.bus.replay([topic.name])]
        assert all(isinstance(event, kind) for event in events)
        return events


@pytest.fixture
def cluster(tmp_path):
    opened = Cluster(tmp_path)
    yield opened
    opened.bus.close()


@pytest.fixture
def pair(cluster):
    """Two edges with their clients, and what reads for them."""
    with ExitStack() as stack:
        first = stack.enter_context(cluster.replica())
        second = stack.enter_context(cluster.replica())
        stack.enter_context(cluster.reading())
        yield first, second


def eventually(ask, wanted, within_s=30.0):
    until = time.monotonic() + within_s
    while (said := ask()) != wanted and time.monotonic() < until:
        time.sleep(0.01)
    return said


def test_whoever_is_answered_finds_the_answer_at_every_replica_at_once(pair):
    (_, here), (_, there) = pair
    for client, other in [(here, there), (there, here)] * 10:
        result = client.post("/v1/clips", files=clip(), params=WAIT)
        assert result.status_code == 200, result.text
        assert other.get(f"/v1/clips/{result.json()['clip_id']}").json() == result.json()


def test_every_answer_is_measured_once_by_the_replica_that_took_the_clip(pair, cluster):
    (_, here), (_, there) = pair
    for client in (here, there, there) * 5:
        client.post("/v1/clips", files=clip(), params=WAIT)

    def measured():  # whoever settles a clip measures it a moment later
        return [told.value("lipsol_answer_seconds", track="stable") for told in cluster.telemetry]

    assert eventually(measured, [5, 10], within_s=60.0) == [5, 10]


def test_a_new_replica_hears_nothing_of_what_was(cluster):
    with cluster.reading(), cluster.replica() as (_, client):
        for _ in range(5):
            client.post("/v1/clips", files=clip(), params=WAIT)
        with cluster.replica() as (_, late):
            assert late.post("/v1/clips", files=clip(), params=WAIT).status_code == 200
            heard = cluster.telemetry[-1].value("lipsol_messages_handled_total", stage=preprocess.EAR)
            assert heard <= 1


def test_the_first_reading_stands_whoever_asks_and_however_late_another_comes(pair, cluster):
    (edge, here), (_, there) = pair
    first = here.post("/v1/clips", files=clip(), params=WAIT).json()
    (made,) = cluster.told(PREDICTIONS, PredictionMade)
    edge.handler.publish(replace(made, text="another reading", prediction_id="another"))
    after = here.post("/v1/clips", files=clip(), params=WAIT).json()  # by then the other one was heard
    assert after["text"] == SAID
    assert there.get(f"/v1/clips/{first['clip_id']}").json() == first


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_an_edge_that_dies_around_a_step_leaves_a_clip_that_a_repeat_finishes(pair, cluster, step, after):
    (dying, _), (_, client) = pair
    dies_at(dying, step, after)
    with pytest.raises(Killed):
        take(dying)
    began = time.monotonic()
    result = client.post("/v1/clips", files=clip(), params=WAIT, headers=KEY)
    assert result.status_code == 200, result.text
    assert time.monotonic() - began < cluster.settings.wait_s
    assert result.json()["clip_id"] == named("one", BODY)
    again = client.post("/v1/clips", files=clip(), params=WAIT, headers=KEY)
    came = {"received_at": 0.0}  # who died may have handed it on: it is read twice then, alike but for when it came
    assert again.json() | came == result.json() | came
    assert {event.clip_id for event in cluster.told(STABLE_MOUTHS, MouthReady)} == {named("one", BODY)}
    assert len({event.prediction_id for event in cluster.told(PREDICTIONS, PredictionMade)}) == 1


def take(edge):
    """What an edge does with a keyed clip, without the door that would catch its death."""
    edge.handler.repeats.remember("one", BODY)
    edge.handler.receive(named("one", BODY), b"a clip", Asked(), time.time(), keyed=True)


def dies_at(edge, step, after):
    """Have an edge die before or after a step of its work."""
    owner = {"publish": edge.handler, "begin": edge.handler.keeper, "keep_mouth": edge.handler.keeper}.get(
        step, edge.handler.repeats
    )
    does = getattr(owner, step)

    def dying(*args):
        if after:
            does(*args)
        raise Killed

    object.__setattr__(owner, step, dying)


def test_a_key_that_comes_to_two_replicas_at_once_is_one_clip(pair, cluster):
    (_, here), (_, there) = pair
    cluster.watcher.hold.clear()
    answers = []

    def send(client):
        answers.append(client.post("/v1/clips", files=clip(), params=WAIT, headers=KEY))

    senders = [threading.Thread(target=send, args=[client]) for client in (here, there)]
    for sender in senders:
        sender.start()
    eventually(lambda: cluster.watcher.watched, 2)
    cluster.watcher.hold.set()
    for sender in senders:
        sender.join()
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


def test_a_repeat_at_another_replica_waits_for_what_the_first_one_handed_on(pair, cluster):
    (_, here), (_, there) = pair
    cluster.reader.hold.clear()
    begun = here.post("/v1/clips", files=clip(), headers=KEY).json()
    answers = []
    waiter = threading.Thread(
        target=lambda: answers.append(there.post("/v1/clips", files=clip(), params=WAIT, headers=KEY))
    )
    waiter.start()
    eventually(lambda: len(cluster.reader.batches), 1)
    cluster.reader.hold.set()
    waiter.join()
    assert answers[0].json()["clip_id"] == begun["clip_id"]
    assert (answers[0].status_code, cluster.watcher.watched) == (200, 1)


def test_an_answer_that_no_event_brought_is_found_in_the_store(pair):
    (deaf, here), _ = pair
    object.__setattr__(deaf.handler.waiters, "awaited", lambda _: False)
    object.__setattr__(deaf.handler.waiters, "wake", lambda _: None)
    result = here.post("/v1/clips", files=clip(), params=WAIT)
    assert (result.status_code, result.json()["text"]) == (200, SAID)


def test_a_clip_that_was_given_up_for_the_moment_is_tried_again_by_its_repeat(pair, cluster, capsys):
    (_, here), (_, there) = pair
    cluster.reader.fault = Transient("the machine is away")
    given_up = here.post("/v1/clips", files=clip(), headers=KEY).json()["clip_id"]
    assert eventually(lambda: there.get(f"/v1/clips/{given_up}").json()["state"], "failed") == "failed"
    cluster.reader.fault = None
    mended = there.post("/v1/clips", files=clip(), params=WAIT, headers=KEY)
    assert (mended.status_code, mended.json()["clip_id"]) == (200, given_up)
    assert here.get(f"/v1/clips/{given_up}").json()["text"] == SAID
    capsys.readouterr()


def test_a_bus_that_is_away_is_said_in_one_line_and_nothing_is_kept(cluster):
    with cluster.replica() as (edge, client):

        def away(_event):
            raise Transient("the broker at 10.0.0.1:9092 does not answer", "try again in a moment")

        object.__setattr__(edge.handler, "publish", away)
        answer = client.post("/v1/clips", files=clip(), params=WAIT)
        assert (answer.status_code, answer.json()["detail"].count("\n")) == (503, 0)
        assert cluster.store.list("") == []
        assert edge.handler.flight.wait(0)


@pytest.mark.parametrize("asked", ["0", "-1", "100000", "nan", "soon"])
def test_a_time_out_that_can_not_be_meant_is_refused(pair, asked):
    (_, client), _ = pair
    answer: httpx.Response = client.post("/v1/clips", files=clip(), headers={"Request-Timeout": asked})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_a_clip_that_nobody_reads_in_time_is_told_so_and_not_read_later(pair, cluster, capsys):
    (_, client), _ = pair
    cluster.reader.hold.clear()
    held = client.post("/v1/clips", files=clip()).json()["clip_id"]  # the reader has its hands full
    eventually(lambda: len(cluster.reader.batches), 1)
    late = client.post("/v1/clips", files=clip(), params=WAIT, headers={**KEY, "Request-Timeout": "0.5"})
    assert (late.status_code, late.json()["type"]) == (504, "urn:lipsol:problem:too-late")
    cluster.reader.hold.set()
    place = f"/v1/clips/{named('one', BODY)}"
    assert eventually(lambda: client.get(place).json()["state"], "failed") == "failed"
    assert client.get(place).json()["problem"]["status"] == 504
    assert eventually(lambda: client.get(f"/v1/clips/{held}").json()["state"], "read") == "read"
    assert sum(cluster.reader.batches) == 1
    capsys.readouterr()
