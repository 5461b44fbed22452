"""The split and its two deployments over a bus: edges route, stable and canary read, an operator moves the weight."""

import time
from collections import Counter
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from lipsol.bus.kafka import KafkaBus, create_topics
from lipsol.bus.memory import MemoryBus
from lipsol.bus.port import Bus
from lipsol.errors import ModelError
from lipsol.events import MouthReady, PredictionMade
from lipsol.runtime.clock import SystemClock
from lipsol.runtime.envelope import unwrap, wrap
from lipsol.runtime.policy import LivePolicy
from lipsol.runtime.telemetry import Telemetry
from lipsol.store.claims import Claims
from lipsol.store.local import LocalStore
from lipsol.topics import CANARY_MOUTHS, DEAD_LETTERS, PREDICTIONS, STABLE_MOUTHS, TRAFFIC
from lipsol.traffic import place, routed
from services import inference
from services.inference.settings import InferenceSettings
from services.operating.operations import Operations
from services.preprocess.track import Traffic
from tests.conftest import link_to
from tests.services_made import MadeReader, MadeRegistry, info_of, mouth_of, ready_of

BUNDLE = info_of("grid-words").digest  # the canary's
WITHIN_S = 60.0


def wait_for(happened):
    until = time.monotonic() + WITHIN_S
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.01)


@dataclass
class Rollout:
    """An edge that routes, an operator, and whatever deployments are started; all predictions are heard."""

    bus: Bus
    store: LocalStore
    telemetry: Telemetry = field(default_factory=Telemetry)
    services: dict[str, inference.Inference] = field(default_factory=dict)
    unfit: set[str] = field(default_factory=set)
    sent: int = 0

    def __post_init__(self):
        self.operations = Operations(self.bus, self.store, MadeRegistry())
        self.traffic = Traffic(self.bus, stage="preprocess", telemetry=self.telemetry)
        self.ear = self.bus.consumer([PREDICTIONS.name], None, start="latest")
        self.heard: list[PredictionMade] = []
        self.traffic.start()

    def open(self, _path, info):
        if info.name in self.unfit:
            raise ModelError(f"{info.name} is broken")
        return MadeReader()

    def deploy(self, track):
        """Start a deployment of a track."""
        settings = InferenceSettings(track=track)
        service = inference.build(
            settings, self.bus, self.store, MadeRegistry(), telemetry=self.telemetry, open_reader=self.open
        )
        service.start()
        self.services[track] = service
        return service

    def set(self, mode, weight, life_s=600.0, bundle=BUNDLE):
        """Set a policy and wait until the edge and the deployments have heard of it."""
        state = self.operations.set_traffic(mode, weight, life_s, canary_digest=bundle, set_by="test")
        self._heard_of(state.set_at)

    def abort(self):
        self._heard_of(self.operations.abort(set_by="test", reason="enough").set_at)

    def _heard_of(self, set_at):
        inside = [worker for service in self.services.values() for worker in service._workers]
        for policy in (self.traffic, *(worker for worker in inside if isinstance(worker, LivePolicy))):
            wait_for(lambda policy=policy: policy.known and policy.policy(0.0).set_at == set_at)

    def send(self, clips, name="clip"):
        """Route and publish some clips as the edge does; their events."""
        claim = Claims(self.store).keep("mouth", mouth_of().to_bytes(), 60.0)
        told: list[MouthReady] = []
        for n in range(clips):
            event = ready_of(f"{name}-{self.sent + n}", mouth=claim, received_at=time.time())
            told += routed(event, self.traffic.route(event.clip_id))
        for at in range(0, len(told), 20):  # few at once: a broker on a busy machine takes its time
            self.bus.publish_all([wrap(event, "test", time.time()) for event in told[at : at + 20]])
        self.sent += clips
        return told

    def read(self, events):
        """Wait for as many predictions; all that were heard."""
        while len(self.heard) < events:
            messages = self.ear.poll(100, WITHIN_S)
            assert messages, f"{len(self.heard)} of {events}"
            self.ear.commit(messages)
            self.heard += [unwrap(message) for message in messages]
        return self.heard

    def quiet(self):
        """Nothing more is heard."""
        return not self.ear.poll(1, 0.5)

    def close(self):
        for service in self.services.values():
            service.stop()
        self.traffic.stop()
        self.ear.close()


@pytest.fixture
def rollout(request, tmp_path):
    """A rollout on the memory bus, or on a real Kafka."""
    kind = getattr(request, "param", "memory")
    bus = MemoryBus(capacity=10_000) if kind == "memory" else kafka_bus(request.getfixturevalue("kafka"))
    made = Rollout(bus, LocalStore(tmp_path))
    yield made
    made.close()
    bus.close()


def kafka_bus(servers):
    """A namespace of its own at the broker."""
    link = link_to(servers, f"traffic-{uuid4().hex[:8]}-")
    create_topics(link, topics=[TRAFFIC, STABLE_MOUTHS, CANARY_MOUTHS, PREDICTIONS, DEAD_LETTERS])
    return KafkaBus(link)


on_either_bus = pytest.mark.parametrize("rollout", ["memory", "kafka"], indirect=True)


def below(weight, name):
    """The split by the hash, told a second time."""
    return place(name) < weight / 100 * 2**64


def tracks(predictions):
    return {made.clip_id: (made.track, made.model.digest) for made in predictions if not made.shadow}


@on_either_bus
@pytest.mark.parametrize("deployments", [("stable", "canary"), ("both",)], ids=["two deployments", "one for both"])
def test_the_weight_moves_and_the_split_is_the_hashs_own_nothing_lost_nothing_doubled(rollout, deployments):
    for track in deployments:
        rollout.deploy(track)
    expected = {}
    for weight in (0.0, 10.0, 50.0, 0.0):
        rollout.set("canary", weight)
        for event in rollout.send(100, f"at-{weight:g}"):
            canary = below(weight, event.clip_id)
            expected[event.clip_id] = ("canary", BUNDLE) if canary else ("stable", info_of().digest)
    rollout.read(400)
    rollout.abort()
    for event in rollout.send(50, "after"):
        expected[event.clip_id] = ("stable", info_of().digest)
    heard = rollout.read(450)
    assert rollout.quiet()
    assert tracks(heard) == expected
    assert max(Counter(made.prediction_id for made in heard).values()) == 1


@on_either_bus
def test_what_waits_for_an_aborted_canary_is_read_by_stable_all_of_it_and_once(rollout):
    rollout.deploy("stable")
    rollout.set("canary", 100.0)  # and no canary is there to read it
    events = rollout.send(500)
    assert {event.topic for event in events} == {CANARY_MOUTHS.name}
    assert rollout.quiet()
    rollout.abort()
    heard = rollout.read(500)
    assert rollout.quiet()
    assert tracks(heard) == {event.clip_id: ("stable", info_of().digest) for event in events}
    assert len(heard) == 500


@on_either_bus
def test_a_policy_that_nobody_renews_ends_and_stable_reads_what_waits(rollout):
    rollout.deploy("stable")
    rollout.set("canary", 100.0, life_s=1.0)
    rollout.send(20)
    wait_for(lambda: rollout.traffic.route("any").track == "stable")
    rollout.send(20)
    assert {made.track for made in rollout.read(40)} == {"stable"}


def test_a_canary_takes_its_topic_up_again_when_a_new_policy_comes(rollout):
    rollout.deploy("stable")
    rollout.deploy("canary")
    for round_, (track, digest) in enumerate((("canary", BUNDLE), ("stable", info_of().digest)) * 2):
        rollout.set("canary", 100.0) if track == "canary" else rollout.abort()
        rollout.send(20, f"round-{round_}")
        assert set(tracks(rollout.read(20 * (round_ + 1))[20 * round_ :]).values()) == {(track, digest)}
    assert rollout.quiet()


@on_either_bus
@pytest.mark.parametrize("deployments", [("stable", "canary"), ("both",)], ids=["two deployments", "one for both"])
def test_shadow_copies_are_read_by_the_canary_and_every_answer_is_stables(rollout, deployments):
    for track in deployments:
        rollout.deploy(track)
    rollout.set("shadow", 30.0)
    events = rollout.send(200)
    copied = {event.clip_id for event in events if event.shadow}
    assert copied == {event.clip_id for event in events if below(30.0, event.clip_id)}
    heard = rollout.read(len(events))
    assert rollout.quiet()
    assert {made.clip_id for made in heard if made.shadow} == copied
    assert {(made.track, made.model.digest) for made in heard if made.shadow} == {("canary", BUNDLE)}
    assert set(tracks(heard).values()) == {("stable", info_of().digest)}


def test_copies_that_wait_for_an_aborted_canary_are_passed_over_and_counted(rollout):
    rollout.deploy("stable")
    rollout.set("shadow", 50.0)
    events = rollout.send(100)
    copies = sum(event.shadow for event in events)
    rollout.abort()
    wait_for(lambda: rollout.telemetry.value("lipsol_copies_skipped_total", track="stable") == copies)
    heard = rollout.read(100)
    assert rollout.quiet()
    assert not [made for made in heard if made.shadow]


def test_a_canary_whose_bundle_is_unfit_says_so_and_takes_nothing_and_stable_reads_it_once_the_policy_ends(rollout):
    rollout.unfit.add("grid-words")
    stable, canary = rollout.deploy("stable"), rollout.deploy("canary")
    rollout.set("canary", 100.0)
    events = rollout.send(30)
    wait_for(lambda: any(BUNDLE[:12] in fault for fault in canary.faults()))
    assert rollout.quiet()
    assert stable.ready()
    rollout.abort()
    assert tracks(rollout.read(30)) == {event.clip_id: ("stable", info_of().digest) for event in events}
    wait_for(canary.ready)


def test_a_client_who_names_a_model_gets_it_on_either_track(rollout):
    rollout.deploy("both")
    rollout.set("canary", 50.0)
    events = rollout.send(0)
    claim = Claims(rollout.store).keep("mouth", mouth_of().to_bytes(), 60.0)
    for n in range(40):
        event = ready_of(f"clip-{n}", mouth=claim, model="grid-words")
        events += routed(event, rollout.traffic.route(event.clip_id))
    rollout.bus.publish_all([wrap(event, "test", SystemClock().now()) for event in events])
    heard = rollout.read(40)
    assert {made.model.name for made in heard} == {"grid-words"}
    assert {made.track for made in heard} == {"stable", "canary"}
