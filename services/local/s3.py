"""A real S3 API on this machine, for developers and tests: moto's server. It keeps what it is given in memory.

`python -m services.local.s3` (`make s3`) serves one in the foreground, on 127.0.0.1:9000, with the bucket `lipsol`.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from lipsol.errors import LipsolError, Transient
from services.local.broker import HOST, free_port
from services.local.processes import Process

PORT = 9000  # where S3-compatible servers are looked for
BUCKET = "lipsol"
START_S = 90.0  # that it may take; 2 s on a machine that has nothing else to do
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}  # any are taken


class S3Server:
    """One server. `with S3Server.start() as server:` ends it on the way out, with all that it kept."""

    def __init__(self, port: int, process: Process) -> None:
        self.port = port
        self._process = process

    @classmethod
    def start(cls, port: int = 0) -> Self:
        """Start one; port 0 takes a free one. Raises Transient when it can't be had."""
        port = port or free_port()
        program = shutil.which("moto_server", path=f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}")
        if program is None:
            raise Transient("no moto_server here", "set up the environment for development: make test")
        with socket.socket() as probe:
            if not probe.connect_ex((HOST, port)):
                raise Transient(f"somebody listens at {HOST}:{port} already", "end that first")
        command = [program, "--host", HOST, "--port", str(port)]
        server = cls(port, Process(command, output=subprocess.DEVNULL))
        server._await_start()
        return server

    @property
    def endpoint(self) -> str:
        """What clients are told: "http://127.0.0.1:PORT"."""
        return f"http://{HOST}:{self.port}"

    def make_bucket(self, bucket: str) -> None:
        """Make a bucket. Raises Transient when it can't be made."""
        request = urllib.request.Request(f"{self.endpoint}/{bucket}", method="PUT")  # noqa: S310 - our own server
        try:
            with urllib.request.urlopen(request, timeout=START_S):  # noqa: S310
                pass
        except (urllib.error.URLError, OSError) as fault:
            raise Transient(f"no bucket {bucket!r} can be made at {self.endpoint}: {fault}", "see its name") from fault

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

    def _await_start(self) -> None:
        until = time.monotonic() + START_S
        while time.monotonic() < until and self._process.alive:
            try:
                with urllib.request.urlopen(self.endpoint, timeout=START_S):  # noqa: S310
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        self._process.kill()
        raise Transient(f"no S3 server started at {self.endpoint}", "see whether something else has the port")


def main() -> int:
    """Serve until told to leave; the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with S3Server.start(PORT) as server:
            server.make_bucket(BUCKET)
            told = {**CREDENTIALS, "LIPSOL_STORE__KIND": "s3", "LIPSOL_STORE__ENDPOINT": server.endpoint}
            print(f"an S3 server at {server.endpoint} with the bucket {BUCKET}; tell the platform of it:")  # noqa: T201
            print("export", *(f"{name}={value}" for name, value in told.items()), flush=True)  # noqa: T201
            server.wait()
    except KeyboardInterrupt:
        pass
    except LipsolError as fault:
        print(f"lipsol: {fault.detail}; {fault.cure}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
