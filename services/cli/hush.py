"""Keeps native libraries' greetings off the terminal; faults, which they raise, still come through."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from lipsol.clips.face import FaceFinder

STDERR = 2  # file descriptor, below Python's own sys.stderr


def greet_unheard() -> None:
    """Have LiteRT say now, unheard, what it says once a process ("INFO: Created ... delegate"); no setting stops it."""
    with unheard():
        FaceFinder()


@contextmanager
def unheard() -> Iterator[None]:
    """Send the process's standard error to nowhere for a moment; to be used before there are other threads."""
    heard = os.dup(STDERR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, STDERR)
        yield
    finally:
        os.dup2(heard, STDERR)
        os.close(heard)
        os.close(nowhere)
