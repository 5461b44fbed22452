"""The nursery process: it has imported the decoder once, and forks a confined child for every clip.

`lipsol.clips.nursery` starts it with one socket as its standard input; it leaves, and its children with it, when that
socket closes. It gives up the network at its start. Each child gives up files, processes, memory and time before it
looks at the first byte of a clip, and tells its report over the clip's own line; then the nursery tells how the child
ended. A line that its other end has shut ends the child.
"""

import contextlib
import ctypes
import gc
import itertools
import json
import os
import resource
import select
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from lipsol.clips.seccomp import compute_only
from lipsol.errors import BadInput

MESSAGE_BYTES = 64 * 1024  # orders and reports are far shorter
CPU_GRACE_S = 1  # between SIGXCPU, which ends the child, and SIGKILL, should it have been caught
_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000  # linux/sched.h
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4  # linux/prctl.h

Work = Callable[[dict[str, Any], int, int], dict[str, Any]]  # (order, descriptors of clip and frames) -> report


def main() -> None:
    """Run the nursery on standard input, with the video decoder as its work."""
    with socket.socket(fileno=0) as control:
        give_up_network()
        from lipsol.clips.decoder import Order, decode_into, preload

        preload()
        serve(control, lambda order, source, sink: decode_into(Order(**order), source, sink))


def give_up_network() -> bool:
    """Enter namespaces without network and shared memory; False where the machine does not allow it.

    It must come before anything starts a thread. In a user namespace of its own, root's powers are gone as well.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC) == 0)


def serve(control: socket.socket, work: Work) -> None:
    """Say hello, then fork a child for each order that comes over `control`, until it closes."""
    gc.freeze()
    control.send(b"{}")
    children = _Children()
    try:
        while children.wait(control) is False or children.add(control, work):
            pass
    finally:
        children.end()


@dataclass(frozen=True)
class _Child:
    pid: int
    death: int  # descriptor that can be read once the child is dead
    line: socket.socket


class _Children:
    """The living children of the nursery."""

    def __init__(self) -> None:
        self._by_death: dict[int, _Child] = {}
        self._by_line: dict[int, _Child] = {}
        self._poll = select.poll()

    def wait(self, control: socket.socket) -> bool:
        """Bury the dead, end those whose line was shut; True when a new order has come as well.

        Births come last: a new child may be given a descriptor that a dead one had, and a line is watched only until
        it has told.
        """
        self._poll.register(control, select.POLLIN)
        ready = [descriptor for descriptor, _ in self._poll.poll()]
        for descriptor in ready:
            if descriptor in self._by_line:
                self._poll.unregister(descriptor)
                os.kill(self._by_line.pop(descriptor).pid, signal.SIGKILL)
        for descriptor in ready:
            if descriptor in self._by_death:
                self._bury(descriptor)
        return control.fileno() in ready

    def add(self, control: socket.socket, work: Work) -> bool:
        """Bring up a child for the order that waits on `control`; False if that has been closed."""
        message, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 3)
        if not message:
            return False
        line, source, sink = descriptors
        try:
            child = _born(json.loads(message), socket.socket(fileno=line), source, sink, work)
        finally:
            os.close(source)
            os.close(sink)
        if child:
            self._by_death[child.death] = self._by_line[line] = child
            self._poll.register(child.death, select.POLLIN)
            self._poll.register(line, select.POLLIN)
        return True

    def end(self) -> None:
        """Kill and bury all."""
        for child in self._by_death.values():
            os.kill(child.pid, signal.SIGKILL)
        for death in list(self._by_death):
            self._bury(death)

    def _bury(self, death: int) -> None:
        child = self._by_death.pop(death)
        _, status = os.waitpid(child.pid, 0)
        self._poll.unregister(death)
        os.close(death)
        if self._by_line.pop(child.line.fileno(), None):
            self._poll.unregister(child.line)
        _tell(child.line, {"exit": os.waitstatus_to_exitcode(status)})


def _born(order: dict[str, Any], line: socket.socket, source: int, sink: int, work: Work) -> _Child | None:
    nursery = os.getpid()
    try:
        pid = os.fork()
    except OSError as fault:
        _tell(line, {"unborn": fault.strerror})
        return None
    if pid == 0:
        _live(order, [line.fileno(), source, sink], work, nursery)
    return _Child(pid, os.pidfd_open(pid), line)


def _tell(line: socket.socket, message: dict[str, Any]) -> None:
    """Say the last word on a line."""
    with line, contextlib.suppress(OSError):
        line.send(json.dumps(message).encode(), socket.MSG_DONTWAIT)


def _live(order: dict[str, Any], descriptors: list[int], work: Work, nursery: int) -> NoReturn:
    """A child's whole life."""
    line, source, sink = descriptors
    code = 1
    try:
        _confine(order, descriptors, nursery)
        os.write(line, json.dumps(_report(order, source, sink, work)).encode())
        code = 0
    finally:
        os._exit(code)


def _report(order: dict[str, Any], source: int, sink: int, work: Work) -> dict[str, Any]:
    try:
        return work(order["work"], source, sink)
    except BadInput as refusal:
        return {"detail": refusal.detail, "cure": refusal.cure, "kind": type(refusal).__name__}
    except MemoryError:
        return {"memory": True}


def _confine(order: dict[str, Any], keep: list[int], nursery: int) -> None:
    """Bind this process, for good, to the descriptors `keep`, its memory and its time; it dies with the nursery."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != nursery:
        os._exit(1)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, order["wall_s"])
    edges = [-1, *sorted(keep), os.sysconf("SC_OPEN_MAX")]
    for low, high in itertools.pairwise(edges):
        os.closerange(low + 1, high)
    for limit, bound in _bounds(order).items():
        grace = CPU_GRACE_S if limit == resource.RLIMIT_CPU else 0
        resource.setrlimit(limit, (bound, bound + grace))
    compute_only()


def _bounds(order: dict[str, Any]) -> dict[int, int]:
    return {
        resource.RLIMIT_CPU: order["cpu_s"],
        resource.RLIMIT_AS: order["memory_bytes"],
        resource.RLIMIT_FSIZE: order["output_bytes"],
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_NPROC: 0,  # no process and no thread
        resource.RLIMIT_NOFILE: 0,  # no file, socket or pipe can be opened any more; those that are open stay
    }
