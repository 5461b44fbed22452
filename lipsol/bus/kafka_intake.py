"""What lies between a Kafka client and the caller: fetched, handed over, done, committed. No locks, and no Kafka here.

A place is a partition of a topic. While it is held, its messages pass through four stages: fetched (in the buffer),
handed to the caller, done (the caller said so), committed (the broker has it). What is handed and not committed is
in hand. A place that is withdrawn gives nothing more, but what is in hand of it can still be committed.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lipsol.bus.port import Message


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Intake:
    """The messages of one consumer, and how far it has come in each place that it holds.

    most        messages that are fetched ahead of the caller
    most_bytes  bytes of values that are, whichever is reached first
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._buffer: deque[Message] = deque()
        self._bytes = 0
        self._held: set[Place] = set()
        self._fetched: dict[Place, int] = {}  # here and below: offset of the message after the last such one
        self._begun: dict[Place, int] = {}  # offset of the first that was handed
        self._handed: dict[Place, int] = {}
        self._done: dict[Place, int] = {}
        self._committed: dict[Place, int] = {}

    @property
    def full(self) -> bool:
        """Whether nothing more should be fetched."""
        return len(self._buffer) >= self._most or self._bytes >= self._most_bytes

    @property
    def low(self) -> bool:
        """Whether it is time to fetch again: at half of the bounds, so that fetching is seldom switched."""
        return len(self._buffer) <= self._most // 2 and self._bytes <= self._most_bytes // 2

    @property
    def room(self) -> int:
        """Messages that may still be fetched; at least one, as no fetch can ask for none."""
        return max(1, self._most - len(self._buffer))

    @property
    def held(self) -> frozenset[Place]:
        """The places that are this consumer's, or still being handed over."""
        return frozenset(self._held)

    @property
    def unknown(self) -> list[Place]:
        """Places of which nobody has said how far they are committed."""
        return [place for place in self._held if place not in self._committed]

    def hold(self, places: Iterable[Place]) -> None:
        """These are ours now, from the beginning of a new tenure."""
        for place in places:
            self.release([place])
            self._held.add(place)

    def learn(self, committed: Mapping[Place, int]) -> None:
        """So far places are committed."""
        for place, offset in committed.items():
            if place in self._held:
                self._committed[place] = max(offset, self._committed.get(place, 0))

    def put(self, messages: Iterable[Message]) -> None:
        """Messages that were fetched; those of places that are not held are left to whoever holds them."""
        for message in messages:
            place = Place(message.topic, message.partition)
            if place in self._held:
                self._committed.setdefault(place, message.offset)
                self._fetched[place] = message.offset + 1
                self._buffer.append(message)
                self._bytes += len(message.value)

    def take(self, at_most: int) -> list[Message]:
        """What is next for the caller."""
        taken: list[Message] = []
        while self._buffer and len(taken) < at_most:
            message = self._buffer.popleft()
            self._bytes -= len(message.value)
            place = Place(message.topic, message.partition)
            self._begun.setdefault(place, message.offset)
            self._handed[place] = message.offset + 1
            taken.append(message)
        return taken

    def done(self, messages: Sequence[Message]) -> list[Place]:
        """The caller has done with these and all before them; returns the places that this concerns.

        What was not handed in this tenure is passed over: its place may have had another holder since, who went on.
        """
        concerned = []
        for message in messages:
            place = Place(message.topic, message.partition)
            begun, handed = self._begun.get(place), self._handed.get(place)
            if place in self._held and begun is not None and handed is not None and begun <= message.offset < handed:
                self._done[place] = max(message.offset + 1, self._done.get(place, 0))
                concerned.append(place)
        return list(dict.fromkeys(concerned))

    def due(self) -> dict[Place, int]:
        """What is done and not committed: the offset to commit, place by place."""
        return {place: offset for place, offset in self._done.items() if offset > self._committed.get(place, 0)}

    def in_hand(self, places: Iterable[Place]) -> bool:
        """Whether the caller has something of these places that is not committed."""
        return any(self._handed.get(place, 0) > self._committed.get(place, 0) for place in places)

    def withdraw(self, places: Iterable[Place]) -> None:
        """Hand nothing more of these places to the caller; what was fetched of them is dropped."""
        gone = set(places)
        self._buffer = deque(m for m in self._buffer if Place(m.topic, m.partition) not in gone)
        self._bytes = sum(len(message.value) for message in self._buffer)

    def release(self, places: Iterable[Place]) -> None:
        """These are ours no longer."""
        gone = set(places)
        self.withdraw(gone)
        self._held -= gone
        for known in (self._fetched, self._begun, self._handed, self._done, self._committed):
            for place in gone:
                known.pop(place, None)

    def next(self) -> dict[Place, int]:
        """Where fetching goes on, in the places of which that is known."""
        return {**self._committed, **self._fetched}

    def lag(self, ends: Mapping[Place, int]) -> int:
        """How many messages are not committed; `ends`: offset after the last message, place by place."""
        return sum(max(0, end - self._committed.get(place, end)) for place, end in ends.items() if place in self._held)
