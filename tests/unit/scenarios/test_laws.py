"""The checks of the scenarios find what they look for: a loss, a doubling, a wrong order, a wrong way."""

from dataclasses import replace

import pytest

from lipsol.bus.port import Message
from lipsol.events import to_bytes
from lipsol.traffic import PLACES, place
from tests.scenarios import laws
from tests.scenarios.ledger import Ledger, Reading, Sent
from tests.services_made import prediction_of, ready_of

IDS = [f"{n:032x}" for n in range(6)]
READ = Reading("bin blue", 0.9, "d" * 64, "stable")


def clips(session="s"):
    """Three clips of a session, all read."""
    return [Sent(f"key-{n}", session, n, clip_ids=[IDS[n]], readings=[READ]) for n in range(3)]


def on_bus(events, partition=0):
    """Events as messages, in the order given."""
    return [
        Message(event.topic, event.key, to_bytes(event), {}, partition, offset, 1_795_251_600.0 + offset)
        for offset, event in enumerate(events)
    ]


def test_what_all_went_well_breaks_no_law():
    mouths = on_bus([ready_of(clip_id, session="s") for clip_id in IDS[:3]])
    readings = on_bus([replace(prediction_of(clip_id), made_at=float(n)) for n, clip_id in enumerate(IDS[:3])])
    assert laws.lost(clips()) == laws.doubled(clips()) == []
    assert laws.out_of_order(clips(), mouths) == laws.read_out_of_order(clips(), readings) == []


def test_a_clip_without_a_reading_is_lost():
    unread = replace(clips()[1], readings=[], gave_up="its client's patience ended")
    (found,) = laws.lost([clips()[0], unread])
    assert "key-1" in found and "patience" in found


@pytest.mark.parametrize(
    "twice",
    [
        {"clip_ids": [IDS[0], IDS[1]]},
        {"readings": [READ, replace(READ, text="bin red")]},
        {"readings": [READ, replace(READ, digest="e" * 64)]},
        {"readings": [READ, replace(READ, track="canary")]},
    ],
    ids=["two clips", "two texts", "two models", "two tracks"],
)
def test_a_clip_that_became_two_is_doubled(twice):
    (found,) = laws.doubled([replace(clips()[0], **twice)])
    assert "key-0" in found


def test_one_clip_for_two_keys_is_doubled():
    (found,) = laws.doubled([clips()[0], replace(clips()[1], clip_ids=[IDS[0]])])
    assert IDS[0] in found


def test_mouths_in_another_order_than_sent_are_found():
    swapped = on_bus([ready_of(clip_id, session="s") for clip_id in (IDS[0], IDS[2], IDS[1])])
    assert laws.out_of_order(clips(), swapped) == ["session s lies as [0, 2, 1]"]


def test_a_mouth_that_is_told_again_later_is_in_order():
    again = on_bus([ready_of(clip_id, session="s") for clip_id in (IDS[0], IDS[1], IDS[0], IDS[2])])
    assert laws.out_of_order(clips(), again) == []


def test_a_session_in_two_partitions_is_found():
    first, second = (on_bus([ready_of(clip_id, session="s")], n) for n, clip_id in enumerate(IDS[:2]))
    (found,) = laws.out_of_order(clips(), [*first, *second])
    assert "lies in" in found


def test_readings_in_another_order_than_sent_are_found():
    at = {IDS[0]: 1.0, IDS[1]: 3.0, IDS[2]: 2.0}
    readings = on_bus([replace(prediction_of(clip_id), made_at=made_at) for clip_id, made_at in at.items()])
    assert laws.read_out_of_order(clips(), readings) == ["session s was read as [0, 2, 1]"]


def named(track):
    """The name of a session that goes there at 50 %."""
    names = (f"session-{n}" for n in range(100))
    return next(name for name in names if (place(name) < PLACES / 2) is (track == "canary"))


@pytest.mark.parametrize("track", ["stable", "canary"])
def test_a_clip_on_another_track_than_its_hash_says_is_found(track):
    right = Sent("key", named(track), readings=[replace(READ, track=track)])
    wrong = replace(right, readings=[replace(READ, track="stable" if track == "canary" else "canary")])
    assert laws.off_the_split([right], 50.0) == []
    assert len(laws.off_the_split([wrong], 50.0)) == 1
    assert len(laws.off_the_split([right], 50.0, {right.name: "stable" if track == "canary" else "canary"})) == 1


def test_a_name_that_goes_two_ways_by_two_doors_is_found():
    by_rest = Sent("a", "s", door="rest", readings=[READ])
    by_grpc = Sent("b", "s", door="grpc", readings=[replace(READ, track="canary")])
    assert laws.at_odds([by_rest, replace(by_grpc, readings=[READ])]) == []
    assert len(laws.at_odds([by_rest, by_grpc])) == 1


@pytest.mark.parametrize(("counted", "broken"), [(5, False), (4, True), (6, True), (None, True)])
def test_a_count_that_is_not_what_was_sent_is_found(counted, broken):
    assert bool(laws.unequal("readings", counted, 5)) is broken


def test_a_law_that_nothing_was_seen_of_is_not_held():
    assert laws.proven("kills", 9, 9) == []
    assert laws.proven("kills", 8, 9)


def test_a_broken_law_is_one_sentence_that_names_some_and_counts_the_rest():
    assert laws.told("clips were lost", []) == []
    assert laws.told("clips were lost", list("abcde")) == ["clips were lost: a; b; c and 2 more"]


def test_the_ledger_counts_a_clip_once_however_often_it_is_answered():
    heard = []
    ledger = Ledger(heard.append)
    clip = ledger.open(Sent("key"))
    ledger.answered(clip, READ)
    ledger.answered(clip, READ)
    ledger.answered(clip, replace(READ, text="bin red"))
    assert (ledger.answers, heard, len(clip.readings)) == (1, [1], 2)
