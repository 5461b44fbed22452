"""The steps of all graphs: each hands paths and plain values to one function of `lipsol.steps`, and knows nothing else.

kfp carries a component's source to where it runs, so everything that it needs is imported inside it. What decides over
a branch gives one plain value: a condition on a named output is silently False where pipelines run on one machine.
`data_version` and `code` are arguments of whatever is cached: the same of both, and the rest, give what they gave.
"""

from collections.abc import Callable
from typing import Any

from kfp import dsl
from kfp.dsl import HTML, Artifact, Input, Metrics, Model, Output

IMAGE = "lipsol-pipelines"  # until `needs.give` names the operator's


def component(step: Callable[..., Any]) -> Any:
    """The function as a step; its image has all that it needs."""
    return dsl.component(step, base_image=IMAGE, install_kfp_package=False)


def pipeline(name: str, description: str) -> Callable[[Callable[..., Any]], Any]:
    """The function as a graph."""
    made: Callable[[Callable[..., Any]], Any] = dsl.pipeline(name=name, description=description)
    return made


@component
def bring(data: str, work: str) -> str:
    from lipsol.steps.versions import bring

    return bring(data, work)


@component
def version_data(data: str) -> str:
    from lipsol.steps.versions import version_data

    return version_data(data)


@component
def version_code() -> str:
    from lipsol.steps.versions import version_code

    return version_code()


@component
def check(data: str, data_version: str, code: str, work: str, limit: int, report: Output[HTML]) -> None:
    from lipsol.steps.checking import check

    check(data, data_version, work, limit, report.path)


@component
def watch(data: str, data_version: str, code: str, work: str, limit: int) -> int:
    from lipsol.steps.learning import watch

    return watch(data, work, limit)


@component
def begin(
    data: str, data_version: str, code: str, work: str, plan: str, rules: str, seed: int, limit: int, spoil: str
) -> str:
    from lipsol.steps.tracked import begin

    return begin(data, data_version, code, work, plan, rules, seed, limit, spoil)


@component
def train(
    data: str,
    data_version: str,
    code: str,
    run: str,
    work: str,
    plan: str,
    seed: int,
    limit: int,
    spoil: str,
    members: Output[Model],
) -> None:
    from lipsol.steps.learning import Asked, train

    train(Asked(data, data_version, code, plan, seed, limit, spoil), run, work, members.path)


@component
def package(
    data: str,
    data_version: str,
    code: str,
    run: str,
    work: str,
    plan: str,
    seed: int,
    limit: int,
    spoil: str,
    key: str,
    members: Input[Model],
    sentences: Output[Model],
    words: Output[Model],
) -> None:
    from lipsol.steps.learning import Asked, package

    asked = Asked(data, data_version, code, plan, seed, limit, spoil)
    package(asked, run, work, key, members.path, sentences.path, words.path)


@component
def champion(bundle: Input[Model]) -> str:
    from lipsol.steps.judging import champion

    return champion(bundle.path)


@component
def compare(
    champion: str, data: str, data_version: str, code: str, work: str, limit: int, evaluation: Output[Artifact]
) -> None:
    from lipsol.steps.judging import compare

    compare(champion, data, data_version, code, work, limit, evaluation.path)


@component
def evaluate(
    bundle: Input[Model],
    champion: Input[Artifact],
    data: str,
    data_version: str,
    code: str,
    run: str,
    work: str,
    limit: int,
    evaluation: Output[Artifact],
    report: Output[HTML],
    figures: Output[Metrics],
) -> None:
    from lipsol.steps.judging import evaluate

    told = evaluate(bundle.path, champion.path, data, code, run, work, limit, evaluation.path, report.path)
    figures.metadata.update(told)


@component
def gate(
    evaluation: Input[Artifact], champion: Input[Artifact], rules: str, run: str, verdict: Output[Artifact]
) -> str:
    from lipsol.steps.judging import gate

    return gate(evaluation.path, champion.path, rules, run, verdict.path)


@component
def register(bundle: Input[Model], evaluation: Input[Artifact], report: Input[HTML], verdict: Input[Artifact]) -> str:
    from lipsol.steps.releasing import register

    return register(bundle.path, evaluation.path, report.path, verdict.path)


@component
def promote(digest: str, champion: str, run: str, automation: str, key: str) -> str:
    from lipsol.steps.releasing import promote

    return promote(digest, champion, run, automation, key)


@component
def look(data: str, data_version: str, corrections: int) -> str:
    from lipsol.steps.daily import look

    return look(data, data_version, corrections)


@component
def gather(data: str, data_version: str, work: str) -> str:
    from lipsol.steps.daily import gather

    return gather(data, data_version, work)


@component
def remember(data: str, sentences: str, words: str) -> None:
    from lipsol.steps.daily import remember

    remember(data, sentences, words)


@component
def ask(
    study: str,
    storage: str,
    data_version: str,
    code: str,
    work: str,
    epochs: int,
    limit: int,
    seed: int,
    at_once: int,
    trials: int,
) -> list:  # type: ignore[type-arg]
    from lipsol.steps.searching import ask

    return ask(study, storage, data_version, code, work, epochs, limit, seed, at_once, trials)


@component
def try_out(trial: str, storage: str, data: str, work: str, epochs: int, limit: int, seed: int) -> float:
    from lipsol.steps.searching import try_out

    return try_out(trial, storage, data, work, epochs, limit, seed)


@component
def tell(
    trials: list,  # type: ignore[type-arg]
    storage: str,
    data: str,
    work: str,
    epochs: int,
    limit: int,
    seed: int,
) -> int:
    from lipsol.steps.searching import tell

    return tell(trials, storage, data, work, epochs, limit, seed)


@component
def best(
    study: str,
    storage: str,
    data: str,
    data_version: str,
    code: str,
    work: str,
    epochs: int,
    limit: int,
    seed: int,
    plan: Output[Artifact],
    report: Output[HTML],
) -> float:
    from lipsol.steps.searching import best

    return best(study, storage, data, data_version, code, work, epochs, limit, seed, plan.path, report.path)
