"""The threads that fetch batches: members of one group over all replicas, started and stopped as one."""

import time

from lipsol.bus.port import Bus
from lipsol.runtime.telemetry import Telemetry
from lipsol.runtime.worker import Worker
from lipsol.topics import CLIPS
from services.preprocess.fetching import Fetching

GROUP = "preprocess-batch"
ATTEMPTS = 12  # of one clip, about 40 s: nobody waits for it, and a store that is away for a moment comes back


class Batches:
    """`threads` workers of the group; each fetches one clip at a time."""

    def __init__(self, fetching: Fetching, bus: Bus, threads: int, telemetry: Telemetry) -> None:
        self._fetching = fetching
        self._workers = [
            Worker(
                bus,
                [CLIPS.name],
                GROUP,
                fetching.handle,
                stage=GROUP if number == 1 else f"{GROUP}-{number}",  # each tells of its own partitions' lag
                telemetry=telemetry,
                attempts=ATTEMPTS,
            )
            for number in range(1, threads + 1)
        ]

    @property
    def fault(self) -> str | None:
        """Why no batches are fetched just now; None: they are."""
        return next((worker.fault for worker in self._workers if worker.fault), None)

    def start(self) -> None:
        """Begin to fetch."""
        for worker in self._workers:
            worker.start()

    def stop(self, timeout_s: float) -> bool:
        """Finish the clips in work and commit them; whether that was done in time."""
        self._fetching.leave()
        until = time.monotonic() + timeout_s
        in_time = [worker.stop(max(0.0, until - time.monotonic())) for worker in self._workers]
        return all(in_time)
