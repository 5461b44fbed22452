"""A server that is a process of its own on this machine, and what `make` does with one: serve until told to leave."""

import signal
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from lipsol.errors import LipsolError
from services.local.broker import HOST
from services.local.processes import Process


class Server:
    """A process that answers HTTP at a port. `with` ends it on the way out."""

    def __init__(self, port: int, process: Process) -> None:
        self.port = port
        self._process = process

    @property
    def uri(self) -> str:
        """What clients are told: "http://127.0.0.1:PORT"."""
        return f"http://{HOST}:{self.port}"

    def stop(self) -> None:
        """End it. Twice is harmless."""
        self._process.stop()

    def kill(self) -> None:
        """SIGKILL it, as a machine that goes away would."""
        self._process.kill()

    def wait(self) -> None:
        """Return when it has ended."""
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


S = TypeVar("S", bound=Server)


def serve(start: Callable[[], S], tell: Callable[[S], list[str]]) -> int:
    """Start a server, print what `tell` says of it and serve until told to leave; the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with start() as server:
            print("\n".join(tell(server)), flush=True)  # noqa: T201
            server.wait()
    except KeyboardInterrupt:
        pass
    except LipsolError as fault:
        print(f"lipsol: {fault.detail}; {fault.cure}", file=sys.stderr)  # noqa: T201
        return 1
    return 0
