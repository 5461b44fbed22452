"""The sandbox: what a child may not do, and what becomes of one that does not end well.

Each test has a nursery of its own, whose children do something worse than decoding.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from lipsol.clips.nursery import Answer, Nursery
from lipsol.errors import Transient

MIB = 2**20
ORDER = {"cpu_s": 1, "wall_s": 20, "memory_bytes": 1024 * MIB, "output_bytes": MIB, "work": {}}

PROGRAM = """
import ctypes, mmap, os, signal, socket, sys, time
from lipsol.clips import sandbox
{before}
def work(order, data, sink):
    {body}
with socket.socket(fileno=0) as control:
    sandbox.give_up_network()
    sandbox.serve(control, work)
"""


@contextmanager
def nursery(body: str, before: str = "") -> Iterator[Nursery]:
    """A nursery whose children run `body`."""
    program = PROGRAM.format(body=body.replace("\n", "\n    "), before=before)
    own = Nursery(f"exec({program!r})")
    try:
        yield own
    finally:
        own.close()


def asked(body: str, *, sink: int | None = None, before: str = "", alarm_s: float = 20) -> Answer:
    """What comes of a child that runs `body`."""
    own = os.memfd_create("sink") if sink is None else sink
    try:
        with nursery(body, before) as started:
            return started.ask(ORDER | {"wall_s": alarm_s}, b"clip", own, 20.0)
    finally:
        if sink is None:
            os.close(own)


def children(pid: int) -> list[int]:
    """Living and unburied children of a process."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/passwd')",
        "open('/tmp/lipsol-left-behind', 'w')",
        "os.listdir('/')",
        "socket.socket()",
        "os.pipe()",
        "os.memfd_create('more')",
        "os.dup(sink)",
        "os.fork()",
        "os.execv('/bin/sh', ['sh'])",
        "os.kill(os.getppid(), signal.SIGKILL)",
        "os.unlink('/tmp/lipsol-not-there')",
        "os.stat('/etc/passwd')",
        "os.setuid(0)",
    ],
)
def test_a_child_is_refused(attempt):
    answer = asked(f"try:\n    {attempt}\nexcept OSError as fault:\n    return {{'errno': fault.errno}}\nreturn {{}}")
    assert answer.report is not None
    assert answer.report.get("errno") in (1, 24), "neither EPERM nor EMFILE"


def test_a_child_holds_its_line_its_clip_and_its_sink_and_nothing_else():
    body = """
held = []
for descriptor in range(64):
    try:
        os.lseek(descriptor, 0, os.SEEK_CUR)
    except OSError as fault:
        held += [descriptor] if fault.errno != 9 else []
    else:
        held.append(descriptor)
return {'held': len(held)}"""
    assert asked(body).report == {"held": 3}


def test_a_child_sees_nothing_of_the_callers_environment(monkeypatch):
    monkeypatch.setenv("LIPSOL_SECRET", "hidden")
    answer = asked("return {'names': sorted(os.environ)}")
    assert answer.report is not None
    assert "LIPSOL_SECRET" not in answer.report["names"]


def test_a_child_that_takes_too_much_memory_says_so():
    assert asked("return {'bytes': len(bytes(2**31))}").report == {"memory": True}


def test_a_child_that_writes_too_much_is_stopped_at_the_bound():
    sink = os.memfd_create("sink")
    try:
        answer = asked("while True:\n    os.write(sink, bytes(65536))", sink=sink)
        assert (answer.exit_code, os.fstat(sink).st_size) == (1, MIB)
    finally:
        os.close(sink)


def test_a_child_that_computes_too_long_is_ended_by_the_kernel():
    assert asked("while True:\n    pass").exit_code == -signal.SIGXCPU


def test_a_child_that_crashes_is_told_by_its_signal():
    assert asked("ctypes.string_at(0)").exit_code == -signal.SIGSEGV


def test_a_child_that_leaves_without_a_word_is_told_by_its_exit_code():
    assert asked("os._exit(7)") == Answer(None, 7, late=False)


def test_a_child_whose_time_is_up_is_killed_and_buried_before_the_answer():
    with nursery("time.sleep(60)") as own:
        sink = os.memfd_create("sink")
        began = time.monotonic()
        answer = own.ask(ORDER, b"clip", sink, 0.2)
        os.close(sink)
        assert answer == Answer(None, -signal.SIGKILL, late=True)
        assert time.monotonic() - began < 50
        assert children(own._process.pid) == []


def test_the_kernel_ends_a_child_at_its_time_though_nobody_comes_for_it():
    answer = asked("time.sleep(60)", alarm_s=0.3)
    assert answer.exit_code == -signal.SIGALRM


def test_children_die_with_a_nursery_that_is_killed():
    with nursery("time.sleep(60)") as own:
        sink = os.memfd_create("sink")
        answers: list[Answer] = []
        asking = threading.Thread(target=lambda: answers.append(own.ask(ORDER, b"clip", sink, 20.0)))
        asking.start()
        while not (own._process and children(own._process.pid)):
            time.sleep(0.01)
        (child,) = children(own._process.pid)
        own._process.kill()
        asking.join(60)
        os.close(sink)
        assert answers == [Answer(None, None, late=False)]
        with suppress(OSError):  # it is gone already
            assert not Path(f"/proc/{child}/cmdline").read_bytes()


def test_a_nursery_that_was_killed_is_started_anew():
    with nursery("return {'well': True}") as own:
        sink = os.memfd_create("sink")
        for _ in range(2):
            assert own.ask(ORDER, b"clip", sink, 20.0).report == {"well": True}
            own._process.kill()
            own._process.wait()
        os.close(sink)


def test_a_nursery_that_can_not_start_is_a_passing_trouble():
    own = Nursery("raise SystemExit(3)")
    with pytest.raises(Transient, match=r"could not be started .*exit 3"):
        own.ask(ORDER, b"clip", 0, 1.0)


def test_a_child_that_can_not_be_born_is_a_passing_trouble():
    unborn = "def fork():\n    raise BlockingIOError(11, 'Resource temporarily unavailable')\nos.fork = fork"
    with pytest.raises(Transient, match="temporarily"):
        asked("return {}", before=unborn)


def test_a_report_that_is_no_report_is_no_report():
    assert asked("os.write(3, b'{') or os.write(4, b'{') or os.write(5, b'{')\nos._exit(0)").report is None


def test_a_script_without_a_main_guard_is_not_run_again(tmp_path, top):
    script = tmp_path / "script.py"
    sample = top / "samples" / "s1-bgbb3a.mp4"
    script.write_text(
        "import os, pathlib\nfrom lipsol.clips.video import decode\n"
        f"print(len(decode(pathlib.Path({str(sample)!r}).read_bytes()).frames), flush=True)\n"
        "if (child := os.fork()) == 0:\n"
        f"    print(len(decode(pathlib.Path({str(sample)!r}).read_bytes()).frames), flush=True)\n"
        "else:\n    os.waitpid(child, 0)\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", script],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=top,
        env={"PYTHONPATH": str(top)},
        check=False,
    )
    assert (run.stdout, run.stderr) == ("75\n75\n", "")
