"""What a search may change of a plan, how far, and why; needs neither torch nor whoever searches."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from lipsol.training.plan import Plan

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Range:
    """Where a hyperparameter may lie. near: whether it is the plan's near schedule, its light augmentation or neither.

    log  whether tenfold counts as much at both ends
    why  the reason for the range
    """

    name: str
    part: str  # of the plan: "near", "light", or "" for its own
    low: float
    high: float
    why: str
    log: bool = False
    choices: tuple[int, ...] = ()


SPACE = (
    Range("rate", "near", 1e-3, 1e-2, "from a third of what the recipe took to three times that", log=True),
    Range("decay", "near", 1e-3, 0.2, "a twentieth of what the recipe took to ten times that", log=True),
    Range("batch", "near", 8.0, 32.0, "smaller ones make more steps of an epoch", choices=(8, 16, 32)),
    Range("average", "near", 0.98, 0.9995, "from the last 50 steps to the last 2000"),
    Range("warm_up", "near", 0.02, 0.3, "short trainings may need a gentler start"),
    Range("dropout", "", 0.0, 0.5, "known speakers have few clips each"),
    Range("whitening", "", 0.0, 1.0, "from loud components alone to noise as loud as speech"),
    Range("shift_px", "light", 0.0, 1.5, "from none to what the first recipe took"),
    Range("scale", "light", 0.0, 0.05, "from none to a little more than the first recipe took"),
    Range("turn_deg", "light", 0.0, 3.0, "from none to what the first recipe took"),
    Range("speed", "light", 0.0, 0.25, "people speak a quarter faster or slower"),
    Range("mask_frames", "light", 0.0, 12.0, "a word lasts 6 to 12 frames", choices=(0, 3, 6, 9, 12)),
    Range("gray", "light", 0.0, 0.3, "gamma, as cameras differ"),
    Range("trimmed", "light", 0.0, 1.0, "how often a clip is cut to its speech"),
)


def defaults(base: str = "full") -> dict[str, Any]:
    """The plan's own hyperparameters, as a trial has them."""
    plan = asdict(Plan.named(base))
    return {each.name: (plan[each.part] if each.part else plan)[each.name] for each in SPACE}


def plan_of(parameters: Parameters, base: str = "full") -> str:
    """The JSON of a plan with these hyperparameters: `lipsol train --plan` takes it. `second` learns as `near` does."""
    told: dict[str, Any] = {"base": base, "near": {}, "second": {}, "light": {}}
    for each in SPACE:
        value = int(parameters[each.name]) if each.choices else float(parameters[each.name])
        places = {"near": (told["near"], told["second"]), "light": (told["light"],)}.get(each.part, (told,))
        for place in places:
            place[each.name] = value
    return json.dumps(told, indent=1)
