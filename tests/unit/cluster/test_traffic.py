"""What became of clips is counted as it was: a failure, a loss and a doubling each once, none in place of another."""

from dataclasses import replace

from tests.cluster.clients import Clip
from tests.cluster.traffic import counted, failed, lost
from tests.scenarios.ledger import Reading

READ = Reading("bin blue", 0.9, "d" * 64, "stable")
CLIP = Clip("key", clip_ids=["a"], readings=[READ], judged=True, feedback=1, right=True, began_at=1.0, ended_at=2.0)


def clip(key, **what):
    """A clip of its own, all well but for what is said."""
    return replace(CLIP, **{"key": key, "clip_ids": [key], "readings": [READ], "faults": [], **what})


def figures(*clips):
    """Failed, lost, doubled."""
    counts = counted(clips)
    return counts.failed, counts.lost, counts.doubled


def test_clips_that_were_read_are_neither():
    assert figures(clip("a"), clip("b")) == (0, 0, 0)


def test_a_request_that_failed_is_a_failure_though_the_clip_was_read_in_the_end():
    assert figures(clip("a", faults=["POST broke"])) == (1, 0, 0)


def test_a_clip_that_was_given_up_with_an_answer_is_a_failure_and_no_loss():
    assert figures(clip("a", readings=[], faults=["failed"], refused="failed")) == (1, 0, 0)


def test_a_clip_that_was_taken_and_never_answered_is_lost():
    unread = clip("a", readings=[], gave_up="its client's patience ended")
    assert figures(unread) == (0, 1, 0)
    assert lost([unread]) == ["a was never read (its client's patience ended)"]


def test_a_clip_with_two_readings_is_doubled():
    assert figures(clip("a", readings=[READ, replace(READ, text="bin red")])) == (0, 0, 1)


def test_a_key_that_became_two_clips_is_doubled():
    assert figures(clip("a", clip_ids=["a", "b"])) == (0, 0, 1)


def test_to_be_told_to_come_back_later_is_no_failure():
    counts = counted([clip("a", waits=2)])
    assert (counts.failed, counts.waits) == (0, 2)


def test_failures_of_the_canarys_share_are_excused_by_name():
    clips = [clip("a", faults=["POST was answered 500"]), clip("b", session="s", faults=["Read was answered INTERNAL"])]
    assert failed(clips, frozenset({"s"})) == ["a: POST was answered 500"]


def test_readings_are_counted_by_track_bundle_and_door():
    canary = replace(READ, digest="e" * 64, track="canary")
    counts = counted([clip("a"), clip("b", readings=[canary], door="grpc", right=False)])
    assert counts.tracks == {"stable": 1, "canary": 1}
    assert counts.digests == {"d" * 12: 1, "e" * 12: 1}
    assert counts.doors == {"rest": 1, "grpc": 1}
    assert (counts.judged, counts.wrong) == (2, 1)
