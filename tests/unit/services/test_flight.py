"""Clips on their way, and how many there may be."""

import threading

import pytest

from lipsol.errors import Busy
from services.preprocess.flight import FLOOR, FORGET_S, START, Flight


class Road:
    """What reads clips behind a flight: `rate` a second, in order, by a clock of its own."""

    def __init__(self, rate, bound=256):
        self.now = 0.0
        self.flight = Flight(bound, 1.0, lambda: self.now)
        self.rate = rate
        self.waiting = []
        self.done = 0.0
        self.took = []

    def run(self, seconds, offered, deadline_s):
        """Offer clips evenly; how many were taken, and how many turned away."""
        taken = refused = 0
        for n in range(int(seconds * offered)):
            self.now += 1 / offered
            self.done += self.rate / offered
            while self.done >= 1 and self.waiting:
                self.done -= 1
                name, since = self.waiting.pop(0)
                self.took.append(self.now - since)
                self.flight.remove(name, settled=True)
            self.done = min(self.done, 1.0)
            try:
                self.flight.enter(f"{self.now}-{n}", deadline_s)
                self.waiting.append((f"{self.now}-{n}", self.now))
                taken += 1
            except Busy:
                refused += 1
        return taken, refused


def test_one_more_than_may_be_is_told_when_to_come_back():
    flight = Flight(2, 3.0)
    flight.enter("a")
    flight.enter("b")
    flight.enter("b")
    with pytest.raises(Busy, match="2 clips wait") as busy:
        flight.enter("c")
    assert busy.value.retry_after_s == 3.0
    flight.add("in this process")
    flight.remove("a")
    flight.remove("in this process")
    flight.enter("c")


@pytest.mark.parametrize("rate", [4.0, 20.0, 150.0], ids=lambda rate: f"{rate:g} clips a second")
def test_of_twice_what_can_be_read_what_is_accepted_is_answered_in_time(rate):
    road = Road(rate)
    taken, refused = road.run(60, 2 * rate, deadline_s=5.0)
    assert sorted(road.took)[int(0.95 * len(road.took))] < 5.0
    assert len(road.took) > 0.95 * 60 * rate - START  # nothing that could have been read was turned away
    assert refused > 0.3 * (taken + refused)


def test_after_the_jam_nobody_is_turned_away():
    road = Road(20.0)
    road.run(60, 40.0, deadline_s=5.0)
    road.run(5, 16.0, deadline_s=5.0)
    assert road.run(60, 16.0, deadline_s=5.0)[1] == 0


def test_clips_without_a_deadline_meet_the_number_alone():
    flight = Flight(100, 1.0)
    for n in range(100):
        flight.enter(str(n))
    with pytest.raises(Busy):
        flight.check()


def test_however_late_answers_are_a_few_clips_are_always_taken():
    road = Road(1.0)
    road.run(600, 4.0, deadline_s=0.1)
    assert road.flight.limit == FLOOR


def test_a_clip_of_which_nothing_was_heard_for_long_stands_in_nobodys_way():
    road = Road(1.0, bound=1)
    road.flight.enter("lost")
    road.now += FORGET_S + 1
    road.flight.enter("next")
    assert "lost" not in road.flight


def test_leaving_waits_until_the_last_clip_is_settled():
    flight = Flight(8, 1.0)
    flight.enter("a")
    assert not flight.wait(0.01)
    threading.Timer(0.02, flight.remove, ["a"]).start()
    assert flight.wait(30)
