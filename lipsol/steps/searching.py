"""The search for hyperparameters, step by step. The study remembers all, so a search that died goes on where it was."""

from pathlib import Path

from lipsol.data.dataset import open_dataset
from lipsol.runtime.settings import Settings, load
from lipsol.runtime.wiring import open_tracker
from lipsol.steps.saying import say
from lipsol.steps.versions import place_of
from lipsol.steps.work import mouths
from lipsol.tuning import Budget, study_of
from lipsol.tuning import ask as asked
from lipsol.tuning import best as found
from lipsol.tuning import check as checked
from lipsol.tuning import tell as told
from lipsol.tuning import try_out as tried
from lipsol.tuning.page import write_page

EXPERIMENT = "tune"


def ask(
    study: str, storage: str, data_version: str, code: str, work: str, epochs: int, limit: int, seed: int, at_once: int,
    trials: int,
) -> list[str]:  # fmt: skip
    """The trials to try out now, as "STUDY/NUMBER", `at_once` at most; none when the study has `trials`.

    STUDY is the one of this version of the data, this code and these costs, and of nothing else.
    """
    name = study_of(study, data_version, code, Budget(epochs=epochs, limit=limit, seed=seed))
    given = asked(name, _storage(storage, work), at_once, trials, seed)
    say(f"{name}: {', '.join(str(each['trial']) for each in given) or 'no more trials to try'}")
    return [f"{name}/{each['trial']}" for each in given]


def try_out(trial: str, storage: str, data: str, work: str, epochs: int, limit: int, seed: int) -> float:
    """Train a trial's plan shortly; returns its validation WER. One that died goes on from its checkpoint."""
    budget = Budget(epochs=epochs, limit=limit, seed=seed)
    place, (study, _, number) = Path(work) / "tuning", trial.rpartition("/")
    value = tried(place_of(data, work), mouths(work), place, study, _storage(storage, work), int(number), budget)
    say(f"trial {trial}: validation WER {value:.4f}")
    return value


def tell(trials: list[str], storage: str, data: str, work: str, epochs: int, limit: int, seed: int) -> int:
    """Tell the study what those trials came to, which were tried out before; returns how many they were."""
    for trial in trials:
        value = try_out(trial, storage, data, work, epochs, limit, seed)
        study, _, number = trial.rpartition("/")
        told(study, _storage(storage, work), int(number), value)
    return len(trials)


def best(
    study: str, storage: str, data: str, data_version: str, code: str, work: str, epochs: int, limit: int, seed: int,
    plan: str, report: str,
) -> float:  # fmt: skip
    """Try the winner and the defaults from another seed; the winner's plan goes to `plan`, the page to `report`.

    Returns the winner's validation WER. The tracked run has all trials and both files.
    """
    budget, at = Budget(epochs=epochs, limit=limit, seed=seed), _storage(storage, work)
    folder, name = place_of(data, work), study_of(study, data_version, code, budget)
    checked(folder, mouths(work), Path(work) / "tuning", name, at, budget, seed + 1)
    winner = found(name, at)
    page, file = write_page(winner, study, Path(report).parent / "found")
    Path(plan).write_bytes(file.read_bytes())
    Path(report).write_bytes(page.read_bytes())
    tags = {"dataset": open_dataset(folder).name, "data_version": data_version, "code_version": code}
    parameters = {"study": name, "epochs": str(epochs), "limit": str(limit), "seed": str(seed)}
    with open_tracker(load(Settings)).run(EXPERIMENT, study, parameters, tags) as run:
        run.curve((each.trial, {"validation_wer": each.value}) for each in winner.trials if each.value is not None)
        for kept in (page, file):
            run.file(kept)
        say(f"tracked at {run.url}")
    value, before = winner.best.value or 0.0, winner.defaults.value or 0.0
    say(f"best: trial {winner.best.trial} with {value:.4f}, the defaults have {before:.4f}; from another seed")
    say(", ".join(f"{name} {again:.4f}" for name, again in winner.check.items()))
    return value


def _storage(storage: str, work: str) -> str:
    """Where the study lies: a database's URL, or a file of the work folder."""
    return storage or f"sqlite:///{(Path(work) / 'tuning.db').resolve()}"
