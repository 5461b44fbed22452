"""A crash in memory is one: what a cut-off service still does has no effect, and what it had in hand comes again."""

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.bus.port import Closed
from lipsol.errors import Transient
from lipsol.topics import FEEDBACK
from tests.scenarios.severed import Hands, Line

TOPIC = FEEDBACK.name


@pytest.fixture
def bus():
    bus = MemoryBus()
    yield bus
    bus.close()


def test_what_a_crashed_service_had_in_hand_goes_to_the_next_one(bus):
    hands = Hands(bus)
    before = hands.consumer([TOPIC], "group")
    bus.publish(TOPIC, "key", b"1")
    (message,) = before.poll(1, 5.0)
    hands.cut()
    before.commit([message])  # comes too late
    with pytest.raises(Closed):
        hands.publish(TOPIC, "key", b"2")
    after = Hands(bus).consumer([TOPIC], "group")
    assert [each.value for each in after.poll(9, 5.0)] == [b"1"]


def test_a_service_that_closes_its_bus_leaves_that_of_the_others_open(bus):
    Hands(bus).close()
    bus.publish(TOPIC, "key", b"1")


def test_while_the_line_is_cut_nothing_goes_and_then_uncommitted_work_comes_again(bus):
    line = Line(bus)
    consumer = line.consumer([TOPIC], "group")
    line.publish(TOPIC, "key", b"1")
    (message,) = consumer.poll(9, 5.0)
    line.cut()
    for call in (lambda: line.publish(TOPIC, "key", b"2"), lambda: consumer.poll(1, 0.0)):
        with pytest.raises(Transient):
            call()
    line.mend()
    (again,) = consumer.poll(9, 5.0)
    consumer.commit([again])
    assert (again.value, again.offset) == (message.value, message.offset)
    assert consumer.poll(9, 0.0) == []


def test_a_listener_keeps_its_place_over_a_cut(bus):
    line = Line(bus)
    listener = line.consumer([TOPIC], None, start="latest")
    line.publish(TOPIC, "key", b"1")
    line.cut()
    line.mend()
    assert [each.value for each in listener.poll(9, 5.0)] == [b"1"]
