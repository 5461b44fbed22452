import json

import pytest

from tests.benchmarks.__main__ import MEASUREMENTS, main
from tests.benchmarks.kept import held, keep, merged


def _entry(name, value, measurement=None):
    return {"name": name, "value": value} | ({"measurement": measurement} if measurement else {})


def test_a_measurement_replaces_what_it_measured_before_and_nothing_else():
    before = [_entry("a", 1, "one"), _entry("gone", 1, "one"), _entry("b", 1, "two")]
    now = merged("one", [_entry("a", 2)], before)
    assert [(each["name"], each["value"]) for each in now] == [("b", 1), ("a", 2)]
    assert {each["measurement"] for each in now} == {"one", "two"}


def test_a_name_stands_in_the_file_once_whoever_measured_it():
    assert merged("one", [_entry("a", 2)], [_entry("a", 1)]) == [_entry("a", 2, "one")]


def test_what_is_kept_is_held(tmp_path):
    path = tmp_path / "bench.json"
    assert held(path) == []
    keep([_entry("a", 1, "one")], path)
    assert held(path) == json.loads(path.read_text()) == [_entry("a", 1, "one")]


def test_an_unknown_measurement_is_refused_by_name_with_those_that_there_are():
    with pytest.raises(SystemExit, match="called speed; there are stages, "):
        main(["speed"])


def test_every_measurement_is_a_module_of_its_own(top):
    assert len(set(MEASUREMENTS)) == len(MEASUREMENTS)
    assert all("def measure(" in (top / f"tests/benchmarks/{name}.py").read_text() for name in MEASUREMENTS)
