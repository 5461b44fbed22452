"""The traffic policy as a process knows it."""

import time
from dataclasses import replace

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.errors import Transient
from lipsol.events import TrafficSet
from lipsol.runtime.clock import ManualClock
from lipsol.runtime.envelope import wrap
from lipsol.runtime.policy import LivePolicy, read_policy
from lipsol.runtime.telemetry import Telemetry
from lipsol.topics import TRAFFIC
from lipsol.traffic import STABLE, Policy

CANARY = TrafficSet("canary", 10.0, "c" * 64, 1_795_251_660.0, "me", "", 1_795_251_600.0)


class Followed:
    """A bus, and the policy followed on it."""

    def __init__(self):
        self.bus = MemoryBus()
        self.clock = ManualClock()
        self.telemetry = Telemetry()
        self.live = LivePolicy(self.bus, stage="test", telemetry=self.telemetry, clock=self.clock)

    def publish(self, *events):
        self.bus.publish_all([wrap(event, "test", self.clock.now()) for event in events])

    def until(self, weight):
        """Wait until the policy has this weight."""
        wait_for(lambda: self.live.policy(0.0).weight == weight)

    def shown(self, mode="canary"):
        return self.telemetry.value("lipsol_traffic_weight_ratio", stage="test", mode=mode)


class AwayBus(MemoryBus):
    """A bus that is away until told otherwise."""

    here = False

    def consumer(self, *args, **kwargs):
        if not self.here:
            raise Transient("the broker is away", "wait")
        return super().consumer(*args, **kwargs)


def wait_for(happened, within_s=30.0):
    until = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.005)


@pytest.fixture
def followed(monkeypatch):
    monkeypatch.setattr("lipsol.runtime.policy.AT_ONCE_S", 30.0)
    made = Followed()
    yield made
    made.live.stop()
    made.bus.close()


def test_what_was_set_before_is_known_when_start_returns(followed):
    followed.publish(CANARY, replace(CANARY, weight=50.0))
    followed.live.start()
    assert followed.live.known
    assert followed.live.fault is None
    assert followed.live.policy() == Policy.of(replace(CANARY, weight=50.0)) == read_policy(followed.bus)


def test_where_nobody_set_anything_that_is_known_too(followed):
    followed.live.start()
    assert followed.live.policy() == STABLE == read_policy(followed.bus)


def test_what_is_set_later_holds_from_then_on(followed):
    followed.live.start()
    for weight in (10.0, 50.0, 0.0):
        followed.publish(replace(CANARY, weight=weight))
        followed.until(weight)


def test_before_it_follows_nobody_is_told_anything(followed):
    assert followed.live.fault
    with pytest.raises(Transient, match="not known"):
        followed.live.policy(0.0)


def test_what_is_no_policy_changes_nothing_and_is_counted(followed):
    followed.publish(CANARY)
    followed.live.start()
    followed.publish(replace(CANARY, weight=150.0))
    followed.bus.publish(TRAFFIC.name, "policy", b"\xff\xfe nonsense")
    followed.bus.publish(TRAFFIC.name, "policy", b"")
    wait_for(lambda: followed.telemetry.value("lipsol_policies_refused_total", stage="test") == 3)
    assert followed.live.policy() == Policy.of(CANARY)
    followed.publish(replace(CANARY, weight=20.0))
    followed.until(20.0)


def test_the_last_good_policy_is_read_behind_what_is_none(followed):
    followed.publish(CANARY)
    followed.bus.publish(TRAFFIC.name, "another", b"nonsense")
    followed.live.start()
    assert followed.live.policy() == Policy.of(CANARY) == read_policy(followed.bus)


def test_it_ends_by_itself_and_the_figures_tell(followed):
    followed.publish(CANARY)
    followed.live.start()
    assert followed.live.live()
    assert followed.shown() == 0.1
    ends = followed.telemetry.value("lipsol_traffic_expiry_timestamp_seconds", stage="test")
    assert ends == CANARY.expires_at
    followed.clock.advance(60.0)
    assert not followed.live.live()
    wait_for(lambda: followed.shown() == 0.0)


def test_a_bus_that_is_away_is_waited_for_and_told_of():
    bus, telemetry = AwayBus(), Telemetry()
    live = LivePolicy(bus, stage="test", telemetry=telemetry, clock=ManualClock())
    live.start()
    try:
        wait_for(lambda: "the broker is away" in (live.fault or ""))
        assert not live.known
        bus.here = True
        wait_for(lambda: live.fault is None)
        assert live.policy() == STABLE
    finally:
        live.stop()
        bus.close()


def test_it_can_be_stopped_and_started_again(followed):
    followed.live.start()
    assert followed.live.stop()
    followed.publish(CANARY)
    followed.live.start()
    followed.until(10.0)


def test_what_the_listener_repeats_of_what_was_read_changes_nothing(followed):
    followed.publish(CANARY, replace(CANARY, weight=50.0))
    messages = list(followed.bus.replay([TRAFFIC.name]))
    followed.live.start()
    followed.live._take(messages)
    assert followed.live.policy().weight == 50.0


@pytest.mark.parametrize("ahead_s", [0.0, 600.0, -600.0])
def test_a_clock_that_is_ahead_keeps_no_canary_alive(followed, ahead_s):
    now = time.time() + ahead_s
    followed.publish(replace(CANARY, set_at=now, expires_at=now + 60))
    ends_at = read_policy(followed.bus).expires_at
    assert ends_at == pytest.approx(min(now, time.time()) + 60, abs=5)
