"""The batcher before one reader: what waits goes through the network together, by the law of `line`.

- Bounded: what finds no room is Busy, at once, and is told when to come back. A group of asks comes in whole or not.
- What nobody waits for any more, cancelled or past its deadline, leaves the line and costs no work.
- Words are searched for outside the network, clip by clip, while the next batch is in it; no batch is begun while more
  clips wait for their words than two batches of each lane hold: nothing piles up there either.
- A fault of one batch is the fault of its clips alone.
- `close` takes no more and finishes what was taken.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from threading import Condition, Thread

from lipsol.clips.embedding import embed
from lipsol.errors import Busy, TooLate, Transient
from lipsol.reader import Bound, Heard
from lipsol.runtime.telemetry import Telemetry
from services.inference.ask import Answer, Ask
from services.inference.line import Batching, Lane, Line
from services.inference.models import Reading

PACE = 0.2  # weight of the newest batch in the mean seconds that the network takes for a clip
STAGES: dict[Lane, str] = {"short": "network", "long": "network-long"}  # whose threads are busy, in figures
SEARCH = "search"
RETRY_S = (0.1, 30.0)  # the least and the most that Busy asks for


@dataclass(frozen=True, eq=False)
class Waiting:
    """An ask in the line. since: monotonic seconds."""

    ask: Ask
    grammar: Bound
    since: float
    future: "Future[Answer]" = field(default_factory=Future)

    @property
    def frames(self) -> int:
        """Length of its clip."""
        return len(self.ask.mouth)


@dataclass(frozen=True)
class Place:
    """What a batcher works with.

    name    of its model, in figures
    lanes   batches in the network at the same time, long clips' own lane not counted
    search  looks for words
    now     Unix time, seconds, which deadlines are held against
    """

    name: str
    lanes: int
    search: Executor
    now: Callable[[], float] = time.time


class Batcher:
    """Batches for one reader, on threads of its own. Safe to share between threads."""

    def __init__(self, reader: Reading, batching: Batching, place: Place, telemetry: Telemetry) -> None:
        self._reader, self._batching, self._place, self._telemetry = reader, batching, place, telemetry
        self._line: Line[Waiting] = Line(batching)
        self._changed = Condition()
        self._closing = False
        self._searching = 0  # clips that were heard and have no words yet, or are being heard
        self._clip_s = 0.0  # what the network takes for a clip, of late
        lanes: list[Lane] = [*["short"] * place.lanes, "long"]  # type: ignore[list-item]
        telemetry.set("lipsol_line_limit_clips", batching.room, model=place.name)
        self._lanes = [Thread(target=self._work, args=(lane,), name=f"network-{lane}", daemon=True) for lane in lanes]
        for thread in self._lanes:
            thread.start()

    @property
    def closed(self) -> bool:
        """Whether it takes no more."""
        return self._closing

    def put(self, clips: Sequence[Waiting], *, in_turn: bool = False) -> None:
        """Have clips read; all of them or none. in_turn: wait for room.

        Raises Busy where there is no room, Transient after `close`.
        """
        late: list[Waiting] = []
        try:
            with self._changed:
                if not self._has_room(len(clips)):
                    late = self._sweep()
                if in_turn:
                    self._changed.wait_for(lambda: self._closing or self._has_room(len(clips)))
                if self._closing:
                    raise leaving()
                if not self._has_room(len(clips)):
                    raise self._full(len(clips))
                self._line.put(clips, time.monotonic())
                self._show()
                self._changed.notify_all()
        finally:
            self._give_up(late)

    def close(self, timeout_s: float | None = None) -> bool:
        """Take no more. timeout_s: wait so long for what was taken; what is in the line after that is given up.

        Returns whether all was done.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            if timeout_s is None:
                return self._idle()
            done = self._changed.wait_for(self._idle, timeout_s)
            left = self._line.all()
            self._line.drop(left)
            self._changed.notify_all()
        fail(left, leaving())
        return done

    def _idle(self) -> bool:
        return not len(self._line) and not self._searching

    def _has_room(self, clips: int) -> bool:
        """Whether so many may come in; into an empty line, any number that comes together may."""
        return not len(self._line) or len(self._line) + clips <= self._batching.room

    def _full(self, clips: int) -> Busy:
        least, most = RETRY_S
        after_s = min(most, max(least, len(self._line) * self._clip_s / self._place.lanes))
        return Busy(
            f"{len(self._line)} clips wait to be read, {self._batching.room} may, and {clips} more came",
            "try again later",
            after_s,
        )

    def _sweep(self) -> list[Waiting]:
        """Let leave the line what nobody waits for; those of them that are late."""
        late = [each for each in self._line.all() if self._late(each)]
        cancelled = [each for each in self._line.all() if each.future.cancelled() and each not in late]
        self._line.drop([*late, *cancelled])
        self._abandon("cancelled", len(cancelled))
        self._show()
        return late

    def _late(self, each: Waiting) -> bool:
        return bool(each.ask.deadline_at) and self._place.now() >= each.ask.deadline_at

    def _work(self, lane: Lane) -> None:
        while (batch := self._take(lane)) is not None:
            late = [each for each in batch if self._late(each)]
            self._give_up(late)
            wanted = [each for each in batch if each not in late and each.future.set_running_or_notify_cancel()]
            self._abandon("cancelled", len(batch) - len(late) - len(wanted))
            self._settle(len(batch) - len(wanted))
            if wanted:
                self._hear(wanted, lane)

    def _take(self, lane: Lane) -> list[Waiting] | None:
        """The lane's next batch, once it is due; None: there will be none."""
        with self._changed:
            while True:
                due_at, now = self._line.due_at(lane), time.monotonic()
                if due_at is None and self._closing:
                    return None
                if due_at is None or self._searching >= 2 * self._batching.clips * self._place.lanes:
                    self._changed.wait()
                elif due_at > now and not self._closing:
                    self._changed.wait(due_at - now)
                else:
                    batch = self._line.take(lane)
                    self._searching += len(batch)
                    self._show()
                    self._changed.notify_all()
                    return batch

    def _hear(self, batch: Sequence[Waiting], lane: Lane) -> None:
        """Let the network hear a batch, and hand what it said to the search."""
        began = time.monotonic()
        try:
            heard = self._reader.hear([each.ask.mouth for each in batch], len(batch))
        except Exception as fault:  # noqa: BLE001 - whatever it is, those who wait are told
            fail(batch, fault)
            self._settle(len(batch))
            return
        finally:
            network_s = time.monotonic() - began
            self._telemetry.add("lipsol_busy_seconds_total", network_s, stage=STAGES[lane])
        self._clip_s += PACE * (network_s / len(batch) - self._clip_s)
        self._tell(batch, began, network_s)
        for each, said in zip(batch, heard, strict=True):
            self._place.search.submit(self._search, each, said, began, network_s, len(batch))

    def _search(self, each: Waiting, heard: Heard, began: float, network_s: float, clips: int) -> None:
        """Find the words of one clip."""
        start = time.monotonic()
        try:
            prediction, entropy = self._reader.decode(heard, each.grammar), heard.emissions.entropy
            embedding = embed(each.ask.mouth) if each.ask.embedded else ()
        except Exception as fault:  # noqa: BLE001 - whatever it is, who waits is told
            fail([each], fault)
        else:
            search_s = time.monotonic() - start
            self._telemetry.observe("lipsol_search_seconds", search_s, trace_id=each.ask.trace_id)
            steps = {"wait": began - each.since, "network": network_s, "search": search_s}
            told = {name: round(seconds * 1e3, 3) for name, seconds in steps.items()}
            each.future.set_result(Answer(prediction, each.ask.info, told, clips, entropy, embedding))
        finally:
            self._telemetry.add("lipsol_busy_seconds_total", time.monotonic() - start, stage=SEARCH)
            self._settle(1)

    def _give_up(self, late: Sequence[Waiting]) -> None:
        """Tell those whose deadline passed."""
        fail(late, too_late())
        self._abandon("too-late", len(late))

    def _abandon(self, reason: str, clips: int) -> None:
        """So many clips cost no more work: nobody waits for them."""
        if clips:
            self._telemetry.add("lipsol_abandoned_total", clips, stage="line", reason=reason)

    def _settle(self, clips: int) -> None:
        """So many clips are done with."""
        with self._changed:
            self._searching -= clips
            self._changed.notify_all()

    def _tell(self, batch: Sequence[Waiting], began: float, network_s: float) -> None:
        frames = [each.frames for each in batch]
        self._telemetry.observe("lipsol_batch_clips", len(batch))
        self._telemetry.observe("lipsol_batch_padding_ratio", 1 - sum(frames) / (len(frames) * max(frames)))
        self._telemetry.observe("lipsol_network_seconds", network_s)
        for each in batch:
            self._telemetry.observe("lipsol_line_seconds", began - each.since, trace_id=each.ask.trace_id)

    def _show(self) -> None:
        self._telemetry.set("lipsol_line_clips", len(self._line), model=self._place.name)


def fail(clips: Sequence[Waiting], fault: Exception) -> None:
    """Tell those who wait what went wrong; where a future was cancelled, nobody does."""
    for each in clips:
        if each.future.running() or each.future.set_running_or_notify_cancel():
            each.future.set_exception(fault)


def leaving() -> Transient:
    """Why nothing is taken any more."""
    return Transient("the reader is leaving", "try again: another takes over")


def too_late() -> TooLate:
    """Why a clip was not read."""
    return TooLate("the deadline passed before the clip's turn", "allow more time, or send fewer at once")
