"""When a finding is worth telling: hysteresis, so that nobody is told of a flicker, and a cool-down."""

import json
from dataclasses import asdict, dataclass, field

from lipsol.drift.budget import Sensitivity
from lipsol.drift.verdict import Kind, Verdict


@dataclass(frozen=True)
class Began:
    """Tell of this."""

    verdict: Verdict
    at: float


@dataclass(frozen=True)
class Over:
    """What was told of is over. began_at: when it had been told."""

    kind: Kind
    began_at: float
    at: float


@dataclass
class Episodes:
    """One group's findings over time.

    Laws: what began is over before anything else begins; whatever is told as begun is told as over; the same kind is
    told again no sooner than the cool-down after it was told; a kind begins, and another takes its place, only after
    `begin_after` looks in a row that agree.

    kind, began_at  of what was told and is not over; None: nothing
    running, looks  the kind that the last looks found, and how many in a row
    told_at         kind -> when it was last told, Unix seconds
    """

    sensitivity: Sensitivity = field(default_factory=Sensitivity)
    kind: Kind | None = None
    began_at: float = 0.0
    running: Kind | None = None
    looks: int = 0
    told_at: dict[Kind, float] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """ "quiet", "drift" (told and not over), or "cooling down" (found, but told of not long ago)."""
        if self.kind is not None:
            return "drift"
        return "cooling down" if self.running is not None and self.running in self.told_at else "quiet"

    def look(self, verdict: Verdict | None, at: float) -> Began | Over | None:
        """Take a look's verdict; what is to be told now."""
        found = None if verdict is None else verdict.kind
        self.looks = self.looks + 1 if found == self.running else 1
        self.running = found
        if self.kind is not None:
            patience = self.sensitivity.over_after if found is None else 2 * self.sensitivity.begin_after
            if found == self.kind or self.looks < patience:
                return None
            over = Over(self.kind, self.began_at, at)
            self.kind, self.began_at = None, 0.0
            return over
        if verdict is None or self.looks < self.sensitivity.begin_after or self._cooling(verdict.kind, at):
            return None
        self.kind, self.began_at = verdict.kind, at
        self.told_at[verdict.kind] = at
        return Began(verdict, at)

    def _cooling(self, kind: Kind, at: float) -> bool:
        return kind in self.told_at and at - self.told_at[kind] < self.sensitivity.cool_down_s

    def to_json(self) -> str:
        """What it remembers; not how sensitive it is."""
        state = asdict(self)
        del state["sensitivity"]
        return json.dumps(state, sort_keys=True)

    @classmethod
    def from_json(cls, data: str, sensitivity: Sensitivity) -> "Episodes":
        """Undo `to_json`."""
        return cls(sensitivity=sensitivity, **json.loads(data))
