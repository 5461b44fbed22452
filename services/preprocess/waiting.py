"""Clients that wait for an answer: woken by the event that settles their clip, whichever thread brings it."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from lipsol.errors import LipsolError
from services.preprocess.results import Result


class Waiters:
    """Who waits for which clip. Begin to wait before the clip is published: what is settled earlier is not heard."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Future[Result]]] = {}

    @contextmanager
    def waiting(self, clip_id: str) -> Iterator[Future[Result]]:
        """A future that gets the clip's result once it is read or given up; forgotten when the block ends."""
        future = self.begin(clip_id)
        try:
            yield future
        finally:
            self.end(clip_id, future)

    def begin(self, clip_id: str) -> Future[Result]:
        """The same without a block; `end` it."""
        future: Future[Result] = Future()
        with self._lock:
            self._waiting.setdefault(clip_id, []).append(future)
        return future

    def end(self, clip_id: str, future: Future[Result]) -> None:
        """Wait no longer."""
        with self._lock:
            others = [each for each in self._waiting.get(clip_id, []) if each is not future]
            if others:
                self._waiting[clip_id] = others
            else:
                self._waiting.pop(clip_id, None)

    def awaited(self, clip_id: str) -> bool:
        """Whether anybody waits for a clip."""
        return clip_id in self._waiting

    def wake(self, result: Result) -> None:
        """Give a settled result to all who wait for its clip."""
        for future in self._woken(result.clip_id):
            future.set_result(result)

    def give_up(self, clip_id: str, fault: LipsolError) -> None:
        """Tell all who wait for a clip that there will be no result."""
        for future in self._woken(clip_id):
            future.set_exception(fault)

    def _woken(self, clip_id: str) -> list[Future[Result]]:
        with self._lock:
            futures = self._waiting.pop(clip_id, [])
        return [future for future in futures if future.set_running_or_notify_cancel()]


class Unread:
    """Clips that this process took and that no event has settled yet."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._clips: set[str] = set()

    def add(self, clip_id: str) -> None:
        """A clip is on its way."""
        with self._changed:
            self._clips.add(clip_id)

    def remove(self, clip_id: str) -> None:
        """A clip is read, given up or deleted; one of another process changes nothing."""
        with self._changed:
            self._clips.discard(clip_id)
            self._changed.notify_all()

    def wait(self, timeout_s: float) -> bool:
        """Wait until there is none; whether that took less than timeout_s."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._clips, timeout_s)
