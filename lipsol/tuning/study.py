"""The search for hyperparameters: the one door to Optuna.

A study is asked for trials, each is tried out by a short training of the near member, and the study is told how many
words of the home speakers' validation clips it got wrong. The first trial is the defaults, so that "better than the
defaults" compares like with like; later ones come from a Tree-structured Parzen Estimator (Bergstra et al. 2011), and
one that is worse than the median of the others at the same epoch is given up.

A study is of one version of the data, one code and one budget, which its name holds (`study_of`). It outlives whoever
runs it: it lies in an SQLite file or any database. A trial that was begun and not told of is given out again first,
with the parameters that it had, and its training goes on from its checkpoint. So one process asks a study at a time,
while any number may try trials out. The same seed and results give the same trials.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipsol.data.whole import write_whole
from lipsol.errors import NotFound
from lipsol.training.plan import Plan
from lipsol.tuning.space import SPACE, Parameters, defaults, plan_of

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

RANDOM = 5  # trials before the estimator has its say
BEFORE_PRUNING = 4  # trials that are tried to their end in any case
ATTEMPTS = 2  # of a trial that fails
FILE = "sqlite:///"  # a study's place that is a file's path
BUSY_S = 60  # that a file which another process writes to is waited for
Seen = Callable[[int, float], None]  # told an epoch and the validation WER after it
Learn = Callable[[Plan, int, Path, Seen], float]  # plan, seed, folder for checkpoints, who is told -> validation WER
PRUNED, FAILED = "pruned", "failed"  # what a trial's own notes are called
CHECK = "check"  # the study's note of a second seed
STUDY_DIGITS = 12  # of sha256, in a study's name


@dataclass(frozen=True)
class Budget:
    """What a trial may cost: epochs of the near member, on so many clips of each speaker and split.

    check_every  epochs between two measurements, at which it may be given up
    """

    epochs: int = 24
    limit: int = 240
    check_every: int = 6
    base: str = "full"  # the plan that the parameters change
    seed: int = 1

    def plan(self, parameters: Parameters) -> Plan:
        """The plan with these hyperparameters, cut to what a trial may cost."""
        whole = Plan.named(plan_of(parameters, self.base))
        near = replace(whole.near, epochs=self.epochs)
        return replace(whole, near=near, check_every=self.check_every, patience=0)


FULL = Budget()


def study_of(name: str, data_version: str, code: str, budget: Budget = FULL) -> str:
    """The full name of a person's study: whatever changes what a trial comes to makes it another one."""
    told = repr((data_version, code, budget)).encode()
    return f"{name}-{hashlib.sha256(told).hexdigest()[:STUDY_DIGITS]}"


@dataclass(frozen=True)
class Near:
    """How a trial learns: the near member, from clips of a data set that are watched once, in `cache`."""

    data: Path
    cache: Path
    limit: int

    def __call__(self, plan: Plan, seed: int, folder: Path, seen: Seen) -> float:
        """The validation WER after the plan's near schedule; `seen` is told each on the way."""
        from lipsol.data.dataset import open_dataset
        from lipsol.training.trial import near_wer

        return near_wer(open_dataset(self.data).limited(self.limit), self.cache, folder, plan, seed, seen)


def ask(
    study: str, storage: str, trials: int, total: int = 20, seed: int = 1, base: str = "full"
) -> list[dict[str, Any]]:
    """Up to so many trials to try out now, as {"trial": 3, "parameters": {...}}; none when the study has its `total`.

    Those that were begun and not told of come first. The study is made where it is not there yet.
    """
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    opened = _opened(study, storage, make=True)
    if not opened.trials:
        opened.enqueue_trial(defaults(base))
    given: list[dict[str, Any]] = []
    for held in opened.get_trials(states=[TrialState.RUNNING]):
        if held.user_attrs.get(FAILED, 0) >= ATTEMPTS:
            opened.tell(held.number, state=TrialState.FAIL)
        elif len(given) < trials:
            given.append(_asked(held))
    while len(given) < trials and _begun(opened) < total:
        number = len(opened.trials)
        opened.sampler = TPESampler(seed=seed * 1000 + number, n_startup_trials=RANDOM, constant_liar=True)
        fresh = opened.ask(fixed_distributions=_space())
        given.append({"trial": fresh.number, "parameters": dict(fresh.params)})
    return given


def try_out(data: Path, cache: Path, work: Path, study: str, storage: str, trial: int, budget: Budget = FULL) -> float:
    """Train the trial's plan shortly; returns its validation WER, or the last one of a trial that was given up.

    `work` keeps its checkpoint and curve, so the same call goes on where one was killed; a trial that was tried out
    before is not trained again. Raises NotFound for a trial that is not there.
    """
    return try_by(Near(data, cache, budget.limit), work, study, storage, trial, budget)


def try_by(learn: Learn, work: Path, study: str, storage: str, trial: int, budget: Budget = FULL) -> float:
    """The same with any way of learning."""
    opened = _opened(study, storage)
    held = _trial(opened, trial)
    plan, told = budget.plan(held.params), _Told(opened, held)
    folder = _place(work, f"{study}-{held.number}", plan, budget)

    def tried() -> float:
        try:
            return learn(plan, budget.seed, folder, told)
        except _Enough:
            told.note(PRUNED, True)
            return told.last
        except Exception:
            told.note(FAILED, int(held.user_attrs.get(FAILED, 0)) + 1)
            raise

    return _once(folder, tried)


def tell(study: str, storage: str, trial: int, value: float) -> None:
    """Tell the study what a trial came to; a trial that it knows the end of stays as it is. Raises NotFound."""
    from optuna.trial import TrialState

    opened = _opened(study, storage)
    held = _trial(opened, trial)
    if held.user_attrs.get(PRUNED):
        opened.tell(int(trial), state=TrialState.PRUNED, skip_if_finished=True)
    else:
        opened.tell(int(trial), float(value), skip_if_finished=True)


def check(
    data: Path, cache: Path, work: Path, study: str, storage: str, budget: Budget = FULL, seed: int = 2
) -> dict[str, float]:
    """The best trial's and the defaults' validation WER once more, from another seed; the study notes both.

    The best of many is lucky on its own seed; this is what it is worth.
    """
    return check_by(Near(data, cache, budget.limit), work, study, storage, budget, seed)


def check_by(
    learn: Learn, work: Path, study: str, storage: str, budget: Budget = FULL, seed: int = 2
) -> dict[str, float]:
    """The same with any way of learning."""
    opened = _opened(study, storage)
    winner = _best(opened)
    found = {}
    for name, parameters in (("best", winner.params), ("defaults", defaults(budget.base))):
        again = replace(budget, seed=seed, check_every=0)
        plan = again.plan(parameters)
        folder = _place(work, f"{study}-{name}", plan, again)
        found[name] = _once(folder, partial(learn, plan, seed, folder, _unheard))
    opened.set_user_attr(CHECK, {"trial": winner.number, **found})
    return found


@dataclass(frozen=True)
class Tried:
    """One trial as the study has it. value: its WER, of one that was given up the last; None: it is not done."""

    trial: int
    state: str  # "complete", "pruned", "failed" or "running"
    value: float | None
    parameters: Parameters


@dataclass(frozen=True)
class Found:
    """What a study came to. plan: JSON; check: WER of "best" and "defaults" from another seed, empty where not made."""

    best: Tried
    defaults: Tried
    trials: tuple[Tried, ...]
    plan: str
    check: Mapping[str, float]


def best(study: str, storage: str, base: str = "full") -> Found:
    """The trial that got the fewest words wrong, and all that there is to compare it with. Raises NotFound for none."""
    opened = _opened(study, storage)
    tried = tuple(_tried(held) for held in opened.trials)
    winner = _tried(_best(opened))
    kept = opened.user_attrs.get(CHECK, {})
    checked = {name: float(kept[name]) for name in ("best", "defaults") if kept.get("trial") == winner.trial}
    return Found(winner, tried[0], tried, plan_of(winner.parameters, base), checked)


class _Enough(Exception):
    """A trial that is worse than the median at the same epoch."""


class _Told:
    """Tells a study how a trial goes, and ends a trial that goes badly."""

    def __init__(self, study: "Study", held: "FrozenTrial") -> None:
        from optuna.trial import Trial

        self._trial = Trial(study, held._trial_id)  # noqa: SLF001 - Optuna has no other way from a number to a trial
        self.last = 1.0

    def __call__(self, epoch: int, value: float) -> None:
        self.last = value
        self._trial.report(value, epoch)
        if self._trial.should_prune():
            raise _Enough

    def note(self, name: str, value: object) -> None:
        self._trial.set_user_attr(name, value)


def _unheard(epoch: int, value: float) -> None:
    """Nobody listens."""


def _place(work: Path, name: str, plan: Plan, budget: Budget) -> Path:
    """The folder of one training, which is made: what was begun otherwise lies elsewhere."""
    key = hashlib.sha256(repr((plan, budget)).encode()).hexdigest()[:12]
    folder = work / f"{name}-{key}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _once(folder: Path, value_of: Callable[[], float]) -> float:
    """The value, which is found once and kept in the folder in one step; the checkpoints on the way to it then go."""
    done = folder / "result.json"
    if done.exists():
        return float(json.loads(done.read_text())["value"])
    value = value_of()
    write_whole(done, json.dumps({"value": value}).encode())
    for checkpoint in folder.glob("*.checkpoint"):
        checkpoint.unlink()
    return value


def _opened(name: str, storage: str, *, make: bool = False) -> "Study":
    """The study. Raises NotFound where it is not there and is not to be made."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    url = storage if "://" in storage else f"{FILE}{storage}"
    pruner = optuna.pruners.MedianPruner(n_startup_trials=BEFORE_PRUNING)
    if make:
        if url.startswith(FILE):
            Path(url.removeprefix(FILE)).parent.mkdir(parents=True, exist_ok=True)
        return optuna.create_study(storage=_database(url), study_name=name, pruner=pruner, load_if_exists=True)
    try:
        return optuna.load_study(storage=_database(url), study_name=name, pruner=pruner)
    except KeyError:
        raise NotFound(f"no study {name!r} is in {storage}", "ask it for trials first") from None


@cache
def _database(url: str) -> "RDBStorage":
    """One for each place in a process: to open it takes longer than all that is asked of it."""
    from optuna.storages import RDBStorage

    return RDBStorage(url, engine_kwargs={"connect_args": {"timeout": BUSY_S}} if url.startswith("sqlite") else {})


def _space() -> "dict[str, BaseDistribution]":
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    return {
        each.name: CategoricalDistribution(each.choices)
        if each.choices
        else FloatDistribution(each.low, each.high, log=each.log)
        for each in SPACE
    }


def _asked(held: "FrozenTrial") -> dict[str, Any]:
    return {"trial": held.number, "parameters": dict(held.params)}


def _begun(study: "Study") -> int:
    """Trials that count against the total: failed ones don't, and one that only waits is not begun."""
    from optuna.trial import TrialState

    return len(study.get_trials(states=[TrialState.RUNNING, TrialState.COMPLETE, TrialState.PRUNED]))


def _trial(study: "Study", number: int) -> "FrozenTrial":
    held = study.get_trials()
    if not 0 <= int(number) < len(held):
        raise NotFound(f"no trial {number} is in the study {study.study_name!r}", f"there are {len(held)}")
    return held[int(number)]


def _best(study: "Study") -> "FrozenTrial":
    try:
        return study.best_trial
    except ValueError:
        raise NotFound(f"no trial of {study.study_name!r} was tried to its end", "try one out first") from None


def _tried(held: "FrozenTrial") -> Tried:
    last = max(held.intermediate_values.items(), default=(0, None))[1]
    names = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
    value = last if held.value is None else held.value
    return Tried(held.number, names.get(held.state.name, "running"), value, dict(held.params))
