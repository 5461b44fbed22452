"""Clients that wait."""

import threading

from services.preprocess.results import begun
from services.preprocess.waiting import Unread, Waiters
from tests.services_made import ready_of

RESULT = begun(ready_of("e" * 32))


def test_all_who_wait_for_a_clip_are_woken_and_nobody_else():
    waiters = Waiters()
    first, second, other = (waiters.begin(clip_id) for clip_id in (RESULT.clip_id, RESULT.clip_id, "f" * 32))
    waiters.wake(RESULT)
    assert (first.result(1), second.result(1)) == (RESULT, RESULT)
    assert not other.done()


def test_who_has_gone_is_not_remembered():
    waiters = Waiters()
    with waiters.waiting(RESULT.clip_id) as gone:
        gone.cancel()
    waiters.wake(RESULT)
    with waiters.waiting(RESULT.clip_id) as late:
        assert not late.done()


def test_leaving_waits_until_the_last_clip_is_read():
    unread = Unread()
    unread.add("a")
    assert not unread.wait(0.01)
    threading.Timer(0.02, unread.remove, ["a"]).start()
    assert unread.wait(30)
