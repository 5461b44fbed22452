"""A consumer on Kafka: one client thread that fetches, and keeps its place in the group however slow the caller is.

- The client thread polls all the time. When the buffer is full it pauses its partitions and polls on, so that the
  broker never takes a slow handler for a dead one, and memory stays bounded.
- Handover: partitions that the group moves elsewhere give nothing more from then on, but the group waits, for
  `handover_s` at most, until what the caller has of them is committed. What is still in hand then, or was held by
  one whose session ended, is repeated by the new holder, and a commit for it is passed over.
- A broker that is away is waited for. A commit that does not get through is tried again, as long as the place is ours.
- The listener (group None) holds all partitions itself, and commits nothing.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from threading import Condition, Lock, Thread
from typing import Any

import structlog

from lipsol.bus.kafka_client import (
    AsyncConsumerRebalanceListener,
    CommitFailedError,
    CooperativeStickyAssignor,
    KafkaConsumer,
    KafkaError,
    Link,
    OffsetAndMetadata,
    RebalanceInProgressError,
    RetriableError,
    TopicPartition,
    away,
    message,
    opened,
    refusal,
    told,
)
from lipsol.bus.kafka_intake import Intake, Place
from lipsol.bus.port import Closed, Message, Start
from lipsol.errors import Transient

POLL_MS, POLL_FULL_MS = 500, 20  # that the client thread waits in one poll, and in one while the buffer is full
LOOK_UP_MS = 1500  # that finding a partition's place may hold up the next fetch; it may wait for one itself
FETCH_WAIT_MS = 500  # that the broker holds back the answer to a fetch for which it has nothing
HEARTBEATS = 10  # within a session: a member hears of a rebalance with the next one
SPARE_S = 30.0  # between the longest handover and being taken for dead
COMMIT_MS = 1000  # that one try of a commit takes at most while partitions change hands
RETRY_S = 0.05  # between two tries of a commit, or two looks at what is in hand
MEND_S = 1.0  # between two tries of a client that failed
PROBE_S = 3.0  # without a message, after which the broker is asked whether it is there
CLOSE_S = 5.0  # that leaving may take, of a broker that does not answer

log = structlog.get_logger()


class KafkaBusConsumer:
    """A member of a group, or a listener; made by `KafkaBus.consumer`."""

    def __init__(
        self, link: Link, topics: Sequence[str], partitions: Sequence[TopicPartition], group: str | None, start: Start
    ) -> None:
        self._link, self._topics, self._partitions, self._group = link, tuple(topics), tuple(partitions), group
        self._intake = Intake(link.buffer, link.buffer_bytes)
        self._changed = Condition()  # guards the intake and the flags
        self._committing = Lock()  # one commit at a time, so that an older one can't come after a newer
        self._paused = self._woken = self.closed = False
        self._fault: Transient | None = None  # why nothing comes, while nothing comes
        self._answered_at = time.monotonic()
        with told(link):
            self._client = self._open(start)
        self._thread = Thread(target=self._run, name=f"kafka-{group or 'listener'}", daemon=True)
        self._thread.start()

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        until = time.monotonic() + timeout_s
        with self._changed:
            while True:
                if self.closed:
                    raise Closed(f"a consumer of group {self._group!r} is closed", "make another")
                found = [] if self._paused or self._woken else self._intake.take(max_messages)
                if found or self._woken:
                    self._woken = False
                    return found
                if self._fault is not None and not self._paused:
                    raise self._fault
                left = until - time.monotonic()
                if left <= 0:
                    return found
                self._changed.wait(left)

    def commit(self, messages: Sequence[Message]) -> None:
        """As the port says. On return the broker has it, or will have it before the partitions can move: while a group
        is being rebalanced no broker takes a commit. Raises Transient when it is away; it is tried again by itself.
        """
        until = time.monotonic() + self._link.connect_s
        with self._changed:
            concerned = [] if self.closed else self._intake.done(messages)
        while concerned:
            try:
                self._commit_due(until - time.monotonic())
            except (CommitFailedError, RebalanceInProgressError):
                return
            except RetriableError as fault:
                if time.monotonic() >= until:
                    raise away(self._link, fault) from fault
                time.sleep(RETRY_S)
            except KafkaError as fault:
                raise refusal(self._link, fault) from fault
            with self._changed:
                due = self._intake.due()
                concerned = [] if self.closed else [place for place in concerned if place in due]

    def pause(self) -> None:
        with self._changed:
            self._paused = True

    def resume(self) -> None:
        with self._changed:
            self._paused = False
            self._changed.notify_all()

    def wake(self) -> None:
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def lag(self) -> int:
        """As the port says. Raises Transient when the broker is away."""
        with self._changed:
            held = [] if self.closed else sorted(self._intake.held)
            client = self._client
        if not held:
            return 0
        with told(self._link):
            ends = client.end_offsets([self._partition(place) for place in held], timeout_ms=self._connect_ms)
        with self._changed:
            return self._intake.lag({self._place(partition): end for partition, end in ends.items()})

    def close(self) -> None:
        self.let_go()
        self._thread.join(CLOSE_S * 2)

    def let_go(self) -> None:
        """Begin to close; `close` waits for its end."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    @property
    def _connect_ms(self) -> int:
        return int(self._link.connect_s * 1000)

    def _place(self, partition: TopicPartition) -> Place:
        return Place(self._link.topic(partition.topic), partition.partition)

    def _partition(self, place: Place) -> TopicPartition:
        return TopicPartition(self._link.name(place.topic), place.partition)

    # The client thread: all below runs there, but for `_commit_due` and what Handover calls.

    def _run(self) -> None:
        while not self.closed:
            try:
                self._turn()
            except RetriableError as fault:
                self._fail(away(self._link, fault))
            except KafkaError as fault:
                self._fail(refusal(self._link, fault))
            except Exception as fault:  # the client itself broke: a new one takes over
                if not self.closed:
                    log.exception("kafka-client-broke", group=self._group)
                    self._fail(Transient(f"the Kafka client broke ({type(fault).__name__})", "it is made anew"))
                    self._reopen()
        self._leave()

    def _turn(self) -> None:
        """Fetch once."""
        with self._changed:
            full, low, room = self._intake.full, self._intake.low, self._intake.room
        if full:
            self._client.pause(*self._client.assignment())
        elif low and self._client.paused():
            self._client.resume(*self._client.paused())
        paused = bool(self._client.paused())
        records = self._client.poll(timeout_ms=POLL_FULL_MS if paused else POLL_MS, max_records=room)
        with self._changed:
            self._intake.put(message(self._link, record) for found in records.values() for record in found)
            unknown, due = self._intake.unknown, self._intake.due()
            if records:
                self._well()
                self._changed.notify_all()
        if unknown:
            self._look_up(unknown)
        if due and not self._committing.locked():
            with suppress(CommitFailedError, RebalanceInProgressError):
                self._commit_due(self._link.connect_s)
        if time.monotonic() - self._answered_at > PROBE_S:
            self._client.end_offsets(self._partitions[:1], timeout_ms=int(self._link.connect_s * 1000))
            with self._changed:
                self._well()

    def _look_up(self, places: Iterable[Place]) -> None:
        """Learn how far the group has come in places that we got."""
        offsets = {}
        for place in places:
            if self._partition(place) in self._client.assignment():
                with suppress(RetriableError):  # the next turn looks again
                    offsets[place] = self._client.position(self._partition(place), timeout_ms=LOOK_UP_MS)
        with self._changed:
            self._intake.learn({place: offset for place, offset in offsets.items() if offset is not None})

    def _commit_due(self, timeout_s: float) -> None:
        """Commit what is done. Raises KafkaError."""
        with self._committing:
            offsets, client = self.due(), self._client
            if offsets and self._group is not None:
                client.commit(offsets, timeout_ms=max(1, int(timeout_s * 1000)))
            self.committed(offsets)

    def _well(self) -> None:
        self._fault, self._answered_at = None, time.monotonic()

    def _fail(self, fault: Transient) -> None:
        """Tell the caller, and wait a moment."""
        with self._changed:
            self._fault = fault
            self._changed.notify_all()
            self._changed.wait_for(lambda: self.closed, MEND_S)

    def _open(self, start: Start) -> Any:
        client: Any = opened(
            KafkaConsumer,
            **self._link.options(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=FETCH_WAIT_MS,
            fetch_max_bytes=self._link.buffer_bytes // 2,  # one such answer waits behind the buffer
            request_timeout_ms=max(self._connect_ms, 2 * FETCH_WAIT_MS),
            metrics_enabled=False,
            **(self._membership() if self._group is not None else {}),
        )
        try:
            if self._group is None:
                self._listen(client, start)
            else:
                self._join(client, start)
        except BaseException:
            client.close(autocommit=False, timeout_ms=self._connect_ms)
            raise
        return client

    def _membership(self) -> dict[str, Any]:
        self._assignor = CooperativeStickyAssignor()
        return {
            "group_id": self._link.name(self._group or ""),
            "session_timeout_ms": int(self._link.session_s * 1000),
            "heartbeat_interval_ms": int(self._link.session_s * 1000 / HEARTBEATS),
            "max_poll_interval_ms": int((self._link.handover_s + SPARE_S) * 1000),
            "partition_assignment_strategy": [self._assignor],
        }

    def _listen(self, client: Any, start: Start) -> None:
        """Hold all partitions, from `start` or from where we were."""
        client.assign(list(self._partitions))
        find = client.end_offsets if start == "latest" else client.beginning_offsets
        begin = {self._place(p): offset for p, offset in find(list(self._partitions), self._connect_ms).items()}
        with self._changed:
            places = {**begin, **self._intake.next()}
            if not self._intake.held:
                self._intake.hold(places)
                self._intake.learn(places)
        for place, offset in places.items():
            client.seek(self._partition(place), offset)

    def _join(self, client: Any, start: Start) -> None:
        """Ask to be a member. A group that is new and wants to begin at the end commits that end first, as otherwise
        what is published before it has its partitions would be behind it.
        """
        if start == "latest":
            self._begin_at_the_end(client)
        names = [self._link.name(topic) for topic in self._topics]
        client.subscribe(names, listener=Handover(self, client, self._assignor))
        client.end_offsets(list(self._partitions), self._connect_ms)  # or it might share out topics it knows nothing of

    def _begin_at_the_end(self, client: Any) -> None:
        """Commit the end of each partition of which the group has committed nothing."""
        client.assign(list(self._partitions))
        fresh = [p for p in self._partitions if client.committed(p, False, self._connect_ms) is None]
        if fresh:
            ends = client.end_offsets(fresh, self._connect_ms)
            offsets = {partition: OffsetAndMetadata(end, "", -1) for partition, end in ends.items()}
            client.commit(offsets, self._connect_ms)
        client.unsubscribe()

    def _reopen(self) -> None:
        old = self._client
        with suppress(Exception):
            old.close(autocommit=False, timeout_ms=self._connect_ms)
        if self._group is not None:
            self.lose(self._intake.held)
        while not self.closed:
            try:
                self._client = self._open("earliest")
            except Exception as fault:  # noqa: BLE001 - whatever it is, we stay and try again
                self._fail(away(self._link, fault))
            else:
                return

    def _leave(self) -> None:
        """Commit what is done, and leave the group."""
        until = time.monotonic() + CLOSE_S / 2
        while self.due() and time.monotonic() < until:
            with suppress(Exception):
                self._commit_due(until - time.monotonic())
                break
            with suppress(Exception):
                self._client.poll(timeout_ms=POLL_FULL_MS, max_records=1)  # the group may have to settle first
        with suppress(Exception):
            self._client.close(autocommit=False, timeout_ms=int(CLOSE_S * 1000 / 2))
        with self._changed:
            self._intake.release(self._intake.held)

    # What the group decides; called by Handover, in kafka-python's own thread while the client thread polls.

    @property
    def handover_s(self) -> float:
        """How long the group waits for what is in hand."""
        return self._link.handover_s

    def places(self, partitions: Iterable[TopicPartition]) -> list[Place]:
        """What the broker calls partitions, as places."""
        return [self._place(partition) for partition in partitions]

    def win(self, places: Iterable[Place]) -> None:
        """These are ours now."""
        with self._changed:
            self._intake.hold(places)

    def withdraw(self, places: Iterable[Place]) -> None:
        """These will be another's: hand out nothing more of them."""
        with self._changed:
            self._intake.withdraw(places)

    def wanted(self, places: Iterable[Place]) -> bool:
        """Whether the caller still works on something of these."""
        with self._changed:
            return not self.closed and self._intake.in_hand(places)

    def due(self) -> dict[TopicPartition, Any]:
        """What is to be committed, as Kafka says it."""
        with self._changed:
            due = self._intake.due()
        return {self._partition(place): OffsetAndMetadata(offset, "", -1) for place, offset in due.items()}

    def committed(self, offsets: Mapping[TopicPartition, Any]) -> None:
        """So far is committed."""
        with self._changed:
            self._intake.learn({self._place(partition): done.offset for partition, done in offsets.items()})

    def lose(self, places: Iterable[Place]) -> None:
        """These are ours no longer."""
        with self._changed:
            self._intake.release(places)


class Handover(AsyncConsumerRebalanceListener):  # type: ignore[misc]
    """Hears from the group which partitions come and go. While it waits, heartbeats and commits go on.

    It runs in kafka-python's own loop, where only what is behind `_net` and `_coordinator` can wait.
    """

    def __init__(self, member: KafkaBusConsumer, client: Any, assignor: Any) -> None:
        self._member, self._client, self._assignor = member, client, assignor

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._member.win(self._member.places(assigned))

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        places = self._member.places(revoked)
        self._member.withdraw(places)
        until = time.monotonic() + self._member.handover_s
        while True:
            with suppress(KafkaError):
                offsets = self._member.due()
                await self._client._coordinator._commit_offsets_sync_async(offsets, COMMIT_MS)
                self._member.committed(offsets)
            if not self._member.wanted(places) or time.monotonic() > until:
                break
            await self._client._net.sleep(RETRY_S)
        self._member.lose(places)

    async def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        self._assignor.member_assignment = None  # or it would go on to claim them
        self._member.lose(self._member.places(lost))
