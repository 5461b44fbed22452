"""One topic of the memory bus: its messages, and how far each group has come. No locks here: the bus holds one.

What is kept: a message that a group has not committed stays until it has, or until the topic's retention is over.
What no group needs any more is history, told again by `replay` and to groups that come late: the newest of it stays,
within `Bounds`; of a compacted topic, the newest value of each key, for ever. So memory is bounded: by history, and
by the `capacity` messages that the slowest group has not committed, above which the topic is full.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, dropwhile, islice
from zlib import crc32

from lipsol.bus.port import Message, Start
from lipsol.topics import Topic


@dataclass(frozen=True)
class Bounds:
    """How much one topic may hold.

    capacity       messages that the slowest group may be behind; as many are kept for a first group to come
    history        messages that no group needs any more
    history_bytes  bytes of their values
    """

    capacity: int
    history: int
    history_bytes: int


class Partition:
    """Messages in order. `needed` are those that some group has not committed, `history` what came before them.

    Offsets grow; where a compacted topic has let older values go there are gaps.
    """

    def __init__(self, *, compacted: bool) -> None:
        self.history: deque[Message] = deque()
        self.needed: deque[Message] = deque()
        self.end = 0  # offset that the next message gets
        self.history_bytes = 0
        self._compacted = compacted

    @property
    def start(self) -> int:
        """Offset of the oldest message that is kept."""
        oldest = self.oldest()
        return oldest.offset if oldest else self.end

    def oldest(self) -> Message | None:
        """The oldest message that is kept."""
        return next(self.all(), None)

    def all(self) -> Iterator[Message]:
        """Everything that is kept."""
        return chain(self.history, self.needed)

    def since(self, offset: int) -> Iterator[Message]:
        """What some group has not committed, from an offset on."""
        return dropwhile(lambda message: message.offset < offset, self.needed)

    def append(self, message: Message) -> None:
        """Take the message that comes next."""
        self.needed.append(message)
        self.end = message.offset + 1

    def need_from(self, offset: int) -> None:
        """Nobody needs what lies before an offset; somebody needs what lies behind it."""
        moved = False
        while self.needed and self.needed[0].offset < offset:
            message = self.needed.popleft()
            self.history.append(message)
            self.history_bytes += len(message.value)
            moved = True
        while self.history and self.history[-1].offset >= offset:
            message = self.history.pop()
            self.needed.appendleft(message)
            self.history_bytes -= len(message.value)
        if moved and self._compacted:
            self._compact()

    def forget_oldest(self) -> None:
        """Let go of the oldest message that is kept."""
        if self.history:
            self.history_bytes -= len(self.history.popleft().value)
        else:
            self.needed.popleft()

    def _compact(self) -> None:
        newest = {message.key: message for message in self.history}
        self.history = deque(sorted(newest.values(), key=lambda message: message.offset))
        self.history_bytes = sum(len(message.value) for message in self.history)


class Group:
    """How far one group has come in one topic, and which of its members holds which partition.

    A partition stays with its holder while something that it polled is not committed: see the port's law.
    """

    def __init__(self, committed: Sequence[int], ends: Sequence[int]) -> None:
        self.committed = list(committed)
        self.position = list(committed)  # next offset to hand out; committed <= position
        self.found = list(ends)  # where the partitions ended when it came; what it found there fills no topic
        self.members: list[object] = []
        self.holders: list[object | None] = [None] * len(self.committed)

    def join(self, member: object) -> None:
        """Take a member in."""
        self.members.append(member)
        self._share_out()

    def leave(self, member: object) -> None:
        """Let a member go; what it polled and did not commit is handed out again."""
        self.members.remove(member)
        for number, holder in enumerate(self.holders):
            if holder is member:
                self.holders[number] = None
                self.position[number] = self.committed[number]
        self._share_out()

    def commit(self, member: object, partition: int, offset: int) -> None:
        """Everything up to and with this offset is done, if the member holds the partition and was given it."""
        if self.holders[partition] is member and self.committed[partition] <= offset < self.position[partition]:
            self.committed[partition] = offset + 1
            self._share_out()

    def skip_to(self, partition: int, offset: int) -> None:
        """What lies before the offset is no longer kept."""
        self.committed[partition] = max(self.committed[partition], offset)
        self.position[partition] = max(self.position[partition], offset)

    def may_read(self, member: object, partition: int) -> bool:
        """Whether the member holds the partition and is to keep it."""
        return self.holders[partition] is member and self._wanted(partition) is member

    def _wanted(self, partition: int) -> object | None:
        return self.members[partition % len(self.members)] if self.members else None

    def _share_out(self) -> None:
        for number, holder in enumerate(self.holders):
            if holder is None or self.position[number] == self.committed[number]:
                self.holders[number] = self._wanted(number)


class TopicLog:
    """One topic's messages and groups."""

    def __init__(self, topic: Topic, bounds: Bounds) -> None:
        self.topic = topic
        self._bounds = bounds
        self._partitions = [Partition(compacted=topic.compacted) for _ in range(topic.partitions)]
        self._groups: dict[str, Group] = {}
        self._turn = 0  # partition that the next reader begins with, so that none starves

    def append(self, key: str, value: bytes, headers: Mapping[str, str], now: float) -> None:
        """Put a message at the end of its key's partition."""
        number = crc32(key.encode()) % len(self._partitions)
        partition = self._partitions[number]
        partition.append(Message(self.topic.name, key, value, dict(headers), number, partition.end, now))
        if not self._groups:
            self._tidy()

    def backlog(self) -> int:
        """How many messages the slowest group has not committed of those that came after it; 0 where no group reads."""
        return max(
            (sum(self._behind(map(max, group.committed, group.found))) for group in self._groups.values()), default=0
        )

    def kept(self) -> int:
        """How many messages are held."""
        return sum(len(partition.history) + len(partition.needed) for partition in self._partitions)

    def join(self, name: str, member: object, start: Start) -> None:
        """Take a member into a group; a group that is new begins at `start`."""
        if name not in self._groups:
            ends = [partition.end for partition in self._partitions]
            begins = [partition.start for partition in self._partitions] if start == "earliest" else ends
            self._groups[name] = Group(begins, ends)
            self._tidy()
        self._groups[name].join(member)

    def leave(self, name: str, member: object, *, forget: bool) -> None:
        """Let a member go; `forget` the group with it."""
        self._groups[name].leave(member)
        if forget:
            del self._groups[name]
            self._tidy()

    def take(self, name: str, member: object, at_most: int) -> list[Message]:
        """What is next for the member, in order of its partitions' own."""
        group, taken = self._groups[name], list[Message]()
        for step in range(len(self._partitions)):
            number = (self._turn + step) % len(self._partitions)
            if len(taken) == at_most:
                break
            if group.may_read(member, number):
                found = list(islice(self._partitions[number].since(group.position[number]), at_most - len(taken)))
                group.position[number] = found[-1].offset + 1 if found else group.position[number]
                taken += found
        self._turn += 1
        return taken

    def replay(self, before: str | None) -> list[Message]:
        """What is kept; `before`: only what that group has committed (nothing, if there is no such group)."""
        group = self._groups.get(before) if before is not None else None
        if before is not None and group is None:
            return []
        ends = group.committed if group else [partition.end for partition in self._partitions]
        return [m for p, end in zip(self._partitions, ends, strict=True) for m in p.all() if m.offset < end]

    def commit(self, name: str, member: object, messages: Sequence[Message]) -> None:
        """Mark messages as done; what every group is done with is history."""
        for message in messages:
            self._groups[name].commit(member, message.partition, message.offset)
        self._tidy()

    def lag(self, name: str, member: object) -> int:
        """Messages that the group has not committed, in partitions that the member holds."""
        group = self._groups[name]
        behind = self._behind(group.committed)
        return sum(n for n, holder in zip(behind, group.holders, strict=True) if holder is member)

    def expire(self, now: float) -> None:
        """Forget what is beyond the topic's retention, read or not; a compacted topic forgets nothing so."""
        if self.topic.compacted:
            return
        for number, partition in enumerate(self._partitions):
            while (oldest := partition.oldest()) and oldest.timestamp < now - self.topic.retention_s:
                partition.forget_oldest()
                for group in self._groups.values():
                    group.skip_to(number, oldest.offset + 1)

    def _behind(self, offsets: Iterable[int]) -> list[int]:
        return [partition.end - offset for partition, offset in zip(self._partitions, offsets, strict=True)]

    def _tidy(self) -> None:
        """Tell history from what is needed, and keep it within its bounds."""
        for number, partition in enumerate(self._partitions):
            partition.need_from(
                min((group.committed[number] for group in self._groups.values()), default=partition.end)
            )
        if self.topic.compacted:
            return
        bounds = self._bounds
        most = bounds.history if self._groups else max(bounds.history, bounds.capacity)
        while True:
            held = [partition for partition in self._partitions if partition.history]
            count, size = sum(len(p.history) for p in held), sum(p.history_bytes for p in held)
            if count <= most and size <= bounds.history_bytes:
                return
            min(held, key=lambda p: p.history[0].timestamp).forget_oldest()
