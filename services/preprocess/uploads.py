"""A clip on its way in: multipart form -> bytes in memory, bounded while it is being read.

The video never touches the disk, and the memory that all uploads together may hold is bounded, whatever the clients'
headers claim.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from lipsol.errors import BadInput, Busy
from services.doors.problems import Refused
from services.preprocess.asking import GRAMMAR_MAX

FORM_BYTES = 1024 * 1024  # what may come beside the clip: the other fields and the form's own lines
FIELD_BYTES = 4 * GRAMMAR_MAX  # of one other field; UTF-8 takes up to four bytes a character
FIELDS = 8  # other fields; three are known
HOW = "send multipart/form-data with the clip in the field `file`"


@dataclass(frozen=True)
class Upload:
    """What came in: the clip's bytes, and the other fields by name."""

    data: bytes
    fields: Mapping[str, str]


@dataclass(frozen=True)
class UploadBounds:
    """max_bytes: of one clip; memory_bytes: of all clips held at once; timeout_s: for one upload."""

    max_bytes: int
    memory_bytes: int
    timeout_s: float


class Uploads:
    """Takes uploads one by one, and knows how many bytes of them are held. Lives on one event loop."""

    def __init__(self, bounds: UploadBounds) -> None:
        self._bounds = bounds
        self._held = 0

    @asynccontextmanager
    async def receive(self, request: Request) -> AsyncIterator[Upload]:
        """The upload in a request; its memory counts as held until the block ends.

        Raises Refused (400 malformed, 408 too slow, 413 too big, 415 another kind of body), BadInput for a form
        without a clip, Busy when all memory for uploads is taken.
        """
        self._check_headers(request)
        counted = _Counted(self, request)
        try:
            yield await self._parse(request, counted)
        finally:
            self._held -= counted.taken

    def take(self, amount: int) -> None:
        """Count bytes as held. Raises Busy when that is more than may be."""
        if self._held + amount > self._bounds.memory_bytes:
            raise Busy(
                f"clips of {self._held} bytes are in work, at most {self._bounds.memory_bytes} may be",
                "try again later",
            )
        self._held += amount

    @property
    def most(self) -> int:
        """Bytes that a whole request may have."""
        return self._bounds.max_bytes + FORM_BYTES

    def too_large(self) -> Refused:
        """The refusal of a clip over the bound."""
        return Refused(
            413, f"the clip has more than {self._bounds.max_bytes} bytes", "cut it shorter or compress it more"
        )

    def _check_headers(self, request: Request) -> None:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "multipart/form-data":
            raise Refused(415, f"the body is of type {kind[:100] or 'unknown'!r}", HOW)
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > self.most:
            raise self.too_large()

    async def _parse(self, request: Request, counted: "_Counted") -> Upload:
        parser = MultiPartParser(
            request.headers, counted.chunks(), max_files=1, max_fields=FIELDS, max_part_size=FIELD_BYTES
        )
        parser.spool_max_size = self.most
        try:
            async with asyncio.timeout(self._bounds.timeout_s):
                form = await parser.parse()
        except TimeoutError as slow:
            cure = "use a faster connection or a smaller clip"
            raise Refused(408, f"the upload took more than {self._bounds.timeout_s:g} s", cure) from slow
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
            raise self.too_large()
        return Upload(data, {name: value for name, value in form.items() if isinstance(value, str)})


class _Counted:
    """The body of a request, chunk by chunk, each counted before it is kept."""

    def __init__(self, uploads: Uploads, request: Request) -> None:
        self._uploads = uploads
        self._request = request
        self.taken = 0

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        async for chunk in self._request.stream():
            if self.taken + len(chunk) > self._uploads.most:
                raise self._uploads.too_large()
            self._uploads.take(len(chunk))
            self.taken += len(chunk)
            yield chunk
