"""What is done about a finding of drift, and how much of it without asking: one table. Pure.

- `observe` notes what could be done, `suggest` proposes it to people, `act` does what takes nothing from anybody and
  can be taken back: it asks the pipelines to train, and it ends a canary.
- All else is proposed in every degree. To roll stable back is a promotion, which a person signs; to repair and to speak
  with people needs hands and a voice.
- A canary that reads badly is ended before anything else is tried; stable is never touched by the monitor.
- About shadow copies nothing is done: no user sees what is read from them.
- A repeat of a finding gives the same actions by the same names.
"""

import hashlib
from dataclasses import dataclass

from lipsol.events import ActionKind, ActionTaken, Automation, DriftDetected, Event, Remedy, TrafficSet
from lipsol.traffic import Policy, live

NAME = "monitor"  # who acts
ID_DIGITS = 32
BY_ITSELF: frozenset[ActionKind] = frozenset({"retrain", "abort-canary"})  # what `act` carries out
OF_A_CANARY = frozenset({"model", "software"})  # kinds that a canary brought along: its end ends them
ANSWERS: dict[Remedy, ActionKind] = {
    "retrain": "retrain",
    "roll-back": "roll-back",
    "tell-users": "tell-users",
    "repair": "repair",
}
CURES: dict[ActionKind, str] = {  # what the finding's own sentence does not say of how
    "abort-canary": "Stable reads all again.",
    "roll-back": "`lipsol models demote {model}` does that.",
    "tell-users": "More light on the face, a clean lens, nearer to it.",
}
NOTHING_BEFORE = "There is none before it: find what changed since it was well."


@dataclass(frozen=True)
class Ground:
    """What there is to decide on, beside the finding.

    policy    the traffic policy that is known; None: none is
    previous  digest of the bundle that the model's name meant before, sha256 hex; "": none, or not known
    """

    policy: Policy | None = None
    previous: str = ""


def answer(
    found: DriftDetected, model: str, said: str, automation: Automation, ground: Ground, at: float
) -> list[Event]:
    """What is done about a finding that has begun: an action, and before it what carries it out.

    model: the name of the bundle; said: the finding in a sentence; at: Unix seconds
    """
    kind = choose(found, ground, at)
    if kind is None:
        return []
    done = automation == "act" and kind in BY_ITSELF
    cure = NOTHING_BEFORE if (found.remedy, kind) == ("roll-back", "repair") else CURES.get(kind, "")
    action = ActionTaken(
        action_id=named(found.drift_id, kind),
        kind=kind,
        automation=automation,
        done=done,
        reason=f"{said} {cure.format(model=model)}".rstrip(),
        drift_id=found.drift_id,
        model_digest=found.model_digest,
        track=found.track,
        language=found.language,
        by=NAME,
        at=at,
    )
    return [*carried_out(action, at), action] if done else [action]


def choose(found: DriftDetected, ground: Ground, at: float) -> ActionKind | None:
    """What to do about a finding; None: nothing."""
    if found.kind in OF_A_CANARY and ends_a_canary(found, ground.policy, at):
        return "abort-canary"
    kind = ANSWERS.get(found.remedy or "nothing")
    return "repair" if kind == "roll-back" and not ground.previous else kind


def ends_a_canary(found: DriftDetected, policy: Policy | None, at: float) -> bool:
    """Whether the finding is of a canary that reads for people now."""
    if found.track != "canary" or policy is None or policy.mode == "shadow" or not live(policy, at):
        return False
    return policy.canary_digest in ("", found.model_digest)


def carried_out(action: ActionTaken, at: float) -> list[Event]:
    """What an action is, beside its being told: of most nothing, as who hears it does it."""
    if action.kind != "abort-canary":
        return []
    return [TrafficSet("stable", 0.0, "", 0.0, action.by, action.reason, at)]


def named(*parts: str) -> str:
    """A name made of names: the same parts, the same name."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:ID_DIGITS]
