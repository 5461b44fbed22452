"""One upgrade or rollback under constant traffic, and all the evidence of it.

Four witnesses: what the clients saw, what the topics hold, what Helm says and what Kubernetes says.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from lipsol.events import PredictionMade, RolloutLooked
from lipsol.topics import PREDICTIONS, ROLLOUTS
from tests.cluster import split
from tests.cluster.helm import Done, Run
from tests.cluster.scenarios import HELM_S, WAIT_S, Stage
from tests.cluster.surroundings import Values
from tests.cluster.traffic import Counts, Traffic
from tests.scenarios import laws

WARM = 3  # readings before a release begins
WARM_S = 60.0  # that they may take
LINGER_S = 5.0  # that the traffic goes on after a release has ended
BACK_S = 10.0  # within which users are stable's again after a verdict
LOOK_S = 0.5  # between two looks at how a rollout gets on
SKEW_S = 30.0  # by which the cluster's clocks may go after ours
SERVED = 3  # clips that a side must have read to show anything


@dataclass(frozen=True)
class Seen:
    """All the evidence of what Helm did.

    done         what came of Helm's command
    revision     the release's that it made, and `before` the one that was deployed
    looks        what its analyst told, oldest first
    counts       what clients saw
    ways, rules  where each clip went, and the policies
    readings     of each clip the first reading on the topics that is no copy; `copies` those that are
    generations  of stable's Deployment, before and after
    history      Helm's, oldest first
    began_at, ended_at  of Helm's command, Unix seconds
    left_at      when after that the last of stable's old pods had gone: until then one may still read
    """

    done: Done
    revision: int
    before: int
    looks: Sequence[RolloutLooked]
    counts: Counts
    ways: Mapping[str, split.Way]
    rules: Sequence[split.Rule]
    readings: Mapping[str, PredictionMade]
    copies: Sequence[PredictionMade]
    generations: tuple[int, int]
    history: Sequence[Mapping[str, Any]]
    began_at: float
    ended_at: float
    left_at: float

    @property
    def last(self) -> RolloutLooked | None:
        """The analyst's last word, but for the hand-back."""
        said = [look for look in self.looks if look.what in {"pass", "abort", "stood-down"}]
        return said[-1] if said else None

    @property
    def walked(self) -> list[tuple[str, float]]:
        """The steps that it was in, by kind and weight."""
        return list(dict.fromkeys((look.kind, look.weight) for look in self.looks if look.kind))

    @property
    def on_canary(self) -> frozenset[str]:
        """Names whose clips went to the canary."""
        return frozenset(way.name for way in self.ways.values() if way.route.track == "canary")

    @property
    def weights(self) -> dict[str, dict[str, int]]:
        """Of clips under a settled policy, by mode and weight: how many, on the canary, and by the hash."""
        return split.by_weight(self.ways.values(), self.rules)

    def said_of(self, revision: int) -> Mapping[str, Any]:
        """A revision's row in Helm's history; empty: there is none."""
        return next((row for row in self.history if int(row["revision"]) == revision), {})

    def read_by(self, since: float, track: str = "stable") -> list[str]:
        """Digests of the bundles that read for users on a track since then."""
        return [each.model.digest for each in self.readings.values() if each.track == track and each.made_at >= since]

    def back_s(self, verdict_at: float) -> float:
        """Seconds from a verdict until the policy was stable's and the canary had read its last clip of a user."""
        last = [each.made_at for each in self.readings.values() if each.track == "canary"]
        return max(0.0, *(at - verdict_at for at in [split.back_at(self.rules), *last]))

    def drained_s(self, verdict_at: float) -> float:
        """Seconds from a verdict until every clip that had gone to the canary was read, by whomever."""
        gone = [way.clip_id for way in self.ways.values() if way.route.track == "canary"]
        read = [self.readings[clip_id].made_at for clip_id in gone if clip_id in self.readings]
        return max(0.0, *(at - verdict_at for at in [verdict_at, *read]))


class Rollout:
    """What Helm does to the release, under traffic; as a context manager neither outlives its block."""

    def __init__(self, stage: Stage, name: str, begin: Callable[[], Run]) -> None:
        """name: of the scenario; begin: has Helm begin, once the first clips are read."""
        self.stage = stage
        self.traffic = Traffic(stage.doors, re.sub("[^A-Za-z0-9]+", "-", f"{name} {stage.helm.version}"))
        self._begin = begin
        self.revision = self.before = self._generation = 0
        self.began_at = 0.0
        self._run: Run | None = None

    @property
    def run(self) -> Run:
        """The Helm that does it."""
        assert self._run is not None, "the rollout was not entered"
        return self._run

    def __enter__(self) -> Self:
        stage = self.stage
        self.before, self._generation = stage.deployed(), stage.generation()
        self.traffic.start()
        try:
            self.traffic.await_answered(WARM, WARM_S)
            self.revision, self.began_at = stage.helm.revision() + 1, time.time()
            self._run = self._begin()
        except BaseException as fault:
            self.__exit__(type(fault), fault, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._run is not None and self._run.alive:
            self._run.kill()
        self.traffic.__exit__(kind, fault, trace)

    def looks(self) -> list[RolloutLooked]:
        """What its analyst has told so far."""
        return [look for look in read_looks(self.stage, self.began_at - SKEW_S) if look.revision == self.revision]

    def await_canary(self, at_most_s: float = 120.0) -> None:
        """Return once the canary reads for users. Raises RuntimeError if Helm ends before that, or TimeoutError."""
        until = time.monotonic() + at_most_s
        while sum(bool(clip.readings) and clip.readings[0].track == "canary" for clip in self.traffic.clips) < SERVED:
            if not self.run.alive or time.monotonic() > until:
                looks = self.looks()
                said = f"{looks[-1].what}: {looks[-1].reason}" if looks else "nothing"
                why = f"the analyst said {said}; helm said {self.run.said[-800:]}"
                if self.run.alive:
                    raise TimeoutError(f"the canary reads for no user after {at_most_s:g} s; {why}")
                raise RuntimeError(f"helm ended before the canary read for users; {why}")
            time.sleep(LOOK_S)
        self.stage.say("the canary reads for users")

    def finish(self, linger_s: float = LINGER_S) -> Seen:
        """Wait for Helm, let the traffic go on for a while, and gather all the evidence."""
        done = self.run.wait(WAIT_S)
        return self.gather(done, linger_s)

    def gather(self, done: Done, linger_s: float = LINGER_S) -> Seen:
        """All the evidence, once nothing is awaited of Helm any more."""
        stage, ended_at = self.stage, time.time()
        stage.await_left()
        left_at = time.time()
        time.sleep(linger_s)
        counts, began = self.traffic.stop(), self.traffic.began_at - SKEW_S
        stage.await_bus()
        ids = {clip_id for clip in counts.clips for clip_id in clip.clip_ids}
        readings, copies = read_predictions(stage, began, ids)
        return Seen(
            done,
            self.revision,
            self.before,
            self.looks(),
            counts,
            split.read_ways(stage.bus, began, ids),
            split.read_rules(stage.bus),
            readings,
            copies,
            (self._generation, stage.generation()),
            stage.helm.history(),
            self.began_at,
            ended_at,
            left_at,
        )


def upgrading(stage: Stage, name: str, *layers: Values, atomic: bool = False) -> Rollout:
    """A `helm upgrade` to the stage's base with layers on top."""
    values = stage.values(*layers)
    return Rollout(stage, name, lambda: stage.helm.upgrade(values, atomic=atomic, timeout_s=HELM_S))


def going_back(stage: Stage, name: str, revision: int) -> Rollout:
    """A `helm rollback` to a revision."""
    return Rollout(stage, name, lambda: stage.helm.rollback(revision, timeout_s=HELM_S))


def read_looks(stage: Stage, since: float) -> list[RolloutLooked]:
    """What the analysts of the stage's release told since then, oldest first."""
    events = (event for _, event in laws.events_of(stage.bus.replay([ROLLOUTS.name], since)))
    namespace = stage.cluster.namespace
    return [event for event in events if isinstance(event, RolloutLooked) and event.namespace == namespace]


def read_predictions(
    stage: Stage, since: float, clip_ids: set[str]
) -> tuple[dict[str, PredictionMade], list[PredictionMade]]:
    """Of those clips, the first reading of each that users may see, and all that they may not."""
    readings: dict[str, PredictionMade] = {}
    copies: list[PredictionMade] = []
    for _, event in laws.events_of(stage.bus.replay([PREDICTIONS.name], since)):
        if not isinstance(event, PredictionMade) or event.clip_id not in clip_ids:
            continue
        if event.shadow:
            copies.append(event)
        elif event.clip_id not in readings or event.made_at < readings[event.clip_id].made_at:
            readings[event.clip_id] = event
    return readings, copies


def verdict_of(seen: Seen) -> str:
    """In a word: "passed", "aborted", "observed", or what else came of an upgrade."""
    last = seen.last
    if seen.done.code == 0:
        return "passed"
    if last is None:
        return "failed without a verdict"
    if last.way == "shadow" and last.what == "pass":
        return "observed"
    return {"abort": "aborted", "stood-down": "stood down", "pass": "failed after its pass"}[last.what]
