"""From readings on the bus to what is done about them: the whole monitor, over the memory bus."""

import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from lipsol.archive import REFERENCE
from lipsol.bus.kafka import KafkaBus, create_topics
from lipsol.bus.kafka_client import Link
from lipsol.bus.memory import MemoryBus
from lipsol.bus.port import Bus
from lipsol.clips.embedding import SIZE
from lipsol.drift.reference import Reference
from lipsol.events import ActionTaken, DriftDetected, Event, PredictionMade, TrafficSet
from lipsol.runtime.envelope import unwrap, wrap
from lipsol.runtime.policy import read_policy
from lipsol.steps.daily import Asking, looked, remembered
from lipsol.store.local import LocalStore
from lipsol.topics import ACTIONS, DRIFT, TOPICS
from services.monitor import Monitor, build
from services.monitor.observing import observation
from services.monitor.references import References
from services.monitor.settings import MonitorSettings
from services.operating.operations import Operations
from tests.services_made import QUALITY, MadeRegistry, info_of, prediction_of

BLOCK = 25
PATIENCE_S = 60.0
SOON_S = 0.01
DIGEST = info_of().digest
ASKING = Asking("grid", "en")
SPREAD = {"seconds": 0.2, "brightness": 6.0, "contrast": 3.0, "sharpness": 8.0, "mouth_px": 2.0, "yaw_deg": 2.0}


class Clips:
    """Readings of made-up clips, each a draw of its own. A shift is in units of what it says of its measure."""

    def __init__(self, seed: int = 1) -> None:
        self._chance = np.random.default_rng(seed)

    def __call__(self, number: int, *, strange: float = 0.0, **changed: object) -> list[PredictionMade]:
        """strange: how far mouths are from the known ones; changed: fields, and `brightness` among the measures."""
        brightness = float(changed.pop("brightness", QUALITY.brightness))  # type: ignore[arg-type]
        return [self._one(brightness, strange, changed) for _ in range(number)]

    def _one(self, brightness: float, strange: float, changed: dict[str, object]) -> PredictionMade:
        quality = QUALITY.as_dict() | {"brightness": brightness}
        quality |= {name: quality[name] + self._chance.normal(0, spread) for name, spread in SPREAD.items()}
        mouth = self._chance.normal(0, 0.3, SIZE) + np.r_[np.zeros(7), np.full(SIZE - 7, strange)]
        told = {
            "quality": quality,
            "embedding": tuple(np.round(mouth, 4).tolist()),
            "entropy": float(self._chance.beta(2, 8)),
            "confidence": float(self._chance.beta(8, 2)),
            "faces": 1,
            "made_at": time.time(),
        }
        return replace(prediction_of(uuid4().hex), prediction_id=uuid4().hex, **(told | changed))


class Referenced(MadeRegistry):
    """Models whose files hold nothing but a reference."""

    def __init__(self, folder: Path, reference: Reference) -> None:
        super().__init__()
        self._file = folder / "referenced.lipsol"
        with zipfile.ZipFile(self._file, "w") as out:
            out.writestr("card.json", b"{}")
            out.writestr("model.onnx", b"")
            out.writestr(REFERENCE, reference.to_bytes())

    def path(self, digest: str) -> Path:
        assert digest == DIGEST
        return self._file


@pytest.fixture
def clips() -> Clips:
    return Clips()


@pytest.fixture
def registry(tmp_path) -> Referenced:
    known = [observation(each) for each in Clips(0)(400)]
    return Referenced(tmp_path, Reference.of(known, [], digest_of_data="d"))


@pytest.fixture
def bus(request: pytest.FixtureRequest) -> Iterator[Bus]:
    """Over memory, or what a test asks for."""
    made: Bus = MemoryBus(capacity=4096)
    if getattr(request, "param", "memory") == "kafka":
        link = Link(request.getfixturevalue("kafka"), f"drift-{uuid4().hex[:8]}.", session_s=1.5)
        create_topics(link, topics=list(TOPICS.values()))
        made = KafkaBus(link)
    yield made
    made.close()


@pytest.fixture
def monitor_on(bus, registry, monkeypatch) -> Iterator[Callable[..., Monitor]]:
    """Starts a monitor that waits for each reference; at the end all are stopped."""
    monkeypatch.setattr(References, "of", References.load)
    running: list[Monitor] = []

    def start(**told: object) -> Monitor:
        monitor = build(MonitorSettings.model_validate({"keep_s": 0.05, **told}), bus, None, registry)
        running.append(monitor)
        monitor.start()
        until(monitor.ready)
        return monitor

    yield start
    for each in running:
        each.stop()


def publish(bus: Bus, *events: Event) -> None:
    bus.publish_all([wrap(event, "tests", time.time()) for event in events])


def told(bus: Bus, topic: str) -> list[Event]:
    return [unwrap(message) for message in bus.replay([topic])]


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def counted(monitor: Monitor, clips: int) -> None:
    """Wait until so many readings are counted."""
    until(lambda: monitor.counts().readings.total() == clips)


def states(monitor: Monitor) -> Sequence[str]:
    return [each.state for each in monitor.watched()]


def test_who_has_compared_nothing_yet_does_not_say_that_all_is_well(bus, clips, monitor_on):
    monitor = monitor_on()
    publish(bus, *clips(2 * BLOCK - 1))
    counted(monitor, 2 * BLOCK - 1)
    until(lambda: states(monitor) == ["learning"])
    publish(bus, *clips(1))
    until(lambda: states(monitor) == ["quiet"])


def test_quiet_clips_are_no_finding_and_dark_ones_are_one_with_its_action(bus, clips, monitor_on):
    monitor = monitor_on()
    publish(bus, *clips(4 * BLOCK))
    counted(monitor, 4 * BLOCK)
    assert (states(monitor), told(bus, DRIFT.name)) == (["quiet"], [])
    publish(bus, *clips(4 * BLOCK, brightness=60.0))
    counted(monitor, 8 * BLOCK)
    until(monitor.actions)
    (found,), (action,) = told(bus, DRIFT.name), told(bus, ACTIONS.name)
    assert isinstance(found, DriftDetected)
    assert isinstance(action, ActionTaken)
    assert (found.kind, found.state, found.model_digest, found.language) == ("camera", "begun", DIGEST, "en")
    assert (action.kind, action.done, action.drift_id) == ("tell-users", False, found.drift_id)
    assert monitor.actions() == [action]
    assert states(monitor) == ["drift"]


@pytest.mark.parametrize(("automation", "said"), [("suggest", "nothing"), ("act", "train")])
def test_strange_mouths_are_a_reason_to_train_only_where_the_monitor_may_act(
    bus, clips, monitor_on, tmp_path, automation, said
):
    store = LocalStore(tmp_path / "store")
    looked(store, bus, ASKING, "one", 50, SOON_S)
    remembered(store, ASKING)
    monitor = monitor_on(automation=automation)
    publish(bus, *clips(4 * BLOCK, strange=0.5))
    until(monitor.actions)
    (action,) = monitor.actions()
    assert action.kind == "retrain"
    assert looked(store, bus, ASKING, "one", 50, SOON_S) == said
    if said == "nothing":
        Operations(bus, store).take(action.action_id[:8], by="sara@clinic")
        assert looked(store, bus, ASKING, "one", 50, SOON_S) == "train"


@pytest.mark.parametrize("bus", ["memory", pytest.param("kafka", marks=pytest.mark.slow)], indirect=True)
def test_in_act_a_canary_whose_mouths_are_cut_wrongly_loses_its_clips(bus, clips, monitor_on):
    now = time.time()
    publish(bus, TrafficSet("canary", 50.0, DIGEST, now + 600, "analyst", "", now))
    monitor = monitor_on(automation="act")
    publish(bus, *clips(4 * BLOCK))
    moved = [
        replace(each, embedding=tuple(at + 1.0 if n < 7 else at for n, at in enumerate(each.embedding)))
        for each in clips(4 * BLOCK, track="canary")
    ]
    publish(bus, *moved)
    until(lambda: read_policy(bus).mode == "stable")
    until(monitor.actions)
    (action,) = monitor.actions()
    assert (action.kind, action.done, action.track) == ("abort-canary", True, "canary")
    policy = read_policy(bus)
    assert (policy.set_by, policy.reason) == ("monitor", action.reason)
    sent = count(9 * BLOCK, BLOCK)

    def is_over() -> bool:
        """After another block: that the policy has ended is heard by a thread that comes when it comes."""
        publish(bus, *clips(BLOCK))
        counted(monitor, next(sent))
        return len(told(bus, DRIFT.name)) == 2

    until(is_over)
    begun, over = told(bus, DRIFT.name)
    assert isinstance(over, DriftDetected)
    assert (over.drift_id, over.state) == (action.drift_id, "over"), "nobody is woken about a canary that is no more"
    assert begun == replace(over, state="begun", detected_at=over.window_to)


def test_what_an_operator_accepts_is_normal_from_then_on_also_for_the_next_process(bus, clips, monitor_on, tmp_path):
    first = monitor_on()
    publish(bus, *clips(8 * BLOCK, brightness=60.0))
    until(lambda: states(first) == ["drift"])
    counted(first, 8 * BLOCK)
    Operations(bus, LocalStore(tmp_path / "store")).accept(by="sara@clinic", reason="the lamps stay")
    until(lambda: states(first) == ["quiet"])
    until(lambda: any(each.kind == "accept" and each.done for each in first.actions()))  # all of it is published
    begun, over = told(bus, DRIFT.name)
    assert isinstance(begun, DriftDetected)
    assert isinstance(over, DriftDetected)
    assert (over.drift_id, over.state) == (begun.drift_id, "over")
    publish(bus, *clips(4 * BLOCK, brightness=60.0))
    counted(first, 12 * BLOCK)
    assert states(first) == ["quiet"]
    first.stop()
    second = monitor_on()
    publish(bus, *clips(4 * BLOCK, brightness=60.0))
    counted(second, 16 * BLOCK)
    assert (states(second), len(told(bus, DRIFT.name))) == (["quiet"], 2)
    publish(bus, *clips(8 * BLOCK))
    until(lambda: states(second) == ["drift"])


def test_what_can_not_be_accepted_is_refused_where_it_was_asked_for(bus, clips, monitor_on, tmp_path):
    monitor = monitor_on()
    publish(bus, *clips(BLOCK))
    counted(monitor, BLOCK)
    (asked,) = Operations(bus, LocalStore(tmp_path / "store")).accept(by="sara@clinic", reason="soon", digest=DIGEST)
    until(lambda: [each.by for each in monitor.actions()] == ["monitor"])
    (answer,) = Operations(bus, LocalStore(tmp_path / "store")).actions()
    assert (answer.action_id, answer.done) == (asked.action_id, False)
    assert "25 clips in the window, at least 50" in answer.reason


def test_a_finding_and_its_action_outlive_the_process_that_told_them(bus, clips, monitor_on):
    first = monitor_on()
    publish(bus, *clips(4 * BLOCK, brightness=60.0))
    until(first.actions)
    counted(first, 4 * BLOCK)
    before = [(each.group, each.state, each.said, each.since) for each in first.watched()]
    first.stop()
    second = monitor_on()
    until(second.actions)
    assert [(each.group, each.state, each.said, each.since) for each in second.watched()] == before
    assert second.actions() == first.actions()
    assert len(told(bus, DRIFT.name)) == 1
