"""A real S3 API on this machine, for developers and tests: moto's server. It keeps what it is given in memory.

`python -m services.local.s3` (`make s3`) serves one in the foreground, on 127.0.0.1:9000, with the bucket `lipsol`.
"""

import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

from lipsol.errors import Transient
from services.local.broker import HOST, free_port
from services.local.processes import Process
from services.local.server import Server, serve

PORT = 9000  # where S3-compatible servers are looked for
BUCKET = "lipsol"
START_S = 90.0  # that it may take; 2 s on a machine that has nothing else to do
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}  # any are taken


class S3Server(Server):
    """One server. `with S3Server.start() as server:` ends it on the way out, with all that it kept."""

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
        process = Process(command, output=subprocess.DEVNULL)
        server = cls(port, process)
        process.await_answer(server.uri, START_S)
        return server

    def make_bucket(self, bucket: str) -> None:
        """Make a bucket. Raises Transient when it can't be made."""
        request = urllib.request.Request(f"{self.uri}/{bucket}", method="PUT")  # noqa: S310 - our own server
        try:
            with urllib.request.urlopen(request, timeout=START_S):  # noqa: S310
                pass
        except (urllib.error.URLError, OSError) as fault:
            raise Transient(f"no bucket {bucket!r} can be made at {self.uri}: {fault}", "see its name") from fault


def main() -> int:
    """Serve until told to leave; the exit code."""

    def tell(server: S3Server) -> list[str]:
        server.make_bucket(BUCKET)
        told = {**CREDENTIALS, "LIPSOL_STORE__KIND": "s3", "LIPSOL_STORE__ENDPOINT": server.uri}
        said = " ".join(f"{name}={value}" for name, value in told.items())
        return [f"an S3 server at {server.uri} with the bucket {BUCKET}; tell the platform of it:", f"export {said}"]

    return serve(lambda: S3Server.start(PORT), tell)


if __name__ == "__main__":
    sys.exit(main())
