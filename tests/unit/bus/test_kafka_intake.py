"""What lies between a Kafka client and the caller, without any Kafka."""

import pytest

from lipsol.bus.kafka_intake import Intake, Place
from lipsol.bus.port import Message

HERE, THERE = Place("test.one.v1", 0), Place("test.one.v1", 1)


def message(place: Place, offset: int, size: int = 1) -> Message:
    return Message(place.topic, "key", bytes(size), {}, place.partition, offset, 0.0)


def messages(place: Place, *offsets: int) -> list[Message]:
    return [message(place, offset) for offset in offsets]


@pytest.fixture
def intake() -> Intake:
    fresh = Intake(most=4, most_bytes=100)
    fresh.hold([HERE, THERE])
    return fresh


def test_what_is_done_is_due_until_it_is_committed(intake):
    intake.put(messages(HERE, 5, 6, 7))
    assert intake.in_hand([HERE]) is False
    taken = intake.take(2)
    assert [found.offset for found in taken] == [5, 6]
    assert intake.in_hand([HERE])
    assert intake.due() == {}
    assert intake.done(taken[:1]) == [HERE]
    assert intake.due() == {HERE: 6}
    assert intake.in_hand([HERE])
    intake.done(taken[1:])
    intake.learn(intake.due())
    assert intake.due() == {}
    assert not intake.in_hand([HERE])


def test_an_older_commit_takes_nothing_back(intake):
    intake.put(messages(HERE, 0, 1, 2))
    taken = intake.take(3)
    intake.done(taken)
    intake.done(taken[:1])
    assert intake.due() == {HERE: 3}
    intake.learn({HERE: 3})
    intake.learn({HERE: 1})
    assert intake.lag({HERE: 3}) == 0


def test_it_is_full_at_either_bound_and_low_at_half(intake):
    intake.put(messages(HERE, 0, 1, 2))
    assert (intake.full, intake.low, intake.room) == (False, False, 1)
    intake.put(messages(HERE, 3, 4))
    assert (intake.full, intake.room) == (True, 1)
    intake.take(3)
    assert (intake.full, intake.low, intake.room) == (False, True, 2)
    intake.put([message(THERE, 0, size=100)])
    assert intake.full


def test_a_place_that_is_withdrawn_gives_nothing_more_but_can_be_committed(intake):
    intake.put(messages(HERE, 0, 1) + messages(THERE, 0))
    taken = intake.take(1)
    intake.withdraw([HERE])
    assert [Place(left.topic, left.partition) for left in intake.take(9)] == [THERE]
    intake.done(taken)
    assert intake.due() == {HERE: 1}


def test_what_was_lost_is_passed_over_and_begins_anew_when_it_comes_back(intake):
    intake.put(messages(HERE, 0, 1, 2))
    old = intake.take(3)
    intake.release([HERE])
    assert intake.done(old) == []
    intake.hold([HERE])
    assert intake.unknown == [HERE, THERE] or intake.unknown == [THERE, HERE]
    intake.put(messages(HERE, 20, 21))
    intake.take(1)
    assert intake.done(old) == []  # another went on to 20 meanwhile
    assert intake.due() == {}


def test_what_was_not_handed_out_is_not_done(intake):
    intake.put(messages(HERE, 0, 1))
    intake.take(1)
    assert intake.done(messages(HERE, 1)) == []
    assert intake.done(messages(THERE, 0)) == []


def test_what_comes_of_a_place_that_is_not_ours_is_left_to_its_holder(intake):
    intake.put([message(Place("test.one.v1", 2), 0)])
    assert intake.take(1) == []


def test_lag_counts_from_what_is_committed_and_knows_nothing_of_the_rest(intake):
    intake.learn({HERE: 10})
    assert intake.lag({HERE: 15, THERE: 3}) == 5
    intake.put(messages(THERE, 1, 2))
    assert intake.lag({HERE: 15, THERE: 3}) == 7


def test_fetching_goes_on_behind_what_was_fetched(intake):
    intake.learn({HERE: 10, THERE: 4})
    intake.put(messages(HERE, 10, 11))
    assert intake.next() == {HERE: 12, THERE: 4}
