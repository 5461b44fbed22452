"""What nothing refers to any more is collected, and nothing else ever."""

import threading

import pytest

from lipsol.errors import NotFound, Transient
from lipsol.runtime.clock import ManualClock
from lipsol.runtime.telemetry import Telemetry
from lipsol.store.local import LocalStore
from lipsol.topics import STABLE_MOUTHS
from services.preprocess.keeping import Keeper
from services.preprocess.repeats import Repeats
from services.preprocess.results import begun
from services.preprocess.sweeping import ORPHAN_S, Sweeper
from tests.services_made import mouth_of, ready_of

DAY_S = STABLE_MOUTHS.retention_s


class Edge:
    """What an edge keeps, and its sweeper."""

    def __init__(self, folder, clock, retention_s: float = DAY_S) -> None:
        self.clock = clock
        self.store = LocalStore(folder, now=clock.now)
        self.telemetry = Telemetry()
        self.keeper = Keeper(self.store, retention_s, inline_bytes=0)
        self.repeats = Repeats(self.store, retention_s)
        self.sweeper = self.another_sweeper(retention_s)

    def another_sweeper(self, retention_s: float = DAY_S) -> Sweeper:
        return Sweeper(self.store, retention_s=retention_s, every_s=600.0, telemetry=self.telemetry)

    def watch(self, clip_id: str, *, key: str = "") -> None:
        """Keep the mouth of a clip, and nothing more."""
        if key:
            self.repeats.remember(key, "body")
        self.keeper.keep_mouth(clip_id, mouth_of())

    def begin(self, clip_id: str) -> None:
        self.keeper.begin(begun(ready_of(clip_id)))

    def sweep(self, passes: int = 1) -> None:
        for _ in range(passes):
            self.sweeper.sweep()

    def kept(self, prefix: str = "") -> list[str]:
        """All that lies in the store, expired or not."""
        return sorted(kept.key for kept in self.store.survey(prefix))


@pytest.fixture
def edge(tmp_path, clock) -> Edge:
    return Edge(tmp_path, clock)


def test_what_is_left_of_a_clip_whose_edge_died_is_collected_by_the_second_pass(edge):
    edge.watch("dead")
    edge.clock.advance(ORPHAN_S)
    edge.sweep()
    assert len(edge.kept()) == 2
    edge.sweep()
    assert edge.kept() == []
    assert edge.telemetry.value("lipsol_objects_swept_total", reason="orphan") == 2


def test_a_clip_in_work_is_left_alone(edge):
    edge.watch("young")
    edge.clock.advance(ORPHAN_S - 1)
    edge.sweep(3)
    assert len(edge.kept()) == 2


def test_a_clip_that_was_begun_keeps_its_mouth_for_as_long_as_its_event_lives(edge):
    edge.watch("waits")
    edge.begin("waits")
    for _ in range(24):
        edge.sweep(2)
        edge.clock.advance(DAY_S / 24)
    edge.sweep(2)
    assert [key.split("/")[2].split("-")[0] for key in edge.kept()] == ["mouth"]


def test_a_mouth_whose_result_was_kept_for_a_shorter_time_may_still_be_waited_for(tmp_path, clock):
    edge = Edge(tmp_path, clock, retention_s=2 * ORPHAN_S)
    edge.watch("waits")
    edge.begin("waits")
    edge.clock.advance(2 * ORPHAN_S + 1)
    edge.sweep(3)
    assert [key.split("/")[2].split("-")[0] for key in edge.kept()] == ["mouth"]


def test_a_result_that_was_settled_late_is_no_orphan(edge):
    edge.watch("late")
    edge.begin("late")
    edge.clock.advance(DAY_S / 2)
    edge.keeper.settle("late", lambda before: before.model_copy(update={"state": "failed"}))
    edge.clock.advance(DAY_S - 2 * ORPHAN_S)
    edge.sweep(3)
    assert edge.keeper.result("late").state == "failed"


def test_the_idempotency_key_of_an_orphan_is_forgotten_first(edge):
    clip_id = edge.repeats.remember("key", "body")
    edge.watch(clip_id)
    edge.clock.advance(ORPHAN_S)
    edge.sweep()
    assert edge.kept("idempotency/") == []
    assert edge.kept(f"clips/{clip_id}/") != []


def test_a_clip_that_came_back_between_two_passes_is_spared(edge):
    edge.watch("back")
    edge.clock.advance(ORPHAN_S)
    edge.sweep()
    edge.watch("back")
    edge.clock.advance(1)
    edge.sweep(3)
    edge.begin("back")
    edge.clock.advance(ORPHAN_S)
    edge.sweep(3)
    assert edge.keeper.lips("back").fps


def test_what_has_expired_leaves_the_store(edge):
    clip_id = edge.repeats.remember("key", "body")
    edge.watch(clip_id)
    edge.begin(clip_id)
    edge.clock.advance(DAY_S + 3601.0)
    edge.sweep()
    assert edge.kept() == []
    assert edge.telemetry.value("lipsol_objects_swept_total", reason="expired") == 5


def test_two_replicas_sweep_at_once_and_harm_nothing(edge):
    for n in range(6):
        edge.watch(f"dead{n}")
        edge.watch(f"lives{n}")
        edge.begin(f"lives{n}")
    edge.clock.advance(ORPHAN_S)
    sweepers = [edge.sweeper, edge.another_sweeper()]
    for _ in range(2):
        passes = [threading.Thread(target=each.sweep) for each in sweepers]
        for each in passes:
            each.start()
        for each in passes:
            each.join()
    assert {key.split("/")[1] for key in edge.kept()} == {f"lives{n}" for n in range(6)}


class Away(LocalStore):
    """A store that is away for two sweeps."""

    faults = 2

    def sweep(self, older_s: float = 0.0) -> int:
        if self.faults:
            self.faults -= 1
            raise Transient("the store is away", "wait")
        self.swept.set()
        return super().sweep(older_s)

    swept = threading.Event()


def test_a_store_that_is_away_ends_no_sweeper(tmp_path):
    telemetry = Telemetry()
    sweeper = Sweeper(Away(tmp_path), retention_s=DAY_S, every_s=60.0, telemetry=telemetry, clock=ManualClock())
    sweeper.start()
    assert Away.swept.wait(30)
    assert sweeper.fault is None
    assert sweeper.stop(30.0)
    assert telemetry.value("lipsol_sweeps_failed_total") == 2


def test_a_sweeper_that_was_never_started_stops_too(edge):
    assert edge.sweeper.stop(0.0)
    with pytest.raises(NotFound):
        edge.keeper.result("none")
