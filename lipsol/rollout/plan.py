"""What a rollout goes through: its mode, its steps, and how long it may take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import ConfigDict, TypeAdapter, ValidationError

from lipsol.errors import BadInput
from lipsol.validation import told

Way = Literal["canary", "blueGreen", "shadow"]
Kind = Literal["shadow", "canary"]

EXPIRY_MIN_S = 10.0  # below it a policy runs out while its analyst takes a breath
RENEWALS = 3  # of a policy within its expiry: two may fail


@dataclass(frozen=True)
class Step:
    """One step.

    kind      "shadow": the canary gets copies, and no user sees its readings; "canary": it reads for users
    weight    per cent of the sessions, above 0 to 100
    readings  of the canary that must have been made in this step before it is over
    least_s   seconds that it takes at least, however many they are
    """

    kind: Kind
    weight: float
    readings: int
    least_s: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise BadInput(f"a step of kind {self.kind!r}", f"give one of {', '.join(get_args(Kind))}")
        if not 0 < self.weight <= 100:
            raise BadInput(f"a step with a weight of {self.weight:g} %", "give more than 0, and at most 100")
        if self.readings < 1 or self.least_s < 0:
            raise BadInput(
                f"a step of {self.readings} readings and {self.least_s:g} s",
                "give a reading at least, and no time below 0",
            )

    @property
    def alone(self) -> bool:
        """Whether the canary reads everything, and stable has nothing to read."""
        return self.kind == "canary" and self.weight >= 100


@dataclass(frozen=True)
class Plan:
    """A whole rollout.

    way         "canary": step by step; "blueGreen": all at once; "shadow": looked at, never let in
    steps       in their order
    deadline_s  seconds for all of them: who has not passed by then is aborted
    expiry_s    seconds after which the canary gets nothing more, unless its analyst renews the policy
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    way: Way
    steps: tuple[Step, ...]
    deadline_s: float
    expiry_s: float

    def __post_init__(self) -> None:
        if not self.steps:
            raise BadInput("a rollout without steps", "give one at least")
        if self.expiry_s < EXPIRY_MIN_S:
            raise BadInput(f"a policy that expires after {self.expiry_s:g} s", f"give {EXPIRY_MIN_S:g} s at least")
        least_s = sum(step.least_s for step in self.steps)
        if self.deadline_s <= least_s:
            raise BadInput(
                f"a deadline of {self.deadline_s:g} s for steps that take {least_s:g} s at least",
                "give a later deadline, or shorter steps",
            )
        _check_steps(self.way, self.steps)

    @property
    def renew_s(self) -> float:
        """How often the analyst renews the policy, in seconds."""
        return self.expiry_s / RENEWALS

    @classmethod
    def from_json(cls, data: bytes | str) -> "Plan":
        """A plan as the chart writes it. Raises BadInput naming every field that is unfit."""
        try:
            held: Plan = _PLAN.validate_json(data)
        except ValidationError as fault:
            raise BadInput(
                f"this is no plan of a rollout ({told(fault, 3)})", "see `release` in the chart's values"
            ) from fault
        return held


def _check_steps(way: Way, steps: Sequence[Step]) -> None:
    kinds = {step.kind for step in steps}
    weights = [step.weight for step in steps if step.kind == "canary"]
    if way == "shadow" and kinds != {"shadow"}:
        raise BadInput("a shadow rollout with steps in which users are read for", "give steps of kind shadow alone")
    if way == "blueGreen" and weights != [100]:
        raise BadInput(f"a blueGreen rollout with the weights {weights}", "give one canary step, of 100 %")
    if way == "canary" and weights != sorted(set(weights)):
        raise BadInput(f"canary steps with the weights {weights}", "let each be larger than the one before")
    if way == "canary" and not weights:
        raise BadInput("a canary rollout in which no user is ever read for", "give a canary step, or take way shadow")


_PLAN = TypeAdapter(Plan)

STANDARD = Plan(
    "canary",
    (
        Step("shadow", 100.0, readings=100, least_s=60.0),
        Step("canary", 5.0, readings=50, least_s=120.0),
        Step("canary", 25.0, readings=100, least_s=120.0),
        Step("canary", 50.0, readings=200, least_s=120.0),
        Step("canary", 100.0, readings=200, least_s=120.0),
    ),
    deadline_s=3600.0,
    expiry_s=60.0,
)
"""What the chart takes where nobody says otherwise."""
