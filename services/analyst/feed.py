"""Topics followed by a listener: what is kept, then what comes, each message once and in order for a key.

A bus that was away loses nothing: what came meanwhile is read where it was left.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from lipsol.bus.port import Bus, Consumer, Message
from lipsol.errors import Transient

TOGETHER = 256  # messages taken at once


class Feed:
    """Follows topics from `since` on (Unix seconds, by the bus's own time)."""

    def __init__(self, bus: Bus, topics: Sequence[str], since: float = 0.0) -> None:
        self._bus, self._topics, self._since = bus, tuple(topics), since
        self._places: dict[tuple[str, int], int] = {}  # the last one read of each partition
        self._consumer: Consumer | None = None

    def read(self, wait_s: float = 0.0) -> Iterator[Message]:
        """What is new, waiting at most wait_s for the first.

        Raises as `Bus.consumer`; nothing is lost then, and the next call goes on.
        """
        try:
            yield from self._read(wait_s)
        except Transient:
            self.close()
            raise

    def close(self) -> None:
        """Follow no more, until read again."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close()

    def _read(self, wait_s: float) -> Iterator[Message]:
        if self._consumer is None:
            consumer = self._bus.consumer(self._topics, None, start="latest")
            self._consumer = consumer
            yield from self._new(self._bus.replay(self._topics, self._since, after=self._places))
        consumer = self._consumer
        while messages := consumer.poll(TOGETHER, wait_s):
            wait_s = 0.0
            yield from self._new(messages)
            with suppress(Transient):  # nobody goes on from there
                consumer.commit(messages)

    def _new(self, messages: Iterable[Message]) -> Iterator[Message]:
        for message in messages:
            place = (message.topic, message.partition)
            if message.offset > self._places.get(place, -1):
                self._places[place] = message.offset
                yield message
