"""A clip on its way in: multipart form -> bytes in memory, bounded while it is being read.

The video never touches the disk, and the memory that all uploads together may hold, through whatever door, is bounded,
whatever the clients' headers claim.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from lipsol.errors import BadInput, Busy
from lipsol.text.hotwords import MAX_HOTWORDS
from lipsol.text.wording import MAX_BOARD
from services.doors.problems import Refused
from services.preprocess.asking import GRAMMAR_MAX

FORM_BYTES = 1024 * 1024  # what may come beside the clip: the other fields and the form's own lines
FIELD_BYTES = 4 * GRAMMAR_MAX  # of one other field; UTF-8 takes up to four bytes a character
FIELDS = 8 + MAX_BOARD + MAX_HOTWORDS  # other fields; phrases and hotwords may come one by one
HOW = "send multipart/form-data with the clip in the field `file`"


@dataclass(frozen=True)
class Upload:
    """What came in: the clip's bytes, and the other fields by name; of one that came often all that it held."""

    data: bytes
    fields: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class UploadBounds:
    """max_bytes: of one clip; memory_bytes: of all clips held at once; timeout_s: for one upload."""

    max_bytes: int
    memory_bytes: int
    timeout_s: float


class Held:
    """How many bytes of clips all doors hold together; on one event loop."""

    def __init__(self, bounds: UploadBounds) -> None:
        self.bounds = bounds
        self._bytes = 0

    @contextmanager
    def counting(self, most: int) -> Iterator[Callable[[int], None]]:
        """A function to count bytes as held with, before they are kept; what it counted is let go when the block ends.

        It raises Refused (413) beyond `most` bytes, Busy when all memory for clips is taken.
        """
        taken = 0

        def take(amount: int) -> None:
            nonlocal taken
            if taken + amount > most:
                raise self.too_large()
            if self._bytes + amount > self.bounds.memory_bytes:
                raise Busy(
                    f"clips of {self._bytes} bytes are in work, at most {self.bounds.memory_bytes} may be",
                    "try again later",
                )
            taken += amount
            self._bytes += amount

        try:
            yield take
        finally:
            self._bytes -= taken

    def too_large(self) -> Refused:
        """The refusal of a clip over the bound."""
        return Refused(
            413, f"the clip has more than {self.bounds.max_bytes} bytes", "cut it shorter or compress it more"
        )

    def too_slow(self) -> Refused:
        """The refusal of an upload over its time."""
        cure = "use a faster connection or a smaller clip"
        return Refused(408, f"the upload took more than {self.bounds.timeout_s:g} s", cure)


class Uploads:
    """Takes uploads one by one. Lives on one event loop."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._bounds = held.bounds

    @asynccontextmanager
    async def receive(self, request: Request) -> AsyncIterator[Upload]:
        """The upload in a request; its memory counts as held until the block ends.

        Raises Refused (400 malformed, 408 too slow, 413 too big, 415 another kind of body), BadInput for a form
        without a clip, Busy when all memory for uploads is taken.
        """
        most = self._bounds.max_bytes + FORM_BYTES
        self._check_headers(request, most)
        with self._held.counting(most) as take:
            yield await self._parse(request, _counted(request, take))

    def _check_headers(self, request: Request, most: int) -> None:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "multipart/form-data":
            raise Refused(415, f"the body is of type {kind[:100] or 'unknown'!r}", HOW)
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > most:
            raise self._held.too_large()

    async def _parse(self, request: Request, chunks: AsyncGenerator[bytes, None]) -> Upload:
        parser = MultiPartParser(request.headers, chunks, max_files=1, max_fields=FIELDS, max_part_size=FIELD_BYTES)
        parser.spool_max_size = self._bounds.max_bytes + FORM_BYTES
        try:
            async with asyncio.timeout(self._bounds.timeout_s):
                form = await parser.parse()
        except TimeoutError as slow:
            raise self._held.too_slow() from slow
        except MultiPartException as fault:
            raise Refused(400, f"the form can't be read ({fault.message})", HOW) from fault
        try:
            return await self._upload(form)
        finally:
            await form.close()

    async def _upload(self, form: FormData) -> Upload:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise BadInput("the form has no clip in its field `file`", HOW)
        data = await file.read()
        if len(data) > self._bounds.max_bytes:
            raise self._held.too_large()
        fields: dict[str, list[str]] = {}
        for name, value in form.multi_items():
            if isinstance(value, str):
                fields.setdefault(name, []).append(value)
        return Upload(data, fields)


async def _counted(request: Request, take: Callable[[int], None]) -> AsyncGenerator[bytes, None]:
    """The body of a request, chunk by chunk, each counted before it is kept."""
    async for chunk in request.stream():
        take(len(chunk))
        yield chunk
