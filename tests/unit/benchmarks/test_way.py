import math

import pytest

from lipsol.bus.port import Message
from lipsol.runtime.envelope import wrap
from tests.benchmarks.latency import bisected, p95_s
from tests.benchmarks.way import STAGES, Way, stages_ms
from tests.scenarios.pace import Answer
from tests.services_made import prediction_of, ready_of

CLIP = "ab" * 16
SENT = 1_795_251_600.0


def message(event, told_at, broker_at):
    out = wrap(event, "tests", told_at)
    return Message(out.topic, out.key, out.value, out.headers, 0, 0, broker_at)


@pytest.fixture
def told():
    """A mouth and its prediction, of a clip that was sent at `SENT`."""
    watching = {"decode": 40.0, "face": 100.0, "mouth": 5.0, "quality": 5.0}
    mouth = ready_of(CLIP, received_at=SENT + 0.010, timings_ms=watching)
    made = prediction_of(CLIP)
    object.__setattr__(made, "made_at", SENT + 0.220)
    return [message(mouth, SENT + 0.170, SENT + 0.175), message(made, SENT + 0.221, SENT + 0.225)]


def test_the_stages_of_a_way_add_up_to_what_the_client_waited(told):
    way = Way(CLIP, SENT, SENT + 0.230, SENT + 0.240)
    (stages,) = stages_ms([way], told)
    assert tuple(stages) == STAGES
    assert sum(stages.values()) == pytest.approx(way.total_ms, abs=0.01)
    wanted = {"send": 10, "decode": 40, "face": 100, "keep": 10, "publish": 5, "queue": 25, "read": 20, "tell": 5}
    assert {stage: stages[stage] for stage in wanted} == pytest.approx(wanted, abs=0.01)
    assert (stages["settle"], stages["answer"]) == pytest.approx((5, 10), abs=0.01)


def test_a_way_of_which_an_event_is_missing_is_not_told(told):
    with pytest.raises(KeyError, match=CLIP):
        stages_ms([Way(CLIP, SENT, SENT + 1, SENT + 1)], told[:1])


def test_what_was_refused_was_not_in_time():
    good = [Answer(200, 0.0, 1.0)] * 95
    assert p95_s([*good, *[Answer(200, 0.0, 9.0)] * 5]) == 1.0
    assert p95_s([*good[1:], *[Answer(429, 0.0, 0.1)] * 6]) == math.inf


def test_halving_closes_in_on_where_it_stops_to_hold():
    tried = []

    def holds(value):
        tried.append(value)
        return value <= 6.3

    assert bisected(holds, 0.0, 16.0, steps=6) == 6.25
    assert tried[:3] == [8.0, 4.0, 6.0]
