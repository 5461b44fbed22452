"""What `make bench` writes down is what it measured."""

import subprocess
import sys

import pytest

from tests.benchmarks.figures import Figure, cpu_seconds, machine, percentiles

BURN = "import time\nwhile time.process_time() < 0.2: pass"


@pytest.mark.parametrize(
    ("value", "target", "met"), [(199.9, 200.0, False), (200.0, 200.0, True), (0.9, 0.85, True), (3.0, None, None)]
)
def test_a_figure_is_met_from_its_target_on(value, target, met):
    assert Figure("speed", value, "frames/s", target).met is met


@pytest.mark.parametrize(("value", "met"), [(29.9, True), (30.0, False), (31.0, False)])
def test_a_figure_that_has_to_stay_below_its_target_is_not_met_at_it(value, met):
    figure = Figure("added", value, "ms/clip", 30.0, below=True)
    assert (figure.met, figure.bound) == (met, "below 30")


def test_a_figure_that_nobody_bounds_is_neither_met_nor_missed():
    assert (Figure("speed", 1.0, "s").met, Figure("speed", 1.0, "s").bound) == (None, "")


def test_a_figure_is_written_with_the_machine_it_was_measured_on():
    written = Figure("speed", 210.0, "frames/s", 200.0).as_dict("a machine")
    assert written == {
        "name": "speed",
        "value": 210.0,
        "unit": "frames/s",
        "target": 200.0,
        "bound": "at least 200",
        "met": True,
        "machine": "a machine",
    }


def test_the_median_and_the_slow_end_are_told_apart():
    median, slow = percentiles("read", [float(n) for n in range(101)])
    assert (median.name, median.value) == ("read_p50", 50.0)
    assert (slow.name, slow.value) == ("read_p95", 95.0)


def test_work_done_in_a_child_process_counts_and_waiting_does_not():
    spent = cpu_seconds(lambda: subprocess.run([sys.executable, "-c", BURN], check=True))
    assert 0.15 <= spent < 2
    assert cpu_seconds(lambda: subprocess.run(["sleep", "0.3"], check=True)) < 0.15


def test_the_machine_is_told_in_one_line():
    assert "cores" in machine()
    assert "\n" not in machine()
