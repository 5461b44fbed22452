"""POST /v1/clips from its first byte to its answer: upload, idempotency, the line before the threads, waiting."""

import asyncio
import weakref

from starlette.requests import Request

from lipsol.errors import Busy, NotFound
from services.preprocess.asking import Asked
from services.preprocess.handler import Handler, new_id
from services.preprocess.pool import Pool
from services.preprocess.repeats import body_digest, checked_key
from services.preprocess.results import Result
from services.preprocess.settings import PreprocessSettings
from services.preprocess.uploads import Upload, UploadBounds, Uploads

ASKED = ("model", "grammar", "language")  # form fields beside the clip


class Receiving:
    """Takes clips for one event loop; all that needs a CPU or the store runs in threads."""

    def __init__(self, handler: Handler, pool: Pool, settings: PreprocessSettings) -> None:
        self._handler = handler
        self._pool = pool
        self._wait_s = settings.wait_s
        self._uploads = Uploads(UploadBounds(settings.max_bytes, settings.memory_bytes, settings.upload_s))
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def take(self, request: Request, key: str | None) -> Result:
        """The clip of a request, taken: its result so far. Raises what it is refused for, and Busy."""
        try:
            return await self._take(request, checked_key(key) if key is not None else None)
        except Busy:
            self._handler.telemetry.add("lipsol_clips_refused_total", reason="busy")
            raise

    async def _take(self, request: Request, key: str | None) -> Result:
        self._pool.check()
        async with self._uploads.receive(request) as upload:
            if key is None:
                return await self._watch(new_id(), upload)
            turn = self._turns.setdefault(key, asyncio.Lock())
            async with turn:
                return await self._once(key, upload)

    async def settled(self, result: Result) -> Result:
        """The clip's result once it is read, or as it stands after `wait_s`.

        Raises the reason if it was given up, NotFound if it was deleted meanwhile.
        """
        with self._handler.waiters.waiting(result.clip_id) as future:
            result = await asyncio.to_thread(self._handler.result, result.clip_id)
            if result.state == "reading":
                try:
                    result = await asyncio.wait_for(asyncio.wrap_future(future), self._wait_s)
                except TimeoutError:
                    result = await asyncio.to_thread(self._handler.result, result.clip_id)
        if fault := result.fault():
            raise fault
        return result

    async def _once(self, key: str, upload: Upload) -> Result:
        """The clip that this key has named before, or else this one under the key's name."""
        repeats = self._handler.repeats
        body = await asyncio.to_thread(body_digest, upload.data, [upload.fields.get(name, "") for name in ASKED])
        clip_id = await asyncio.to_thread(repeats.clip_of, key, body)
        if clip_id is not None:
            before = await asyncio.to_thread(self._standing, clip_id)
            if before is not None:
                return before
        clip_id = clip_id or new_id()
        await asyncio.to_thread(repeats.remember, key, body, clip_id)
        return await self._watch(clip_id, upload)

    def _standing(self, clip_id: str) -> Result | None:
        """The result of a clip that was sent before; None if it is gone, or was begun and never came to an end."""
        try:
            result = self._handler.result(clip_id)
        except NotFound:
            return None
        stuck = result.state == "reading" and self._handler.now() - result.received_at > self._wait_s
        return None if stuck else result

    async def _watch(self, clip_id: str, upload: Upload) -> Result:
        asked = Asked(**{name: upload.fields.get(name, "").strip() for name in ASKED})
        future = self._pool.submit(self._handler.receive, clip_id, upload.data, asked, self._handler.now())
        return await asyncio.wrap_future(future)
