"""A progress bar for people who wait: on standard error, on a terminal, and only when there is much to do."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MANY = 4  # clips from which on a bar helps; fewer are read before it is of use


@contextmanager
def bar(total: int, what: str) -> Iterator[Callable[[], None]]:
    """Give a function to call after each of `total` steps; without a terminal it does nothing at all.

    While it shows, what is printed to a terminal goes above it; what is printed into a pipe is left alone.
    """
    if total < MANY or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=sys.stdout.isatty()) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)


class Watching:
    """How far recordings were watched: one line on standard error that is written over; without a terminal nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched_s: dict[str, float] = {}

    def show(self, clip_id: str, watched_s: float) -> None:
        """So many seconds of this one; all that were begun are told in one sum."""
        if not sys.stderr.isatty():
            return
        with self._lock:
            self._watched_s[clip_id] = watched_s
            minutes, seconds = divmod(round(sum(self._watched_s.values())), 60)
            sys.stderr.write(f"\rwatched {minutes}:{seconds:02} of recordings \r")
            sys.stderr.flush()
