"""Constant traffic of real clips by REST, gRPC and batch, and what came of it.

It is an open loop, as users are: a clip is sent when it is due, whatever became of the others. Each has a name of its
own or belongs to a session of three; of a part of the readings their clients say whether they were right.
"""

import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.cluster.clients import AT_ONCE, PATIENCE_S, Clients, Clip, Doors
from tests.conftest import read_samples
from tests.scenarios import laws
from tests.scenarios.ledger import Door

RATE = 2.5  # clips a second, by all doors together
ROUND: Sequence[Door] = ("rest", "grpc", "rest", "batch", "rest", "grpc")  # in turn
IN_SESSIONS = frozenset({0, 1})  # places of the round whose clips belong to sessions: some by REST, some by gRPC
SESSION = 3  # clips of a session
SPEAKER = "s1"  # whom the shipped models know: they read all of his clips right, so a canary that is worse shows soon
JUDGED = 2 / 3  # of the readings, that their clients judge
LOOKERS = 8  # that ask for all clips once more at the end, at the same time


@dataclass(frozen=True)
class Counts:
    """What came of the clips of one stretch of traffic.

    sent      clips
    answered  clips with a reading
    failed    clips of which a request failed, or which were given up: `clips[...].faults` says why
    lost      clips without a final answer
    doubled   clips that became two, by name or by reading
    waits     times that a client was told to come back later
    judged, wrong   readings that were judged, and of them those that were wrong
    tracks, digests, doors  readings by track, by the bundle that read (12 hex digits), by door
    p50_s, p95_s    that clients waited for readings (of batches too)
    """

    sent: int
    answered: int
    failed: int
    lost: int
    doubled: int
    waits: int
    judged: int
    wrong: int
    tracks: Mapping[str, int]
    digests: Mapping[str, int]
    doors: Mapping[str, int]
    p50_s: float
    p95_s: float
    clips: Sequence[Clip] = field(repr=False, default=())

    def as_dict(self) -> dict[str, object]:
        """The figures."""
        names = ("answered", "waits", "judged", "wrong", "tracks", "digests", "doors", "p50_s", "p95_s")
        return {name: getattr(self, name) for name in names}


class Traffic:
    """Traffic from its `start` to its `stop`; as a context manager it never outlives its block."""

    def __init__(self, doors: Doors, name: str, *, rate: float = RATE, judged: float = JUDGED) -> None:
        """name: tells this traffic's keys from all other's, also of an earlier run."""
        self._doors, self._rate, self._judged = doors, rate, judged
        self._name = f"{name}-{time.time_ns():x}"
        self._samples = [sample for sample in read_samples() if sample.speaker == SPEAKER]
        self._over, self._stop = threading.Event(), threading.Event()
        self._clients = Clients(doors, self._samples, self._stop)
        self._sender = threading.Thread(target=self._send, name=f"traffic-{name}", daemon=True)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="client")
        self._clips: list[Clip] = []
        self._work: list[Future[None]] = []
        self.began_at = 0.0

    @property
    def clips(self) -> list[Clip]:
        """All clips that were sent so far."""
        return list(self._clips)

    def start(self) -> Self:
        """Begin to send."""
        self.began_at = time.time()
        self._sender.start()
        return self

    def answered(self, since: float = 0.0) -> int:
        """How many clips have a reading by now, of those that were sent since then (Unix seconds)."""
        return sum(bool(clip.readings) and clip.began_at >= since for clip in self.clips)

    def await_answered(self, count: int, at_most_s: float, since: float = 0.0) -> None:
        """Wait for so many readings. Raises TimeoutError with what went wrong."""
        until = time.monotonic() + at_most_s
        while self.answered(since) < count:
            if time.monotonic() > until:
                faults = [fault for clip in self.clips for fault in clip.faults][-3:]
                raise TimeoutError(
                    f"{self.answered(since)} of {count} readings came in {at_most_s:g} s; last faults: {faults}"
                )
            time.sleep(0.2)

    def cease(self) -> None:
        """Send no more; what is under way goes on."""
        self._over.set()
        self._sender.join()

    def stop(self) -> Counts:
        """Send no more, wait for what is under way, look at all once more, and count."""
        self.cease()
        for work in self._work:
            work.result(timeout=2 * PATIENCE_S)
        with ThreadPoolExecutor(LOOKERS) as lookers:
            list(lookers.map(self._clients.look_again, self._clips))
        return counted(self._clips)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self.cease()
        self._pool.shutdown(cancel_futures=True)
        self._clients.close()

    def _send(self) -> None:
        began, number = time.monotonic(), 0
        while not self._over.wait(max(0.0, began + number / self._rate - time.monotonic())):
            clip = self._clip(number)
            self._clips.append(clip)
            self._work.append(self._pool.submit(self._clients.read, clip))
            number += 1

    def _clip(self, number: int) -> Clip:
        """The clip of that number: its door, session and sample follow from it."""
        turn, position = divmod(number, len(ROUND))
        door = ROUND[position]
        if door == "batch" and not self._doors.sources:
            door = "rest"
        session = f"{self._name}-{door}-{turn // SESSION}" if position in IN_SESSIONS else ""
        judged = int((number + 1) * self._judged) > int(number * self._judged)
        count = len(self._samples)
        sample = (number + number // count) % count  # so that every door shows every sample in time
        return Clip(f"{self._name}-{number}", session, number, door, sample=sample, judged=judged)


def counted(clips: Sequence[Clip]) -> Counts:
    """What came of the clips."""
    read = [clip for clip in clips if clip.readings]
    waited = sorted(clip.took_s for clip in read)
    return Counts(
        sent=len(clips),
        answered=len(read),
        failed=sum(bool(clip.faults) for clip in clips),
        lost=len(lost(clips)),
        doubled=len(laws.doubled(clips)),
        waits=sum(clip.waits for clip in clips),
        judged=sum(clip.feedback for clip in clips),
        wrong=sum(clip.feedback for clip in clips if clip.right is False),
        tracks=dict(Counter(clip.readings[0].track for clip in read)),
        digests=dict(Counter(clip.readings[0].digest[:12] for clip in read)),
        doors=dict(Counter(clip.door for clip in read)),
        p50_s=round(waited[len(waited) // 2], 2) if waited else 0.0,
        p95_s=round(waited[int(len(waited) * 0.95)], 2) if waited else 0.0,
        clips=tuple(clips),
    )


def lost(clips: Sequence[Clip]) -> list[str]:
    """Clips without a final answer, with the reason."""
    return laws.lost(clip for clip in clips if not clip.refused)


def failed(clips: Sequence[Clip], excused: frozenset[str] = frozenset()) -> list[str]:
    """Clips of which a request failed; but those of the names that are excused (the canary's share, say)."""
    return [f"{clip.key}: {clip.faults[0]}" for clip in clips if clip.faults and clip.name not in excused]
