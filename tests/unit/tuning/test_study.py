"""A study asks, is told, outlives whoever runs it, and compares with the defaults. Learning is invented here."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lipsol.errors import LipsolError, NotFound, Transient
from lipsol.training.plan import Plan
from lipsol.tuning import Budget, ask, best, study_of, tell
from lipsol.tuning.page import write_page
from lipsol.tuning.space import SPACE, defaults, plan_of
from lipsol.tuning.study import Learn, Seen, check_by, try_by

BUDGET = Budget(epochs=4, check_every=1)
DIES = """
import os, signal, sys
from pathlib import Path
from lipsol.tuning.study import try_by
def learn(plan, seed, folder, seen):
    seen(1, 0.5)
    (folder / "near.sentences.checkpoint").write_text("epoch 1")
    os.kill(os.getpid(), signal.SIGKILL)
try_by(learn, Path(sys.argv[1]), "s", sys.argv[2], 0)
"""


def bowl(plan: Plan) -> float:
    """A word error rate that is least at a rate of 0.006 and a dropout of 0.1."""
    return 0.1 + 20 * abs(plan.near.rate - 0.006) + 0.5 * abs(plan.dropout - 0.1)


def learn(plan: Plan, seed: int, folder: Path, seen: Seen) -> float:
    """Comes down to the bowl's ground epoch by epoch."""
    for epoch in range(1, plan.near.epochs + 1):
        seen(epoch, bowl(plan) + 0.1 * (plan.near.epochs - epoch))
    return bowl(plan)


def run(storage: str, work: Path, trials: int, how: Learn = learn, seed: int = 1) -> None:
    """Ask, try out and tell, one at a time."""
    while given := ask("s", storage, 1, trials, seed):
        number = given[0]["trial"]
        tell("s", storage, number, try_by(how, work, "s", storage, number, BUDGET))


@pytest.fixture
def storage(tmp_path) -> str:
    return str(tmp_path / "studies" / "s.db")


def test_the_first_trial_is_the_defaults(storage):
    first, second = ask("s", storage, 2)
    assert first == {"trial": 0, "parameters": defaults()}
    assert second["trial"] == 1 and second["parameters"] != defaults()


def test_every_trial_lies_in_the_space_and_is_a_plan_that_training_takes(storage):
    for each in ask("s", storage, 6):
        for where in SPACE:
            assert where.low <= each["parameters"][where.name] <= where.high
        plan = Plan.named(plan_of(each["parameters"], "brief"))
        assert (plan.near.rate, plan.second.rate) == (each["parameters"]["rate"],) * 2
        assert (plan.light.speed, plan.dropout) == (each["parameters"]["speed"], each["parameters"]["dropout"])
        assert (plan.near.epochs, plan.far) == (Plan.named("brief").near.epochs, Plan.named("brief").far)


def test_a_search_beats_the_defaults_and_says_so_beside_them(storage, tmp_path):
    run(storage, tmp_path / "work", trials=12)
    found = best("s", storage)
    assert len(found.trials) == 12 and found.trials[0] == found.defaults
    assert found.defaults.value == pytest.approx(bowl(Plan()))
    assert found.best.value < found.defaults.value
    assert Plan.named(found.plan).near.rate == found.best.parameters["rate"]
    assert ask("s", storage, 4, total=12) == []


def test_the_same_seed_and_results_give_the_same_trials_however_often_one_begins_anew(tmp_path):
    tried = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run(str(tmp_path / f"{name}.db"), tmp_path / name, trials=7, seed=seed)
        tried.append([each.parameters for each in best("s", str(tmp_path / f"{name}.db")).trials])
    assert tried[0] == tried[1]
    assert tried[0][0] == tried[2][0] and tried[0][1:] != tried[2][1:]


def test_a_trial_whose_process_was_killed_is_given_out_again_and_goes_on_from_its_checkpoint(storage, tmp_path):
    (given,) = ask("s", storage, 1)
    died = subprocess.run([sys.executable, "-c", DIES, str(tmp_path), storage], check=False)
    assert died.returncode == -signal.SIGKILL
    assert ask("s", storage, 2)[0] == given
    seen: list[str] = []

    def goes_on(plan: Plan, seed: int, folder: Path, told: Seen) -> float:
        seen.extend(path.read_text() for path in folder.glob("*.checkpoint"))
        return 0.25

    assert try_by(goes_on, tmp_path, "s", storage, 0) == 0.25
    assert seen == ["epoch 1"]
    tell("s", storage, 0, 0.25)
    assert best("s", storage).best.value == 0.25


def test_what_was_tried_out_is_not_trained_again_if_only_the_telling_was_lost(storage, tmp_path):
    ask("s", storage, 1)
    assert try_by(learn, tmp_path, "s", storage, 0, BUDGET) == try_by(
        fails(ValueError), tmp_path, "s", storage, 0, BUDGET
    )


def test_another_version_of_data_or_code_or_another_cost_is_another_study():
    names = [
        study_of("s", data, code, budget)
        for data in ("d1", "d2")
        for code in ("c1", "c2")
        for budget in (BUDGET, Budget(epochs=5), Budget(limit=9), Budget(seed=2), Budget(base="brief"))
    ]
    assert len(set(names)) == len(names) and study_of("s", "d1", "c1", BUDGET) == names[0]


def test_a_second_seed_is_trained_once_and_leaves_no_checkpoint(storage, tmp_path):
    def keeps(plan: Plan, seed: int, folder: Path, seen: Seen) -> float:
        (folder / "near.sentences.checkpoint").write_text("the last epoch")
        return 0.5

    run(storage, tmp_path, trials=1, how=keeps)
    first = check_by(keeps, tmp_path, "s", storage, BUDGET)
    assert not list(tmp_path.rglob("*.checkpoint"))
    assert check_by(fails(ValueError), tmp_path, "s", storage, BUDGET) == first


def fails(kind: type[Exception]) -> Learn:
    def never(plan: Plan, seed: int, folder: Path, seen: Seen) -> float:
        raise kind("no memory")

    return never


def test_a_trial_that_fails_twice_is_given_up_and_another_takes_its_place(storage, tmp_path):
    for _ in range(2):
        assert [each["trial"] for each in ask("s", storage, 1, total=1)] == [0]
        with pytest.raises(Transient):
            try_by(fails(Transient), tmp_path, "s", storage, 0)
    assert [each["trial"] for each in ask("s", storage, 1, total=1)] == [1]


def test_a_trial_that_is_worse_than_the_median_is_given_up_early_and_never_the_best(storage, tmp_path):
    reached: list[int] = []

    def hopeless(plan: Plan, seed: int, folder: Path, seen: Seen) -> float:
        for epoch in range(1, 5):
            reached.append(epoch)
            seen(epoch, 0.9)
        return 0.0

    run(storage, tmp_path, trials=4)
    (given,) = ask("s", storage, 1)
    value = try_by(hopeless, tmp_path, "s", storage, given["trial"], BUDGET)
    tell("s", storage, given["trial"], value)
    assert (value, reached) == (0.9, [1])
    found = best("s", storage)
    assert found.trials[-1].state == "pruned" and found.trials[-1].value == 0.9
    assert found.best.value < 0.9


def test_telling_twice_changes_nothing(storage):
    ask("s", storage, 1)
    tell("s", storage, 0, 0.5)
    tell("s", storage, 0, 0.1)
    assert best("s", storage).best.value == 0.5


def test_the_winner_is_tried_once_more_from_another_seed(storage, tmp_path):
    def lucky(plan: Plan, seed: int, folder: Path, seen: Seen) -> float:
        return bowl(plan) if seed == 1 else 0.75

    run(storage, tmp_path, trials=3, how=lucky)
    assert best("s", storage).check == {}
    assert check_by(lucky, tmp_path, "s", storage, BUDGET) == {"best": 0.75, "defaults": 0.75}
    assert best("s", storage).check == {"best": 0.75, "defaults": 0.75}
    page, plan = write_page(best("s", storage), "s", tmp_path / "out")
    assert "keep the defaults" in page.read_text()
    assert json.loads(plan.read_text())["near"]["rate"] == best("s", storage).best.parameters["rate"]


def test_the_page_shows_every_trial_beside_the_defaults(storage, tmp_path):
    run(storage, tmp_path, trials=3)
    found = best("s", storage)
    text = write_page(found, "s", tmp_path / "out")[0].read_text()
    assert f"Best: trial {found.best.trial}" in text and "not tried from another seed" in text
    for each in SPACE:
        assert each.why.replace("'", "&#39;") in text


@pytest.mark.parametrize(
    "call",
    [
        lambda storage: tell("nothing", storage, 0, 0.5),
        lambda storage: tell("s", storage, 7, 0.5),
        lambda storage: best("s", storage),
    ],
    ids=["no study", "no trial", "none tried"],
)
def test_what_is_not_there_is_not_found(storage, call: Callable[[str], object]):
    ask("s", storage, 1)
    with pytest.raises(NotFound) as missing:
        call(storage)
    assert isinstance(missing.value, LipsolError) and missing.value.cure
