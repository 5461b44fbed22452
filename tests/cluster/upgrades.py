"""Upgrades under traffic: good ones pass every step unnoticed; bad ones are undone before stable is touched."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import httpx

from tests.cluster import images
from tests.cluster.bundles import let_read
from tests.cluster.install import KEY, MODELS
from tests.cluster.judged import Judged
from tests.cluster.outcome import Outcome
from tests.cluster.rollout import BACK_S, Seen, upgrading, verdict_of
from tests.cluster.scenario import LeftOut, Scenario
from tests.cluster.scenarios import (
    ANALYST,
    BRIEF,
    EDGE,
    FAULTY,
    MONITOR,
    RAMP,
    SHORT,
    STABLE_READER,
    Stage,
    Steps,
    bundle,
    image,
    rehearsal,
    step,
)
from tests.cluster.surroundings import Values

PASSED, ABORTED = "passed", "aborted"
AFTER_S = 8.0  # that the traffic goes on once stable's old pods have gone, to see who reads


def good(stage: Stage, name: str) -> Outcome:
    """A bundle that reads as well: every step by its weight, then stable reads by it."""
    digest = stage.digests["good"]
    promote(stage, digest)
    with upgrading(stage, name, bundle(digest, RAMP)) as rollout:
        seen = rollout.finish(AFTER_S)
    judged = passed(stage, seen, RAMP)
    before = [each.model.digest for each in seen.readings.values() if each.made_at < seen.began_at]
    after = seen.read_by(seen.left_at)
    judged.hold("a promotion alone moved the traffic", _others(before, stage.digests["base"]))
    judged.hold("stable reads by another bundle", _others(after, digest))
    judged.proven("readings before the upgrade", len(before), 1)
    judged.proven("readings of stable after it", len(after))
    told = {
        "the registry": registered(stage),
        "helm's values": str(stage.helm.values()["release"]["bundle"]),
        "the analyst": seen.last.bundle if seen.last else "",
        "live traffic": after[-1] if after else "",
    }
    agree = set(told.values()) == {digest}
    judged.check("history, live traffic and registry disagree", agree, f"{told}, released was {digest}")
    judged.hold("the canary read by another bundle", _others([each.model.digest for each in seen.copies], digest))
    return judged.outcome(name, stage, verdict_of(seen), PASSED)


def good_image(stage: Stage, name: str) -> Outcome:
    """Images of another tag and nothing else, all services', the edge's too: nobody notices."""
    if stage.cluster.sort == "given":
        raise LeftOut("whoever's registry it is, nobody pushed the images there under a second tag")
    tag = images.tag_again(stage.cluster)
    with upgrading(stage, name, image(tag, BRIEF)) as rollout:
        seen = rollout.finish(AFTER_S)
    judged = passed(stage, seen, BRIEF)
    for deployment in (EDGE, STABLE_READER, MONITOR):
        (container,) = stage.cluster.get("deployment", deployment)["spec"]["template"]["spec"]["containers"]
        held = container["image"]
        judged.check("every image is the new one", held.endswith(f":{tag}"), f"{deployment} has {held}")
    return judged.outcome(name, stage, verdict_of(seen), PASSED)


def passed(stage: Stage, seen: Seen, steps: Steps, mode: str = "canary") -> Judged:
    """The laws of every upgrade that was let in. mode: of the policy while the canary reads for users."""
    judged = Judged(seen)
    judged.delivered()
    judged.on_stable(stage)
    planned = [(each["kind"], float(each["weight"])) for each in steps]
    judged.check("the steps are the plan's", seen.walked == planned, f"it walked {seen.walked}, planned was {planned}")
    for kind, weight in planned:
        under = f"{'shadow' if kind == 'shadow' else mode} {weight:g} %"
        clips = seen.weights.get(under, {})
        judged.proven(f"clips under {under}", clips.get("clips", 0))
        judged.proven(f"canary's clips under {under}", clips.get("canary", 0))
    judged.proven("readings of the canary that users saw", seen.counts.tracks.get("canary", 0))
    row, old = seen.said_of(seen.revision), seen.said_of(seen.before)
    judged.check("Helm's history tells of it", row.get("status") == "deployed", f"its revision is {row}")
    judged.check("Helm's history tells of it", old.get("status") == "superseded", f"the one before is {old}")
    before, after = seen.generations
    judged.check("stable was updated", after > before, f"its Deployment is of generation {after}, and was of {before}")
    return judged


@dataclass(frozen=True)
class Bad:
    """An upgrade that must not come in.

    values  what it tells the chart, of a stage
    told    what its reason must tell of, as a pattern
    served  whether the canary gets clips of users before it is found out
    copied  whether it gets copies
    atomic  whether Helm is told to go back by itself
    """

    values: Callable[[Stage], Values]
    told: str
    served: bool = True
    copied: bool = False
    atomic: bool = True


CRASHED = "exit code"
LOOKED: Steps = (step("shadow", 100, 30), step("canary", 50, 40))
"""Looked at in the shadow first: what differs there is seen clip by clip."""


def fault(name: str, **settings: object) -> Callable[[Stage], Values]:
    """A fault of the canary's, made on purpose. settings: how much of it."""
    return lambda _: rehearsal(name, FAULTY, settings=settings)


def released(name: str, steps: Steps) -> Callable[[Stage], Values]:
    """A bundle that is worse, or that nobody may release."""
    return lambda stage: bundle(stage.digests[name], steps)


def bad(what: Bad, stage: Stage, name: str) -> Outcome:
    """It is aborted, and stable is as it was."""
    with upgrading(stage, name, what.values(stage), atomic=what.atomic) as rollout:
        seen = rollout.finish()
    judged = aborted(stage, seen, what.told, atomic=what.atomic)
    if what.served:
        judged.proven("clips of users on the canary", len(seen.on_canary))
    else:
        strays = [f"{name} went to the canary" for name in seen.on_canary]
        judged.hold("a canary that can't be let in read for users", strays)
    if what.copied:
        judged.proven("copies that the canary read", len(seen.copies))
    return judged.outcome(name, stage, verdict_of(seen), ABORTED)


def aborted(stage: Stage, seen: Seen, told: str, *, atomic: bool) -> Judged:
    """The laws of every upgrade that was undone: users back soon, stable untouched, and everywhere the reason."""
    judged = Judged(seen)
    judged.delivered(excused=seen.on_canary)
    judged.on_stable(stage)
    judged.untouched()
    strangers = [digest for digest in seen.read_by(seen.began_at) if digest != stage.digests["base"]]
    judged.hold("stable read by another bundle", strangers)
    judged.proven("readings of stable", len(seen.read_by(seen.began_at)))
    if seen.last is None:
        judged.check("there is a verdict", holds=False, otherwise="the analyst told of none")
        return judged
    back_s, drained_s = seen.back_s(seen.last.looked_at), seen.drained_s(seen.last.looked_at)
    took_s = max(back_s, drained_s)
    judged.check("users are back in time", took_s <= BACK_S, f"it took {took_s:.1f} s, {BACK_S:g} s are allowed")
    judged.measured |= {
        "back on stable in s": round(back_s, 1),
        "all read in s": round(drained_s, 1),
        "verdict after s": round(seen.last.looked_at - seen.began_at, 1),
        "reason": seen.last.reason,
        "canary's share": len(seen.on_canary),
    }
    for where, said in readable(stage, seen).items():
        judged.check(
            f"the reason is readable in {where}", bool(re.search(told, said, re.IGNORECASE)), f"it says {said[-300:]!r}"
        )
    row = seen.said_of(seen.revision)
    judged.check("the upgrade failed", row.get("status") == "failed", f"its revision is {row}")
    if atomic:
        back = seen.said_of(seen.revision + 1)
        rolled = back.get("status") == "deployed" and "ollback" in str(back.get("description"))
        judged.check("the rollback is recorded", rolled, f"the revision after it is {back}")
    return judged


def readable(stage: Stage, seen: Seen) -> dict[str, str]:
    """What is said of the reason, wherever an operator looks; the analyst's pod goes as its Job is told why."""
    return {
        "helm history": str(seen.said_of(seen.revision).get("description", "")),
        "kubectl describe job": stage.cluster.describe("job", ANALYST),
        "lipsol release explain": stage.lipsol(
            "release", "explain", stage.helm.release, "--revision", str(seen.revision)
        ),
    }


def promote(stage: Stage, digest: str) -> None:
    """As a pipeline does before a release: from now on the registry's name means that bundle."""
    let_read(MODELS, KEY, digest)
    stage.surroundings.put_models(MODELS)


def registered(stage: Stage) -> str:
    """The digest that the registry's name means, as the edge reads the registry."""
    models = httpx.get(f"{stage.doors.url}/v1/models", timeout=10).json()["models"]
    return next((str(each["digest"]) for each in models if each["default"] and each["language"] == "en"), "")


def _others(digests: Sequence[str], wanted: str) -> list[str]:
    return [f"{digest[:12]}, where {wanted[:12]} was wanted" for digest in digests if digest != wanted]


BAD = {
    "slow": Bad(fault("slow"), "latency"),
    "wrong": Bad(fault("wrong"), "wrong|confidence|opposed"),
    "errors": Bad(fault("errors"), "died", atomic=False),
    "empty": Bad(fault("empty"), "empty"),
    "crash-at-start": Bad(fault("crash-at-start"), CRASHED, served=False),
    "crash-after": Bad(fault("crash-after"), CRASHED),
    # So much that its fourth or fifth reading kills it: latency is judged once there are five, and what grows is slow.
    "memory": Bad(fault("memory", mib=192), "OOM|137", atomic=False),
    "worse bundle": Bad(released("worse", LOOKED), "opposed|wrong", served=False, copied=True),
    "worse bundle, by corrections": Bad(released("worse", FAULTY), "wrong"),
    "slow bundle": Bad(released("slow", LOOKED), "latency", served=False, copied=True),
    "unsigned bundle": Bad(released("unsigned", SHORT), "signed|signature", served=False),
    "candidate bundle": Bad(released("candidate", SHORT), "never promoted", served=False),
}
LONGER = frozenset({"worse bundle, by corrections", "memory", "candidate bundle"})  # `make e2e-full` has time for them
GOOD: dict[str, Callable[..., Outcome]] = {"good upgrade": good, "good image upgrade": good_image}

SCENARIOS = {
    **{name: Scenario(partial(play, name=name), PASSED) for name, play in GOOD.items()},
    **{
        f"bad upgrade: {name}": Scenario(partial(bad, each, name=f"bad upgrade: {name}"), ABORTED, name not in LONGER)
        for name, each in BAD.items()
    },
}
