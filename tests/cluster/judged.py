"""The laws of a rollout, over its evidence: what breaks one is written down, and a law is never held by too little."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from lipsol.traffic import live
from tests.cluster import split
from tests.cluster.outcome import Outcome
from tests.cluster.rollout import SERVED, Seen
from tests.cluster.scenarios import CANARY_READER, Stage
from tests.cluster.traffic import failed, lost
from tests.scenarios import laws


@dataclass
class Judged:
    """A scenario's laws as they are looked at, and its row."""

    seen: Seen
    broken: list[str] = field(default_factory=list)
    measured: dict[str, object] = field(default_factory=dict)

    def hold(self, law: str, found: Sequence[str]) -> None:
        """Write a law down as broken where it has finds."""
        self.broken += laws.told(law, found)

    def check(self, law: str, holds: bool, otherwise: str) -> None:
        """Write a law down as broken where it does not hold; `otherwise` says what was found."""
        self.hold(law, [] if holds else [otherwise])

    def proven(self, what: str, seen: int, wanted: int = SERVED) -> None:
        """A law that too little was seen of is not held."""
        self.hold("too little was seen", laws.proven(what, seen, wanted))

    def delivered(self, excused: frozenset[str] | None = frozenset()) -> None:
        """Nothing lost, nothing doubled, each clip where its policy says, by every door, and no request failed.

        excused  names whose requests may fail; None: all may
        """
        seen = self.seen
        self.hold("clips were lost", lost(seen.counts.clips))
        self.hold("clips were doubled", laws.doubled(seen.counts.clips))
        self.hold("the split is not the policy's", split.off(seen.ways.values(), seen.rules))
        self.hold("the split is not the policy's", split.unequal(seen.weights))
        if excused is not None:
            self.hold("requests failed", failed(seen.counts.clips, excused))
        for door in ("rest", "grpc", "batch"):
            self.proven(f"readings by {door}", seen.counts.doors.get(door, 0))
        self.proven("clips on the topics", len(seen.ways), seen.counts.answered)

    def on_stable(self, stage: Stage) -> None:
        """All is stable's: no policy of a canary, no canary, and the last clips went there."""
        policy = self.seen.rules[-1].policy
        self.check("users are on stable", not live(policy, time.time()), f"the policy is {policy}")
        self.check("the canary is gone", not stage.has_canary(), f"{CANARY_READER} is there")
        back_at = split.back_at(self.seen.rules) + split.FOLLOWED_S
        after = [way for way in self.seen.ways.values() if way.at >= back_at]
        self.hold(
            "users are on stable", [f"{way.name} went to the canary" for way in after if way.route.track != "stable"]
        )
        self.proven("clips after the end", len(after))

    def untouched(self) -> None:
        """Stable's Deployment is the one that it was."""
        before, after = self.seen.generations
        self.check("stable is untouched", before == after, f"its Deployment went from generation {before} to {after}")

    def outcome(self, scenario: str, stage: Stage, verdict: str, wanted: str) -> Outcome:
        """The row."""
        seen = self.seen
        counts = seen.counts
        measured = {**self.measured, "weights": seen.weights, **counts.as_dict()}
        if verdict != wanted:
            last = seen.last
            measured["analyst"] = f"{last.what}: {last.reason}" if last else "never spoke"
            measured["helm said"] = seen.done.said.strip()[-500:]
        seconds = round(seen.ended_at - seen.began_at, 1)
        figures = (counts.sent, counts.failed, counts.lost, counts.doubled, seconds)
        return Outcome(scenario, verdict, wanted, str(stage.helm.version), *figures, tuple(self.broken), measured)
