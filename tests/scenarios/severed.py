"""A crash inside one process: a service's hands are cut off, so nothing that it still does has any effect.

A service gets its bus and its store through `Hands`. Once they are cut, each call of its raises Closed, and each of its
consumers is closed: what it had polled and not committed goes to the next member of the group, as when a process dies.
`Line` is the same for the bus's going away and coming back: while it is cut all calls raise Transient, and whoever
consumed has lost what it had not committed.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from lipsol.bus.port import Bus, Closed, Consumer, Message, Start
from lipsol.errors import Transient


class Hands:
    """A port, until it is cut off."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self._cut = threading.Event()
        self._consumers: list[Consumer] = []

    def cut(self) -> None:
        """From now on nothing reaches the port."""
        self._cut.set()
        for consumer in self._consumers:
            consumer.close()

    def consumer(self, topics: Sequence[str], group: str | None, *, start: Start = "earliest") -> Consumer:
        self._check()
        consumer: Consumer = self._port.consumer(topics, group, start=start)
        self._consumers.append(consumer)
        if self._cut.is_set():
            consumer.close()
        return consumer

    def close(self) -> None:
        """What is shared outlives who shared it."""

    def __getattr__(self, name: str) -> Any:
        held = getattr(self._port, name)
        if not callable(held):
            return held

        def call(*args: Any, **kwargs: Any) -> Any:
            self._check()
            return held(*args, **kwargs)

        return call

    def _check(self) -> None:
        if self._cut.is_set():
            raise Closed("this service was killed", "nothing: it has no hands")


class Line:
    """The line to a memory bus: it can be cut and mended."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._whole = threading.Event()
        self._whole.set()
        self._lock = threading.Lock()
        self._consumers: list[LineConsumer] = []

    def cut(self) -> None:
        """The bus is away."""
        with self._lock:
            self._whole.clear()
            for consumer in self._consumers:
                consumer.lose()

    def mend(self) -> None:
        """The bus is back."""
        self._whole.set()

    def consumer(self, topics: Sequence[str], group: str | None, *, start: Start = "earliest") -> "LineConsumer":
        with self._lock:
            self.check()
            self._consumers = [each for each in self._consumers if not each.closed]
            consumer = LineConsumer(self, lambda: self._bus.consumer(topics, group, start=start), group)
            self._consumers.append(consumer)
            return consumer

    def close(self) -> None:
        self._bus.close()

    def __getattr__(self, name: str) -> Any:
        held = getattr(self._bus, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.check()
            return held(*args, **kwargs)

        return call

    def check(self) -> None:
        """Raise Transient while the line is cut."""
        if not self._whole.is_set():
            raise Transient("the bus is away", "wait until it is back")


class LineConsumer:
    """A consumer over a line. When that is cut, a group's member is out, and joins again at its next poll."""

    def __init__(self, line: Line, join: Callable[[], Consumer], group: str | None) -> None:
        self._line, self._join, self._group = line, join, group
        self._held: Consumer | None = join()
        self._paused = False
        self.closed = False

    def poll(self, max_messages: int, timeout_s: float) -> list[Message]:
        try:
            return self._member().poll(max_messages, timeout_s)
        except Closed:
            self._line.check()
            if self.closed or self._held is not None:
                raise
            return []

    def commit(self, messages: Sequence[Message]) -> None:
        self._line.check()
        if self._held is not None:
            self._held.commit(messages)

    def pause(self) -> None:
        self._paused = True
        if self._held is not None:
            self._held.pause()

    def resume(self) -> None:
        self._paused = False
        if self._held is not None:
            self._held.resume()

    def wake(self) -> None:
        if self._held is not None:
            self._held.wake()

    def lag(self) -> int:
        self._line.check()
        return self._held.lag() if self._held is not None else 0

    def lose(self) -> None:
        """The line was cut. A listener keeps its place, as it keeps it by itself."""
        held = self._held
        if held is not None and self._group is not None:
            self._held = None
            held.close()

    def close(self) -> None:
        self.closed = True
        if self._held is not None:
            self._held.close()

    def _member(self) -> Consumer:
        self._line.check()
        if self._held is None:
            self._held = self._join()
            if self._paused:
                self._held.pause()
        return self._held
