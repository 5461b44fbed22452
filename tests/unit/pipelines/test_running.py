"""A graph that runs here: a person sees its steps and what they say; arguments are taken with their types."""

from io import StringIO

import pytest

from lipsol.errors import BadInput
from lipsol.steps.saying import SAID
from pipelines.compiling import graph
from pipelines.running import Ran, Screen, Step, checked
from pipelines.settings import PipelinesSettings

SETTLED = {"work": "here", "automation": "act", "key": "", "corrections": "50"}
TOLD = f"""\
Task check cache hit (key=123); skipping execution.
09:00:00.000 - INFO - Executing task \x1b[96m'gate-2'\x1b[0m
    [KFP Executor INFO]: Got executor_input:
    {SAID}words pass
09:00:02.000 - INFO - Task \x1b[96m'gate-2'\x1b[0m finished with status \x1b[92mSUCCESS\x1b[0m
09:00:02.000 - INFO - Executing task \x1b[96m'train'\x1b[0m
    lipsol.errors.BadInput: no clips: bring some
09:00:03.000 - ERROR - Task \x1b[96m'train'\x1b[0m finished with status \x1b[91mFAILURE\x1b[0m
"""


@pytest.fixture
def screen(clock):
    heard = []
    made = Screen(StringIO(), heard.append, clock.now)
    for line in TOLD.splitlines(keepends=True):
        made.write(line[:7])
        clock.advance(1)
        made.write(line[7:])
    return made, heard


def test_each_step_is_told_with_its_state_and_time(screen):
    made, _ = screen
    assert list(made.steps.values()) == [
        Step("check", "cached", 0.0), Step("gate-2", "done", 3.0), Step("train", "failed", 2.0)
    ]  # fmt: skip
    assert made.failed == ["train"]


def test_a_person_hears_what_steps_say_and_nothing_of_the_machinery(screen):
    heard = "\n".join(screen[1])
    assert "words pass" in heard and "check: as before" in heard and "    no clips: bring some" in heard
    assert "executor_input" not in heard and "\x1b" not in heard


def test_arguments_become_what_the_graph_takes_and_the_settings_fill_the_rest():
    whole = graph("train", PipelinesSettings())
    assert checked(whole, {"data": "d", "seed": "7"}, SETTLED) == {
        "data": "d", "seed": 7, "work": "here", "automation": "act", "key": ""
    }  # fmt: skip
    assert checked(whole, {"data": "d", "work": "there"}, SETTLED)["work"] == "there"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"data": "d", "sead": "7"}, "sead"),
        ({}, "data"),
        ({"data": "d", "limit": "few"}, "limit='few'"),
        ({"data": "d", "rules": "own.json"}, "rules=@FILE"),
        ({"data": "d", "plan": "plan.json"}, "plan=@FILE"),
        ({"data": "d", "plan": '{"base": "plan.json"}'}, "plan=@FILE"),
        ({"data": "d", "rules": "{full"}, "is no JSON"),
    ],
    ids=["unknown", "missing", "no number", "a rules file", "a plan file", "built on a file", "torn"],
)
def test_an_argument_that_cannot_be_is_named(given, said):
    with pytest.raises(BadInput, match=said):
        checked(graph("train", PipelinesSettings()), given, SETTLED)


@pytest.mark.parametrize("told", ["full", "brief", '{"name": "own"}', ' {"base": "brief"}'])
def test_rules_and_plans_are_names_or_what_a_file_holds(told):
    given = checked(graph("train", PipelinesSettings()), {"data": "d", "rules": told, "plan": told}, SETTLED)
    assert given["rules"] == given["plan"] == told


@pytest.mark.parametrize(
    ("names", "stopped"),
    [
        (["train", "gate", "register", "promote", "gate-2", "register-2"], False),
        (["gate", "gate-2", "register-2"], True),
        (["gate", "gate-2", "remember"], True),
        (["bring", "look"], False),
    ],
    ids=["both pass", "one stops", "both stop", "nothing to train"],
)
def test_a_run_tells_whether_a_gate_stopped_any_model(names, stopped):
    assert Ran(tuple(Step(name, "done", 1.0) for name in names), {}).stopped is stopped
