"""`helm rollback` by an operator, under traffic: safe whenever it comes."""

from collections.abc import Callable
from functools import partial

from tests.cluster.judged import Judged
from tests.cluster.outcome import Outcome
from tests.cluster.rollout import Seen, going_back, upgrading
from tests.cluster.scenario import Scenario
from tests.cluster.scenarios import ENDLESS, HELM_S, SHORT, WAIT_S, Stage, bundle
from tests.cluster.upgrades import AFTER_S

BACK = "rolled back"
REASON = "it reads nonsense on the new phones"
NAME_ONE = "name a revision that was deployed"


def idle(stage: Stage, name: str) -> Outcome:
    """Nothing is under way: stable reads by the bundle of before."""
    base, good = stage.deployed(), stage.digests["good"]
    at_once = stage.values(bundle(good), {"release": {"enabled": False}})
    stage.helm.upgrade(at_once, timeout_s=HELM_S).wait(WAIT_S).check()
    with going_back(stage, name, base) as rollout:
        seen = rollout.finish(AFTER_S)
    judged = rolled_back(stage, seen)
    judged.proven("readings by what was gone back from", sum(by_digest(seen, good)))
    return judged.outcome(name, stage, verdict(seen), BACK)


def midst(stage: Stage, name: str) -> Outcome:
    """A canary reads for users: they go back to stable, which was never touched; the upgrade fails."""
    with upgrading(stage, name, bundle(stage.digests["good"], ENDLESS)) as rollout:
        rollout.await_canary()
        back = stage.helm.rollback(rollout.before, timeout_s=HELM_S).wait(WAIT_S)
        upgrade = rollout.run.wait(WAIT_S)
        seen = rollout.gather(back)
    judged = rolled_back(stage, seen)
    judged.untouched()
    judged.proven("clips of users on the canary", len(seen.on_canary))
    judged.check("the upgrade failed", upgrade.code != 0, "helm upgrade ended well")
    stood = seen.last is not None and seen.last.what == "stood-down"
    judged.check("the analyst stood down", stood, f"its last word is {seen.last and seen.last.what}")
    return judged.outcome(name, stage, verdict(seen), BACK)


def aborted(stage: Stage, name: str) -> Outcome:
    """The same where Helm goes back by itself: the canary is aborted by hand, and the rollback waits for Helm's own."""
    with upgrading(stage, name, bundle(stage.digests["good"], ENDLESS), atomic=True) as rollout:
        rollout.await_canary()
        stage.lipsol("release", "abort", stage.helm.release, "--reason", REASON)
        upgrade = rollout.run.wait(WAIT_S)
        own = stage.helm.history()[-1]
        back = stage.helm.rollback(rollout.before, timeout_s=HELM_S).wait(WAIT_S)
        seen = rollout.gather(back)
    judged = rolled_back(stage, seen)
    judged.untouched()
    judged.proven("clips of users on the canary", len(seen.on_canary))
    judged.check("the upgrade failed", upgrade.code != 0, "helm upgrade ended well")
    judged.check("Helm went back by itself", own["status"] == "deployed", f"its newest revision was {own}")
    stood = seen.last is not None and seen.last.what == "stood-down"
    judged.check("the analyst stood down", stood, f"its last word is {seen.last and seen.last.what}")
    told = any(rule.policy.reason == REASON for rule in seen.rules)
    judged.check("the policy tells who and why", told, "no policy holds the reason that was given")
    return judged.outcome(name, stage, verdict(seen), BACK)


def unnumbered(stage: Stage, name: str) -> Outcome:
    """After a release that failed Helm would go to that very one: it is refused, and a number is the cure."""
    with upgrading(stage, name, bundle(stage.digests["candidate"], SHORT), atomic=True) as rollout:
        upgrade = rollout.run.wait(WAIT_S)
        refused = stage.helm.rollback(timeout_s=HELM_S).wait(WAIT_S)
        left = stage.helm.status()
        generation = stage.generation()
        back = stage.helm.rollback(stage.deployed(), timeout_s=HELM_S).wait(WAIT_S)
        seen = rollout.gather(back)
    judged = rolled_back(stage, seen)
    judged.untouched()
    judged.check("the upgrade failed", upgrade.code != 0, "helm upgrade ended well")
    said = refused.said[-500:]
    told = refused.code != 0 and NAME_ONE in said
    judged.check("a rollback to what failed is refused, and told why", told, f"it said {said!r}")
    judged.check(
        "the rollback did not come through", left in {"pending-rollback", "failed"}, f"the status was {left!r}"
    )
    judged.check("it touches nothing", generation == seen.generations[0], f"stable's generation is {generation}")
    return judged.outcome(name, stage, verdict(seen), BACK)


def promoted(stage: Stage, name: str) -> Outcome:
    """An upgrade has just passed: stable reads by the bundle of before again."""
    good = stage.digests["good"]
    with upgrading(stage, name, bundle(good, SHORT)) as rollout:
        rollout.run.wait(WAIT_S).check()
        back = stage.helm.rollback(rollout.before, timeout_s=HELM_S).wait(WAIT_S)
        seen = rollout.gather(back, AFTER_S)
    judged = rolled_back(stage, seen)
    judged.proven("readings by what was gone back from", sum(by_digest(seen, good)))
    return judged.outcome(name, stage, verdict(seen), BACK)


def rolled_back(stage: Stage, seen: Seen) -> Judged:
    """The laws of every rollback: no request failed, users are on stable, which reads by the base."""
    judged = Judged(seen)
    judged.delivered()
    judged.on_stable(stage)
    base = stage.digests["base"]
    after = seen.read_by(seen.left_at)
    judged.hold("stable reads by another bundle", [digest[:12] for digest in after if digest != base])
    judged.proven("readings of stable after it", len(after), 1)
    newest = seen.history[-1]
    told = newest["status"] == "deployed" and "ollback" in str(newest["description"])
    judged.check("Helm's history tells of it", told, f"its newest revision is {newest}")
    return judged


def by_digest(seen: Seen, digest: str) -> list[bool]:
    """Of each reading that users saw, whether it was that bundle's."""
    return [each.model.digest == digest for each in seen.readings.values()]


def verdict(seen: Seen) -> str:
    """In two words."""
    return BACK if seen.done.code == 0 else "rollback failed"


PLAYS: dict[str, Callable[..., Outcome]] = {
    "rollback: idle": idle,
    "rollback: in the midst of a canary": midst,
    "rollback: right after promotion": promoted,
    "rollback: after an abort by hand": aborted,
    "rollback: without a revision": unnumbered,
}
SCENARIOS = {name: Scenario(partial(play, name=name), BACK) for name, play in PLAYS.items()}
