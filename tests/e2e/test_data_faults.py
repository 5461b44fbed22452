"""Faults put into real data are found, and none where none is."""

import pytest

from tests.data_faults import CACHE, ENOUGH, FAULTS, run, table


@pytest.mark.slow
def test_at_least_nine_in_ten_kinds_of_faults_are_found_and_clean_data_are_not_stopped(grid, tmp_path):
    clean, outcomes = run(tmp_path, CACHE)
    assert not [finding for finding in clean if finding.level == "error"]
    assert len(outcomes) == len(FAULTS) >= 20
    assert sum(outcome.found for outcome in outcomes) >= ENOUGH * len(outcomes), table(outcomes)
