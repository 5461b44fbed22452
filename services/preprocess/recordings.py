"""Recordings: videos too long to be read as one. Their windows are cut, handed on and told of one by one.

- Each window goes the way of every other clip: an event of its own, with the recording as its session, so that they are
  read in order by one track; a result of its own, which can be judged. The recording's result is composed of theirs.
- At most `bound` recordings are in work at once, each with at most `ahead` windows that wait to be read; what watching
  needs of the CPU is taken from the same line as for all other clips. So memory is bounded, and others get their turn.
- A window is named by the recording and its place. Who begins anew (a repeat of the request, after a replica died)
  cuts the same windows again, hands on those that were not, and takes the readings that are there.
- A window that can't be read, was given up, or came too late is told as a gap, with its reason.
- What is deleted midway is cut no further.
"""

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from lipsol.clips.watch import Window
from lipsol.errors import Busy, LipsolError, NotFound, TooLate, Transient
from lipsol.events import ClipDeleted
from services.doors.problems import Problem
from services.preprocess.asking import Asked
from services.preprocess.composing import composed, ended, gap, sentence
from services.preprocess.pool import Pool
from services.preprocess.repeats import named
from services.preprocess.results import Result, Sentence

if TYPE_CHECKING:
    from services.preprocess.handler import Handler

LOOK_S = 1.0  # between two looks into the store for a reading that no event brought
STUCK_S = 60.0  # without a reading, after which a window that was handed on by somebody else is handed on again
TRY_S, TRIES = 1.0, 30  # before another try where store or bus can't take a window, and how many

log = structlog.get_logger("lipsol.preprocess")


@dataclass(frozen=True)
class Recording:
    """One request to read a recording; fields as in `Handler.receive`."""

    clip_id: str
    asked: Asked
    received_at: float
    deadline_at: float
    keyed: bool


@dataclass
class _Course:
    """How far a recording is. waiting: windows that were cut, in order, and what brings their results."""

    told: list[Sentence] = field(default_factory=list)
    waiting: deque[tuple[Window, str, Future[Result] | Problem]] = field(default_factory=deque)
    watched_s: float = 0.0
    reading: Result | None = None


class Recordings:
    """Reads recordings, each in a thread of its own; safe to share between threads."""

    def __init__(self, pool: Pool, *, bound: int, ahead: int) -> None:
        """bound: recordings in work at once; ahead: windows of one that may wait to be read."""
        self._pool, self._bound, self._ahead = pool, bound, ahead
        self.show: Callable[[str, float], None] = lambda _clip_id, _watched_s: None
        """Told how many seconds of a recording were watched, whenever there is more; set it before the first one."""
        self._turns = threading.Semaphore(bound)
        self._lock = threading.Lock()
        self._threads: dict[str, threading.Thread] = {}
        self._stopping = threading.Event()

    def begin(
        self, handler: "Handler", recording: Recording, windows: Iterator[Window], *, patient: bool = False
    ) -> Result:
        """Begin to read; the result so far. patient: wait for a turn instead of being turned away with Busy.

        Raises BadInput for a recording that can't be read at all, as far as its first window shows.
        """
        with self._lock:
            if recording.clip_id in self._threads:
                return handler.result(recording.clip_id)
            if len(self._threads) >= self._bound and not patient:
                raise Busy(f"{self._bound} recordings are being read, as many as may be", "try again later", 10.0)
        first = next(windows, None)
        result = Result(
            clip_id=recording.clip_id,
            state="reading",
            language=recording.asked.language,
            received_at=recording.received_at,
            watched_s=0.0,
        )
        handler.keeper.begin(result)
        handler.flight.remove(recording.clip_id)
        course = _Run(self, handler, recording, result)
        call = contextvars.copy_context().run
        thread = threading.Thread(target=call, args=(self._run, course, first, windows), name="recording", daemon=True)
        with self._lock:
            self._threads[recording.clip_id] = thread
        thread.start()
        return result

    def wait(self, clip_id: str) -> None:
        """Wait until a recording is in work no more; returns at once for any other clip."""
        with self._lock:
            thread = self._threads.get(clip_id)
        if thread is not None:
            thread.join()

    def stop(self, timeout_s: float) -> None:
        """Finish what is in work, as far as timeout_s seconds allow; the rest can be sent again, and goes on then."""
        until = time.monotonic() + timeout_s
        for thread in list(self._threads.values()):
            thread.join(max(0.0, until - time.monotonic()))
        self._stopping.set()
        for thread in list(self._threads.values()):
            thread.join()

    def _run(self, course: "_Run", first: Window | None, windows: Iterator[Window]) -> None:
        try:
            with self._turns:
                course.run(first, windows)
        finally:
            close = getattr(windows, "close", None)
            if close is not None:
                close()
            with self._lock:
                del self._threads[course.clip_id]

    def next_window(self, windows: Iterator[Window]) -> Window | None:
        """The next window, watched by one of the threads that watch clips, in turn with all others."""
        self.check()
        return self._pool.submit_in_turn(next, windows, None).result()

    def check(self) -> None:
        """Raise Transient once all is to end."""
        if self._stopping.is_set():
            raise Transient(
                "the service left while the recording was read", "send it again with the same Idempotency-Key"
            )

    def pause(self, seconds: float) -> None:
        """Wait; raises Transient as soon as all is to end."""
        self._stopping.wait(seconds)
        self.check()

    @property
    def ahead(self) -> int:
        """Windows of one recording that may wait to be read."""
        return self._ahead


class _Run:
    """One recording on its way, in its thread."""

    def __init__(self, all_of_them: Recordings, handler: "Handler", recording: Recording, result: Result) -> None:
        self.clip_id = recording.clip_id
        self._all, self._handler, self._recording, self._result = all_of_them, handler, recording, result
        self._course = _Course()
        self._handed: list[str] = []

    def run(self, first: Window | None, windows: Iterator[Window]) -> None:
        """Read it to its end, and tell."""
        try:
            self._read(first, windows)
            self._tell(last=True)
            if self._recording.keyed:
                self._handler.repeats.mark(self.clip_id, self._recording.deadline_at)
        except _Deleted:
            self._forget()
        except LipsolError as fault:
            self._fail(fault)
        except Exception:
            log.exception("recording-failed", clip_id=self.clip_id)
            self._fail(Transient("the recording could not be read to its end", "send it again"))
        finally:
            for _, window_id, answer in self._course.waiting:
                if isinstance(answer, Future):
                    self._handler.waiters.end(window_id, answer)

    def _fail(self, fault: LipsolError) -> None:
        try:
            self._tell(fault, last=True)
        except _Deleted:
            self._forget()
        except LipsolError as away:  # whoever sends it again finds it begun, and goes on
            log.warning("recording-untold", clip_id=self.clip_id, reason=away.detail)

    def _forget(self) -> None:
        """Forget what was handed on while others deleted it."""
        for each in (*self._handed, self.clip_id):
            self._handler.settling.forget(each)
            self._handler.aside(ClipDeleted(each))

    def _read(self, window: Window | None, windows: Iterator[Window]) -> None:
        course = self._course
        while window is not None:
            course.watched_s = window.end_s
            self._all.show(self.clip_id, window.end_s)
            late = self._late()
            if late is not None:
                course.waiting.append((window, "", Problem.of(late)))
                break
            if window.watched is not None or window.fault is not None:
                course.waiting.append(self._handed_on(window))
            while len(course.waiting) > self._all.ahead:
                self._take(*course.waiting.popleft())
            window = self._all.next_window(windows)
        while course.waiting:
            self._take(*course.waiting.popleft())

    def _late(self) -> TooLate | None:
        at = self._recording.deadline_at
        if not at or self._handler.now() < at:
            return None
        return TooLate("the deadline passed before the rest was watched", "allow more time")

    def _handed_on(self, window: Window) -> tuple[Window, str, Future[Result] | Problem]:
        """Have a window read, unless that was done."""
        if window.watched is None:
            return window, "", Problem.of(window.fault or NotFound("nothing to be read"))
        window_id = named(self.clip_id, f"window {window.start_s:.2f} {window.end_s:.2f}")
        self._handler.keeper.note_window(self.clip_id, window_id)
        self._handed.append(window_id)
        answer = self._handler.waiters.begin(window_id)
        if self._needed(window_id):
            self._hand_on(window, window_id)
        return window, window_id, answer

    def _needed(self, window_id: str) -> bool:
        """Whether a window is to be handed on: nobody did, or nothing came of it for long."""
        now = self._handler.now()
        if not self._handler.repeats.handed_on(window_id, now):
            return True
        try:
            standing = self._handler.result(window_id)
        except NotFound:
            return True
        return standing.state == "reading" and now - standing.received_at > STUCK_S

    def _hand_on(self, window: Window, window_id: str) -> None:
        for left in reversed(range(TRIES)):
            try:
                self._handler.hand_on_window(window_id, window, self._recording)
            except Transient:  # Busy among them
                if not left:
                    raise
                self._all.pause(TRY_S)
            else:
                return

    def _take(self, window: Window, window_id: str, answer: Future[Result] | Problem) -> None:
        """Wait for a window's result, and tell of it."""
        if isinstance(answer, Problem):
            self._course.told.append(gap(window, answer))
        else:
            try:
                result = self._awaited(window_id, answer)
            except NotFound as gone:
                self._course.told.append(gap(window, Problem.of(gone)))
            else:
                self._course.told.append(sentence(window, result))
                self._course.reading = result if result.state == "read" else self._course.reading
            finally:
                self._handler.waiters.end(window_id, answer)
        self._tell()

    def _awaited(self, window_id: str, answer: Future[Result]) -> Result:
        while True:
            standing = self._handler.result(window_id)
            if standing.state != "reading":
                return standing
            try:
                return answer.result(LOOK_S)
            except NotYet:
                self._all.check()

    def _tell(self, fault: LipsolError | None = None, *, last: bool = False) -> None:
        """Keep the result so far. Raises _Deleted if nobody wants it any more."""
        course = self._course

        def change(before: Result) -> Result:
            so_far = composed(before, course.told, course.watched_s, course.reading)
            return ended(so_far, fault) if last else so_far

        settled = self._handler.keeper.settle(self.clip_id, change)
        if settled is None:
            raise _Deleted
        if last:
            self._handler.waiters.wake(settled[0])


class _Deleted(Exception):
    """The recording was deleted while it was read."""
