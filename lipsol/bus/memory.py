"""The bus inside one process: a real adapter of the port, held to the same suite as the others.

Nothing outlives the process, and it is never away. A topic is full, and says Busy, when its slowest group has
`capacity` messages that it has not committed; `lipsol.bus.log` says what is kept, and for how long.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from threading import Condition

from lipsol.bus.log import Bounds, TopicLog
from lipsol.bus.port import NOWHERE, Closed, Message, Outgoing, Places, Start, check_size
from lipsol.errors import BadInput, Busy, NotFound
from lipsol.topics import TOPICS, Topic


class MemoryBus:
    """Topics in memory, shared by the threads of one process.

    capacity       messages that a topic's slowest group may be behind
    now            what the time is, Unix seconds
    history        messages of a topic that are kept, to be replayed, when every group is done with them
    history_bytes  bytes of their values that are, whichever is reached first
    """

    def __init__(
        self,
        topics: Iterable[Topic] = tuple(TOPICS.values()),
        capacity: int = 1024,
        now: Callable[[], float] = time.time,
        *,
        history: int = 4096,
        history_bytes: int = 32 << 20,
    ) -> None:
        if capacity < 1:
            raise BadInput(f"a memory bus for {capacity} messages", "give it room for one at least")
        self._capacity = capacity
        self._now = now
        bounds = Bounds(capacity, history, history_bytes)
        self._logs = {topic.name: TopicLog(topic, bounds) for topic in topics}
        self._changed = Condition()  # guards everything here and in the consumers
        self._consumers: list[MemoryConsumer] = []
        self._listeners = count()
        self._closed = False

    def publish(self, topic: str, key: str, value: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.publish_all([Outgoing(topic, key, value, headers or {})])

    def publish_all(self, messages: Sequence[Outgoing]) -> None:
        """As the port says; and all or none: where one topic is full, nothing is taken."""
        with self._changed:
            self._check_open()
            now = self._now()
            for name in {message.topic for message in messages}:
                self._check_room(name, sum(message.topic == name for message in messages), now)
            for message in messages:
                check_size(message)
            for message in messages:
                self._logs[message.topic].append(message.key, message.value, message.headers, now)
            self._changed.notify_all()

    def consumer(self, topics: Sequence[str], group: str | None, *, start: Start = "earliest") -> "MemoryConsumer":
        with self._changed:
            self._check_open()
            if not topics:
                raise BadInput("a consumer of no topic", "name one at least")
            logs = [self._log(name) for name in dict.fromkeys(topics)]
            name = f" listener {next(self._listeners)}" if group is None else group
            for log in logs:
                log.expire(self._now())
            consumer = MemoryConsumer(self._changed, self._now, logs, name, start, listens=group is None)
            self._consumers = [*(held for held in self._consumers if not held.closed), consumer]
            return consumer

    def replay(
        self, topics: Sequence[str], since: float = 0.0, *, before: str | None = None, after: Places = NOWHERE
    ) -> Iterator[Message]:
        with self._changed:
            self._check_open()
            logs = [self._log(name) for name in dict.fromkeys(topics)]
            for log in logs:
                log.expire(self._now())
            kept = [message for log in logs for message in log.replay(before)]
        told = (m for m in kept if m.timestamp >= since and m.offset > after.get((m.topic, m.partition), -1))
        return iter(list(told))

    def close(self) -> None:
        with self._changed:
            for consumer in self._consumers:
                consumer.close()
            self._consumers.clear()
            self._closed = True
            self._logs.clear()

    def kept(self, topic: str) -> int:
        """How many messages of a topic are held in memory. Raises NotFound."""
        with self._changed:
            return self._log(topic).kept()

    def _check_open(self) -> None:
        if self._closed:
            raise Closed("the memory bus is closed", "open another")

    def _check_room(self, name: str, coming: int, now: float) -> None:
        log = self._log(name)
        log.expire(now)
        behind = log.backlog()
        if behind and behind + coming > self._capacity:
            raise Busy(
                f"topic {name} holds {behind} messages that wait and {coming} more would pass {self._capacity}",
                "send more slowly, or raise LIPSOL_BUS__CAPACITY",
            )

    def _log(self, name: str) -> TopicLog:
        if name not in self._logs:
            raise NotFound(f"no topic {name!r}", f"known are {', '.join(sorted(self._logs))}")
        return self._logs[name]


class MemoryConsumer:
    """A member of a group on the memory bus; made by `MemoryBus.consumer`."""

    def __init__(
        self,
        changed: Condition,
        now: Callable[[], float],
        logs: Sequence[TopicLog],
        group: str,
        start: Start,
        *,
        listens: bool,
    ) -> None:
        self._changed = changed  # the bus's own: one lock for all
        self._now = now
        self._logs = {log.topic.name: log for log in logs}
        self._group = group
        self._listens = listens
        self._turn = 0  # topic that the next poll begins with, so that none starves
        self._paused = self._woken = self.closed = False
        for log in logs:
            log.join(group, self, start)
        self._changed.notify_all()

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        until = time.monotonic() + timeout_s
        with self._changed:
            while True:
                if self.closed:
                    raise Closed(f"a consumer of group {self._group!r} is closed", "make another")
                found = self._next(max_messages)
                left = until - time.monotonic()
                if found or self._woken or left <= 0:
                    self._woken = False
                    return found
                self._changed.wait(left)

    def commit(self, messages: Sequence[Message]) -> None:
        with self._changed:
            if self.closed:
                return  # its partitions have new holders already
            for name, log in self._logs.items():
                log.commit(self._group, self, [message for message in messages if message.topic == name])
            self._changed.notify_all()

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
        with self._changed:
            return 0 if self.closed else sum(log.lag(self._group, self) for log in self._logs.values())

    def close(self) -> None:
        with self._changed:
            if self.closed:
                return
            self.closed = True
            for log in self._logs.values():
                log.leave(self._group, self, forget=self._listens)
            self._changed.notify_all()

    def _next(self, max_messages: int) -> list[Message]:
        found: list[Message] = []
        if self._paused or self._woken:
            return found
        now, logs = self._now(), list(self._logs.values())
        self._turn = (self._turn + 1) % len(logs)
        for log in logs[self._turn :] + logs[: self._turn]:
            log.expire(now)
            found += log.take(self._group, self, max_messages - len(found))
        return found
