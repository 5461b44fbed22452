"""What bus and worker promise together, whatever dies: nothing lost, nothing committed before it was told on.

A worker is killed at seeded moments (in the handler, at a poll, a publish or a commit, before it or after it) and
another takes its place, until all is done.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from threading import Event as Flag

import pytest

from lipsol.bus.port import NOWHERE, Bus, Consumer, Message, Outgoing, Places, Start
from lipsol.errors import BadInput, Transient
from lipsol.events import ClipDeleted, DeadLetter, Event, FeedbackGiven, from_bytes
from lipsol.runtime.clock import ManualClock
from lipsol.runtime.envelope import wrap
from lipsol.runtime.telemetry import Telemetry
from lipsol.runtime.worker import Worker
from lipsol.topics import DEAD_LETTERS, DELETIONS, FEEDBACK

MESSAGES, KEYS = 40, 7


def seeds(memory: int, kafka: int) -> pytest.MarkDecorator:
    """As many tries on each bus: on a broker, one takes seconds."""
    tries = [("memory", seed) for seed in range(memory)] + [("kafka", seed) for seed in range(kafka)]
    return pytest.mark.parametrize(("ground", "seed"), tries, indirect=["ground"])


@pytest.fixture(autouse=True)
def topics(ground) -> None:
    ground.have(FEEDBACK, DELETIONS, DEAD_LETTERS)


class Mortality:
    """Dies (SystemExit, as a thread ends without a word) at the n-th thing that is done."""

    def __init__(self, at: int) -> None:
        self._left = at
        self.turn = Flag()  # set when dead, or when all is done

    def step(self) -> None:
        self._left -= 1
        if self._left == 0:
            self.turn.set()
            raise SystemExit


class Ledger:
    """Writes down what was handled, published and committed; sees at each commit that results went out before."""

    def __init__(self) -> None:
        self.handled: dict[str, list[int]] = defaultdict(list)
        self.published: set[str] = set()
        self.committed: list[Message] = []
        self.too_early: list[Message] = []

    def handle(self, event: FeedbackGiven) -> ClipDeleted:
        self.handled[event.clip_id].append(int(event.feedback_id))
        return ClipDeleted(f"done-{event.feedback_id}")

    def publish(self, messages: Sequence[Outgoing]) -> None:
        self.published |= {message.key for message in messages}

    def commit(self, messages: Sequence[Message]) -> None:
        self.committed += messages
        self.too_early += [message for message in messages if f"done-{number(message)}" not in self.published]

    @property
    def done(self) -> bool:
        return len({number(message) for message in self.committed}) == MESSAGES


class MortalBus:
    """A bus whose user may die before or after each call."""

    def __init__(self, bus: Bus, ledger: Ledger, mortality: Mortality) -> None:
        self._bus, self._ledger, self._mortality = bus, ledger, mortality

    def publish(self, topic: str, key: str, value: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.publish_all([Outgoing(topic, key, value, headers or {})])

    def publish_all(self, messages: Sequence[Outgoing]) -> None:
        self._mortality.step()
        self._bus.publish_all(messages)
        self._ledger.publish(messages)
        self._mortality.step()

    def consumer(self, topics: Sequence[str], group: str | None, *, start: Start = "earliest") -> Consumer:
        return MortalConsumer(self._bus.consumer(topics, group, start=start), self._ledger, self._mortality)

    def replay(
        self, topics: Sequence[str], since: float = 0.0, *, before: str | None = None, after: Places = NOWHERE
    ) -> Iterator[Message]:
        return self._bus.replay(topics, since, before=before, after=after)

    def close(self) -> None:
        self._bus.close()


class MortalConsumer:
    """A consumer of such a bus; a close is what is left of a crash."""

    def __init__(self, consumer: Consumer, ledger: Ledger, mortality: Mortality) -> None:
        self._consumer, self._ledger, self._mortality = consumer, ledger, mortality
        self.pause, self.resume, self.wake = consumer.pause, consumer.resume, consumer.wake
        self.lag, self.close = consumer.lag, consumer.close

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        found = self._consumer.poll(max_messages, timeout_s)
        if found:
            self._mortality.step()
        return found

    def commit(self, messages: Sequence[Message]) -> None:
        self._mortality.step()
        self._consumer.commit(messages)
        self._ledger.commit(messages)
        if self._ledger.done:
            self._mortality.turn.set()
        self._mortality.step()


def number(message: Message) -> int:
    event = from_bytes(message.topic, message.value)
    assert isinstance(event, FeedbackGiven)
    return int(event.feedback_id)


def feedback(number: int, clip: str) -> FeedbackGiven:
    return FeedbackGiven(clip, str(number), None, "right", "bin blue", "f" * 64, 1.0)


def send_all(bus: Bus) -> dict[str, list[int]]:
    """Publish all messages; returns the numbers of each key in their order."""
    sent: dict[str, list[int]] = defaultdict(list)
    for index in range(MESSAGES):
        sent[f"clip-{index % KEYS}"].append(index)
    bus.publish_all([wrap(feedback(n, clip), "tests", 1.0) for clip, numbers in sent.items() for n in numbers])
    return sent


def firsts(numbers: Sequence[int]) -> list[int]:
    """Each number where it came first."""
    return list(dict.fromkeys(numbers))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # the deaths are meant
@seeds(memory=12, kafka=4)
def test_nothing_is_lost_however_often_the_worker_dies(ground, seed):
    chance, ledger, telemetry = random.Random(seed), Ledger(), Telemetry()
    sent = send_all(ground.bus)
    deaths = 0
    while not ledger.done:
        mortality = Mortality(chance.randint(1, 40))

        def handle(events: Sequence[Event], mortality: Mortality = mortality) -> list[Event]:
            results = []
            for event in events:
                mortality.step()
                assert isinstance(event, FeedbackGiven)
                results.append(ledger.handle(event))
            return results

        mortal = MortalBus(ground.bus, ledger, mortality)
        worker = Worker(
            mortal, [FEEDBACK.name], "readers", handle, stage="test", telemetry=telemetry, batch=chance.randint(1, 8)
        )
        worker.start()
        assert mortality.turn.wait(ground.patience_s * 10)
        assert worker.stop(ground.patience_s * 10)
        deaths += not ledger.done
    assert deaths >= 1
    assert not ledger.too_early
    assert {clip: firsts(numbers) for clip, numbers in ledger.handled.items()} == sent
    assert ledger.published == {f"done-{n}" for n in range(MESSAGES)}
    offsets: dict[int, list[int]] = defaultdict(list)
    for message in ledger.committed:
        offsets[message.partition].append(message.offset)
    assert all(done == sorted(done) for done in offsets.values())


@seeds(memory=3, kafka=3)
def test_nothing_is_lost_when_several_workers_share_and_stop_midway(ground, seed):
    chance, ledger, telemetry = random.Random(seed), Ledger(), Telemetry()
    sent = send_all(ground.bus)

    def handle(events: Sequence[Event]) -> list[Event]:
        if chance.random() < 0.2:
            raise Transient("the reader is away")
        return [ledger.handle(event) for event in events if isinstance(event, FeedbackGiven)]

    for _ in range(100):
        mortality = Mortality(10**6)
        bus = MortalBus(ground.bus, ledger, mortality)
        pair = [
            Worker(
                bus, [FEEDBACK.name], "readers", handle,
                stage="test", telemetry=telemetry, batch=3, attempts=30, clock=ManualClock(),
            )
            for _ in range(2)
        ]  # fmt: skip
        for worker in pair:
            worker.start()
        mortality.turn.wait(chance.random() * ground.pace_s)
        stopped = [worker.stop(ground.patience_s * 10) for worker in pair]
        assert all(stopped)
        if ledger.done:
            break
    assert {clip: firsts(numbers) for clip, numbers in ledger.handled.items()} == sent
    assert not ledger.too_early


def test_a_poison_message_goes_to_the_dead_letters_with_its_reason(ground):
    letters = ground.bus.consumer(["lipsol.dead-letters.v1"], "menders")
    handled: list[str] = []

    def handle(events: Sequence[Event]) -> list[Event]:
        for event in events:
            assert isinstance(event, FeedbackGiven)
            if event.feedback_id == "2":
                raise BadInput("a reading of 0 words", "send one")
            handled.append(event.feedback_id)
        return []

    telemetry = Telemetry()
    worker = Worker(ground.bus, [FEEDBACK.name], "readers", handle, stage="judge", telemetry=telemetry, batch=4)
    messages = [wrap(feedback(n, "clip-1"), "tests", 1.0) for n in range(4)]
    ground.bus.publish_all(messages)
    worker.start()
    [message] = letters.poll(1, ground.patience_s)
    while worker.alive and len(handled) < 3:
        letters.poll(1, 0.01)  # the rest of the batch may still be in hand
    assert worker.stop(ground.patience_s)
    letter = from_bytes(message.topic, message.value)
    poison = next(kept for kept in ground.bus.replay([FEEDBACK.name]) if kept.value == messages[2].value)
    assert letter == DeadLetter(
        dead_key="clip-1", clip_id="clip-1", shadow=False, origin_topic=FEEDBACK.name,
        origin_partition=poison.partition, origin_offset=poison.offset,
        reason="a reading of 0 words", cure="send one", kind="bad-input", stage="judge", attempts=1,
        value=messages[2].value,
    )  # fmt: skip
    told = {name: value for name, value in message.headers.items() if name.startswith("dead_")}
    assert told == {
        "dead_reason": "a reading of 0 words", "dead_stage": "judge", "dead_attempts": "1",
        "dead_topic": FEEDBACK.name, "dead_partition": str(poison.partition), "dead_offset": str(poison.offset),
    }  # fmt: skip
    assert message.headers["traceparent"][:35] == messages[2].headers["traceparent"][:35]
    assert firsts([int(n) for n in handled]) == [0, 1, 3]
    assert telemetry.value("lipsol_dead_letters_total", stage="judge", reason="bad-input") == 1
    again = ground.bus.consumer([FEEDBACK.name], "readers")
    assert again.poll(4, 2 * ground.quiet_s) == []


def test_a_stop_ends_what_is_in_hand_and_another_worker_goes_on(ground):
    entered, released, finished, handled = Flag(), Flag(), Flag(), []

    def handle(events: Sequence[Event]) -> list[Event]:
        entered.set()
        released.wait(ground.patience_s * 10)
        handled.extend(event.key for event in events)
        if len(handled) == 50:
            finished.set()
        return []

    def worker(batch: int) -> Worker:
        return Worker(ground.bus, [DELETIONS.name], "readers", handle, stage="s", telemetry=Telemetry(), batch=batch)

    ground.bus.publish_all([wrap(ClipDeleted(f"clip-{n}"), "tests", 1.0) for n in range(50)])
    for batch in (1, 4):
        stopped = worker(batch)
        stopped.start()
        assert entered.wait(ground.patience_s * 10)
        assert not stopped.stop(0.0)
        released.set()
        assert stopped.stop(ground.patience_s * 10)
        entered.clear()
        released.clear()
    assert len(handled) == 5
    released.set()
    last = worker(batch=50)
    last.start()
    assert finished.wait(ground.patience_s * 10)
    assert last.stop(ground.patience_s * 10)
    assert sorted(handled) == sorted(f"clip-{n}" for n in range(50))  # each once: nobody died
