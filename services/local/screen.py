"""What several processes say, side by side on one screen: a line at a time, each after its speaker's name."""

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

COLOURS = (36, 33, 35, 32, 34, 31)  # ANSI, in the order in which speakers come
WIDTH = len("preprocess")
LOOK_S = 0.2  # between two looks at a file that grows


class Screen:
    """Writes lines. Safe to share between threads."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._colours: dict[str, int] | None = {} if stream.isatty() else None
        self._lock = threading.Lock()

    def say(self, name: str, line: str) -> None:
        """Write one line."""
        with self._lock:
            self._stream.write(f"{self._marked(name)}{line}\n")
            self._stream.flush()

    def follow(self, name: str, lines: Iterable[bytes]) -> threading.Thread:
        """Write each line that comes until there are no more; returns the thread that does so."""

        def run() -> None:
            for line in lines:
                self.say(name, line.decode(errors="replace").rstrip())

        thread = threading.Thread(target=run, name=f"screen-{name}", daemon=True)
        thread.start()
        return thread

    def _marked(self, name: str) -> str:
        mark = f"{name:<{WIDTH}} | "
        if self._colours is None:
            return mark
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        return f"\033[{colour}m{mark}\033[0m"


def growing(path: Path, ended: Callable[[], bool]) -> Iterable[bytes]:
    """The lines that are added to a file from now on, until it has ended."""
    with path.open("rb") as log:
        log.seek(0, 2)
        while True:
            over = ended()
            yield from log
            if over:
                return
            time.sleep(LOOK_S)
