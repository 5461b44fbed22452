"""A bus for the one who drains the canary's topic: its consumers give out nothing that may be the canary's own.

Whoever drains hears of a new policy a moment later than the edge that split by it. So what has just come waits until
that word has surely come too; and once a canary lives, nothing is given out: uncommitted, it goes to the canary.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Event as Flag

from lipsol.bus.port import NOWHERE, Bus, Closed, Consumer, Message, Outgoing, Places, Start

SETTLE_S = 1.0  # in which the word of a policy reaches everybody: some ms, and a busy machine's pauses
LOOK_S = 0.2  # between two looks at whether the canary is gone again


class DrainBus:
    """The bus underneath, but for its consumers. `idle`: whether no canary lives."""

    def __init__(self, bus: Bus, idle: Callable[[], bool]) -> None:
        self._bus, self._idle = bus, idle

    def publish(self, topic: str, key: str, value: bytes, headers: Mapping[str, str] | None = None) -> None:
        self._bus.publish(topic, key, value, headers)

    def publish_all(self, messages: Sequence[Outgoing]) -> None:
        self._bus.publish_all(messages)

    def consumer(self, topics: Sequence[str], group: str | None, *, start: Start = "earliest") -> "DrainConsumer":
        return DrainConsumer(self._bus.consumer(topics, group, start=start), self._idle)

    def replay(
        self, topics: Sequence[str], since: float = 0.0, *, before: str | None = None, after: Places = NOWHERE
    ) -> Iterator[Message]:
        return self._bus.replay(topics, since, before=before, after=after)

    def close(self) -> None:
        self._bus.close()


class DrainConsumer:
    """A consumer that gives out what has waited for SETTLE_S, and nothing while a canary lives."""

    def __init__(self, consumer: Consumer, idle: Callable[[], bool]) -> None:
        self._consumer, self._idle = consumer, idle
        self._woken = Flag()
        self._withheld = False  # something was polled and not given out: nothing behind it may be committed

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        """As the port says. Raises Closed where the canary that something was withheld for is gone: join anew."""
        if self._withheld:
            if self._idle():
                raise Closed("the consumer withheld something", "make another")
            self._woken.wait(min(LOOK_S, timeout_s))
            self._woken.clear()
            return []
        found = self._consumer.poll(max_messages, timeout_s)
        if found:
            woken = self._settle(max(message.timestamp for message in found))
            self._withheld = woken or not self._idle()
        return [] if self._withheld else found

    def commit(self, messages: Sequence[Message]) -> None:
        self._consumer.commit(messages)

    def pause(self) -> None:
        self._consumer.pause()

    def resume(self) -> None:
        self._consumer.resume()

    def wake(self) -> None:
        self._woken.set()
        self._consumer.wake()

    def lag(self) -> int:
        return self._consumer.lag()

    def close(self) -> None:
        self._consumer.close()

    def _settle(self, newest_at: float) -> bool:
        """Wait until the newest message is SETTLE_S old, by whatever clocks no longer than that; whether woken."""
        woken = self._woken.wait(min(SETTLE_S, max(0.0, newest_at + SETTLE_S - time.time())))
        self._woken.clear()
        return woken
