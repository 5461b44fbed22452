"""The other ways to release: shadow, which shows no user anything, and blueGreen, which switches at once and back."""

from collections.abc import Callable
from functools import partial

from tests.cluster.judged import Judged
from tests.cluster.outcome import Outcome
from tests.cluster.rollout import Seen, upgrading, verdict_of
from tests.cluster.scenario import Scenario
from tests.cluster.scenarios import Stage, Steps, bundle, rehearsal, step
from tests.cluster.upgrades import ABORTED, AFTER_S, CRASHED, PASSED, aborted, passed

OBSERVED = "observed"
COPIES = 12
WATCHED: Steps = (step("shadow", 100, COPIES),)
SWITCHED: Steps = (step("shadow", 100, 8, 8.0), step("canary", 100, 10))
SWITCHED_AT_ONCE: Steps = (step("canary", 100, 40),)
"""For a canary that dies after some readings, so that all of these are users'."""


def shadow(stage: Stage, name: str) -> Outcome:
    """The canary reads copies; no user sees what it read, and stable is as it was."""
    good = stage.digests["good"]
    with upgrading(stage, name, bundle(good, WATCHED, "shadow")) as rollout:
        seen = rollout.finish()
    judged = Judged(seen)
    judged.delivered()
    judged.on_stable(stage)
    judged.untouched()
    shown = [
        f"{clip.key} was shown {reading}"
        for clip in seen.counts.clips
        for reading in clip.readings
        if reading.digest != stage.digests["base"] or reading.track != "stable"
    ]
    judged.hold("a shadow's answer was seen by a user", shown)
    judged.hold("users were sent to a shadow", sorted(seen.on_canary))
    judged.hold("the traffic was moved otherwise", [mode for mode in modes(seen) if mode != "shadow"])
    copies = {each.clip_id for each in seen.copies if each.model.digest == good and each.track == "canary"}
    judged.proven("copies that the canary read", len(copies), COPIES)
    row = seen.said_of(seen.revision)
    told = row.get("status") == "failed" and OBSERVED in str(row.get("description"))
    judged.check("Helm's history says that it was observed", told, f"its revision is {row}")
    judged.measured["copies"] = len(copies)
    return judged.outcome(name, stage, verdict_of(seen), OBSERVED)


def blue_green(stage: Stage, name: str) -> Outcome:
    """All users at once, and then stable reads by the new bundle."""
    with upgrading(stage, name, bundle(stage.digests["good"], SWITCHED, "blueGreen")) as rollout:
        seen = rollout.finish(AFTER_S)
    judged = passed(stage, seen, SWITCHED, "blueGreen")
    at_once(judged)
    return judged.outcome(name, stage, verdict_of(seen), PASSED)


def blue_green_back(stage: Stage, name: str) -> Outcome:
    """All users at once, and all back at once, since the canary dies."""
    layer = rehearsal("crash-after", SWITCHED_AT_ONCE, "blueGreen")
    with upgrading(stage, name, layer, atomic=True) as rollout:
        seen = rollout.finish()
    judged = aborted(stage, seen, CRASHED, atomic=True)
    at_once(judged)
    judged.proven("clips of users on the canary", len(seen.on_canary))
    return judged.outcome(name, stage, verdict_of(seen), ABORTED)


def at_once(judged: Judged) -> None:
    """No part of the users was ever sent to the canary: none, or all."""
    seen = judged.seen
    ruled = [rule.policy for rule in seen.rules if rule.at >= seen.began_at and rule.policy.mode == "blueGreen"]
    judged.hold("it switched by halves", [f"{each.weight:g} %" for each in ruled if each.weight not in {0.0, 100.0}])
    judged.hold("it went another way", [mode for mode in modes(seen) if mode not in {"shadow", "blueGreen"}])
    judged.proven("policies of blueGreen", len(ruled), 1)


def modes(seen: Seen) -> list[str]:
    """The modes of the policies in which a canary got anything."""
    return [rule.policy.mode for rule in seen.rules if rule.at >= seen.began_at and rule.policy.mode != "stable"]


PLAYS: dict[str, tuple[Callable[..., Outcome], str]] = {
    "way: shadow": (shadow, OBSERVED),
    "way: blueGreen": (blue_green, PASSED),
    "way: blueGreen, and back": (blue_green_back, ABORTED),
}
SCENARIOS = {name: Scenario(partial(play, name=name), wanted) for name, (play, wanted) in PLAYS.items()}
