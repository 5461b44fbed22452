"""Batches: videos that wait in a store are fetched and go the way of every other clip. One event at a time a thread.

- A repeat of an event changes nothing: the submitter named the clip, and a mark stands beside it once it was handed on
  or refused. Until then, whatever a replica left half done is done again.
- A clip that can't be read is an ordinary outcome of a batch: a failed result with the reason, and `ClipRefused`. A
  video that is gone, or not the one that was announced, is a dead letter, and its result says so too; mended and
  replayed it is fetched like a new one.
- Whoever waits for an answer goes first: batches get a share of the threads, and fetch nothing more while `ahead` of
  their clips wait to be read.
- What was sent up for the batch is removed once it was watched; an object of someone else's is never touched.
"""

import hashlib
import threading
import time
from collections.abc import Sequence

from lipsol.errors import BadInput, NotFound
from lipsol.events import ClipReceived, ClipRefused, Event
from lipsol.store.objects import Objects
from lipsol.store.port import Store
from services.doors.problems import Problem
from services.preprocess.asking import Asked
from services.preprocess.handler import Handler
from services.preprocess.pool import Pool
from services.preprocess.results import Result

UPLOADS = "batches/"  # keys of the store under which videos wait that were sent up for a batch
LOOK_S = 0.02  # between two looks whether there is room to fetch more
ROOM_S = 60.0  # that room is waited for; then one more clip is fetched all the same, so that nothing stands still


class Fetching:
    """Fetches what was submitted; safe to share between threads.

    objects    opens what is named; `store` holds what was sent up
    max_bytes  of one clip
    ahead      clips of batches that may wait to be read
    """

    def __init__(
        self, handler: Handler, pool: Pool, objects: Objects, store: Store, *, max_bytes: int, ahead: int
    ) -> None:
        self._handler, self._pool, self._objects, self._store = handler, pool, objects, store
        self._max_bytes, self._ahead = max_bytes, ahead
        self._handed_on: set[str] = set()
        self._lock = threading.Lock()
        self._leaving = threading.Event()

    def handle(self, events: Sequence[Event]) -> list[Event]:
        """Take what was submitted; the refusals among it.

        Raises BadInput for a video that is gone or not the one that was announced, Transient where store or bus is
        away.
        """
        return [refusal for event in events if isinstance(event, ClipReceived) for refusal in self._take(event)]

    def leave(self) -> None:
        """Wait for no room any more: what is in work is to end."""
        self._leaving.set()

    def _take(self, event: ClipReceived) -> list[Event]:
        """Have one clip read, unless that was done; its refusal, if it can't be."""
        if self._handler.repeats.handed_on(event.clip_id, self._handler.now()):
            return self._told_again(event)
        self._wait_for_room()
        self._handler.keeper.reopen(event.clip_id)
        self._handler.keeper.begin(self._waiting(event))
        data = self._fetched(event)
        asked = Asked(event.model, event.grammar, event.language, event.session)
        try:
            self._pool.submit_in_turn(
                self._handler.receive,
                event.clip_id,
                data,
                asked,
                self._handler.now(),
                deadline_at=event.deadline_at,
                keyed=True,
                batch=event.batch,
                patient=True,
            ).result()
            if self._handler.recordings is not None:
                self._handler.recordings.wait(event.clip_id)  # a replica that dies meanwhile leaves it to another
        except BadInput as refusal:
            refused = self._waiting(event).model_copy(update={"state": "failed", "problem": Problem.of(refusal)})
            self._done(event, refused)
            return [self._refusal(event, refusal)]
        self._done(event)
        return []

    def _fetched(self, event: ClipReceived) -> bytes:
        """The video's bytes, the very ones that were announced."""
        try:
            data = self._objects.fetch(event.source, self._max_bytes)
        except NotFound as gone:
            raise BadInput(f"the video is gone from {event.source}", "put it there again, or submit it anew") from gone
        digest = hashlib.sha256(data).hexdigest()
        if (event.size_bytes and len(data) != event.size_bytes) or event.digest not in ("", digest):
            raise BadInput(
                f"{event.source} holds {len(data)} bytes with digest {digest[:12]}, announced were"
                f" {event.size_bytes or 'any'} bytes with {event.digest[:12] or 'any'}",
                "put back the video that was submitted, or submit it anew",
            )
        return data

    def _done(self, event: ClipReceived, refused: Result | None = None) -> None:
        """Mark a clip as handed on or refused, and remove what was sent up of it."""
        if refused is not None:
            self._handler.keeper.begin(refused)
            self._handler.repeats.mark(event.clip_id, 0.0)
        else:
            with self._lock:
                self._handed_on.add(event.clip_id)
        if event.source.startswith(UPLOADS):
            self._store.delete(event.source)

    def _told_again(self, event: ClipReceived) -> list[Event]:
        """What a repeat tells: the refusal, in case that was not told yet."""
        try:
            result = self._handler.result(event.clip_id)
        except NotFound:
            return []
        fault = result.fault()
        watched = bool(result.faces)  # then it was refused by somebody behind the edge
        return [self._refusal(event, fault)] if isinstance(fault, BadInput) and not watched else []

    def _refusal(self, event: ClipReceived, fault: BadInput) -> ClipRefused:
        return ClipRefused(event.clip_id, event.batch, fault.detail, fault.cure, self._handler.now())

    def _waiting(self, event: ClipReceived) -> Result:
        """The result of a clip that is being fetched."""
        return Result(
            clip_id=event.clip_id,
            state="reading",
            language=event.language or self._handler.language,
            received_at=self._handler.now(),
        )

    def _wait_for_room(self) -> None:
        """Wait until fewer than `ahead` clips of batches wait to be read here, `ROOM_S` at most."""
        until = time.monotonic() + ROOM_S
        while self._unread() >= self._ahead and time.monotonic() < until and not self._leaving.wait(LOOK_S):
            pass

    def _unread(self) -> int:
        with self._lock:
            self._handed_on = {clip_id for clip_id in self._handed_on if clip_id in self._handler.flight}
            return len(self._handed_on)
