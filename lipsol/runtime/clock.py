"""What time it is, and waiting: a port, so that tests need not wait.

`now` is for what is written down (Unix seconds, may jump); `monotonic` is for how long something took.
"""

import time
from threading import Event, Lock
from typing import Protocol, runtime_checkable


@runtime_checkable
class Clock(Protocol):
    """Tells the time and lets it pass."""

    def now(self) -> float:
        """Unix time, seconds."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never runs backwards."""
        ...

    def wait(self, until: Event, at_most_s: float) -> bool:
        """Wait for the event, at_most_s seconds; returns whether it came."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, until: Event, at_most_s: float) -> bool:
        return until.wait(at_most_s)


class ManualClock:
    """A clock that moves only when told to, or when someone waits by it: then at once, by as long as that."""

    def __init__(self, seconds: float = 1_795_251_600.0) -> None:
        self._seconds = seconds
        self._lock = Lock()

    def now(self) -> float:
        return self._seconds

    def monotonic(self) -> float:
        return self._seconds

    def wait(self, until: Event, at_most_s: float) -> bool:
        if until.is_set():
            return True
        self.advance(at_most_s)
        return False

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._seconds += seconds
