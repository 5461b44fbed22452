"""The bus in memory: its bounds, which are its own."""

from dataclasses import replace

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.bus.port import Outgoing
from lipsol.errors import BadInput, Busy
from lipsol.topics import Topic

ONE = Topic("test.one.v1", "any", 2, 60.0, ("tests",), ("tests",))


@pytest.fixture
def bus(clock):
    opened = MemoryBus([ONE], capacity=4, now=clock.now, history=0)
    yield opened
    opened.close()


def send(bus: MemoryBus, count: int) -> None:
    for number in range(count):
        bus.publish(ONE.name, f"key-{number}", b"%d" % number)


def test_a_full_topic_says_busy_and_names_its_bound(bus):
    bus.consumer([ONE.name], "slow")
    send(bus, 4)
    with pytest.raises(Busy, match=r"test\.one\.v1 holds 4 .* pass 4.*LIPSOL_BUS__CAPACITY"):
        send(bus, 1)


def test_the_slowest_group_sets_the_bound_and_a_commit_makes_room(bus):
    slow, fast = bus.consumer([ONE.name], "slow"), bus.consumer([ONE.name], "fast")
    send(bus, 4)
    fast.commit(fast.poll(4, 0.0))
    with pytest.raises(Busy):
        send(bus, 1)
    slow.commit(slow.poll(4, 0.0))
    send(bus, 4)


def test_what_is_full_takes_all_of_a_batch_or_nothing(bus):
    reader = bus.consumer([ONE.name], "readers")
    send(bus, 3)
    with pytest.raises(Busy):
        bus.publish_all([Outgoing(ONE.name, "a", b""), Outgoing(ONE.name, "b", b"")])
    assert len(reader.poll(10, 0.0)) == 3


def test_a_batch_above_the_bound_is_taken_when_nothing_waits(bus):
    reader = bus.consumer([ONE.name], "readers")
    bus.publish_all([Outgoing(ONE.name, str(n), b"") for n in range(9)])
    assert len(reader.poll(10, 0.0)) == 9


def test_what_every_group_has_committed_is_let_go(bus):
    readers = [bus.consumer([ONE.name], name) for name in ("one", "two")]
    send(bus, 4)
    readers[0].commit(readers[0].poll(4, 0.0))
    assert bus.kept(ONE.name) == 4
    readers[1].commit(readers[1].poll(4, 0.0))
    assert bus.kept(ONE.name) == 0


def test_a_topic_that_nobody_reads_keeps_its_newest_messages(bus, clock):
    for number in range(20):
        clock.advance(1)
        bus.publish(ONE.name, f"key-{number}", b"%d" % number)
    assert bus.kept(ONE.name) == 4
    late = bus.consumer([ONE.name], "late").poll(10, 0.0)
    assert sorted(int(message.value) for message in late) == [16, 17, 18, 19]


def test_what_is_beyond_retention_is_let_go_read_or_not(bus, clock):
    reader = bus.consumer([ONE.name], "gone away")
    send(bus, 4)
    assert len(reader.poll(2, 0.0)) == 2
    clock.advance(61)
    send(bus, 1)
    assert bus.kept(ONE.name) == 1
    assert [message.value for message in reader.poll(10, 0.0)] == [b"0"]
    assert reader.lag() == 1


def test_a_listener_that_has_gone_holds_nothing_back(bus):
    bus.consumer([ONE.name], None).close()
    listener, reader = bus.consumer([ONE.name], None), bus.consumer([ONE.name], "readers")
    send(bus, 4)
    reader.commit(reader.poll(4, 0.0))
    listener.close()
    assert bus.kept(ONE.name) == 0
    send(bus, 4)


def test_memory_stays_bounded_however_much_passes_through(bus):
    reader = bus.consumer([ONE.name], "readers")
    for _ in range(100):
        send(bus, 3)
        reader.commit(reader.poll(10, 0.0))
        assert bus.kept(ONE.name) == 0


def test_history_is_kept_within_its_bounds_and_what_a_group_needs_beyond_them(clock):
    bus = MemoryBus([ONE], capacity=4, now=clock.now, history=3, history_bytes=1000)
    reader = bus.consumer([ONE.name], "readers")
    for number in range(6):
        clock.advance(1)
        bus.publish(ONE.name, f"key-{number}", b"%d" % number)
        reader.commit(reader.poll(1, 0.0) if number < 5 else [])
    assert sorted(int(message.value) for message in bus.replay([ONE.name])) == [2, 3, 4, 5]
    assert [int(message.value) for message in reader.poll(9, 0.0)] == [5]
    bus.close()


def test_history_is_bounded_by_bytes_too(clock):
    bus = MemoryBus([ONE], capacity=40, now=clock.now, history=100, history_bytes=1000)
    for number in range(10):
        clock.advance(1)
        bus.publish(ONE.name, f"key-{number}", bytes(300))
    assert bus.kept(ONE.name) == 3
    bus.close()


def test_a_group_that_comes_late_finds_history_and_that_fills_no_topic(clock):
    bus = MemoryBus([ONE], capacity=4, now=clock.now, history=100)
    early = bus.consumer([ONE.name], "early")
    for _ in range(5):
        send(bus, 4)
        early.commit(early.poll(9, 0.0))
    late = bus.consumer([ONE.name], "late")
    assert late.lag() == 20
    send(bus, 4)
    early.commit(early.poll(9, 0.0))
    with pytest.raises(Busy):
        send(bus, 1)
    assert len(late.poll(99, 0.0)) == 24
    bus.close()


def test_a_state_outlives_its_retention_and_holds_one_value_a_key(clock):
    state = replace(ONE, name="test.state.v1", compacted=True)
    bus = MemoryBus([state], capacity=100, now=clock.now, history=0, history_bytes=0)
    reader = bus.consumer([state.name], "readers")
    for number in range(20):
        bus.publish(state.name, f"key-{number % 3}", b"%d" % number)
    reader.commit(reader.poll(20, 0.0))
    clock.advance(1000)
    assert bus.kept(state.name) == 3
    newcomer = bus.consumer([state.name], None)
    assert sorted(int(message.value) for message in newcomer.poll(9, 0.0)) == [17, 18, 19]
    newcomer.close()
    assert sorted(int(message.value) for message in bus.replay([state.name], before="readers")) == [17, 18, 19]
    bus.close()


def test_what_is_beyond_retention_is_not_told_again(bus, clock):
    bus.publish(ONE.name, "key", b"old")
    clock.advance(61)
    assert list(bus.replay([ONE.name])) == []


@pytest.mark.parametrize("capacity", [0, -1])
def test_a_bus_without_room_is_refused(capacity):
    with pytest.raises(BadInput, match=str(capacity)):
        MemoryBus([ONE], capacity=capacity)


def test_a_consumer_of_nothing_is_refused(bus):
    with pytest.raises(BadInput, match="no topic"):
        bus.consumer([], "readers")
