"""When something is found, and when that is told: hysteresis against flickers, and a cool-down for the telling."""

import json
from dataclasses import asdict, dataclass, field

from lipsol.drift.budget import Sensitivity
from lipsol.drift.verdict import Kind, Verdict


@dataclass(frozen=True)
class Began:
    """This is found. silent: it cools down, so that it is shown, and told only once it is there after that."""

    verdict: Verdict
    at: float
    silent: bool = False


@dataclass(frozen=True)
class Over:
    """What was found is over. began_at: when it had been told; silent: it never was."""

    kind: Kind
    began_at: float
    at: float
    silent: bool = False


@dataclass
class Episodes:
    """One group's findings over time.

    Laws: what began is over before anything else begins; whatever is told as begun is told as over; the same kind is
    told again no sooner than the cool-down after it was told, but found all the same; a kind begins, and another takes
    its place, only after `begin_after` looks in a row that agree.

    kind, began_at  of what is found and is not over; None: nothing
    silent          whether that, or what was over last, is not told: it cools down
    running, looks  the kind that the last looks found, and how many in a row
    told_at         kind -> when it was last told, Unix seconds
    """

    sensitivity: Sensitivity = field(default_factory=Sensitivity)
    kind: Kind | None = None
    began_at: float = 0.0
    silent: bool = False
    running: Kind | None = None
    looks: int = 0
    told_at: dict[Kind, float] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """ "quiet" or "drift" (found and not over, told or not)."""
        return "quiet" if self.kind is None else "drift"

    def look(self, verdict: Verdict | None, at: float) -> Began | Over | None:
        """Take a look's verdict; what began or ended by it. What is told after its cool-down begins once more."""
        found = None if verdict is None else verdict.kind
        self.looks = self.looks + 1 if found == self.running else 1
        self.running = found
        if self.kind is not None and found != self.kind:
            patience = self.sensitivity.over_after if found is None else 2 * self.sensitivity.begin_after
            if self.looks < patience:
                return None
            over = Over(self.kind, self.began_at, at, self.silent)
            self.kind, self.began_at = None, 0.0
            return over
        if verdict is None or self.looks < self.sensitivity.begin_after:
            return None
        silent = self._cooling(verdict.kind, at)
        if self.kind is not None and (silent or not self.silent):
            return None
        self.kind, self.began_at, self.silent = verdict.kind, at, silent
        if not silent:
            self.told_at[verdict.kind] = at
        return Began(verdict, at, silent)

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
