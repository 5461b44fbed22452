"""Serving an app until told to leave: unready first, then no new connections, then the answers that are still owed.

SIGTERM and Ctrl-C begin that; a second one ends it at once.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from types import FrameType
from typing import Protocol

import uvicorn
from starlette.types import ASGIApp

from lipsol.errors import BadInput
from services.doors.service import DoorSettings

BACKLOG = 512  # connections that wait for accept
IDLE_S = 15  # an idle connection is kept this long


class Beside(Protocol):
    """Another door on the same event loop."""

    async def start(self) -> None:
        """Open it. Raises BadInput if it can't be opened."""
        ...

    async def stop(self, grace_s: float) -> None:
        """Take nothing new; what is in work has grace_s seconds."""
        ...


class Server(uvicorn.Server):
    """One app on one port. `run()` returns when it has left; `leave()` begins that from any thread."""

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        place: DoorSettings,
        unready: Callable[[], None],
        beside: Sequence[Beside] = (),
    ) -> None:
        """place says how to leave: for `drain_s` the server still takes requests while the service says that it is not
        ready, so that whoever spreads the load hears of it; then the answers that are owed have `grace_s`.

        unready is called first of all when told to leave. beside: other doors, opened and closed with this one.

        Raises BadInput if the port can't be had.
        """
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=IDLE_S,
                timeout_graceful_shutdown=max(1, round(place.grace_s)),
            )
        )
        self._socket = _listen(host, port)
        self._drain_s = place.drain_s
        self._grace_s = place.grace_s
        self._unready = unready
        self._beside = beside
        self._leave_at: float | None = None

    @property
    def port(self) -> int:
        """The port it listens on, also when 0 was asked for."""
        return int(self._socket.getsockname()[1])

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until left."""
        super().run(sockets if sockets is not None else [self._socket])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open every door. Raises BadInput where one can't be opened."""
        try:
            for door in self._beside:
                await door.start()
        except BaseException:
            self._socket.close()
            raise
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close every door at the same time; each gives the answers that it owes."""
        others = [asyncio.ensure_future(door.stop(self._grace_s)) for door in self._beside]
        await super().shutdown(sockets)
        await asyncio.gather(*others)

    def leave(self) -> None:
        """Begin to leave."""
        self._unready()
        self._leave_at = time.monotonic() + self._drain_s

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal: leave in good order the first time, at once the second time."""
        if self._leave_at is None:
            self.leave()
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop taking connections."""
        over = self._leave_at is not None and time.monotonic() >= self._leave_at
        return await super().on_tick(counter) or over


@contextmanager
def aside(name: str, app: ASGIApp, host: str, port: int, place: DoorSettings, setting: str) -> Iterator[int]:
    """An app in a thread of its own for as long as the block lasts, on a port that it gives.

    name: of the door ("board"); setting: the variable that moves its port. Raises BadInput if the port can't be had.
    """
    try:
        server = Server(app, host, port, place, lambda: None)
    except BadInput as taken:
        raise BadInput(f"the {name}: {taken.detail}", f"end the other `lipsol serve`, or set {setting}") from taken
    thread = Thread(target=server.run, name=name, daemon=True)
    thread.start()
    try:
        yield server.port
    finally:
        server.leave()
        thread.join(place.grace_s)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as fault:
        raise BadInput(
            f"{host} port {port} can't be listened on ({fault.strerror})", "name another address or port"
        ) from fault
