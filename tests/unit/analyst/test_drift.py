"""Whether stable came to read by the canary's bundle by no release: told by readings alone, and never for a few."""

import math
from collections.abc import Sequence

import pytest

from lipsol.bus.port import Message
from lipsol.runtime.envelope import wrap
from lipsol.topics import PREDICTIONS
from services.analyst.drift import ENOUGH, Drift
from tests.unit.analyst.events import NEW, OLD, reading

BEGAN_AT = 1000.0
SENTENCE = (
    f"stable reads by this very bundle ({NEW[:12]}) already, judged by nobody: it read by {OLD[:12]} until 00:15 UTC, "
    f"so it is pinned to nothing, and a promotion moved it; promote {OLD[:12]} again, pin it ({OLD}), "
    "and then release this one; if Helm moved it just now, without its hooks, wait ten minutes"
)


def told(events: Sequence[object], *, meanwhile=True, handed_back_at=-math.inf):
    """What is said after those readings."""
    drift = Drift(NEW, "en", BEGAN_AT, meanwhile=meanwhile)
    out = [wrap(event, "test", 0.0) for event in events]
    messages = [Message(each.topic, each.key, each.value, each.headers, 0, at, 0.0) for at, each in enumerate(out)]
    assert list(drift.hear(messages)) == messages
    return drift.objection(handed_back_at)


def read(digest, at, count=ENOUGH, track="stable", **changes):
    """Readings of one bundle, from then on."""
    return [reading(f"{digest[:2]}{at}-{n}", track, at=at + n / 100, digest=digest, **changes) for n in range(count)]


def test_stable_that_a_promotion_moved_before_or_in_the_rollout_is_told_with_the_cure():
    assert told([*read(OLD, 900.0), *read(NEW, 950.0), *read(NEW, 1001.0)]) == SENTENCE
    assert told([*read(OLD, 900.0), *read(NEW, 1001.0)]) == SENTENCE


def test_where_stable_reads_nothing_in_the_rollout_what_it_read_before_settles_it():
    events = [*read(OLD, 900.0), *read(NEW, 950.0)]
    assert told(events, meanwhile=False) == SENTENCE
    assert told(events) == ""


@pytest.mark.parametrize(
    "events",
    [
        [],
        [*read(NEW, 900.0), *read(NEW, 1001.0)],
        [*read(OLD, 900.0), *read(OLD, 1001.0)],
        [*read(OLD, 900.0), *read(NEW, 1001.0, ENOUGH - 1)],
        [*read(OLD, 900.0), *read(NEW, 1001.0), *read(OLD, 1002.0, 1)],
        [*read(OLD, 900.0, 7), *read(NEW, 901.0, 3), *read(NEW, 1001.0)],
        [*read(OLD, 900.0), *read(NEW, 1001.0, language="ur")],
        [*read(OLD, 900.0), *read(NEW, 1001.0, shadow=True, track="canary")],
    ],
    ids=[
        "nothing",
        "by it all along",
        "by the other still",
        "too few",
        "clients named it",
        "mixed before",
        "another language",
        "copies",
    ],
)
def test_what_may_be_a_pin_or_a_client_s_wish_is_not_told(events):
    assert told(events) == ""


def test_what_helm_moved_stable_to_is_a_pin():
    events = [*read(OLD, 900.0), *read(NEW, 950.0), *read(NEW, 1001.0)]
    assert told(events, handed_back_at=930.0) == ""  # before a rollback
    assert told(events, handed_back_at=980.0) == ""  # after an upgrade
    assert told(events, handed_back_at=200.0) == SENTENCE


def test_what_can_t_be_read_is_passed_on():
    drift = Drift(NEW, "en", BEGAN_AT, meanwhile=True)
    message = Message(PREDICTIONS.name, "clip", b"\xff\xff", {}, 0, 0, 0.0)
    assert list(drift.hear([message])) == [message]
