"""The bounded line before the watching threads."""

import contextvars
import threading

import pytest

from lipsol.errors import Busy
from services.preprocess.pool import Pool


def test_a_full_line_is_busy_at_once_and_free_again_after():
    taken = []
    pool, gate = Pool(1, 1, 2.5, taken.append), threading.Event()
    held = [pool.submit(gate.wait, 60) for _ in range(2)]
    with pytest.raises(Busy, match="2 clips") as refusal:
        pool.submit(gate.wait, 60)
    gate.set()
    assert [future.result(60) for future in held] == [True, True]
    assert pool.submit(lambda: "free").result(60) == "free"
    pool.stop()
    assert refusal.value.retry_after_s == 2.5
    assert (max(taken), taken[-1]) == (2, 0)


def test_a_caller_in_the_process_waits_for_its_turn():
    pool, gate, passed = Pool(1, 0, 1.0, lambda _: None), threading.Event(), []
    pool.submit(gate.wait, 60)
    caller = threading.Thread(target=lambda: passed.append(pool.submit_in_turn(lambda: "mine").result(60)))
    caller.start()
    caller.join(0.05)
    assert passed == []
    gate.set()
    caller.join(60)
    pool.stop()
    assert passed == ["mine"]


def test_stopping_ends_what_was_taken_and_takes_no_more():
    pool, gate = Pool(1, 4, 1.0, lambda _: None), threading.Event()
    held = [pool.submit(gate.wait, 60) for _ in range(3)]
    threading.Timer(0.05, gate.set).start()
    pool.stop()
    assert all(future.done() for future in held)
    with pytest.raises(Busy, match="leaving"):
        pool.submit(print)


def test_a_call_keeps_its_callers_trace():
    trace = contextvars.ContextVar("trace", default="none")
    pool = Pool(1, 0, 1.0, lambda _: None)
    trace.set("mine")
    assert pool.submit(trace.get).result(60) == "mine"
    pool.stop()
