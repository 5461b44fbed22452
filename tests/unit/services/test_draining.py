"""Draining the canary's topic without taking anything from a canary that lives."""

import time

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.bus.port import Bus, Closed, Consumer
from services.inference import draining
from services.inference.draining import DrainBus

TOPIC, GROUP = "lipsol.mouths.canary.v1", "inference-canary"


class Drained:
    """A bus, who drains it, and whether a canary lives."""

    def __init__(self):
        self.now = time.time()
        self.bus = MemoryBus(now=lambda: self.now)
        self.idle = True
        self.drain = DrainBus(self.bus, lambda: self.idle)
        self.consumer = self.drain.consumer([TOPIC], GROUP)

    def publish(self, *names, age_s=60.0):
        self.now = time.time() - age_s
        for name in names:
            self.bus.publish(TOPIC, "one key", name.encode())

    def canarys(self):
        """What a canary that joins gets."""
        self.consumer.close()
        return [message.value.decode() for message in self.bus.consumer([TOPIC], GROUP).poll(10, 1.0)]


@pytest.fixture
def drained():
    made = Drained()
    yield made
    made.bus.close()


def test_it_is_a_bus_like_any_other(drained):
    assert isinstance(drained.drain, Bus)
    assert isinstance(drained.consumer, Consumer)


def test_what_has_waited_is_given_out_at_once(drained, monkeypatch):
    monkeypatch.setattr(draining, "SETTLE_S", 50.0)
    drained.publish("one", "two")
    found = drained.consumer.poll(10, 1.0)
    assert [message.value for message in found] == [b"one", b"two"]
    drained.consumer.commit(found)
    assert drained.canarys() == []


def test_what_has_just_come_goes_to_the_canary_that_turns_out_to_live(drained, monkeypatch):
    monkeypatch.setattr(draining, "SETTLE_S", 0.05)
    drained.publish("one", age_s=0.0)

    def hears_late():
        return time.time() < drained.now + 0.01

    drained.drain._idle = hears_late
    drained.consumer.close()
    drained.consumer = drained.drain.consumer([TOPIC], GROUP)
    assert drained.consumer.poll(10, 1.0) == []
    assert drained.canarys() == ["one"]


def test_while_a_canary_lives_nothing_is_given_out_not_even_what_comes_later(drained):
    drained.publish("one")
    drained.idle = False
    assert drained.consumer.poll(10, 1.0) == []
    drained.publish("two")
    assert drained.consumer.poll(10, 0.0) == []
    assert drained.canarys() == ["one", "two"]


def test_who_withheld_something_for_a_canary_that_went_again_must_join_anew(drained):
    drained.publish("one")
    drained.idle = False
    drained.consumer.poll(10, 1.0)
    drained.idle = True
    with pytest.raises(Closed):
        drained.consumer.poll(10, 1.0)
    assert drained.canarys() == ["one"]


def test_a_wake_ends_the_wait_and_gives_nothing_out(drained, monkeypatch):
    monkeypatch.setattr(draining, "SETTLE_S", 50.0)
    drained.publish("one", age_s=0.0)
    drained.consumer.wake()
    assert drained.consumer.poll(10, 1.0) == []
    assert drained.canarys() == ["one"]
