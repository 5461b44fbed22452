"""The graph `train`: from a data set to two bundles, each judged for itself, registered and promoted.

bring ── version-data ─┬─ check ── watch ── begin ── train ── package ─┬─ judge (sentences)
         version-code ─┘                                               └─ judge (words)

judge:  champion ── compare ── evaluate ── gate ── pass? ── register ── promote
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from kfp import dsl
from kfp.dsl import Input, Model

from pipelines import components as run_as
from pipelines.needs import give
from pipelines.settings import PipelinesSettings


class Verdicts(NamedTuple):
    """What the gate said of each bundle, "pass" or "stop", and the tracked run."""

    sentences: str
    words: str
    run: str


def judging(place: PipelinesSettings) -> Any:
    """The graph `judge` for one bundle; gives the gate's "pass" or "stop"."""

    @run_as.pipeline(name="judge", description="A bundle beside the champion, promoted if the gate lets it.")
    def judge(
        bundle: Input[Model],
        data: str,
        data_version: str,
        code: str,
        run: str,
        work: str,
        rules: str,
        limit: int,
        automation: str,
        key: str,
    ) -> str:
        known = {"data": data, "data_version": data_version, "code": code, "work": work, "limit": limit}
        champion = give(run_as.champion(bundle=bundle), "champion", place)
        compared = give(run_as.compare(champion=champion.output, **known), "compare", place)
        before = compared.outputs["evaluation"]
        found = give(run_as.evaluate(bundle=bundle, champion=before, run=run, **known), "evaluate", place)
        evaluation = found.outputs["evaluation"]
        judged = give(run_as.gate(evaluation=evaluation, champion=before, rules=rules, run=run), "gate", place)
        verdict = judged.outputs["verdict"]
        with dsl.If(judged.outputs["Output"] == "pass", name="passed"):
            kept = run_as.register(
                bundle=bundle, evaluation=evaluation, report=found.outputs["report"], verdict=verdict
            )
            give(kept, "register", place)
            promoted = run_as.promote(
                digest=kept.output, champion=champion.output, run=run, automation=automation, key=key
            )
            give(promoted, "promote", place)
        said: str = judged.outputs["Output"]
        return said

    return judge


@dataclass(frozen=True)
class Asked:
    """What the steps are called with: a graph's own arguments, or what its steps gave."""

    data: Any
    work: Any
    plan: Any
    rules: Any
    seed: Any
    limit: Any
    spoil: Any
    automation: Any
    key: Any


def lay(asked: Asked, judge: Any, place: PipelinesSettings) -> Verdicts:
    """Put every step from the data to the verdicts into the graph that is being made.

    `daily` has them too, as steps of its own: kfp names what a graph within a graph within a graph holds by chance.
    """
    data_version = give(run_as.version_data(data=asked.data), "version-data", place).output
    code = give(run_as.version_code(), "version-code", place).output
    known = {"data": asked.data, "data_version": data_version, "code": code, "work": asked.work, "limit": asked.limit}
    wanted = {"plan": asked.plan, "seed": asked.seed, "spoil": asked.spoil}
    checked = give(run_as.check(**known), "check", place)
    watched = give(run_as.watch(**known), "watch", place).after(checked)
    run = give(run_as.begin(rules=asked.rules, **wanted, **known), "begin", place).after(watched).output
    trained = give(run_as.train(run=run, **wanted, **known), "train", place)
    packed = run_as.package(members=trained.outputs["members"], key=asked.key, run=run, **wanted, **known)
    bundles = give(packed, "package", place).outputs
    freely = {"rules": asked.rules, "automation": asked.automation, "key": asked.key}
    sentences, words = (judge(bundle=bundles[kind], run=run, **freely, **known) for kind in ("sentences", "words"))
    sentences.set_display_name("Judge the sentences")
    words.set_display_name("Judge the words")
    return Verdicts(sentences.output, words.output, run)


def training(place: PipelinesSettings) -> Any:
    """The graph `train`."""
    judge = judging(place)

    @run_as.pipeline(name="train", description="From a data set to two bundles: checked, trained, judged, promoted.")
    def train(
        data: str,
        work: str,
        plan: str = "full",
        rules: str = "full",
        seed: int = 1,
        limit: int = 0,
        spoil: str = "",
        automation: str = "suggest",
        key: str = "",
    ) -> Verdicts:
        brought = give(run_as.bring(data=data, work=work), "bring", place).output
        return lay(Asked(brought, work, plan, rules, seed, limit, spoil, automation, key), judge, place)

    return train
