"""Processes that this one starts: heard, ended, and never left behind."""

import signal
import subprocess
import sys
import time

import psutil
import pytest

from services.local.processes import Process

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
PARENT = """
import sys, time
from services.local.processes import Process
child = Process([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""


def python(code: str, **how: object) -> Process:
    return Process([sys.executable, "-c", code], **how)


def gone(pid: int) -> bool:
    """Whether a process that is not our child ends within half a minute; a dead one may wait for its parent's look."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


def test_a_process_says_how_it_ended():
    with python("raise SystemExit(3)") as child:
        assert child.wait(30) == 3
        assert not child.alive


def test_what_a_process_says_is_heard_from_both_of_its_mouths():
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr)"
    with python(code, output=subprocess.PIPE) as child:
        assert child.output.read() == b"out\nerr\n"
        child.output.close()


def test_leaving_the_block_ends_the_process():
    with python("import time; time.sleep(60)") as child:
        assert child.alive
    assert not child.alive


def test_one_that_will_not_leave_is_killed():
    with python(STUBBORN, output=subprocess.PIPE) as child:
        assert child.output.readline() == b"up\n"
        assert child.stop(timeout_s=0.1) == -signal.SIGKILL
        child.output.close()


def test_waiting_for_one_that_stays_times_out():
    with python("import time; time.sleep(60)") as child, pytest.raises(TimeoutError, match=r"still runs after 0\.01 s"):
        child.wait(0.01)


def test_a_process_dies_with_a_parent_that_was_killed(top):
    parent = subprocess.Popen([sys.executable, "-c", PARENT], cwd=top, stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    assert gone(child)
