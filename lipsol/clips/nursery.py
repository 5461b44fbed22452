"""The parent's side of the sandbox: starts the nursery process, sends it clips, and ends what takes too long.

Forking from a small process that has already imported the decoder costs a few milliseconds; forking from this one,
with its threads and models, would not be safe, and multiprocessing's forkserver would import the caller's main module
again. The nursery runs isolated (-I), with an empty environment, and never sees the caller's descriptors.
"""

import atexit
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lipsol.errors import Transient

START_S = 60.0  # for importing the decoder, and later for taking an order, on a busy machine
BURIAL_S = 5.0  # for the nursery to end a child, or itself
MESSAGE_BYTES = 64 * 1024
TOP = Path(__file__).resolve().parents[2]  # where the package lies
PROGRAM = "from lipsol.clips.sandbox import main; main()"
ENVIRONMENT = {  # nothing of the caller's own
    "OPENBLAS_NUM_THREADS": "1",  # threads would cost address space, and forbid the namespace
    # A picture's memory is kept for the next one, and new memory comes in huge pages: handing every picture back to the
    # kernel and faulting it in again took 30 of a clip's 80 ms.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.trim_threshold=268435456"
    ":glibc.malloc.mmap_threshold=33554432",
}
DOCTOR = "try again; if it stays so, run `lipsol doctor`"


@dataclass(frozen=True)
class Answer:
    """What came back for one clip.

    report     what the child told; None if it told nothing
    exit_code  how the child ended: 0 well, negative by that signal; None if the nursery itself went away
    late       it was ended because its time was up
    """

    report: dict[str, Any] | None
    exit_code: int | None
    late: bool


class Nursery:
    """One nursery process, started when first needed and again when it is gone. Safe to share between threads."""

    def __init__(self, program: str = PROGRAM) -> None:
        self._program = program
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self.close)

    def ask(self, order: dict[str, Any], data: bytes, sink: int, wall_s: float) -> Answer:
        """Have a child work on `data`, writing to the descriptor `sink`, for at most `wall_s` seconds.

        When this returns the child is dead and reaped. Raises Transient if none could be started.
        """
        with self.begin(order, data, sink) as line:
            return self.answer(line, wall_s)

    def begin(self, order: dict[str, Any], data: bytes, sink: int) -> socket.socket:
        """Have a child begin to; its line, on which `answer` waits for the end. Raises Transient."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs, _memory(data) as source:
                self._send(json.dumps(order).encode(), [theirs.fileno(), source, sink])
        except BaseException:
            ours.close()
            raise
        return ours

    def close(self) -> None:
        """End the nursery and all its children; the next clip starts another."""
        with self._lock:
            self._end()

    def _send(self, message: bytes, descriptors: list[int]) -> None:
        for _ in range(2):
            control = self._started()
            try:
                socket.send_fds(control, [message], descriptors)
            except OSError:
                self._end_if(control)
            else:
                return
        raise Transient("the video decoder could not be started (it went away twice)", DOCTOR)

    def answer(self, line: socket.socket, wall_s: float) -> Answer:
        """What came of the child on a line, within `wall_s` seconds (0: it is ended now); it is dead and reaped then.

        Raises Transient if it was never born.
        """
        heard: dict[str, Any] = {}
        late = not _hear(line, heard, wall_s)
        if late:
            line.shutdown(socket.SHUT_WR)  # the nursery kills the child and says so
            if not _hear(line, heard, BURIAL_S):
                self.close()
        if "unborn" in heard:
            raise Transient(f"the video decoder could not be started ({heard['unborn']})", DOCTOR)
        exit_code = heard.pop("exit", None)
        return Answer(heard or None, exit_code, late)

    def _started(self) -> socket.socket:
        with self._lock:
            if self._control is None:
                self._control = self._launched()
            return self._control

    def _launched(self) -> socket.socket:
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 our own code, in our own interpreter
                    [
                        sys.executable,
                        "-I",
                        "-c",
                        f"import sys; sys.path.insert(0, sys.argv[1]); {self._program}",
                        str(TOP),
                    ],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    cwd="/",
                    start_new_session=True,  # Ctrl-C is for the caller, which then ends the nursery itself
                    env=ENVIRONMENT,
                )
            control.settimeout(START_S)
            if not control.recv(MESSAGE_BYTES):
                raise OSError(f"it left at once, exit {self._process.wait()}")
        except OSError as fault:
            control.close()
            self._end()
            raise Transient(f"the video decoder could not be started ({fault})", DOCTOR) from fault
        return control

    def _end_if(self, control: socket.socket) -> None:
        with self._lock:
            if self._control is control:
                self._end()

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(BURIAL_S)
            self._process.kill()
            self._process.wait()
            self._process = None

    def _forget(self) -> None:
        """A forked copy of this process leaves the nursery to its parent."""
        self._lock = threading.Lock()
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.returncode = 0  # it is not this process's child, and not for it to wait for
            self._process = None


@contextlib.contextmanager
def _memory(data: bytes) -> Iterator[int]:
    descriptor = os.memfd_create("clip")
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        yield descriptor
    finally:
        os.close(descriptor)


def _hear(line: socket.socket, heard: dict[str, Any], seconds: float) -> bool:
    """Collect the line's messages into `heard` until it closes; False if it has not within `seconds`."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        line.settimeout(left)
        try:
            message = line.recv(MESSAGE_BYTES)
        except TimeoutError:
            return False
        except OSError:
            return True
        if not message:
            return True
        heard.update(_parsed(message))
    return False


def _parsed(message: bytes) -> dict[str, Any]:
    try:
        told = json.loads(message)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
