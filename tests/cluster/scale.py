"""Readers by how many clips wait, with the real KEDA: from one to four and back, and no clip lost or read twice apart.

The readers get little CPU, so that clips wait at all. Mouths are fed to their topic, as the edge does, and more as long
as not all readers are there; then a few a second, so that those who leave have work in hand.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from lipsol.events import MouthReady, PredictionMade
from lipsol.runtime.envelope import wrap
from lipsol.topics import PREDICTIONS
from tests.cluster.kube import StandIn, is_ready
from tests.cluster.outcome import Outcome
from tests.cluster.scenario import LeftOut, Scenario
from tests.cluster.scenarios import HELM_S, READERS, STABLE_READER, Stage
from tests.scenarios import laws, mouths
from tests.scenarios.poison import inline

SCALED, NOT_SO = "to 4 and back", "not to 4 and back"
MOST = 4
WAITING = 120  # clips that wait while readers are to come
TRICKLE_S = 0.5  # between two clips, while readers are to go
UP_S, READ_S, DOWN_S = 180.0, 180.0, 240.0  # that each stretch may take
EACH_S = 2.0  # between two looks
VALUES = {
    "autoscaling": {"kind": "keda", "min": 1, "max": MOST, "lag": 10, "calm_s": 5},
    "inference": {"resources": {"requests": {"cpu": "20m"}, "limits": {"cpu": "200m"}}},
    "release": {"enabled": False},
}


@dataclass
class Feed:
    """Mouths that were fed, and what was read of them."""

    stage: Stage
    began_at: float = field(default_factory=time.time)
    fed: list[str] = field(default_factory=list)
    readings: dict[str, list[PredictionMade]] = field(default_factory=dict)
    watcher: mouths.StoredWatcher = field(default_factory=mouths.StoredWatcher)

    def add(self, count: int) -> None:
        """Feed so many more."""
        events = []
        for _ in range(count):
            number = 4 * (len(self.fed) // 3) + 1 + len(self.fed) % 3  # every fourth is a whole one, which is too large
            watched = self.watcher.watch(mouths.clip_bytes(number, ""))
            mouth = inline(watched.mouth.to_bytes())
            clip_id, now = uuid.uuid4().hex, time.time()
            event = MouthReady(clip_id, "", "stable", False, "", "", "", "en", mouth, 1, {}, {}, now, 0.0)
            events.append(wrap(event, "scale", now))
            self.fed.append(clip_id)
        self.stage.bus.publish_all(events)

    def look(self) -> int:
        """How many wait to be read."""
        ours = set(self.fed)
        self.readings = {}
        for _, event in laws.events_of(self.stage.bus.replay([PREDICTIONS.name], self.began_at)):
            if isinstance(event, PredictionMade) and event.clip_id in ours:
                self.readings.setdefault(event.clip_id, []).append(event)
        return len(self.fed) - len(self.readings)

    def lost(self) -> list[str]:
        """Clips that were never read."""
        return [f"{clip_id} was never read" for clip_id in self.fed if clip_id not in self.readings]

    def doubled(self) -> list[str]:
        """Clips that were read as two things; the same reading told twice is one."""
        found = {name: {(each.prediction_id, each.text) for each in held} for name, held in self.readings.items()}
        return [f"{name} was read as {sorted(held)}" for name, held in found.items() if len(held) > 1]

    def repeats(self) -> int:
        """How often a reading was told once more."""
        return sum(len(held) - 1 for held in self.readings.values())


def play(stage: Stage) -> Outcome:
    """Up, down, and look at every clip."""
    bring_keda(stage)
    mouths.prepare()
    stage.helm.upgrade(stage.values(VALUES), timeout_s=HELM_S).wait(HELM_S).check()
    stage.cluster.wait(f"scaledobject/{STABLE_READER}", "condition=Ready")
    began, feed, broken = time.monotonic(), Feed(stage), list[str]()
    first = ready(stage)
    up = _up(feed)
    if ready(stage) < MOST or first != 1:
        broken.append(f"from {first} readers there are {ready(stage)} after {up:.0f} s; it was to go from 1 to {MOST}")
    drained = _until(lambda: feed.look() == 0, READ_S)
    down = _down(feed)
    if ready(stage) != 1:
        broken.append(f"after {down:.0f} s without work {ready(stage)} readers are left, 1 was to be")
    _until(lambda: feed.look() == 0, READ_S)
    lost, doubled = feed.lost(), feed.doubled()
    broken += [*laws.told("clips were lost", lost), *laws.told("clips were doubled", doubled)]
    measured = {"up_s": round(up, 1), "drained_s": round(drained, 1), "down_s": round(down, 1),
                "readings told once more": feed.repeats()}  # fmt: skip
    seconds = round(time.monotonic() - began, 1)
    verdict = NOT_SO if broken else SCALED
    return Outcome("scale", verdict, SCALED, str(stage.helm.version), len(feed.fed), 0, len(lost), len(doubled),
                   seconds, tuple(broken), measured)  # fmt: skip


def bring_keda(stage: Stage) -> None:
    """KEDA where it is not yet: on the stand-in. Raises LeftOut elsewhere."""
    if stage.cluster.ran("get", "crd", "scaledobjects.keda.sh").returncode == 0 and keda_runs(stage):
        return
    if stage.cluster.sort != "stand-in":
        raise LeftOut("no KEDA is in this cluster: install it into the namespace keda")
    stage.say("installing KEDA and the metrics server")
    StandIn().run("cluster", "addons", quiet=True)


def keda_runs(stage: Stage) -> bool:
    """Whether its operator does."""
    return any(is_ready(each) for each in stage.cluster.within("keda").objects("pods"))


def ready(stage: Stage) -> int:
    """Readers that are ready."""
    return len(stage.cluster.pods(f"{READERS}stable"))


def _up(feed: Feed) -> float:
    """Feed until all readers are there; seconds that it took."""

    def full() -> bool:
        feed.add(max(0, WAITING - feed.look()))
        return ready(feed.stage) >= MOST

    return _until(full, UP_S)


def _down(feed: Feed) -> float:
    """Feed a little until one reader is left; seconds that it took."""

    def alone() -> bool:
        for _ in range(round(EACH_S / TRICKLE_S)):
            feed.add(1)
            time.sleep(TRICKLE_S)
        return len(feed.stage.cluster.objects("pods", f"{READERS}stable")) == 1

    return _until(alone, DOWN_S, 0.0)


def _until(holds: Callable[[], bool], at_most_s: float, each_s: float = EACH_S) -> float:
    """Wait until something holds, so long at most; seconds that it took."""
    began = time.monotonic()
    while not holds() and time.monotonic() - began < at_most_s:
        time.sleep(each_s)
    return time.monotonic() - began


SCENARIOS = {"scale": Scenario(play, SCALED, helms=False)}
