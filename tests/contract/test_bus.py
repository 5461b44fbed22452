"""What every bus must do: the law of `lipsol/bus/port.py`, sentence by sentence."""

import time
from collections import defaultdict
from collections.abc import Sequence
from threading import Thread, Timer

import pytest

from lipsol.bus.port import ENVELOPE_MAX_BYTES, VALUE_MAX_BYTES, Bus, Closed, Consumer, Message, Outgoing
from lipsol.errors import BadInput, NotFound


def send(bus: Bus, topic: str, count: int, keys: int = 5, begin: int = 0) -> list[bytes]:
    """Publish numbered messages, the keys in turn; returns their values."""
    values = [b"%d" % number for number in range(begin, begin + count)]
    bus.publish_all([Outgoing(topic, f"key-{int(value) % keys}", value) for value in values])
    return values


def take(consumer: Consumer, count: int, patience_s: float, *, commit: bool = True) -> list[Message]:
    """Poll until so many messages came; fewer when patience ends."""
    taken: list[Message] = []
    until = time.monotonic() + patience_s
    while len(taken) < count and time.monotonic() < until:
        found = consumer.poll(count - len(taken), until - time.monotonic())
        if commit:
            consumer.commit(found)
        taken += found
    return taken


def take_from(consumers: Sequence[Consumer], count: int, patience_s: float) -> list[list[Message]]:
    """Poll consumers in turn until they have so many messages together; fewer when patience ends."""
    shares: list[list[Message]] = [[] for _ in consumers]
    until = time.monotonic() + patience_s
    while sum(map(len, shares)) < count and time.monotonic() < until:
        for consumer, share in zip(consumers, shares, strict=True):
            found = consumer.poll(count, 0.05)
            consumer.commit(found)
            share += found
    return shares


def by_key(messages: Sequence[Message]) -> dict[str, list[int]]:
    """The numbers that came for each key, in the order they came."""
    found: dict[str, list[int]] = defaultdict(list)
    for message in messages:
        found[message.key].append(int(message.value))
    return found


def values(messages: Sequence[Message]) -> list[bytes]:
    return sorted((message.value for message in messages), key=int)


def test_a_message_arrives_as_it_was_sent(ground):
    consumer = ground.bus.consumer([ground.wide], "readers")
    before = time.time()
    ground.bus.publish(ground.wide, "ch1", "پانی\0".encode(), {"ce_id": "1", "note": "à"})
    [message] = take(consumer, 1, ground.patience_s)
    assert (message.topic, message.key, message.value) == (ground.wide, "ch1", "پانی\0".encode())
    assert dict(message.headers) == {"ce_id": "1", "note": "à"}
    assert before - 1 < message.timestamp < time.time() + 1


def test_equal_keys_stay_in_order(ground):
    consumer = ground.bus.consumer([ground.wide], "readers")
    send(ground.bus, ground.wide, 60, keys=7)
    came = by_key(take(consumer, 60, ground.patience_s))
    assert sum(len(numbers) for numbers in came.values()) == 60
    assert all(numbers == sorted(numbers) for numbers in came.values())


def test_a_key_always_has_the_same_partition_and_keys_spread(ground):
    consumer = ground.bus.consumer([ground.wide], "readers")
    homes = defaultdict(set)
    for begin in range(0, 60, 12):
        send(ground.bus, ground.wide, 12, keys=12, begin=begin)
        for message in take(consumer, 12, ground.patience_s):
            homes[message.key].add(message.partition)
    assert all(len(partitions) == 1 for partitions in homes.values())
    assert len(set.union(*homes.values())) > 1


def test_two_groups_each_get_everything(ground):
    groups = [ground.bus.consumer([ground.wide], name) for name in ("readers", "watchers")]
    sent = send(ground.bus, ground.wide, 20)
    assert [values(take(consumer, 20, ground.patience_s)) for consumer in groups] == [sent, sent]


def test_members_of_a_group_share_the_work_and_repeat_none_of_it(ground):
    pair = [ground.bus.consumer([ground.wide], "readers") for _ in range(2)]
    shares: list[list[Message]] = [[], []]
    sent: list[bytes] = []
    until = time.monotonic() + ground.patience_s
    while not all(shares) and time.monotonic() < until:  # the second may need a while to get its partitions
        sent += send(ground.bus, ground.wide, 20, keys=20, begin=len(sent))
        for consumer, share in zip(pair, shares, strict=True):
            found = consumer.poll(100, 0.1)
            consumer.commit(found)
            share += found
    rest = take_from(pair, len(sent) - sum(map(len, shares)), ground.patience_s)
    assert all(shares)
    assert values([message for share in (*shares, *rest) for message in share]) == sent


def test_what_a_crash_left_uncommitted_comes_again_in_order(ground):
    first = ground.bus.consumer([ground.wide], "readers")
    sent = send(ground.bus, ground.wide, 30)
    done = first.poll(8, ground.patience_s)
    first.commit(done)
    lost = take(first, 12, ground.patience_s, commit=False)
    assert len(lost) == 12
    first.close()
    again = take(ground.bus.consumer([ground.wide], "readers"), 30 - len(done), ground.patience_s)
    assert values(done + again) == sent
    assert all(numbers == sorted(numbers) for numbers in by_key(again).values())


def test_a_group_goes_on_where_it_committed_last(ground):
    first = ground.bus.consumer([ground.narrow], "readers")
    send(ground.bus, ground.narrow, 10)
    assert [m.value for m in take(first, 4, ground.patience_s)] == [b"0", b"1", b"2", b"3"]
    first.close()
    second = ground.bus.consumer([ground.narrow], "readers", start="latest")
    assert [m.value for m in take(second, 6, ground.patience_s)] == [b"4", b"5", b"6", b"7", b"8", b"9"]


def test_a_commit_means_all_before_it_too(ground):
    first = ground.bus.consumer([ground.narrow], "readers")
    send(ground.bus, ground.narrow, 6)
    first.commit(take(first, 4, ground.patience_s, commit=False)[-1:])
    first.close()
    assert values(take(ground.bus.consumer([ground.narrow], "readers"), 2, ground.patience_s)) == [b"4", b"5"]


def test_a_closed_consumer_commits_nothing(ground):
    first = ground.bus.consumer([ground.narrow], "readers")
    send(ground.bus, ground.narrow, 2)
    found = take(first, 2, ground.patience_s, commit=False)
    first.close()
    first.commit(found)
    assert len(take(ground.bus.consumer([ground.narrow], "readers"), 2, ground.patience_s)) == 2


def test_members_that_come_and_go_lose_nothing_and_keep_keys_in_order(ground):
    sent = send(ground.bus, ground.wide, 120, keys=9)
    first = ground.bus.consumer([ground.wide], "readers")
    came = take(first, 30, ground.patience_s)
    second, third = (ground.bus.consumer([ground.wide], "readers") for _ in range(2))
    for consumer in (first, second, third, first, second, third):
        found = consumer.poll(7, 0.1)
        consumer.commit(found)
        came += found
    first.close()
    second.close()
    came += take(third, 120 - len(came), ground.patience_s)
    assert values(came) == sent
    assert all(numbers == sorted(numbers) for numbers in by_key(came).values())


def test_what_a_member_still_works_on_stays_its_own_when_others_join(ground):
    first = ground.bus.consumer([ground.wide], "readers")
    send(ground.bus, ground.wide, 20)
    in_hand = take(first, 20, ground.patience_s, commit=False)
    second = ground.bus.consumer([ground.wide], "readers")
    assert second.poll(20, 2 * ground.quiet_s) == []
    first.commit(in_hand)
    sent = send(ground.bus, ground.wide, 20, begin=20)
    shares = take_from((first, second), 20, ground.patience_s)
    assert values(shares[0] + shares[1]) == sent


def test_what_a_member_left_undone_goes_to_those_who_joined_meanwhile(ground):
    first = ground.bus.consumer([ground.wide], "readers")
    sent = send(ground.bus, ground.wide, 20)
    assert len(take(first, 20, ground.patience_s, commit=False)) == 20
    second = ground.bus.consumer([ground.wide], "readers")
    first.close()
    assert values(take(second, 20, ground.patience_s)) == sent


@pytest.mark.parametrize(("start", "expected"), [("earliest", [b"0", b"1", b"2"]), ("latest", [b"2"])])
def test_a_new_group_starts_where_it_asked_to(ground, start, expected):
    send(ground.bus, ground.narrow, 2)
    consumer = ground.bus.consumer([ground.narrow], "late", start=start)
    send(ground.bus, ground.narrow, 1, begin=2)
    assert values(take(consumer, len(expected), ground.patience_s)) == expected
    assert consumer.poll(1, ground.quiet_s) == []


def test_each_listener_gets_everything_from_now_on(ground):
    send(ground.bus, ground.wide, 3)
    listeners = [ground.bus.consumer([ground.wide], None, start="latest") for _ in range(2)]
    sent = send(ground.bus, ground.wide, 10, begin=3)
    assert [values(take(listener, 10, ground.patience_s)) for listener in listeners] == [sent, sent]


def test_one_consumer_reads_several_topics(ground):
    consumer = ground.bus.consumer([ground.wide, ground.narrow], "readers")
    send(ground.bus, ground.wide, 5)
    send(ground.bus, ground.narrow, 5, begin=5)
    found = take(consumer, 10, ground.patience_s)
    assert values(found) == [b"%d" % n for n in range(10)]
    assert {m.topic for m in found if int(m.value) < 5} == {ground.wide}


def test_a_paused_consumer_gets_nothing_and_loses_nothing(ground):
    consumer = ground.bus.consumer([ground.narrow], "readers")
    consumer.pause()
    send(ground.bus, ground.narrow, 3)
    assert consumer.poll(3, ground.quiet_s) == []
    consumer.resume()
    assert len(take(consumer, 3, ground.patience_s)) == 3


def test_lag_counts_what_is_not_committed(ground):
    consumer = ground.bus.consumer([ground.narrow], "readers")
    send(ground.bus, ground.narrow, 5)
    found = take(consumer, 3, ground.patience_s, commit=False)
    assert consumer.lag() == 5
    consumer.commit(found)
    assert consumer.lag() == 2


def test_a_waiting_poll_hears_of_a_message_at_once(ground):
    consumer = ground.bus.consumer([ground.narrow], "readers")
    Timer(0.1, ground.bus.publish, (ground.narrow, "key", b"1")).start()
    start = time.monotonic()
    assert len(consumer.poll(1, 60.0)) == 1
    assert time.monotonic() - start < 50


def test_a_waiting_poll_can_be_woken(ground):
    consumer = ground.bus.consumer([ground.narrow], "readers")
    Timer(0.1, consumer.wake).start()
    start = time.monotonic()
    assert consumer.poll(1, 60.0) == []
    assert time.monotonic() - start < 50


def test_a_wake_before_the_poll_counts_once(ground):
    consumer = ground.bus.consumer([ground.narrow], "readers")
    send(ground.bus, ground.narrow, 1)
    consumer.wake()
    start = time.monotonic()
    assert consumer.poll(1, 60.0) == []
    assert time.monotonic() - start < 50
    assert len(take(consumer, 1, ground.patience_s)) == 1


def test_closing_the_bus_ends_a_poll_that_waits(ground):
    consumer = ground.bus.consumer([ground.narrow], "readers")
    Timer(0.1, ground.bus.close).start()
    with pytest.raises(Closed):
        consumer.poll(1, 60.0)
    with pytest.raises(Closed):
        ground.bus.publish(ground.narrow, "key", b"1")


def test_closing_twice_is_harmless(ground):
    consumer = ground.bus.consumer([ground.narrow], "readers")
    consumer.close()
    consumer.close()
    ground.bus.close()
    ground.bus.close()
    with pytest.raises(Closed):
        consumer.poll(1, 0.0)


def test_what_was_done_with_is_told_again_in_order(ground):
    consumer = ground.bus.consumer([ground.wide], "readers")
    sent = send(ground.bus, ground.wide, 60, keys=7)
    came = take(consumer, 60, ground.patience_s)
    told = list(ground.bus.replay([ground.wide]))
    assert values(told) == sent
    assert by_key(told) == by_key(came)
    assert {(m.key, m.value, m.partition, m.offset, m.timestamp) for m in told} == {
        (m.key, m.value, m.partition, m.offset, m.timestamp) for m in came
    }
    assert consumer.poll(1, ground.quiet_s) == []


def test_what_nobody_reads_is_told_too_and_no_group_comes_of_it(ground):
    sent = send(ground.bus, ground.wide, 5)
    assert values(list(ground.bus.replay([ground.wide, ground.narrow, ground.wide]))) == sent
    assert values(take(ground.bus.consumer([ground.wide], "readers"), 5, ground.patience_s)) == sent


def test_a_replay_begins_at_its_time(ground):
    send(ground.bus, ground.wide, 8)
    time.sleep(0.01)
    later = send(ground.bus, ground.wide, 8, begin=8)
    since = min(message.timestamp for message in ground.bus.replay([ground.wide]) if int(message.value) >= 8)
    assert values(list(ground.bus.replay([ground.wide], since))) == later
    assert list(ground.bus.replay([ground.wide], time.time() + 3600)) == []


def test_a_replay_before_a_group_tells_what_the_group_has_committed(ground):
    assert list(ground.bus.replay([ground.narrow], before="readers")) == []
    consumer = ground.bus.consumer([ground.narrow], "readers")
    send(ground.bus, ground.narrow, 6)
    consumer.commit(take(consumer, 4, ground.patience_s, commit=False)[:3])
    assert values(list(ground.bus.replay([ground.narrow], before="readers"))) == [b"0", b"1", b"2"]
    assert list(ground.bus.replay([ground.narrow], before="others")) == []


def test_a_replay_after_places_tells_what_lies_behind_them(ground):
    send(ground.bus, ground.wide, 40, keys=9)
    everything = list(ground.bus.replay([ground.wide]))
    after = {(ground.wide, 0): 2, (ground.wide, 1): -1, (ground.wide, 3): 10**6, ("test.other", 2): 5}
    told = list(ground.bus.replay([ground.wide], after=after))
    assert {(m.partition, m.offset) for m in told} == {
        (m.partition, m.offset) for m in everything if m.offset > after.get((m.topic, m.partition), -1)
    }
    assert 0 < len(told) < len(everything)


def test_a_replay_ends_where_the_topic_ended_when_it_was_asked_for(ground):
    sent = send(ground.bus, ground.narrow, 3)
    replayed = ground.bus.replay([ground.narrow])
    send(ground.bus, ground.narrow, 3, begin=3)
    assert values(list(replayed)) == sent


def test_a_state_keeps_the_newest_value_of_each_key(ground):
    reader = ground.bus.consumer([ground.state], "readers")
    send(ground.bus, ground.state, 30, keys=3)
    take(reader, 30, ground.patience_s)
    told = by_key(list(ground.bus.replay([ground.state])))
    newcomer = by_key(take(ground.bus.consumer([ground.state], None), 3, ground.patience_s))
    assert {key: numbers[-1] for key, numbers in told.items()} == {"key-0": 27, "key-1": 28, "key-2": 29}
    assert set(newcomer) <= set(told)


def test_a_state_lets_older_values_go_and_its_readers_miss_none_of_the_newest(ground):
    reader = ground.bus.consumer([ground.state], "readers")
    newest: dict[str, int] = {}
    until, rounds = time.monotonic() + 2 * ground.patience_s, 0
    while time.monotonic() < until:
        sent = send(ground.bus, ground.state, 6, keys=3, begin=6 * rounds)
        rounds += 1
        newest |= {key: numbers[-1] for key, numbers in by_key(take(reader, 6, ground.patience_s)).items()}
        told = by_key(list(ground.bus.replay([ground.state])))
        assert {key: numbers[-1] for key, numbers in told.items()} == newest
        if sum(map(len, told.values())) < 6 * rounds:
            break
        time.sleep(ground.quiet_s / 2)
    assert sum(map(len, told.values())) < 6 * rounds
    assert newest == {f"key-{int(value) % 3}": int(value) for value in sent}


def test_a_late_group_gets_what_others_have_done_with(ground):
    sent = send(ground.bus, ground.narrow, 4)
    take(ground.bus.consumer([ground.narrow], "readers"), 4, ground.patience_s)
    assert values(take(ground.bus.consumer([ground.narrow], "late"), 4, ground.patience_s)) == sent


def test_a_listener_joins_no_group_and_is_forgotten(ground):
    for begin in (0, 3):
        listener = ground.bus.consumer([ground.narrow], None)
        send(ground.bus, ground.narrow, 3, begin=begin)
        found = take(listener, begin + 3, ground.patience_s)
        assert values(found) == [b"%d" % number for number in range(begin + 3)]
        assert listener.lag() == 0
        listener.close()


def test_a_slow_handler_keeps_its_place_and_its_order_while_more_and_more_comes(ground):
    consumer = ground.bus.consumer([ground.wide], "readers")
    sent = send(ground.bus, ground.wide, 900, keys=11)
    came: list[Message] = []
    for batch in (1, 50, 849):
        time.sleep(ground.quiet_s)
        came += take(consumer, batch, ground.patience_s)
    assert values(came) == sent
    assert all(numbers == sorted(numbers) for numbers in by_key(came).values())
    assert consumer.lag() == 0


def test_an_unknown_topic_is_refused_by_name(ground):
    with pytest.raises(NotFound, match=r"lipsol\.mouth\.v9"):
        ground.bus.publish("lipsol.mouth.v9", "key", b"")
    with pytest.raises(NotFound, match=r"lipsol\.mouth\.v9"):
        ground.bus.consumer([ground.wide, "lipsol.mouth.v9"], "readers")
    with pytest.raises(NotFound, match=r"lipsol\.mouth\.v9"):
        ground.bus.replay(["lipsol.mouth.v9"])


def test_a_name_that_no_topic_can_have_is_not_found_either(ground):
    with pytest.raises(NotFound, match="no topic"):
        ground.bus.publish("pots & pans", "key", b"")


def test_a_consumer_of_nothing_is_refused(ground):
    with pytest.raises(BadInput, match="no topic"):
        ground.bus.consumer([], "readers")


def test_a_message_that_is_too_long_is_refused(ground):
    with pytest.raises(BadInput, match=str(VALUE_MAX_BYTES)):
        ground.bus.publish(ground.narrow, "key", bytes(VALUE_MAX_BYTES + 1))
    with pytest.raises(BadInput, match=str(ENVELOPE_MAX_BYTES)):
        ground.bus.publish(ground.narrow, "key", b"", {"note": "a" * ENVELOPE_MAX_BYTES})


def test_the_longest_message_arrives(ground):
    consumer = ground.bus.consumer([ground.narrow], "readers")
    value, note = bytes(VALUE_MAX_BYTES), "a" * (ENVELOPE_MAX_BYTES - 7)
    ground.bus.publish(ground.narrow, "key", value, {"note": note})
    [message] = take(consumer, 1, ground.patience_s)
    assert (message.value, message.headers["note"]) == (value, note)


def test_many_threads_publish_and_consume_without_loss(ground):
    consumers = [ground.bus.consumer([ground.wide], "readers") for _ in range(3)]
    came: list[Message] = []

    def consume(consumer: Consumer) -> None:
        while len(came) < 200:
            found = consumer.poll(5, 0.2)
            consumer.commit(found)
            came.extend(found)

    threads = [Thread(target=consume, args=(consumer,)) for consumer in consumers]
    threads += [Thread(target=send, args=(ground.bus, ground.wide, 50, 11, 50 * n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert values(came) == [b"%d" % n for n in range(200)]
