"""What a site is like is its new normal, once an operator says so: the window of now becomes a group's reference.

It is asked for by an `ActionTaken` of kind "accept" on `lipsol.actions.v1`, which the monitor answers by the same name:
done, or not and why. The accepted reference is kept as a part of
the monitor's state (`StateKept`, one for each group), which outlives the process, and takes the place of the bundle's
own for as long as that bundle reads there. A new bundle has a name of its own, and so is held to its own reference.
"""

from lipsol.events import ActionTaken, StateKept
from services.monitor.actions import NAME
from services.monitor.group import Group

PREFIX = "reference"  # of the parts of the state that are accepted references
SHADOW = "shadow"


def asks(action: ActionTaken) -> bool:
    """Whether somebody asks for that, rather than the monitor tells what became of it."""
    return action.kind == "accept" and not action.done and action.by != NAME


def means(action: ActionTaken, group: Group) -> bool:
    """Whether a group's window is what somebody accepts. An empty digest or language stands for every one."""
    return (
        asks(action)
        and not group.shadow
        and group.track == action.track
        and action.model_digest in ("", group.digest)
        and action.language in ("", group.language)
    )


def part(group: Group) -> str:
    """Under which part of the state a group's accepted reference lies; `group_of` undoes it."""
    return "/".join((PREFIX, group.track, group.digest, group.model, group.language, *([SHADOW] * group.shadow)))


def group_of(part: str) -> Group | None:
    """Whose accepted reference that part of the state is; None: it is another part."""
    match part.split("/"):
        case [prefix, ("stable" | "canary") as track, digest, model, language, *rest] if prefix == PREFIX:
            return Group(track, model, digest, language, shadow=rest == [SHADOW])
    return None


def kept(group: Group, reference: bytes, owner: str, at: float) -> StateKept:
    """An accepted reference, as `Reference.to_bytes` has it, as a part of the state."""
    return StateKept(part(group), owner, reference, at)
