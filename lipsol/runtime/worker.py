"""A worker: takes messages of a group, has them handled, publishes what came of it, and only then commits.

- Handlers raise; the worker decides. BadInput and ModelError would be the same again: dead letter at once. Anything
  else is tried `attempts` times, waiting longer each time, and then is a dead letter too. Nothing is dropped.
- What comes after its deadline (`deadline_at` of its event) is a dead letter too, not work.
- A batch that fails is handled again message by message, so that one bad message can't take others with it.
- Results are published before the commit. A bus that is full or away is waited for, for as long as it takes.
- The order in which things start does not matter: a broker or a topic that is not there is waited for, and so is one
  that goes away. `fault` says in one line what is missing, and readiness with it.
- `stop` lets the work in hand end and commits it; what a retry still waits for is left to the next worker of the
  group, and so is everything when the worker dies. Messages may so be handled twice, never not at all.
- Whatever else goes wrong, the worker leaves its group, joins it anew and begins where it had committed.
- A listener (group None) that had to join anew hears first what it missed.
- A listener buries nothing: every replica hears the message, and the group that works on it writes the one letter.
- A message that dies on the dead letters' own topic is logged and passed over: it lies where it belongs already.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from itertools import islice
from threading import Event as Flag
from threading import Thread

import structlog

from lipsol.bus.port import Bus, Closed, Consumer, Message, Outgoing, Start
from lipsol.errors import BadInput, Busy, LipsolError, NotFound, Transient
from lipsol.events import Event
from lipsol.runtime.burial import Taken, dead_letter, kind_of, reason_of, subject, unforeseen
from lipsol.runtime.clock import Clock, SystemClock
from lipsol.runtime.envelope import following, handling, wrap
from lipsol.runtime.telemetry import Telemetry
from lipsol.topics import DEAD_LETTERS

Handle = Callable[[Sequence[Event]], Sequence[Event]]

JOIN_S = 5.0  # that `start` waits for the group at most
POLL_S = 5.0  # that a poll waits at most; `stop` wakes it, so this is no delay
BACKOFF_S, BACKOFF_MAX_S = 0.2, 5.0  # first and longest wait before another try
LAG_EVERY_S = 5.0  # between two looks at the queue: each is a question to the broker
SKEW_S = 60.0  # that the bus's clock may be behind ours

log = structlog.get_logger()


def _ignored(_messages: Sequence[Message]) -> None: ...


def _nothing() -> None: ...


class Worker:
    """One thread of a group.

    handle    events in, events out; a repeat must be harmless. Results carry on the trace of the event with the same
              key, or of the only one
    stage     its name in metrics, logs and envelopes
    batch     messages that are handled together at most
    attempts  how often one message is tried
    start     where a group that is new begins
    prepare   called once, in the group and before the first message: what it raises is told, and it is called again
    places    told, before each call of `handle`, the messages that its events came in, in the same order
    settled   called by the same thread whenever all that came of the events handled so far is published: after each
              batch, and every few seconds while nothing comes
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
        prepare: Callable[[], None] | None = None,
        places: Callable[[Sequence[Message]], None] = _ignored,
        settled: Callable[[], None] = _nothing,
    ) -> None:
        if batch < 1 or attempts < 1 or not topics:
            raise BadInput(
                f"a worker with {len(topics)} topics, a batch of {batch} and {attempts} attempts",
                "give 1 of each at least",
            )
        self._bus, self._topics, self._group, self._handle = bus, tuple(topics), group, handle
        self._stage, self._telemetry = stage, telemetry
        self._batch, self._attempts, self._start = batch, attempts, start
        self._clock, self._prepare = clock or SystemClock(), prepare
        self._places, self._settled = places, settled
        self._stopping, self._tried = Flag(), Flag()
        self._consumer: Consumer | None = None
        self._thread: Thread | None = None
        self._fault: str | None = None
        self._said = ""  # of what is wrong, in the log
        self._stumbles = 0  # in a row
        self._heard_at: float | None = None  # by the bus's time; None: never joined
        self._lag_seen_at = float("-inf")

    @property
    def alive(self) -> bool:
        """Whether it is there to work; False before `start`, after `stop`, and when its bus was closed."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def fault(self) -> str | None:
        """Why it takes no events just now, in one line; None: it does."""
        return self._fault if self.alive else f"{self._stage} takes no events"

    def start(self) -> None:
        """Join the group and begin; from the return on nothing that is published is missed.

        A bus that is away is not waited for longer than `JOIN_S`: the worker goes on trying by itself.
        """
        if self.alive:
            return
        for flag in (self._stopping, self._tried):
            flag.clear()
        self._fault, self._said = f"{self._stage} has not joined its group yet", ""
        self._stumbles, self._heard_at = 0, None
        self._thread = Thread(target=self._run, name=f"worker-{self._stage}", daemon=True)
        self._thread.start()
        self._tried.wait(JOIN_S)

    def stop(self, timeout_s: float = 30.0) -> bool:
        """Let what is in hand end, commit it, and leave the group; returns whether that took less than timeout_s."""
        self._stopping.set()
        if self._consumer is not None:
            self._consumer.wake()
        if self._thread is not None:
            self._thread.join(timeout_s)
        return not self.alive

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._attend()
        except Closed:
            log.warning("worker-ended-with-its-bus", stage=self._stage)
        finally:
            self._tried.set()

    def _attend(self) -> None:
        """Join the group and work in it for as long as that goes. Raises Closed when the bus is."""
        consumer = None
        try:
            self._consumer = consumer = self._bus.consumer(self._topics, self._group, start=self._start)
            self._make_ready()
            self._fare_well()
            self._tried.set()
            self._follow(consumer)
        except Closed:
            raise
        except Exception as fault:  # noqa: BLE001 - it is told, and the group's next member begins where this one stood
            self._heard_at = self._heard_at or self._clock.now() - SKEW_S
            self._stumble(fault)
        finally:
            if consumer is not None:
                consumer.close()

    def _follow(self, consumer: Consumer) -> None:
        """Work until told to stop, or until the consumer is closed; if that was the bus, joining anew tells."""
        while not self._stopping.is_set():
            try:
                messages = consumer.poll(self._batch, 0.0 if self._stumbles else POLL_S)
            except Closed:
                return
            except (Transient, NotFound) as fault:
                self._stumble(fault)
                continue
            self._fare_well()
            if messages:
                self._work(consumer, messages)
            else:
                self._settled()
            self._look_at_lag(consumer)

    def _make_ready(self) -> None:
        if self._prepare is not None:
            self._fault = f"{self._stage} is restoring what it knew"
            self._prepare()
            self._prepare = None
        self._catch_up()

    def _catch_up(self) -> None:
        """Let a listener hear what it missed since it heard the last; of a group, the bus itself keeps the place."""
        since, self._heard_at = self._heard_at, self._heard_at or self._clock.now() - SKEW_S
        if since is None or self._group is not None or self._start == "earliest":
            return
        missed = self._bus.replay(self._topics, since)
        while messages := list(islice(missed, self._batch)):
            self._work(None, messages)

    def _work(self, consumer: Consumer | None, messages: Sequence[Message]) -> None:
        settled, outgoing = self._settle(messages)
        if settled and self._publish(outgoing):
            self._heard_at = max(message.timestamp for message in settled)
            try:
                if consumer is not None:
                    consumer.commit(settled)
            except Transient as fault:  # they come again
                log.warning("commit-failed", stage=self._stage, reason=fault.detail)
            self._telemetry.add("lipsol_messages_handled_total", len(settled), stage=self._stage)
            self._settled()

    def _settle(self, messages: Sequence[Message]) -> tuple[Sequence[Message], list[Outgoing]]:
        """The messages that are done for, and what to publish for them; fewer than given when stopped midway."""
        taken, now = [Taken.of(message) for message in messages], self._clock.now()
        for one in taken:
            waited_s, trace_id = max(0.0, now - one.message.timestamp), one.trace.trace_id
            self._telemetry.observe("lipsol_message_wait_seconds", waited_s, stage=self._stage, trace_id=trace_id)
        useless = [(one, why) for one in taken if (why := one.useless(now))]
        together = self._try_together([one for one in taken if not one.useless(now)])
        if together is not None:
            return messages, together + [out for one, why in useless for out in self._bury(one, why, 0)]
        outgoing: list[Outgoing] = []
        for done, one in enumerate(taken):
            caused = self._settle_one(one)
            if caused is None:
                return messages[:done], outgoing
            outgoing += caused
        return messages, outgoing

    def _try_together(self, taken: Sequence[Taken]) -> list[Outgoing] | None:
        """What came of all at once; None where each must be tried alone."""
        if len(taken) < 2:
            return None
        try:
            return self._handled(taken, 1)
        except Exception as fault:  # noqa: BLE001 - whatever it is, each message alone will tell
            log.info("batch-failed", stage=self._stage, messages=len(taken), fault=type(fault).__name__)
            return None

    def _settle_one(self, one: Taken) -> list[Outgoing] | None:
        """What to publish for a message: its results, or its dead letter; None when stopped before either."""
        for attempt in range(1, self._attempts + 1):
            if why := one.useless(self._clock.now()):
                return self._bury(one, why, attempt - 1)
            try:
                return self._handled([one], attempt)
            except Exception as fault:
                self._telemetry.add("lipsol_messages_failed_total", stage=self._stage, reason=reason_of(fault))
                if kind_of(fault) != "exhausted" or attempt == self._attempts:
                    return self._bury(one, fault, attempt)
                with following(one.trace):
                    log.warning("handler-failed", stage=self._stage, attempt=attempt, exc_info=unforeseen(fault))
                if self._clock.wait(self._stopping, _backoff(attempt, fault)):
                    return None
        return None

    def _handled(self, taken: Sequence[Taken], attempt: int) -> list[Outgoing]:
        events = [one.event for one in taken if one.event is not None]
        traces = {subject(one.event): one.trace for one in taken if one.event is not None}
        alone = taken[0].trace if len(taken) == 1 else None
        step = following(alone) if alone else nullcontext()
        told = {"stage": self._stage, "trace_id": alone.trace_id if alone else ""}
        with step, handling(traces), self._telemetry.timed("lipsol_handle_seconds", **told):
            self._places([one.message for one in taken if one.event is not None])
            results = self._handle(events)
            now = self._clock.now()
            return [wrap(result, self._stage, now, traces.get(subject(result)), attempts=attempt) for result in results]

    def _bury(self, one: Taken, fault: Exception, attempts: int) -> list[Outgoing]:
        """The dead letter for a message, and a line in the log."""
        message, kind = one.message, kind_of(fault)
        if self._group is None:
            log.warning("passed-over", stage=self._stage, topic=message.topic, kind=kind, trace_id=one.trace.trace_id)
            return []
        self._telemetry.add("lipsol_dead_letters_total", stage=self._stage, reason=kind)
        if kind == "too-late" and not attempts:  # where work was begun, whoever gave it up counts it
            self._telemetry.add("lipsol_abandoned_total", stage=self._stage, reason=kind)
        log.error(
            "dead-letter",
            stage=self._stage,
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            kind=kind,
            attempts=attempts,
            trace_id=one.trace.trace_id,
            exc_info=unforeseen(fault),
        )
        if message.topic == DEAD_LETTERS.name:
            return []
        return [dead_letter(one, fault, self._stage, attempts, self._clock.now())]

    def _publish(self, outgoing: Sequence[Outgoing]) -> bool:
        """Publish all, waiting for as long as the bus is full or away; False when stopped before it took them."""
        while True:
            try:
                self._bus.publish_all(outgoing)
            except Closed:
                raise
            except (Transient, NotFound) as fault:
                if self._stumble(fault):
                    return False
            else:
                self._fare_well()
                return True

    def _stumble(self, fault: Exception) -> bool:
        """Say what is wrong, once for each reason, and wait, longer each time; whether told to stop meanwhile."""
        said = str(fault) if isinstance(fault, LipsolError) else f"{self._stage} failed ({type(fault).__name__})"
        if said != self._said:
            log.warning("worker-waits", stage=self._stage, reason=said, exc_info=unforeseen(fault))
        self._said = said
        self._fault = None if isinstance(fault, Busy) else said  # who is only held up will go on
        self._tried.set()
        self._stumbles += 1
        return self._clock.wait(self._stopping, _backoff(self._stumbles, fault))

    def _fare_well(self) -> None:
        if self._stumbles:
            log.info("worker-goes-on", stage=self._stage, stumbles=self._stumbles)
        self._fault, self._said, self._stumbles = None, "", 0

    def _look_at_lag(self, consumer: Consumer) -> None:
        now = self._clock.monotonic()
        if now - self._lag_seen_at >= LAG_EVERY_S:
            self._lag_seen_at = now
            with suppress(Transient):  # the next poll tells of it
                self._telemetry.set("lipsol_queue_lag_messages", consumer.lag(), stage=self._stage)


def _backoff(attempt: int, fault: Exception) -> float:
    asked = fault.retry_after_s if isinstance(fault, Busy) else 0.0
    return max(asked, min(BACKOFF_MAX_S, BACKOFF_S * 2.0 ** min(attempt - 1, 10)))
