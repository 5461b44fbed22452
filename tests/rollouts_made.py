"""An analyst that tells what a test has it tell, on a real bus."""

from dataclasses import dataclass

from lipsol.bus.port import Bus
from lipsol.events import Looked, RolloutLooked, Told
from lipsol.runtime.envelope import wrap
from tests.conftest import FixedClock

BUNDLE = "3fa9" * 16
STEPS = (("shadow", 100.0), ("canary", 5.0), ("canary", 50.0), ("canary", 100.0))
FINE = Told("died", 0.0, 0.004, -0.02, 0.03, 0.01, "fine")
SLOWER = Told("latency", 602.0, 403.0, 0.35, 0.65, 0.25, "worse")
DEADLINE_S = 3600.0


@dataclass
class Analyst:
    """Of one rollout, at its first step; ahead_s: of its clock before the bus's."""

    bus: Bus
    clock: FixedClock
    release: str = "lipsol"
    revision: int = 7
    bundle: str = BUNDLE
    namespace: str = "clinic"
    ahead_s: float = 0.0
    step: int = 0
    clips: int = 0
    way: str = "canary"
    expiry_s: float = 60.0
    began_at: float = 0.0

    def __post_init__(self) -> None:
        self.began_at = self.began_at or self.clock.now() + self.ahead_s

    def tell(self, what: Looked, reason: str = "", findings: tuple[Told, ...] = (), after_s: float = 0.0) -> None:
        """Publish a look, so many seconds after the one before; an "advance" goes on to the next step."""
        self.clock.advance(after_s)
        self.bus.publish_all([wrap(self.event(what, reason, findings), "analyst", self.clock.now())])
        if what == "advance":
            self.step, self.clips = self.step + 1, 0

    def event(self, what: Looked, reason: str = "", findings: tuple[Told, ...] = ()) -> RolloutLooked:
        """What is told now."""
        now, over = self.clock.now() + self.ahead_s, what in ("pass", "abort", "stood-down", "handed-back")
        kind, weight = STEPS[self.step] if what != "handed-back" else ("", 0.0)
        return RolloutLooked(
            self.release, self.namespace, self.revision, self.bundle, self.way if kind else "", self.step, len(STEPS),
            kind, weight, what, reason, findings, self.clips, self.clips, self.began_at if kind else 0.0,
            self.began_at + DEADLINE_S, 0.0 if over or not self.expiry_s else now + self.expiry_s, now,
        )  # fmt: skip

    def through(self, steps: int) -> None:
        """Begin, and pass so many steps, in a minute each."""
        self.tell("began")
        for number in range(1, steps + 1):
            self.clips = 100 * number
            last = number == len(STEPS)
            self.tell("pass" if last else "advance", f"step {number} is passed", (FINE,), after_s=60.0)
