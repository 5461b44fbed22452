"""available_cpus: what the process may use, not what the machine has."""

import os

import pytest

from lipsol.runtime.cpus import available_cpus


@pytest.mark.parametrize(
    ("written", "cpus"),
    [("50000 100000", 1), ("100000 100000", 1), ("1000 100000", 1)],
    ids=["half a CPU", "one CPU", "a hundredth"],
)
def test_a_containers_quota_bounds_the_threads(tmp_path, written, cpus):
    (tmp_path / "cpu.max").write_text(written)
    assert available_cpus(tmp_path / "cpu.max") == cpus


@pytest.mark.parametrize("written", ["max 100000", "", "nonsense"], ids=["no quota", "empty", "unreadable"])
def test_without_a_quota_the_process_may_use_what_it_may_run_on(tmp_path, written):
    (tmp_path / "cpu.max").write_text(written)
    assert available_cpus(tmp_path / "cpu.max") == len(os.sched_getaffinity(0))


def test_a_machine_without_cgroups_is_fine(tmp_path):
    assert available_cpus(tmp_path / "nothing") == len(os.sched_getaffinity(0))
