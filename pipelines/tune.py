"""The graph `tune`: rounds of ask, trials side by side, tell; then the best plan and the page that shows it.

    bring ── version-data ── watch ── (ask ── try-out × AT_ONCE ── tell) × ROUNDS ── best

A graph's rounds are fixed when it is compiled: a study that has its `trials` gives no more, and what is left of the
rounds passes empty. Nothing is cached, since the study itself remembers; another version of the data, another code or
another cost is another study, whose name `ask` gives with each trial. What runs in a loop takes the data's name and
not what `bring` gave: where pipelines run on one machine, kfp gives a loop its item for every task's `Output`.
"""

from typing import Any

from kfp import dsl

from pipelines import components as run_as
from pipelines.needs import give
from pipelines.settings import PipelinesSettings

ROUNDS, AT_ONCE = 10, 2  # 20 trials; kfp.local tries two side by side at most


def searching(place: PipelinesSettings) -> Any:
    """The graph `tune`; gives the best validation WER."""

    @run_as.pipeline(name="tune", description="Searches hyperparameters: ask, try out side by side, tell.")
    def tune(
        data: str,
        work: str,
        study: str = "tune",
        storage: str = "",
        trials: int = 20,
        epochs: int = 24,
        limit: int = 240,
        seed: int = 1,
    ) -> float:
        brought = give(run_as.bring(data=data, work=work), "bring", place)
        version = give(run_as.version_data(data=brought.output), "version-data", place)
        code = give(run_as.version_code(), "version-code", place).output
        known = {"data_version": version.output, "code": code, "work": work, "limit": limit}
        watched = give(run_as.watch(data=brought.output, **known), "watch", place)
        cost = {"storage": storage, "work": work, "epochs": epochs, "limit": limit, "seed": seed}
        of = {"study": study, "data_version": version.output, "code": code}
        how = {**cost, "data": data}
        last = watched
        for _ in range(ROUNDS):
            given = give(run_as.ask(at_once=AT_ONCE, trials=trials, **of, **cost), "ask", place).after(last)
            with dsl.ParallelFor(given.output, parallelism=AT_ONCE) as trial:
                done = give(run_as.try_out(trial=trial, **how), "try-out", place)
            last = give(run_as.tell(trials=given.output, **how), "tell", place).after(done)
        chosen = run_as.best(**of, **how)
        found: float = give(chosen, "best", place).after(last).outputs["Output"]
        return found

    return tune
