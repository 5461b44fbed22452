"""The line before a network: who goes next, with whom, and when. The law alone: no threads, no clock of its own.

- **Together.** Clips of one length bucket make a batch, so padding is bounded by a bucket's width. A batch has at most
  `clips` clips and, padded, `frames` frames; so no batch keeps the next one waiting for long.
- **Next.** The bucket whose oldest clip has waited longest goes first, and that clip with it. So each clip is in a
  batch as soon as all that came before it are: no length starves.
- **Long.** Clips beyond the last bucket go one at a time in a lane of their own, beside the others: neither waits for
  the other.
- **When.** A network that is free starts at once, unless the batch has room and another clip is expected: clips come on
  average more often than every `wait_s`. Then it waits until none came for twice their mean gap, `wait_s` at most since
  the batch's oldest came. Under load nobody waits for company: what came while the network was busy is the batch.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

from lipsol.engine import BUCKETS, bucket_of

Lane = Literal["short", "long"]
RECENT = 0.3  # weight of the newest gap in the mean of the gaps between arrivals
LONGEST_GAP_S = 1.0  # a longer one says no more than that nothing comes


class Clip(Protocol):
    """What stands in a line."""

    @property
    def frames(self) -> int:
        """Its length."""
        ...

    @property
    def since(self) -> float:
        """When it came, on the clock that the line is asked by, seconds."""
        ...


C = TypeVar("C", bound=Clip)


@dataclass(frozen=True)
class Batching:
    """How batches are made.

    clips    of one batch at most
    frames   of one batch at most, padding counted; a longer clip goes alone
    wait_s   that a free network waits for company at most
    room     clips that wait at most
    buckets  lengths in frames, rising, up to which clips share a batch
    """

    clips: int = 8
    frames: int = 1200
    wait_s: float = 0.002
    room: int = 256
    buckets: tuple[int, ...] = BUCKETS


class Line(Generic[C]):
    """What waits for one network. Not safe to share between threads: whoever owns it locks."""

    def __init__(self, batching: Batching) -> None:
        self._batching = batching
        self._buckets: dict[int, deque[C]] = {}
        self._gap_s = LONGEST_GAP_S
        self._came_at = float("-inf")

    def __len__(self) -> int:
        return sum(map(len, self._buckets.values()))

    def put(self, clips: Sequence[C], now: float) -> None:
        """Clips that came together."""
        self._gap_s += RECENT * (min(now - self._came_at, LONGEST_GAP_S) - self._gap_s)
        self._came_at = now
        for clip in clips:
            self._buckets.setdefault(bucket_of(clip.frames, self._batching.buckets), deque()).append(clip)

    def due_at(self, lane: Lane) -> float | None:
        """When the lane's next batch may start, on the line's clock; None: nothing waits for it."""
        bucket = self._next(lane)
        if bucket is None:
            return None
        came_at, patience_s = self._buckets[bucket][0].since, self._batching.wait_s
        if len(self._buckets[bucket]) >= self._most(bucket) or self._gap_s > patience_s:
            return came_at
        return min(came_at + patience_s, self._came_at + 2 * self._gap_s)

    def take(self, lane: Lane) -> list[C]:
        """The lane's next batch, oldest first; empty: nothing waits for it."""
        bucket = self._next(lane)
        if bucket is None:
            return []
        waiting = self._buckets[bucket]
        taken = [waiting.popleft() for _ in range(min(len(waiting), self._most(bucket)))]
        if not waiting:
            del self._buckets[bucket]
        return taken

    def drop(self, unwanted: Sequence[C]) -> None:
        """Leave some out."""
        gone = set(map(id, unwanted))
        kept = {bucket: deque(c for c in waiting if id(c) not in gone) for bucket, waiting in self._buckets.items()}
        self._buckets = {bucket: waiting for bucket, waiting in kept.items() if waiting}

    def all(self) -> list[C]:
        """Everything that waits."""
        return [clip for waiting in self._buckets.values() for clip in waiting]

    def _next(self, lane: Lane) -> int | None:
        longest = self._batching.buckets[-1]
        own = [bucket for bucket in self._buckets if (bucket > longest) == (lane == "long")]
        return min(own, key=lambda bucket: self._buckets[bucket][0].since, default=None)

    def _most(self, bucket: int) -> int:
        """Clips that a batch of a bucket holds."""
        if bucket > self._batching.buckets[-1]:
            return 1
        return max(1, min(self._batching.clips, self._batching.frames // bucket))
