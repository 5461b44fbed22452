"""The threads that watch clips: a bounded number at work, a bounded number in line, and Busy for the rest."""

import contextvars
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from lipsol.errors import Busy

Args = ParamSpec("Args")
Out = TypeVar("Out")


class Pool:
    """`workers` threads with a line of at most `line` calls before them; a call keeps its caller's trace."""

    def __init__(
        self,
        workers: int,
        line: int,
        retry_after_s: float,
        show: Callable[[int], None],
        worked: Callable[[float], None] = lambda _seconds: None,
    ) -> None:
        """show: told how many calls are in work or in line, whenever that changes; worked: how long each call took."""
        self.workers = workers
        self._show, self._worked = show, worked
        self._taken = 0
        self._left = threading.Condition()
        self._bound = workers + line
        self._retry_after_s = retry_after_s
        self._places = threading.BoundedSemaphore(self._bound)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="watch")

    def check(self) -> None:
        """Raise Busy if every place is taken now; so that nobody sends in vain what could not be taken."""
        if self._taken >= self._bound:
            raise self._full()

    def submit(self, call: Callable[Args, Out], *args: Args.args, **kwargs: Args.kwargs) -> Future[Out]:
        """Have it called by one of the threads. Raises Busy, at once, when every place is taken."""
        if not self._places.acquire(blocking=False):
            raise self._full()
        return self._start(call, *args, **kwargs)

    def submit_in_turn(self, call: Callable[Args, Out], *args: Args.args, **kwargs: Args.kwargs) -> Future[Out]:
        """The same for callers in this process, who wait for a free place instead of being turned away."""
        self._places.acquire()
        return self._start(call, *args, **kwargs)

    def stop(self, timeout_s: float | None = None) -> None:
        """Take no more, and finish what is in work and in line; what is in line after timeout_s seconds is dropped."""
        self._threads.shutdown(wait=timeout_s is None)
        if timeout_s is not None:
            with self._left:
                self._left.wait_for(lambda: not self._taken, timeout_s)
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _start(self, call: Callable[Args, Out], *args: Args.args, **kwargs: Args.kwargs) -> Future[Out]:
        self._count(1)
        try:
            context = contextvars.copy_context()
            future = self._threads.submit(context.run, self._timed, partial(call, *args, **kwargs))
        except RuntimeError as stopped:
            self._leave()
            raise Busy("the service is leaving", "try again: another one takes over", self._retry_after_s) from stopped
        future.add_done_callback(lambda _: self._leave())
        return future

    def _timed(self, call: Callable[[], Out]) -> Out:
        began = time.monotonic()
        try:
            return call()
        finally:
            self._worked(time.monotonic() - began)

    def _full(self) -> Busy:
        detail = f"{self._bound} clips are in work or in line, as many as may be"
        return Busy(detail, "try again later", self._retry_after_s)

    def _leave(self) -> None:
        self._count(-1)
        self._places.release()

    def _count(self, more: int) -> None:
        with self._left:
            self._taken += more
            self._show(self._taken)
            self._left.notify_all()
