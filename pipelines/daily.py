"""The graph `daily`: a reason to train since the last run? Then gather, train and gate; else nothing, and it says so.

bring ── version-data ── look ── train? ── gather ── train (the whole graph) ── remember
"""

from typing import Any

from kfp import dsl

from pipelines import components as run_as
from pipelines.needs import give
from pipelines.settings import PipelinesSettings
from pipelines.train import Asked, judging, lay


def watching(place: PipelinesSettings) -> Any:
    """The graph `daily`; gives "train" or "nothing"."""
    judge = judging(place)

    @run_as.pipeline(name="daily", description="Trains if there is new data, enough corrections, or drift.")
    def daily(
        data: str,
        work: str,
        corrections: int = 50,
        plan: str = "full",
        rules: str = "full",
        seed: int = 1,
        limit: int = 0,
        automation: str = "suggest",
        key: str = "",
    ) -> str:
        data = give(run_as.bring(data=data, work=work), "bring", place).output
        version = give(run_as.version_data(data=data), "version-data", place).output
        seen = give(run_as.look(data=data, data_version=version, corrections=corrections), "look", place)
        with dsl.If(seen.output == "train", name="reason"):
            gathered = give(run_as.gather(data=data, data_version=version, work=work), "gather", place)
            asked = Asked(gathered.output, work, plan, rules, seed, limit, "", automation, key)
            done = lay(asked, judge, place)
            give(run_as.remember(data=data, sentences=done.sentences, words=done.words), "remember", place)
        said_of_it: str = seen.output
        return said_of_it

    return daily
