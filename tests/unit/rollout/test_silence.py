"""A canary that answers nothing: found soon where users wait for it, and never where chance or the brokers did it."""

import heapq
import random

import pytest

from lipsol.rollout.silence import JOIN_S, PATIENCE_S, Silence
from lipsol.traffic import PLACES, part, place

ALPHA = 0.05
LIFE_S = 15.0
RAMP = (0.0, 25.0, 50.0, 100.0)  # shadow first, as the short plan goes


class Traffic:
    """Poisson traffic, looked at every two seconds; `hangs_at`: from then on the canary answers nothing.

    clips: of a session, so many one after the other.
    """

    def __init__(self, seed=7, *, rate=2.0, hangs_at=float("inf"), clips=1):
        self.chance = random.Random(seed)
        self.rate, self.hangs_at, self.clips = rate, hangs_at, clips
        self.silence, self.now, self.next_at, self.names = Silence(LIFE_S), 1000.0, 1000.0, 0
        self.weight, self.on_its_way = 0.0, []
        self.outage = (float("inf"), float("-inf"))  # from, until: nobody answers
        self.rejoins_s = 0.0  # that the canary takes longer than stable to be back

    def step(self, weight):
        self.weight = weight
        self.silence.begin(weight, self.now)

    def run(self, seconds):
        """Let so much time pass; the first objection and when it came, or ("", the end)."""
        until = self.now + seconds
        while self.now < until:
            self.now += 2.0
            self.arrive()
            if told := self.silence.objection(self.now, ALPHA):
                return told, self.now
        return "", self.now

    def arrive(self):
        while self.next_at < self.now:
            name = f"{self.names // self.clips} of {self.rate} {self.chance.random() if self.clips == 1 else ''}"
            self.names += 1
            self.come(name, self.next_at)
            self.next_at += self.chance.expovariate(self.rate)
        while self.on_its_way and self.on_its_way[0][0] <= self.now:
            at, by, received_at, shadow, lies = heapq.heappop(self.on_its_way)
            if by == "canary":
                self.silence.answered(received_at, at, shadow=shadow)
            else:
                self.silence.stable(received_at, at, lies)

    def come(self, name, at):
        to_canary = place(name) < self.weight / 100 * PLACES
        for by, shadow in [("canary" if to_canary else "stable", False), *([("canary", True)] * (not self.weight))]:
            done = at + self.chance.lognormvariate(-1.0, 0.5)
            if self.outage[0] <= done < self.outage[1] + (self.rejoins_s if by == "canary" else 0.0):
                done = self.outage[1] + (self.rejoins_s if by == "canary" else 0.0) + self.chance.random()
            if by == "stable" or done < self.hangs_at:
                heapq.heappush(self.on_its_way, (done, by, at, shadow, part(name)))


def warm(seed=7, weight=50.0, **changes):
    """In a step of that weight for half a minute, with a canary that answered its copies before."""
    traffic = Traffic(seed, **changes)
    traffic.step(0.0)
    traffic.run(30.0)
    traffic.step(weight)
    assert traffic.run(30.0)[0] == ""
    return traffic


@pytest.mark.parametrize(("weight", "within_s"), [(25.0, 40.0), (50.0, 30.0), (100.0, 30.0)])
def test_one_that_hangs_is_found_once_enough_of_its_users_wait(weight, within_s):
    took = []
    for seed in range(20):
        traffic = warm(seed, weight)
        traffic.hangs_at = hung_at = traffic.now
        told, at = traffic.run(120.0)
        assert told.startswith("silent: about ")
        assert " clips of users wait for it, and it has answered none for " in told
        took.append(at - hung_at)
    assert min(took) >= PATIENCE_S
    assert sorted(took)[10] <= within_s


def test_where_many_come_it_is_found_within_its_patience():
    for weight in (5.0, 25.0, 50.0, 100.0):
        traffic = warm(3, weight, rate=60.0)
        traffic.hangs_at = traffic.now
        told, at = traffic.run(60.0)
        assert told
        assert at - traffic.hangs_at <= PATIENCE_S + 4.0


def test_a_healthy_one_is_never_called_silent_through_the_short_plan():
    for seed in range(200):
        traffic = Traffic(seed, rate=(0.3, 1.0, 3.0, 8.0)[seed % 4])
        for weight in RAMP:
            traffic.step(weight)
            assert traffic.run(40.0)[0] == "", (seed, weight)


def test_a_recording_that_stable_reads_says_no_more_than_one_clip():
    for seed in range(20):
        traffic = Traffic(seed, clips=60)
        for weight in RAMP[:-1]:
            traffic.step(weight)
            assert traffic.run(120.0)[0] == "", (seed, weight)


def test_of_a_reading_that_does_not_tell_its_part_nothing_is_concluded():
    silence = Silence(LIFE_S)
    silence.begin(50.0, 1000.0)
    for number in range(500):
        silence.stable(1000.0 + number / 10, 1000.2 + number / 10, 0)
    assert silence.objection(1050.0, ALPHA) == ""


def test_where_few_come_it_is_held():
    traffic = warm(5, 25.0, rate=0.05)
    traffic.hangs_at = traffic.now
    assert traffic.run(180.0)[0] == ""


def test_in_shadow_nobody_waits():
    traffic = Traffic(hangs_at=1030.0, rate=20.0)
    traffic.step(0.0)
    assert traffic.run(120.0)[0] == ""


def test_one_that_never_answered_has_time_to_join_its_group_and_no_more():
    traffic = Traffic(hangs_at=1000.0, rate=10.0)
    traffic.step(50.0)
    told, at = traffic.run(120.0)
    assert told
    assert JOIN_S <= at - 1000.0 <= JOIN_S + 4.0


def test_while_it_is_away_and_until_it_joined_its_group_again_it_is_not_silent():
    traffic = warm(rate=10.0)
    traffic.hangs_at = traffic.now
    traffic.silence.away()
    assert traffic.run(60.0)[0] == ""
    traffic.step(100.0)
    assert traffic.run(60.0)[0] == ""
    traffic.step(50.0)
    traffic.silence.back(traffic.now)
    back_at = traffic.now
    told, at = traffic.run(60.0)
    assert told
    assert at - back_at >= max(JOIN_S, LIFE_S)


def test_brokers_that_were_away_for_all_are_no_fault_of_the_canary_s():
    for seed in range(20):
        traffic = warm(seed, rate=10.0)
        traffic.outage, traffic.rejoins_s = (traffic.now, traffic.now + 9.0), 12.0
        assert traffic.run(60.0)[0] == "", seed


def test_what_the_analyst_could_not_read_is_not_counted():
    traffic = warm(weight=100.0, rate=10.0)
    traffic.outage, traffic.rejoins_s = (traffic.now, traffic.now + 12.0), 10.0
    traffic.now += 12.0  # it could not look either
    traffic.silence.unknown(traffic.now)
    assert traffic.run(60.0)[0] == ""


def test_a_slow_one_is_not_a_silent_one():
    silence = Silence(LIFE_S)
    silence.begin(50.0, 1000.0)
    for number in range(40):
        silence.answered(1000.0 + number, 1008.0 + number, shadow=False)
        silence.stable(1000.0 + number, 1000.2 + number, number + 1)
    for number in range(40, 80):
        silence.stable(1000.0 + number, 1000.2 + number, number + 1)
    assert silence.objection(1047.0 + 39.0, ALPHA) == ""
    assert silence.objection(1047.0 + 45.0, ALPHA).startswith("silent: about 2")
