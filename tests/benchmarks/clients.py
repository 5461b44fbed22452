"""Clients at once, each asking again as soon as it was answered: `python -m tests.benchmarks.clients`, a process alone.

It costs the servers' machine as little as it can, and the same for every server: requests are made beforehand, sent as
they are by an event loop over one connection a client, and answers are looked at no further than whether they are good.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import uvloop

METHOD = "/inference.GRPCInferenceService/ModelInfer"
OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]
Ask = Callable[[], Awaitable[None]]


class Load(NamedTuple):
    """What came of a time under load: seconds that each answer took, and how many answers came in that time."""

    took_s: list[float]
    answered: int


class Http(asyncio.Protocol):
    """One connection to an HTTP server, one request at a time."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._got = bytearray()
        self._answered: asyncio.Future[None] | None = None
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, split, body = self._got.partition(b"\r\n\r\n")
        if split and len(body) >= _length(head):
            self._done(head)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(ConnectionError(f"the server hung up ({exc})"))

    def _done(self, head: bytes) -> None:
        assert self._answered is not None
        if head.startswith(b"HTTP/1.1 200 "):
            self._answered.set_result(None)
        else:
            self._answered.set_exception(ConnectionError(bytes(self._got[:500]).decode(errors="replace")))

    async def ask(self) -> None:
        """Send the request, and wait for all of its answer."""
        self._got.clear()
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(self._request)
        await self._answered


def _length(head: bytes) -> int:
    """Content-Length of an answer; both servers tell it."""
    return int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])


async def http_client(port: int, request: bytes) -> Ask:
    """A client of an HTTP server; request: the whole of it, as it goes over the wire."""
    _, held = await asyncio.get_running_loop().create_connection(lambda: Http(request), "127.0.0.1", port)
    return held.ask


async def grpc_client(port: int, request: bytes) -> Ask:
    """A client of the Open Inference Protocol over gRPC; request: a ModelInferRequest, serialised."""
    call = grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=OWN_CONNECTION).unary_unary(METHOD)

    async def ask() -> None:
        await call(request)

    return ask


CLIENTS = {"http": http_client, "grpc": grpc_client}


async def load(kind: str, port: int, requests: list[bytes], clients: int, seconds: float) -> Load:
    """Seconds that each answer took, and how many came within the time."""
    asks = [await CLIENTS[kind](port, requests[n % len(requests)]) for n in range(clients)]
    until = time.perf_counter() + seconds
    took: list[tuple[float, float]] = []

    async def go_on(ask: Ask) -> None:
        while (began := time.perf_counter()) < until:
            await ask()
            done = time.perf_counter()
            took.append((done - began, done))

    await asyncio.gather(*map(go_on, asks))
    return Load([each for each, _ in took], sum(done < until for _, done in took))


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    bodies = [Path(each).read_bytes() for each in told.pop("requests")]
    json.dump(uvloop.run(load(**told, requests=bodies)), sys.stdout)
