"""A worker that works only while it is wanted."""

import time

import pytest

from lipsol.errors import ModelError
from services.inference.gate import Gate


class MadeWorker:
    """Works when started; `slow` does not end in time when stopped."""

    def __init__(self):
        self.works = self.slow = False
        self.starts = 0

    @property
    def fault(self):
        return None if self.works else "it takes no events"

    def start(self):
        self.starts += not self.works
        self.works = True

    def stop(self, _timeout_s):
        self.works = self.works and self.slow
        return not self.works


class Gated:
    def __init__(self):
        self.worker, self.wish = MadeWorker(), False
        self.gate = Gate(self.worker, self.wanted, "test")

    def wanted(self):
        if isinstance(self.wish, Exception):
            raise self.wish
        return self.wish


def wait_for(happened):
    until = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.005)


@pytest.fixture
def gated():
    made = Gated()
    made.gate.start()
    yield made
    made.worker.slow = False
    made.gate.stop(60.0)


def test_it_works_while_it_is_wanted_and_rests_without_fault(gated):
    assert gated.gate.fault is None
    for wish in (True, False, True):
        gated.wish = wish
        wait_for(lambda wish=wish: gated.worker.works is wish and gated.gate.open is wish)
        assert gated.gate.fault is None


def test_why_it_can_not_work_is_its_fault_and_a_worker_that_works_is_stopped(gated):
    gated.wish = True
    wait_for(lambda: gated.worker.works)
    gated.wish = ModelError("no such bundle", "fetch it")
    wait_for(lambda: gated.gate.fault == "no such bundle" and not gated.worker.works)
    gated.wish = False
    wait_for(lambda: gated.gate.fault is None)


def test_the_fault_of_a_worker_that_should_work_is_told(gated):
    gated.wish = True
    wait_for(lambda: gated.gate.open)
    gated.worker.start = lambda: None
    gated.worker.works = False
    assert gated.gate.fault == "it takes no events"


def test_a_worker_that_died_meanwhile_is_started_again(gated):
    gated.wish = True
    wait_for(lambda: gated.worker.works)
    gated.worker.works = False
    wait_for(lambda: gated.worker.starts == 2)


def test_one_that_does_not_end_in_time_is_stopped_again(gated):
    gated.wish, gated.worker.slow = True, True
    wait_for(lambda: gated.gate.open)
    gated.wish = False
    time.sleep(0.3)
    assert gated.gate.open
    gated.worker.slow = False
    wait_for(lambda: not gated.gate.open)


def test_stopping_it_stops_its_worker_and_that_it_looks_no_more_is_a_fault(gated):
    gated.wish = True
    wait_for(lambda: gated.worker.works)
    assert gated.gate.stop(60.0)
    assert not gated.worker.works
    assert gated.gate.fault
