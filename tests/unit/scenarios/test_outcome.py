"""What a run writes down is what it saw, and a scenario that could not be played is no success."""

import json

from tests.scenarios.outcome import Outcome, failed, write


def test_figures_are_written_with_their_bus_and_machine_beside_those_of_the_other_bus(tmp_path):
    path = tmp_path / "build" / "scenarios.json"
    write([Outcome("faults", 10, 9, 1, 0, 2.5, ("clips were lost: a",), {"kills": 9})], path, "kafka", "a machine")
    write([Outcome("faults", 10, 10, 0, 0, 1.5)], path, "memory", "a machine")
    write([Outcome("faults", 10, 10, 0, 0, 2.0)], path, "kafka", "a machine")
    memory, kafka = json.loads(path.read_text())
    assert (memory["bus"], kafka["bus"], kafka["seconds"], kafka["broken"]) == ("memory", "kafka", 2.0, [])
    assert {"name", "sent", "answered", "lost", "doubled", "seconds", "machine"} <= set(kafka)


def test_a_scenario_that_could_not_be_played_breaks_its_laws():
    assert failed("faults", 1.0, "no Java").broken == ("could not be played: no Java",)
