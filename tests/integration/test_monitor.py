"""The monitor that is killed and comes back: it neither loses nor doubles what it counts, whatever the bus."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from lipsol.bus.kafka import KafkaBus, create_topics
from lipsol.bus.memory import MemoryBus
from lipsol.bus.port import NOWHERE, Bus, Consumer, Message, Places, Start
from lipsol.events import ClipRefused, Event, FeedbackGiven, PredictionMade
from lipsol.runtime.envelope import wrap
from lipsol.runtime.telemetry import Telemetry
from services.monitor import Monitor, build
from services.monitor.settings import MonitorSettings
from tests.conftest import link_to
from tests.services_made import SAID, MadeRegistry, feedback_of, letter_of, prediction_of, served_app

PATIENCE_S = 120.0
CLIPS = 60
WHO = {"track": "stable", "model": "grid-sentences"}


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.slow)])
def bus(request: pytest.FixtureRequest) -> Iterator[Bus]:
    """Each bus that there is, empty."""
    if request.param == "memory":
        opened: Bus = MemoryBus()
    else:
        link = link_to(request.getfixturevalue("kafka"), f"monitor-{uuid.uuid4().hex[:8]}.", session_s=6.0)
        create_topics(link)
        opened = KafkaBus(link)
    yield opened
    opened.close()


class Dying(BaseException):
    """No handler of faults holds it: its thread ends there, as a killed process would."""


class MortalBus:
    """A bus for a process that is killed at its n-th commit, just before or just after the bus has it."""

    def __init__(self, bus: Bus, dies_at: int, *, committed: bool) -> None:
        self._bus, self.left, self._committed = bus, dies_at, committed
        self.publish, self.publish_all, self.replay, self.close = bus.publish, bus.publish_all, bus.replay, bus.close
        self.died = threading.Event()

    def consumer(self, topics: Sequence[str], group: str | None, *, start: Start = "earliest") -> Consumer:
        consumer = self._bus.consumer(topics, group, start=start)
        return consumer if group is None else MortalConsumer(self, consumer)  # listeners' commits mean nothing

    def commit(self, consumer: Consumer, messages: Sequence[Message]) -> None:
        self.left -= 1
        if self.left < 0 or self._committed:
            consumer.commit(messages)
        if self.left == 0:
            self.died.set()
            raise Dying
        if self.left > 0 and not self._committed:
            consumer.commit(messages)


class MortalConsumer:
    """A member of a group that may be killed."""

    def __init__(self, bus: MortalBus, consumer: Consumer) -> None:
        self._bus, self._consumer = bus, consumer
        self.poll, self.pause, self.resume = consumer.poll, consumer.pause, consumer.resume
        self.wake, self.lag, self.close = consumer.wake, consumer.lag, consumer.close

    def commit(self, messages: Sequence[Message]) -> None:
        self._bus.commit(self._consumer, messages)


def publish(bus: Bus, *events: Event) -> None:
    bus.publish_all([wrap(event, "tests", time.time()) for event in events])


def monitor_on(bus: object, telemetry: Telemetry | None = None, **settings: object) -> Monitor:
    chosen = MonitorSettings.model_validate({"batch": 4, "answer_s": 0.5, **settings})
    return build(chosen, bus, None, MadeRegistry(), telemetry=telemetry)


def read(clip_id: str, **changed: object) -> PredictionMade:
    return replace(prediction_of(clip_id), made_at=time.time(), **changed)


def told(clip_id: str, text: str) -> FeedbackGiven:
    return replace(feedback_of(clip_id, text), given_at=time.time())


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def read_by(monitor: Monitor) -> int:
    return sum(monitor.counts().readings.values())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # the deaths are meant
def test_killed_again_and_again_it_counts_each_thing_once(bus):
    clips = [f"{n:032x}" for n in range(CLIPS)]
    publish(bus, *map(read, clips[: CLIPS // 2]))
    for deaths, committed in ((1, True), (3, True), (1, False), (2, True)):
        mortal = MortalBus(bus, deaths, committed=committed)
        killed = monitor_on(mortal)
        killed.start()
        assert mortal.died.wait(PATIENCE_S)
        killed.stop()
        if (deaths, committed) == (1, True):  # from now on, whatever is committed: readings were before
            publish(bus, *(told(clip, SAID) for clip in clips[: CLIPS // 2]))
    for clip in clips[CLIPS // 2 :]:
        publish(bus, read(clip), read(clip), told(clip, "bin blue"))
    publish(bus, letter_of(clips[0]), letter_of(clips[0]), ClipRefused("r", "", "no face for 2 of 3 s", "", 0.0))
    telemetry = Telemetry()
    last = monitor_on(bus, telemetry)
    last.start()
    until(lambda: last.ready() and read_by(last) == CLIPS and last.counts().total("feedback") == CLIPS)
    until(lambda: bool(last.counts().dead_letters and last.counts().refused))
    last.stop()
    counts = last.counts()
    assert counts.readings == {("stable", "grid-sentences"): CLIPS}
    assert (counts.total("feedback"), counts.total("corrections")) == (CLIPS, CLIPS // 2)
    assert (counts.total("right"), counts.total("wrong")) == (CLIPS // 2, CLIPS // 2)
    assert (counts.dead_letters, counts.refused) == ({"bad-input": 1}, {"no face for N of N s": 1})
    seen_before = CLIPS - telemetry.value("lipsol_predictions_total", **WHO)
    assert 0 < seen_before <= CLIPS // 2  # restored, and not counted anew


def test_what_a_new_process_restores_it_tells_at_its_door_but_does_not_count_anew(bus):
    publish(bus, *(read(f"{n:032x}", abstained=n < 5) for n in range(20)))
    first = monitor_on(bus)
    first.start()
    until(lambda: read_by(first) == 20)
    first.stop()
    telemetry = Telemetry()
    second = monitor_on(bus, telemetry)
    second.start()
    until(second.ready)
    with served_app(second.app, second.settings) as client:
        figures = client.get("/v1/figures").json()
    second.stop()
    assert figures["readings"] == 20
    assert figures["by_model"] == [{**WHO, "readings": 20, "abstained": 5}]
    assert (figures["clips"], figures["shadow"], figures["dead_letters"]) == (20, {}, {})
    assert telemetry.value("lipsol_predictions_total", **WHO) == 0
    assert telemetry.value("lipsol_abstained_ratio", **WHO) == 0.25


def test_while_it_restores_it_lives_and_says_so(bus):
    reading, go_on = threading.Event(), threading.Event()

    class SlowBus(MortalBus):
        def __init__(self) -> None:
            super().__init__(bus, 10**9, committed=True)
            self.replay = self._slowly

        def _slowly(
            self, topics: Sequence[str], since: float = 0.0, *, before: str | None = None, after: Places = NOWHERE
        ) -> Iterator[Message]:
            if before is not None:
                reading.set()
                go_on.wait(PATIENCE_S)
            return bus.replay(topics, since, before=before, after=after)

    monitor = monitor_on(SlowBus())
    with served_app(monitor.app, monitor.settings) as client:
        starting = threading.Thread(target=monitor.start)
        starting.start()
        assert reading.wait(PATIENCE_S)
        assert client.get("/healthz").status_code == 200
        starting.join(PATIENCE_S)
        assert client.get("/startupz").status_code == 200
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["detail"]) == (503, "monitor is restoring what it knew")
        go_on.set()
        until(lambda: client.get("/readyz").status_code == 200)
    monitor.stop()


def test_the_newest_monitor_counts_and_the_older_one_keeps_what_it_knows_and_stands_down(bus):
    telemetries = [Telemetry(), Telemetry()]
    older, newer = (monitor_on(bus, telemetry, answer_s=PATIENCE_S) for telemetry in telemetries)
    older.start()
    publish(bus, *(read(f"{n:032x}") for n in range(20)))
    until(lambda: read_by(older) == 20)
    newer.start()
    until(newer.ready)
    until(lambda: any("stood down" in fault for fault in older.faults()))
    publish(bus, *(read(f"{n:032x}") for n in range(10, 40)))
    until(lambda: read_by(newer) == 40)
    assert read_by(older) == 20
    assert [each.value("lipsol_counting_monitors") for each in telemetries] == [0, 1]
    assert telemetries[1].value("lipsol_predictions_total", **WHO) == 20
    newer.stop()
    older.stop()
    third = monitor_on(bus, answer_s=PATIENCE_S)
    third.start()  # the second said that it left, so nobody is waited for
    until(lambda: third.ready() and read_by(third) == 40)
    third.stop()


def test_what_a_monitor_counts_that_answers_too_late_is_lost_for_nobody(bus):
    older = monitor_on(bus, keep_s=0.1)
    older.start()
    until(older.ready)
    publish(bus, *(read(f"{n:032x}") for n in range(20)))
    until(lambda: read_by(older) == 20)
    heard, hear, go_on = threading.Event(), older._ownership._hear, threading.Event()

    def late(message: Message) -> None:
        if heard.is_set():
            go_on.wait(PATIENCE_S)
        hear(message)

    older._ownership._hear = late
    heard.set()
    newer = monitor_on(bus, keep_s=0.1)
    newer.start()
    until(newer.ready)
    publish(bus, *(read(f"{n:032x}") for n in range(20, 60)))
    until(lambda: read_by(older) + read_by(newer) >= 80)
    go_on.set()
    until(lambda: any("stood down" in fault for fault in older.faults()))
    older.stop()
    publish(bus, *(read(f"{n:032x}") for n in range(60, 100)))
    until(lambda: read_by(newer) >= 100)
    newer.stop()
    assert read_by(newer) == 100


def test_what_was_kept_is_not_read_again_from_the_bus(bus):
    class Counting(MortalBus):
        def __init__(self) -> None:
            super().__init__(bus, 10**9, committed=True)
            self.replay, self.again = self._counted, 0

        def _counted(self, topics: Sequence[str], since: float = 0.0, **bounds: object) -> Iterator[Message]:
            for message in bus.replay(topics, since, **bounds):
                self.again += "before" in bounds
                yield message

    first = monitor_on(bus)
    first.start()
    publish(bus, *(read(f"{n:032x}") for n in range(30)), *(told(f"{n:032x}", SAID) for n in range(30)))
    until(lambda: first.counts().total("feedback") == 30)
    first.stop()
    counting = Counting()
    second = monitor_on(counting)
    second.start()
    until(second.ready)
    publish(bus, *(told(f"{n:032x}", "bin blue") for n in range(30)))
    until(lambda: second.counts().total("feedback") == 60)
    second.stop()
    counts = second.counts()
    assert counting.again == 0
    assert (read_by(second), counts.total("right"), counts.total("wrong")) == (30, 0, 30)
