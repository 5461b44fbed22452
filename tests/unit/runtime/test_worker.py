"""The worker's own decisions: retries, batches, deadlines, dead letters, waiting. (Delivery: tests/contract.)"""

import time
from collections.abc import Callable, Sequence
from threading import Event as Flag
from threading import Thread

import pytest
import structlog
from structlog.testing import capture_logs

from lipsol.bus.memory import MemoryBus
from lipsol.bus.port import Consumer, Message, Outgoing, Start
from lipsol.errors import BadInput, Busy, ModelError, Transient
from lipsol.events import ClipDeleted, ClipReceived, DeadLetter, Event, from_bytes
from lipsol.runtime.clock import ManualClock
from lipsol.runtime.envelope import Trace, trace_id_of, wrap
from lipsol.runtime.telemetry import Telemetry
from lipsol.runtime.worker import Worker
from lipsol.topics import CLIPS, DEAD_LETTERS, DELETIONS, TOPICS

PATIENCE_S = 20.0
START_S = 1_795_251_600.0
TRACE = Trace("a" * 32, "b" * 16)


class Bench:
    """A bus, a worker on the deletions, and what its handler is to do with each clip."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.bus = MemoryBus(TOPICS.values())
        self.clock = ManualClock(START_S)
        self.telemetry = telemetry
        self.calls: list[list[str]] = []
        self.faults: dict[str, list[Exception]] = {}  # of each clip: what its next tries raise
        self.results: Callable[[str], Sequence[Event]] = lambda _: ()
        self.topics = [DELETIONS.name]

    def send(self, *clips: str) -> None:
        self.bus.publish_all([wrap(ClipDeleted(clip), "tests", START_S, TRACE) for clip in clips])

    def handle(self, events: Sequence[Event]) -> list[Event]:
        clips = [event.key for event in events]
        self.calls.append(clips)
        for clip in clips:
            if self.faults.get(clip):
                raise self.faults[clip].pop(0)
        return [result for clip in clips for result in self.results(clip)]

    def work(self, bus: object = None, **options: object) -> Worker:
        """Let a worker work until nothing waits, and stop it."""
        worker = self.worker(bus, **options)
        probe = self.bus.consumer(["lipsol.feedback.v1"], "probe")
        worker.start()
        left = PATIENCE_S
        while self.waiting() and left > 0:
            probe.poll(1, 0.01)
            left -= 0.01
        assert worker.stop(PATIENCE_S)
        assert not worker.alive
        return worker

    def worker(self, bus: object = None, **options: object) -> Worker:
        settings = {"stage": "test", "telemetry": self.telemetry, "clock": self.clock} | options
        return Worker(bus or self.bus, self.topics, "readers", self.handle, **settings)

    def waiting(self) -> int:
        """Messages that the group has not committed."""
        done = self.bus.replay(self.topics, before="readers")
        return len(list(self.bus.replay(self.topics))) - len(list(done))

    def letters(self) -> list[DeadLetter]:
        found = self.bus.consumer([DEAD_LETTERS.name], "menders").poll(100, 0.0)
        return [letter for m in found if isinstance(letter := from_bytes(m.topic, m.value), DeadLetter)]


@pytest.fixture
def bench():
    opened = Bench(Telemetry())
    with capture_logs():
        yield opened
    opened.bus.close()


def test_what_fails_for_a_moment_is_tried_again_after_a_growing_wait(bench):
    bench.faults["a"] = [Transient("away"), OSError("gone")]
    bench.send("a")
    bench.work(attempts=3)
    assert bench.calls == [["a"]] * 3
    assert bench.clock.now() - START_S == pytest.approx(0.2 + 0.4)
    assert bench.letters() == []
    assert bench.telemetry.value("lipsol_messages_failed_total", stage="test", reason="transient") == 1
    assert bench.telemetry.value("lipsol_messages_failed_total", stage="test", reason="fault") == 1
    assert bench.telemetry.value("lipsol_messages_handled_total", stage="test") == 1
    assert bench.telemetry.value("lipsol_handle_seconds", stage="test") == 3


def test_busy_is_given_the_time_that_it_asks_for(bench):
    bench.faults["a"] = [Busy("full", "wait", retry_after_s=7.0)]
    bench.send("a")
    bench.work()
    assert bench.clock.now() - START_S == pytest.approx(7.0)


def test_the_wait_has_a_longest(bench):
    bench.faults["a"] = [Transient("away")] * 9
    bench.send("a")
    bench.work(attempts=10)
    assert bench.clock.now() - START_S == pytest.approx(0.2 + 0.4 + 0.8 + 1.6 + 3.2 + 4 * 5.0)


def test_what_fails_every_time_becomes_a_dead_letter_that_tells_no_secrets(bench):
    bench.faults["a"] = [OSError("/home/somebody/clip.mp4")] * 3
    bench.send("a", "b")
    bench.work(attempts=3)
    [letter] = bench.letters()
    assert (letter.kind, letter.reason, letter.attempts, letter.clip_id) == ("exhausted", "OSError", 3, "a")
    assert ["b"] in bench.calls
    assert bench.telemetry.value("lipsol_dead_letters_total", stage="test", reason="exhausted") == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(BadInput("3 words", "send 2"), "bad-input"), (ModelError("a bad digest", "fetch"), "model-error")],
)
def test_what_no_repeat_can_mend_is_not_repeated(bench, fault, kind):
    bench.faults["a"] = [fault]
    bench.send("a")
    bench.work(attempts=5)
    [letter] = bench.letters()
    assert (letter.kind, letter.reason, letter.cure, letter.attempts) == (kind, fault.detail, fault.cure, 1)
    assert bench.calls == [["a"]]


def test_a_batch_that_fails_is_handled_one_by_one(bench):
    bench.faults["b"] = [ValueError("x")] * 4  # once in the batch, three times alone
    bench.send("a", "b", "c")
    bench.work(batch=8, attempts=3)
    assert sorted(bench.calls[0]) == ["a", "b", "c"]
    assert sorted(bench.calls[1:]) == [["a"], ["b"], ["b"], ["b"], ["c"]]
    assert [letter.clip_id for letter in bench.letters()] == ["b"]
    assert bench.telemetry.value("lipsol_messages_handled_total", stage="test") == 3


def test_bytes_that_are_no_event_go_to_the_dead_letters_unread(bench):
    bench.bus.publish(DELETIONS.name, "who", b"\xff{")
    bench.send("b")
    bench.work(batch=4)
    [letter] = bench.letters()
    assert (letter.kind, letter.dead_key, letter.clip_id, letter.value) == ("bad-input", "who", "", b"\xff{")
    assert ["b"] in bench.calls


def test_a_dead_letter_that_dies_is_logged_and_not_sent_round_in_circles(bench):
    bench.topics = [DEAD_LETTERS.name]
    bench.faults["k"] = [BadInput("again")]
    bench.bus.publish_all(
        [wrap(DeadLetter("k", "", False, "t", 0, 0, "r", "", "exhausted", "s", 3, b""), "tests", START_S)]
    )
    with capture_logs() as logs:
        bench.work()
    assert [letter.dead_key for letter in bench.letters()] == ["k"]  # as it was: the topic keeps it
    assert [line["topic"] for line in logs if line["event"] == "dead-letter"] == [DEAD_LETTERS.name]


def test_a_result_too_long_for_a_message_kills_its_cause_and_not_the_worker(bench):
    bench.results = lambda clip: [ClipDeleted("x" * (2 << 20))] if clip == "a" else []
    bench.send("a", "b")
    bench.work()
    assert [letter.kind for letter in bench.letters()] == ["bad-input"]
    assert ["b"] in bench.calls


def test_results_carry_on_the_trace_of_their_cause(bench):
    listener = bench.bus.consumer([DEAD_LETTERS.name], None)
    bench.results = lambda clip: [DeadLetter("k", clip, False, "t", 0, 0, "r", "", "exhausted", "s", 3, b"")]
    causes = {clip: Trace.new() for clip in ("a", "b", "c")}
    bench.bus.publish_all([wrap(ClipDeleted(clip), "tests", START_S, trace) for clip, trace in causes.items()])
    bench.work(batch=8)
    caused = {getattr(from_bytes(m.topic, m.value), "clip_id", ""): m for m in listener.poll(10, 1.0)}
    assert {clip: Trace.of(message.headers).trace_id for clip, message in caused.items()} == {
        clip: trace.trace_id for clip, trace in causes.items()
    }
    assert caused["a"].headers["ce_source"] == "/lipsol/test"


def refuse(_: Sequence[Event]) -> list[Event]:
    raise BadInput("x")


def until(holds: Callable[[], bool]) -> None:
    """Wait until that holds."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


class FullBus:
    """A bus that is full for its first n publishes."""

    def __init__(self, bus: MemoryBus, times: int) -> None:
        self._bus, self.times = bus, times
        self.consumer, self.publish, self.replay, self.close = bus.consumer, bus.publish, bus.replay, bus.close
        self.refused = Flag()

    def publish_all(self, messages: Sequence[Outgoing]) -> None:
        if messages and self.times:
            self.times -= 1
            self.refused.set()
            raise Busy("topic x holds 4 messages", "wait")
        self._bus.publish_all(messages)


def test_a_full_bus_is_waited_for_and_nothing_is_handled_again(bench):
    listener = bench.bus.consumer([DEAD_LETTERS.name], None)
    bench.results = lambda clip: [DeadLetter("k", clip, False, "t", 0, 0, "r", "", "exhausted", "s", 3, b"")]
    bench.send("a")
    bench.work(FullBus(bench.bus, 20))
    assert bench.calls == [["a"]]
    assert len(listener.poll(10, 1.0)) == 1


def test_what_could_not_be_published_is_left_to_the_next_worker(bench):
    bench.results = lambda clip: [DeadLetter("k", clip, False, "t", 0, 0, "r", "", "exhausted", "s", 3, b"")]
    full = FullBus(bench.bus, 10**9)
    bench.send("a")
    worker = bench.worker(full)
    worker.start()
    assert full.refused.wait(PATIENCE_S)
    assert worker.stop(PATIENCE_S)
    assert bench.waiting() == 1
    bench.work()
    assert len(bench.letters()) == 1


def test_a_stop_ends_a_retrys_wait_and_leaves_the_message(bench):
    tried = Flag()

    def handle(_: Sequence[Event]) -> list[Event]:
        tried.set()
        raise Busy("full", retry_after_s=3600.0)

    bench.send("a")
    worker = Worker(bench.bus, bench.topics, "readers", handle, stage="test", telemetry=bench.telemetry)
    worker.start()
    assert tried.wait(PATIENCE_S)
    assert worker.stop(PATIENCE_S)
    assert bench.waiting() == 1
    assert bench.letters() == []
    bench.work()
    assert bench.calls == [["a"]]


def test_a_worker_ends_with_its_bus(bench):
    worker = bench.worker()
    worker.start()
    assert worker.alive
    bench.bus.close()
    assert worker.stop(PATIENCE_S)


def test_a_topic_that_is_missing_is_said_in_one_line_and_keeps_the_message():
    bus = MemoryBus([DELETIONS])  # no dead letters here
    worker = Worker(bus, [DELETIONS.name], "readers", refuse, stage="test", telemetry=Telemetry())
    bus.publish_all([wrap(ClipDeleted("a"), "tests", START_S)])
    with capture_logs() as logs:
        worker.start()
        until(lambda: worker.fault is not None)
        assert worker.fault is not None and worker.fault.startswith(f"no topic '{DEAD_LETTERS.name}'")
        assert worker.alive
        assert worker.stop(PATIENCE_S)
    assert [line["event"] for line in logs].count("worker-waits") == 1
    assert list(bus.replay([DELETIONS.name], before="readers")) == []
    bus.close()


class AwayBus:
    """A bus that is away for the first n joins; and, once it is there, for the first n polls."""

    def __init__(self, bus: MemoryBus, joins: int = 0, polls: int = 0) -> None:
        self._bus, self.joins, self.polls = bus, joins, polls
        self.publish, self.publish_all, self.replay, self.close = bus.publish, bus.publish_all, bus.replay, bus.close
        self.joined = 0

    def consumer(self, topics: Sequence[str], group: str | None, *, start: Start = "earliest") -> "Gone":
        if self.joins:
            self.joins -= 1
            raise Transient("no broker answers at 127.0.0.1:9", "start it")
        self.joined += 1
        return Gone(self, self._bus.consumer(topics, group, start=start))


class Gone:
    """A consumer of a bus that may be away."""

    def __init__(self, bus: AwayBus, consumer: Consumer) -> None:
        self._bus, self._consumer = bus, consumer
        self.commit, self.pause, self.resume = consumer.commit, consumer.pause, consumer.resume
        self.wake, self.lag, self.close = consumer.wake, consumer.lag, consumer.close

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        if self._bus.polls:
            self._bus.polls -= 1
            raise Transient("the broker is away", "wait")
        return self._consumer.poll(max_messages, timeout_s)


def test_a_broker_that_is_not_there_yet_is_waited_for_and_said_once(bench):
    bus = AwayBus(bench.bus, joins=4)
    bench.send("a")
    with capture_logs() as logs:
        bench.work(bus)
    assert bench.calls == [["a"]]
    assert bench.clock.now() - START_S == pytest.approx(0.2 + 0.4 + 0.8 + 1.6)
    said = [line for line in logs if line["event"].startswith("worker-")]
    assert [line["event"] for line in said] == ["worker-waits", "worker-goes-on"]
    assert said[0]["reason"] == "no broker answers at 127.0.0.1:9: start it"


def test_while_the_broker_is_away_the_worker_says_so_and_afterwards_no_more(bench):
    bus = AwayBus(bench.bus, joins=10**9)
    worker = bench.worker(bus)
    worker.start()
    assert (worker.alive, worker.fault) == (True, "no broker answers at 127.0.0.1:9: start it")
    bus.joins = 0
    until(lambda: worker.fault is None)
    bus.polls = 10**9
    bench.send("a")  # ends the poll that waits
    until(lambda: worker.fault == "the broker is away: wait")
    bus.polls = 0
    until(lambda: worker.fault is None)
    assert worker.stop(PATIENCE_S)
    assert worker.fault == "test takes no events"
    assert bus.joined == 1


def test_a_bus_that_is_only_full_is_no_fault(bench):
    bench.results = lambda clip: [DeadLetter("k", clip, False, "t", 0, 0, "r", "", "exhausted", "s", 3, b"")]
    full = FullBus(bench.bus, 10**9)
    bench.send("a")
    worker = bench.worker(full)
    worker.start()
    assert full.refused.wait(PATIENCE_S)
    assert worker.fault is None
    assert worker.stop(PATIENCE_S)


def test_what_must_be_ready_first_is_asked_for_until_it_is_and_once_then(bench):
    asked: list[int] = []

    def prepare() -> None:
        asked.append(len(bench.calls))
        if len(asked) < 3:
            raise Transient("the log is away", "wait")

    bench.send("a")
    with capture_logs() as logs:
        worker = bench.work(prepare=prepare)
    worker.start()
    assert worker.stop(PATIENCE_S)
    assert asked == [0, 0, 0]
    assert [line["reason"] for line in logs if line["event"] == "worker-waits"] == ["the log is away: wait"]
    assert bench.calls == [["a"]]


def test_while_it_is_made_ready_the_worker_says_so(bench):
    go_on = Flag()
    worker = bench.worker(prepare=lambda: go_on.wait(PATIENCE_S) and None)
    starter = Thread(target=worker.start)
    starter.start()
    until(lambda: worker.fault == "test is restoring what it knew")
    go_on.set()
    until(lambda: worker.fault is None)
    starter.join(PATIENCE_S)
    assert worker.stop(PATIENCE_S)


def test_a_listener_that_was_cut_off_hears_what_it_missed(bench):
    heard: list[str] = []

    def handle(events: Sequence[Event]) -> list[Event]:
        heard.extend(event.key for event in events)
        return []

    bus = CuttingBus(bench.bus)
    bench.send("before")
    listener = Worker(
        bus, [DELETIONS.name], None, handle, stage="test", telemetry=bench.telemetry, start="latest", clock=bench.clock
    )
    listener.start()
    bench.send("first")
    until(lambda: heard == ["first"])
    bus.meanwhile = lambda: bench.send("missed")
    bus.cut()
    until(lambda: "missed" in heard)
    bench.send("last")
    until(lambda: "last" in heard)
    assert listener.stop(PATIENCE_S)
    assert list(dict.fromkeys(heard)) == ["first", "missed", "last"]


class CuttingBus:
    """A bus whose consumer can be cut off; before the next one joins, something happens."""

    def __init__(self, bus: MemoryBus) -> None:
        self._bus = bus
        self.publish, self.publish_all, self.replay, self.close = bus.publish, bus.publish_all, bus.replay, bus.close
        self.meanwhile: Callable[[], None] = lambda: None
        self.cut: Callable[[], None] = lambda: None

    def consumer(self, topics: Sequence[str], group: str | None, *, start: Start = "earliest") -> Consumer:
        self.meanwhile()
        consumer = self._bus.consumer(topics, group, start=start)
        self.cut = consumer.close
        return consumer


def test_a_handlers_worker_outlives_what_nobody_foresaw(bench):
    bus = AwayBus(bench.bus)
    broken = [ZeroDivisionError("who knows")]

    def publish_all(messages: Sequence[Outgoing]) -> None:
        if broken:
            raise broken.pop()
        bench.bus.publish_all(messages)

    bus.publish_all = publish_all
    bench.send("a")
    with capture_logs() as logs:
        bench.work(bus)
    assert bench.calls == [["a"], ["a"]]
    assert bus.joined == 2
    assert [line["reason"] for line in logs if line["event"] == "worker-waits"] == ["test failed (ZeroDivisionError)"]


def clip_of(clip: str, deadline_at: float) -> ClipReceived:
    return ClipReceived(clip, "", "", "", "s3://a/b", "", 0, "", "", "", START_S - 60, deadline_at)


@pytest.mark.parametrize("batch", [1, 8])
def test_what_comes_after_its_deadline_is_not_done_but_told(bench, batch):
    bench.topics = [CLIPS.name]
    deadlines = {"late": START_S - 2.5, "just": START_S, "timely": START_S + 1e6, "patient": 0.0, "other": 0.0}
    bench.bus.publish_all([wrap(clip_of(*each), "tests", START_S, TRACE) for each in deadlines.items()])
    bench.work(batch=batch)
    assert sorted(clip for call in bench.calls for clip in call) == ["other", "patient", "timely"]
    letters = {letter.clip_id: letter for letter in bench.letters()}
    assert {letter.kind for letter in letters.values()} == {"too-late"}
    assert letters["late"].reason == "its deadline passed 2.5 s ago"
    assert (letters["just"].reason, letters["just"].attempts) == ("its deadline passed 0.0 s ago", 0)
    for name in ("lipsol_dead_letters_total", "lipsol_abandoned_total"):
        assert bench.telemetry.value(name, stage="test", reason="too-late") == 2


def test_a_retry_is_given_up_when_the_deadline_comes_first(bench):
    bench.topics = [CLIPS.name]
    bench.faults["a"] = [Transient("away")] * 9
    bench.bus.publish_all([wrap(clip_of("a", START_S + 0.5), "tests", START_S)])
    bench.work(attempts=10)
    [letter] = bench.letters()
    assert (letter.kind, letter.attempts) == ("too-late", 2)  # after waits of 0.2 and 0.4 s


def test_a_dead_letters_headers_say_why_and_where_without_being_opened(bench):
    menders = bench.bus.consumer([DEAD_LETTERS.name], "menders")
    bench.faults["b"] = [BadInput("3 words", "send 2")]
    bench.send("a", "b")
    bench.work()
    [message] = menders.poll(9, 1.0)
    told = {name: value for name, value in message.headers.items() if name.startswith("dead_")}
    letter = from_bytes(message.topic, message.value)
    assert told == {
        "dead_reason": "3 words", "dead_stage": "test", "dead_attempts": "1", "dead_topic": DELETIONS.name,
        "dead_partition": str(letter.origin_partition), "dead_offset": str(letter.origin_offset),
    }  # fmt: skip
    assert Trace.of(message.headers).trace_id == TRACE.trace_id


def test_a_result_says_how_many_tries_it_took(bench):
    listener = bench.bus.consumer([DEAD_LETTERS.name], None)
    bench.results = lambda clip: [DeadLetter("k", clip, False, "t", 0, 0, "r", "", "exhausted", "s", 3, b"")]
    bench.faults["b"] = [Transient("away")]
    bench.send("a", "b")
    bench.work()
    told = listener.poll(9, 1.0)
    tries = {getattr(from_bytes(m.topic, m.value), "clip_id", ""): m.headers["ce_attempts"] for m in told}
    assert tries == {"a": "1", "b": "2"}


def test_log_lines_of_a_message_carry_its_trace(bench):
    bench.faults["a"] = [Transient("away"), BadInput("3 words")]
    bench.send("a")
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logs:
        bench.work()
    told = {line["event"]: line.get("trace_id") for line in logs}
    assert told["handler-failed"] == told["dead-letter"] == TRACE.trace_id


def test_a_handler_finds_the_trace_of_each_message_in_hand(bench):
    found = {}
    handle = bench.handle
    bench.handle = lambda events: (found.update({e.key: trace_id_of(e.key) for e in events}), handle(events))[1]
    others = Trace("c" * 32, "d" * 16)
    bench.bus.publish_all([wrap(ClipDeleted("one"), "tests", START_S, TRACE)])
    bench.bus.publish_all([wrap(ClipDeleted("two"), "tests", START_S, others)])
    bench.work(batch=8)
    assert [sorted(call) for call in bench.calls] == [["one", "two"]]  # handled at once
    assert found == {"one": TRACE.trace_id, "two": others.trace_id}
    assert trace_id_of("one") == ""


def test_how_long_a_message_lay_is_told(bench):
    bench.send("one", "two")
    bench.work()
    assert bench.telemetry.value("lipsol_message_wait_seconds", stage="test") == 2


def test_a_worker_can_be_started_and_stopped_again(bench):
    worker = bench.worker()
    assert not worker.alive
    assert worker.stop(PATIENCE_S)
    worker.start()
    worker.start()
    assert worker.stop(PATIENCE_S)
    worker.start()
    assert worker.alive
    assert worker.stop(PATIENCE_S)


def test_the_queues_lag_is_told(bench):
    handled, inside, go_on = [], Flag(), Flag()

    def handle(events: Sequence[Event]) -> list[Event]:
        handled.extend(events)
        if len(handled) > 1:
            inside.set()
            go_on.wait(PATIENCE_S)
        return []

    worker = Worker(bench.bus, bench.topics, "readers", handle, stage="test", telemetry=bench.telemetry)
    bench.send("a", "b", "c")
    worker.start()
    assert inside.wait(PATIENCE_S)
    assert bench.telemetry.value("lipsol_queue_lag_messages", stage="test") == 2
    go_on.set()
    assert worker.stop(PATIENCE_S)


@pytest.mark.parametrize("options", [{"batch": 0}, {"attempts": 0}])
def test_a_worker_that_could_do_nothing_is_refused(bench, options):
    with pytest.raises(BadInput, match="at least"):
        bench.worker(**options)


def test_a_listener_buries_nothing_and_hears_on(bench):
    bench.faults["bad"] = [BadInput("unfit")]
    worker = Worker(
        bench.bus, bench.topics, None, bench.handle, stage="test", telemetry=bench.telemetry, clock=bench.clock
    )
    worker.start()
    bench.send("bad", "good")
    until = time.monotonic() + PATIENCE_S
    while ["good"] not in bench.calls and time.monotonic() < until:
        time.sleep(0.01)
    assert worker.stop(PATIENCE_S)
    assert (bench.calls[-1], bench.letters()) == (["good"], [])


def test_who_asks_is_told_before_each_call_where_its_events_lay(bench):
    told: list[list[tuple[int, int]]] = []
    bench.faults = {"b": [Transient("away", "wait")]}
    bench.send("a", "b")
    bench.work(batch=2, places=lambda messages: told.append([(m.partition, m.offset) for m in messages]))
    assert [len(messages) for messages in told] == [len(call) for call in bench.calls]
    lay = {m.key: (m.partition, m.offset) for m in bench.bus.replay(bench.topics)}
    assert told == [[lay[clip] for clip in call] for call in bench.calls]


def test_what_is_settled_is_out(bench):
    seen: list[tuple[int, int]] = []  # calls of the handler, and events that are out
    bench.results = lambda clip: [clip_of(clip, 0.0)]

    def settled() -> None:
        seen.append((len(bench.calls), len(list(bench.bus.replay([CLIPS.name])))))

    bench.send("a", "b", "c")
    bench.work(settled=settled)
    assert {calls for calls, _ in seen} >= {1, 2, 3}
    assert all(calls == out for calls, out in seen)
