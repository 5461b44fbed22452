"""What the soak says of memory and of recovery follows from what it saw."""

import math
import threading

import pytest

from tests.scenarios.pace import Answer, pace
from tests.scenarios.soak import IN_A_ROW, growth, recovered


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([100] * 40, 0.0),
        ([*range(100, 120), *[200] * 20], 0.0),  # what grows at the start does not count
        ([*[100] * 20, *[100] * 10, *[110] * 10], 0.1),
        ([*[100] * 39, 900], 0.0),  # nor does one peak
    ],
    ids=["flat", "at the start", "in the last half", "a peak"],
)
def test_growth_is_that_of_the_last_half(samples, expected):
    assert growth(samples) == pytest.approx(expected)


def answers(statuses, took_s=0.1):
    return [Answer(status, 10.0 + n / 8, took_s) for n, status in enumerate(statuses)]


def test_it_has_recovered_with_the_first_of_a_row_of_good_answers():
    assert recovered(answers([429, 200, 429, *[200] * IN_A_ROW]), 10.0, 1.0) == pytest.approx(3 / 8)


@pytest.mark.parametrize(
    "seen", [answers([200] * (IN_A_ROW - 1)), answers([200] * 20, took_s=2.0), answers([429] * 20)]
)
def test_too_few_or_slow_or_refused_answers_are_no_recovery(seen):
    assert recovered(seen, 10.0, 1.0) == math.inf


def test_an_open_loop_does_not_wait_for_answers():
    arrived = threading.Barrier(5, timeout=30)

    def act(number: int) -> int:
        arrived.wait()  # nobody goes on before all are here
        return 200 + number

    came = pace(100.0, 0.05, act, workers=5)
    assert sorted(answer.status for answer in came) == [200, 201, 202, 203, 204]


def test_a_fault_of_the_load_is_not_swallowed():
    def act(_number: int) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pace(10.0, 0.1, act, workers=1)
