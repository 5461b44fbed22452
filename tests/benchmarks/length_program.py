"""Reads one recording in a process of its own, and tells as JSON how long each stage took and how much memory it held.

`python -m tests.benchmarks.length_program FILE`. What is set up once (the models, the decoder's nursery) is there
before it begins; memory is that of this process and all below it at its most. Stages are told by windows in which
somebody speaks: what it cost to find that nobody does is in `all`.
"""

import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import psutil

from tests.benchmarks.ground import Ground

LOOK_S = 0.02  # between two looks at the memory


def main(path: Path) -> None:
    from lipsol.clips.watch import Watcher

    ground, watcher, spent = Ground(), Watcher(), Counter[str]()
    ground.reader.read(watcher.watch(ground.clips[0]).mouth)
    with Held() as held:
        began = time.perf_counter()
        for window in watcher.windows(path.read_bytes()):
            if window.watched is not None:
                spent.update(window.watched.timings_ms)
                read_at = time.perf_counter()
                ground.reader.read(window.watched.mouth)
                spent["read"] += (time.perf_counter() - read_at) * 1e3  # type: ignore[assignment]
        spent["all"] = (time.perf_counter() - began) * 1e3  # type: ignore[assignment]
    print(json.dumps({"ms": spent, "peak_bytes": held.peak}))


class Held:
    """Watches the memory of this process and of all below it while a block runs; `peak` is the most, bytes."""

    def __init__(self) -> None:
        self.peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Held":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        own = psutil.Process()
        while not self._ended.wait(LOOK_S):
            self.peak = max(self.peak, sum(_shared_out(each) for each in (own, *own.children(recursive=True))))


def _shared_out(process: psutil.Process) -> int:
    """Bytes of a process, what it shares with others counted in parts (PSS); 0 for one that has gone."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
