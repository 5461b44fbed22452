"""A clip from any door to its answer: idempotency, the bounds, the line before the threads, waiting.

Whoever waits is entered before the clip is handed on, so that no answer can come too early to be heard. An answer that
was missed all the same (its event went past while this replica had lost the bus) is found in the store a little later.
"""

import asyncio
import math
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass

from lipsol.errors import BadInput, Busy, NotFound, TooLate
from services.preprocess.asking import Asked
from services.preprocess.handler import Handler, new_id
from services.preprocess.pool import Pool
from services.preprocess.repeats import body_digest
from services.preprocess.results import Result
from services.preprocess.settings import PreprocessSettings

LOOK_S, LOOK_MAX_S = 1.0, 8.0  # before the first look into the store for an answer that no event brought; between two
TIMEOUT_MAX_S = 86_400.0  # that a client may allow for its clip: a day, as long as an event is kept
AGAIN = frozenset({503, 504})  # problems of which a repeat is another try, not the same answer


@dataclass(frozen=True)
class Sent:
    """One request to read a clip.

    data         the video file
    asked        how to read it
    key          names the request, checked; None: it has no name
    deadline_at  Unix seconds after which nobody waits; 0.0: no such time
    wait         whether the client waits for the reading
    """

    data: bytes
    asked: Asked
    key: str | None = None
    deadline_at: float = 0.0
    wait: bool = False


@dataclass(frozen=True)
class Taken:
    """A clip that was taken: its result so far, what brings its answer (None: nobody waits), and its deadline."""

    result: Result
    answer: Future[Result] | None
    deadline_at: float


class Receiving:
    """Takes clips for one event loop; all that needs a CPU or the store runs in threads."""

    def __init__(self, handler: Handler, pool: Pool, settings: PreprocessSettings) -> None:
        self._handler = handler
        self._pool = pool
        self._wait_s = settings.wait_s
        self._deadline_s = settings.deadline_s
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    def deadline(self, timeout_s: float | None) -> float:
        """When a clip that is sent now is not worth reading any more, Unix seconds; 0.0: it always is.

        timeout_s: what its client allows; None: it names nothing. Raises BadInput for what can't be meant.
        """
        if timeout_s is not None and not 0 < timeout_s <= TIMEOUT_MAX_S:
            raise BadInput(f"a time-out of {timeout_s:g} s", f"give more than 0 s and at most {TIMEOUT_MAX_S:g} s")
        allowed_s = self._deadline_s if timeout_s is None else timeout_s
        return self._handler.now() + allowed_s if allowed_s else 0.0

    def check(self, deadline_at: float) -> None:
        """Raise Busy if a clip would be turned away now; so that nobody sends in vain what could not be taken."""
        self._pool.check()
        self._handler.flight.check(self._left(deadline_at))

    @contextmanager
    def counting_busy(self) -> Iterator[None]:
        """Count a clip that meets a bound inside the block as refused."""
        try:
            yield
        except Busy:
            self._handler.telemetry.add("lipsol_clips_refused_total", reason="busy")
            raise

    async def take(self, sent: Sent) -> Taken:
        """Take a clip: its result so far, and how its answer is awaited. Raises what it is refused for, and Busy."""
        if sent.key is None:
            return await self._taken(new_id(), sent)
        turn = self._turns.setdefault(sent.key, asyncio.Lock())
        async with turn:
            body = await asyncio.to_thread(body_digest, sent.data, sent.asked.told())
            return await self._taken(await asyncio.to_thread(self._handler.repeats.remember, sent.key, body), sent)

    async def settled(self, taken: Taken) -> Result:
        """The clip's result once it is read, or as it stands after `wait_s`.

        Raises the reason if it was given up, NotFound if it was deleted meanwhile, TooLate past its deadline.
        """
        try:
            result = await self._awaited(taken)
        finally:
            self._wait_no_more(taken.result.clip_id, taken.answer)
        if fault := result.fault():
            raise fault
        return result

    async def _awaited(self, taken: Taken) -> Result:
        result, left_s = taken.result, self._left(taken.deadline_at)
        began, wait_s = time.monotonic(), min(self._wait_s, math.inf if left_s is None else left_s)
        answer = asyncio.wrap_future(taken.answer) if taken.answer is not None else None
        look_s = LOOK_S
        while answer is not None and result.state == "reading":
            rest_s = began + wait_s - time.monotonic()
            if rest_s <= 0:
                break
            done, _ = await asyncio.wait({answer}, timeout=min(rest_s, look_s))
            look_s = min(2 * look_s, LOOK_MAX_S)
            result = answer.result() if done else await asyncio.to_thread(self._handler.result, result.clip_id)
        if result.state == "reading" and wait_s < self._wait_s:
            raise TooLate("no reading came before the deadline", "allow more time, or try again later")
        return result

    async def _taken(self, clip_id: str, sent: Sent) -> Taken:
        """The clip as it stands, where it was sent before; else this one, under that name."""
        answer = self._handler.waiters.begin(clip_id) if sent.wait else None
        try:
            result = None if sent.key is None else await asyncio.to_thread(self._standing, clip_id)
            if result is None:
                result = await self._watched(clip_id, sent)
        except BaseException:
            self._wait_no_more(clip_id, answer)
            raise
        return Taken(result, answer, sent.deadline_at)

    def _wait_no_more(self, clip_id: str, answer: Future[Result] | None) -> None:
        if answer is not None:
            self._handler.waiters.end(clip_id, answer)

    def _standing(self, clip_id: str) -> Result | None:
        """The result of a clip that was sent before; None: it has to be done (again)."""
        try:
            result = self._handler.result(clip_id)
        except NotFound:
            return None
        now = self._handler.now()
        if result.state == "reading":
            stuck = now - result.received_at > self._wait_s  # its event was lost: a bus in memory ends with its process
            return result if self._handler.repeats.handed_on(clip_id, now) and not stuck else None
        if result.problem is not None and result.problem.status in AGAIN:
            self._handler.keeper.reopen(clip_id)
            return None
        return result

    async def _watched(self, clip_id: str, sent: Sent) -> Result:
        """The clip's first result. A client that leaves before its turn came takes its clip along."""
        flight = self._handler.flight
        flight.enter(clip_id, self._left(sent.deadline_at))
        try:
            future = self._pool.submit(
                self._handler.receive,
                clip_id,
                sent.data,
                sent.asked,
                self._handler.now(),
                deadline_at=sent.deadline_at,
                keyed=sent.key is not None,
            )
        except Busy:
            flight.remove(clip_id)
            raise
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if future.cancelled():
                flight.remove(clip_id)
                self._handler.telemetry.add("lipsol_abandoned_total", stage="edge", reason="cancelled")
            raise

    def _left(self, deadline_at: float) -> float | None:
        return deadline_at - self._handler.now() if deadline_at else None
