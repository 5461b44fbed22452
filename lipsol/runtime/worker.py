"""A worker: takes messages of a group, has them handled, publishes what came of it, and only then commits.

- Handlers raise; the worker decides. BadInput and ModelError would be the same again: dead letter at once. Anything
  else is tried `attempts` times, waiting longer each time, and then is a dead letter too. Nothing is dropped.
- A batch that fails is handled again message by message, so that one bad message can't take others with it.
- Results are published before the commit. A bus that is full or away is waited for, for as long as it takes.
- `stop` lets the work in hand end and commits it; what a retry still waits for is left to the next worker of the
  group, and so is everything when the worker dies. Messages may so be handled twice, never not at all.
- What no waiting mends (a topic that is not there) ends the worker; `alive` tells, and readiness with it.
- A message that dies on the dead letters' own topic is logged and passed over: it lies where it belongs already.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from itertools import count
from threading import Event as Flag
from threading import Thread

import structlog

from lipsol.bus.port import Bus, Closed, Consumer, Message, Outgoing, Start
from lipsol.errors import BadInput, Busy, LipsolError, ModelError, Transient
from lipsol.events import DeadLetter, DeathKind, Event
from lipsol.runtime.clock import Clock, SystemClock
from lipsol.runtime.envelope import Trace, following, unwrap, wrap
from lipsol.runtime.telemetry import Telemetry
from lipsol.topics import DEAD_LETTERS

Handle = Callable[[Sequence[Event]], Sequence[Event]]

POLL_S = 5.0  # that a poll waits at most; `stop` wakes it, so this is no delay
BACKOFF_S, BACKOFF_MAX_S = 0.2, 5.0  # first and longest wait before another try
LAG_EVERY_S = 1.0  # between two looks at the queue: a look asks the broker
DEAD_VALUE_MAX = 512 * 1024  # bytes of a dead message that are kept: base64 and reason must fit into a message
REASON_MAX = 4000  # characters of a dead letter's reason and of its cure

log = structlog.get_logger()


class Worker:
    """One thread of a group.

    handle    events in, events out; a repeat must be harmless. Results carry on the trace of the event with the same
              key, or of the only one
    stage     its name in metrics, logs and envelopes
    batch     messages that are handled together at most
    attempts  how often one message is tried
    start     where a group that is new begins
    """

    def __init__(
        self,
        bus: Bus,
        topics: Sequence[str],
        group: str | None,
        handle: Handle,
        *,
        stage: str,
        telemetry: Telemetry,
        batch: int = 1,
        attempts: int = 3,
        start: Start = "earliest",
        clock: Clock | None = None,
    ) -> None:
        if batch < 1 or attempts < 1:
            raise BadInput(f"a worker with a batch of {batch} and {attempts} attempts", "give both 1 at least")
        self._bus, self._topics, self._group, self._handle = bus, tuple(topics), group, handle
        self._stage, self._telemetry = stage, telemetry
        self._batch, self._attempts, self._start = batch, attempts, start
        self._clock = clock or SystemClock()
        self._stopping = Flag()
        self._consumer: Consumer | None = None
        self._thread: Thread | None = None
        self._lag_seen_at = float("-inf")

    @property
    def alive(self) -> bool:
        """Whether it works; False before `start`, after `stop`, and when it died."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Join the group and begin; from the return on nothing that is published is missed."""
        if self.alive:
            return
        self._stopping.clear()
        self._consumer = self._bus.consumer(self._topics, self._group, start=self._start)
        self._thread = Thread(target=self._run, args=(self._consumer,), name=f"worker-{self._stage}", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 30.0) -> bool:
        """Let what is in hand end, commit it, and leave the group; returns whether that took less than timeout_s."""
        self._stopping.set()
        if self._consumer is not None and self._thread is not None:
            self._consumer.wake()
            self._thread.join(timeout_s)
        return not self.alive

    def _run(self, consumer: Consumer) -> None:
        try:
            while not self._stopping.is_set():
                messages = self._poll(consumer)
                self._look_at_lag(consumer)
                if messages:
                    self._work(consumer, messages)
        except Closed:
            log.warning("worker-ended-with-its-bus", stage=self._stage)
        except Exception:
            log.exception("worker-died", stage=self._stage)
        finally:
            consumer.close()

    def _poll(self, consumer: Consumer) -> list[Message]:
        try:
            return consumer.poll(self._batch, POLL_S)
        except Closed:
            raise
        except Transient as fault:
            log.warning("poll-failed", stage=self._stage, reason=fault.detail)
            self._clock.wait(self._stopping, BACKOFF_MAX_S)
            return []

    def _work(self, consumer: Consumer, messages: Sequence[Message]) -> None:
        settled, outgoing = self._settle(messages)
        if settled and self._publish(outgoing):
            try:
                consumer.commit(settled)
            except Transient as fault:  # they come again
                log.warning("commit-failed", stage=self._stage, reason=fault.detail)
            self._telemetry.add("lipsol_messages_handled_total", len(settled), stage=self._stage)

    def _settle(self, messages: Sequence[Message]) -> tuple[Sequence[Message], list[Outgoing]]:
        """The messages that are done for, and what to publish for them; fewer than given when stopped midway."""
        if len(messages) > 1:
            together = self._try_together(messages)
            if together is not None:
                return messages, together
        outgoing: list[Outgoing] = []
        for done, message in enumerate(messages):
            caused = self._settle_one(message)
            if caused is None:
                return messages[:done], outgoing
            outgoing += caused
        return messages, outgoing

    def _try_together(self, messages: Sequence[Message]) -> list[Outgoing] | None:
        try:
            return self._handled(messages)
        except Exception as fault:  # noqa: BLE001 - whatever it is, each message alone will tell
            log.info("batch-failed", stage=self._stage, messages=len(messages), fault=type(fault).__name__)
            return None

    def _settle_one(self, message: Message) -> list[Outgoing] | None:
        """What to publish for a message: its results, or its dead letter; None when stopped before either."""
        for attempt in range(1, self._attempts + 1):
            try:
                return self._handled([message])
            except Exception as fault:
                self._telemetry.add("lipsol_messages_failed_total", stage=self._stage, reason=_reason(fault))
                kind = _kind(fault)
                if kind != "exhausted" or attempt == self._attempts:
                    return self._bury(message, fault, kind, attempt)
                log.warning("handler-failed", stage=self._stage, attempt=attempt, exc_info=_unforeseen(fault))
                if self._clock.wait(self._stopping, _backoff(attempt, fault)):
                    return None
        return None

    def _handled(self, messages: Sequence[Message]) -> list[Outgoing]:
        events = [unwrap(message) for message in messages]
        traces = {_subject(event): Trace.of(message.headers) for event, message in zip(events, messages, strict=True)}
        step = following(*traces.values()) if len(messages) == 1 else nullcontext()
        with step, self._telemetry.timed("lipsol_handle_seconds", stage=self._stage):
            results = self._handle(events)
            now = self._clock.now()
            return [wrap(result, self._stage, now, traces.get(_subject(result))) for result in results]

    def _bury(self, message: Message, fault: Exception, kind: DeathKind, attempts: int) -> list[Outgoing]:
        """The dead letter for a message, and a line in the log."""
        self._telemetry.add("lipsol_dead_letters_total", stage=self._stage, reason=kind)
        trace = Trace.of(message.headers)
        log.error(
            "dead-letter",
            stage=self._stage,
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            kind=kind,
            attempts=attempts,
            trace_id=trace.trace_id,
            exc_info=_unforeseen(fault),
        )
        if message.topic == DEAD_LETTERS.name:
            return []
        letter = _letter(message, fault, kind, self._stage, attempts)
        out = wrap(letter, self._stage, self._clock.now(), trace)
        told = {"dead_reason": letter.reason, "dead_stage": self._stage, "dead_attempts": str(attempts)}
        return [replace(out, headers={**out.headers, **told})]

    def _publish(self, outgoing: Sequence[Outgoing]) -> bool:
        """Publish all, waiting for as long as the bus is full or away; False when stopped before it took them."""
        for attempt in count(1):
            try:
                self._bus.publish_all(outgoing)
            except Closed:
                raise
            except Transient as fault:
                log.warning("publish-failed", stage=self._stage, attempt=attempt, reason=fault.detail)
                if self._clock.wait(self._stopping, _backoff(attempt, fault)):
                    return False
            else:
                return True
        return False

    def _look_at_lag(self, consumer: Consumer) -> None:
        now = self._clock.monotonic()
        if now - self._lag_seen_at >= LAG_EVERY_S:
            self._lag_seen_at = now
            with suppress(Transient):  # the next poll tells of it
                self._telemetry.set("lipsol_queue_lag_messages", consumer.lag(), stage=self._stage)


def _subject(event: Event) -> str:
    """The clip that an event is about; else its key."""
    return str(getattr(event, "clip_id", event.key))


def _kind(fault: Exception) -> DeathKind:
    if isinstance(fault, BadInput):
        return "bad-input"
    return "model-error" if isinstance(fault, ModelError) else "exhausted"


def _reason(fault: Exception) -> str:
    if _kind(fault) != "exhausted":
        return _kind(fault)
    return "transient" if isinstance(fault, Transient) else "fault"


def _unforeseen(fault: Exception) -> Exception | None:
    """The fault, where its traceback is worth a look."""
    return None if isinstance(fault, LipsolError) else fault


def _backoff(attempt: int, fault: Exception) -> float:
    asked = fault.retry_after_s if isinstance(fault, Busy) else 0.0
    return max(asked, min(BACKOFF_MAX_S, BACKOFF_S * 2.0 ** (attempt - 1)))


def _letter(message: Message, fault: Exception, kind: DeathKind, stage: str, attempts: int) -> DeadLetter:
    """The dead letter for a message; a fault that nobody foresaw is told by its type alone, as people may read it."""
    try:
        event: Event | None = unwrap(message)
    except BadInput:
        event = None
    return DeadLetter(
        dead_key=message.key,
        clip_id=_subject(event) if event else "",
        shadow=bool(getattr(event, "shadow", False)),
        origin_topic=message.topic,
        origin_partition=message.partition,
        origin_offset=message.offset,
        reason=fault.detail[:REASON_MAX] if isinstance(fault, LipsolError) else type(fault).__name__,
        cure=fault.cure[:REASON_MAX] if isinstance(fault, LipsolError) else "",
        kind=kind,
        stage=stage,
        attempts=attempts,
        value=message.value[:DEAD_VALUE_MAX],
    )
