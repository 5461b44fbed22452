"""How much of requests a door holds: bytes of one, bytes of all, and how many are unpacked at the same time."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from lipsol.errors import Busy
from services.doors.problems import Refused

REQUEST_BYTES = 16 * 2**20  # of one request, unpacked: twenty clips of three seconds
MEMORY_BYTES = 256 * 2**20  # of all requests that a door holds, from the first byte to the answer
UNPACKED_AT_ONCE = 2  # requests whose JSON or compression is undone: that takes some times their size, and a CPU

Made = TypeVar("Made")


class Room:
    """How many bytes of requests a door holds; on one event loop."""

    def __init__(self, request_bytes: int = REQUEST_BYTES, memory_bytes: int = MEMORY_BYTES) -> None:
        self.request_bytes = request_bytes
        self._memory_bytes = memory_bytes
        self._held = 0
        self._unpacking = asyncio.Semaphore(UNPACKED_AT_ONCE)

    @contextmanager
    def counting(self) -> Iterator[Callable[[int], None]]:
        """A function to count bytes of one request with, before they are kept; they are let go when the block ends.

        It raises Refused (413) beyond the bound of one request, Busy when all memory for requests is taken.
        """
        taken = 0

        def take(amount: int) -> None:
            nonlocal taken
            if taken + amount > self.request_bytes:
                raise self.too_large()
            if self._held + amount > self._memory_bytes:
                raise Busy(
                    f"requests of {self._held} bytes are in work, at most {self._memory_bytes} may be",
                    "try again later",
                )
            taken += amount
            self._held += amount

        try:
            yield take
        finally:
            self._held -= taken

    async def unpack(self, make: Callable[[], Made]) -> Made:
        """What `make` gives, made in a thread, in turn with the other requests."""
        async with self._unpacking:
            return await asyncio.to_thread(make)

    def too_large(self) -> Refused:
        """The refusal of a request over the bound."""
        return Refused(413, f"the request has more than {self.request_bytes} bytes", "send fewer clips at once")
