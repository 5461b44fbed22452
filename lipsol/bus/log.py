"""One topic of the memory bus: its messages, and how far each group has come. No locks here: the bus holds one.

What is kept: a message stays until every group has committed it, or until its retention is over. A topic that no
group reads keeps its newest `capacity` messages, for the group that comes late. So memory is bounded: by `capacity`
messages that the slowest group has not committed, above which the topic is full.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import islice
from zlib import crc32

from lipsol.bus.port import Message, Start
from lipsol.topics import Topic


class Partition:
    """Messages in order; their offsets follow each other without a gap."""

    def __init__(self) -> None:
        self.messages: deque[Message] = deque()
        self.end = 0  # offset that the next message gets

    @property
    def start(self) -> int:
        """Offset of the oldest message that is kept."""
        return self.end - len(self.messages)

    def drop_below(self, offset: int) -> None:
        """Forget what lies before an offset."""
        while self.messages and self.start < offset:
            self.messages.popleft()


class Group:
    """How far one group has come in one topic, and which of its members holds which partition.

    A partition stays with its holder while something that it polled is not committed: see the port's law.
    """

    def __init__(self, committed: Sequence[int]) -> None:
        self.committed = list(committed)
        self.position = list(committed)  # next offset to hand out; committed <= position
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

    def __init__(self, topic: Topic, capacity: int) -> None:
        self.topic = topic
        self._capacity = capacity
        self._partitions = [Partition() for _ in range(topic.partitions)]
        self._groups: dict[str, Group] = {}
        self._turn = 0  # partition that the next reader begins with, so that none starves

    def append(self, key: str, value: bytes, headers: Mapping[str, str], now: float) -> None:
        """Put a message at the end of its key's partition."""
        number = crc32(key.encode()) % len(self._partitions)
        partition = self._partitions[number]
        partition.messages.append(Message(self.topic.name, key, value, dict(headers), number, partition.end, now))
        partition.end += 1
        self._keep_newest()

    def backlog(self) -> int:
        """How many messages the slowest group has not committed; 0 where no group reads."""
        return max((sum(self._behind(group)) for group in self._groups.values()), default=0)

    def kept(self) -> int:
        """How many messages are held."""
        return sum(len(partition.messages) for partition in self._partitions)

    def join(self, name: str, member: object, start: Start) -> None:
        """Take a member into a group; a group that is new begins at `start`."""
        if name not in self._groups:
            self._groups[name] = Group([p.start if start == "earliest" else p.end for p in self._partitions])
        self._groups[name].join(member)

    def leave(self, name: str, member: object, *, forget: bool) -> None:
        """Let a member go; `forget` the group with it."""
        self._groups[name].leave(member)
        if forget:
            del self._groups[name]
            self._drop_done()

    def take(self, name: str, member: object, at_most: int) -> list[Message]:
        """What is next for the member, in order of its partitions' own."""
        group, taken = self._groups[name], list[Message]()
        for step in range(len(self._partitions)):
            number = (self._turn + step) % len(self._partitions)
            if not group.may_read(member, number):
                continue
            partition, begin = self._partitions[number], group.position[number]
            skip = begin - partition.start
            found = list(islice(partition.messages, skip, skip + at_most - len(taken)))
            group.position[number] += len(found)
            taken += found
            if len(taken) == at_most:
                break
        self._turn += 1
        return taken

    def replay(self, before: str | None) -> list[Message]:
        """What is kept; `before`: only what that group has committed (nothing, if there is no such group)."""
        group = self._groups.get(before) if before is not None else None
        if before is not None and group is None:
            return []
        ends = group.committed if group else [partition.end for partition in self._partitions]
        return [m for p, end in zip(self._partitions, ends, strict=True) for m in p.messages if m.offset < end]

    def commit(self, name: str, member: object, messages: Sequence[Message]) -> None:
        """Mark messages as done and forget what every group is done with."""
        for message in messages:
            self._groups[name].commit(member, message.partition, message.offset)
        self._drop_done()

    def lag(self, name: str, member: object) -> int:
        """Messages that the group has not committed, in partitions that the member holds."""
        group = self._groups[name]
        return sum(n for n, holder in zip(self._behind(group), group.holders, strict=True) if holder is member)

    def expire(self, now: float) -> None:
        """Forget what is beyond the topic's retention, read or not."""
        for number, partition in enumerate(self._partitions):
            while partition.messages and partition.messages[0].timestamp < now - self.topic.retention_s:
                partition.messages.popleft()
            for group in self._groups.values():
                group.skip_to(number, partition.start)

    def _behind(self, group: Group) -> list[int]:
        return [p.end - done for p, done in zip(self._partitions, group.committed, strict=True)]

    def _drop_done(self) -> None:
        if not self._groups:
            return
        for number, partition in enumerate(self._partitions):
            partition.drop_below(min(group.committed[number] for group in self._groups.values()))

    def _keep_newest(self) -> None:
        while not self._groups and self.kept() > self._capacity:
            oldest = min((p for p in self._partitions if p.messages), key=lambda p: p.messages[0].timestamp)
            oldest.messages.popleft()
