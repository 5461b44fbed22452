"""Where release scenarios are played: a cluster with the chart installed, its doors, and the base they begin at."""

import io
import json
import os
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from lipsol.bus.kafka import KafkaBus, Link
from lipsol.bus.port import Bus
from lipsol.errors import Transient
from lipsol.runtime.envelope import wrap
from lipsol.topics import TRAFFIC
from lipsol.traffic import STABLE, Policy, live
from tests.cluster import split
from tests.cluster.clients import Doors
from tests.cluster.helm import Helm
from tests.cluster.kube import Cluster
from tests.cluster.outcome import Say
from tests.cluster.surroundings import KAFKA_PORT, Surroundings, Values, merged
from tests.conftest import read_samples
from tests.scenarios.command import lipsol

STABLE_READER, CANARY_READER = "lipsol-inference", "lipsol-inference-canary"  # Deployments
EDGE, MONITOR, ANALYST = "lipsol-preprocess", "lipsol-monitor", "lipsol-analyst"
BY = "scenarios"
READERS = "app.kubernetes.io/component=inference,lipsol/track="  # and the track: its pods
KAFKA = f"127.0.0.1:{KAFKA_PORT}"
HELM_S = 300.0  # that Helm is told that it may take
WAIT_S = 2 * HELM_S + 60  # that it can take then: what failed is rolled back
EXPIRY_S = 15.0  # of the canary's policy
PUT = """
import io, os, pathlib, sys, tarfile
from lipsol.store.local import LocalStore
store = LocalStore(pathlib.Path(os.environ["LIPSOL_STORE__FOLDER"]))
with tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read())) as packed:
    for member in packed:
        store.put(member.name, packed.extractfile(member).read())
"""

Steps = Sequence[Mapping[str, Any]]


def step(kind: str, weight: float, readings: int, least_s: float = 3.0) -> dict[str, Any]:
    """A step as the chart's values have it."""
    return {"kind": kind, "weight": weight, "readings": readings, "least_s": least_s}


RAMP: Steps = (
    step("shadow", 100, 20, 8.0),
    step("canary", 25, 10, 8.0),
    step("canary", 50, 12, 12.0),
    step("canary", 100, 12),
)
"""All kinds of steps, each so long that most of its clips come when nothing else can rule (`split.FOLLOWED_S`)."""
BRIEF: Steps = (RAMP[0], RAMP[2], RAMP[3])
"""The same with fewer of them."""
SHORT: Steps = (step("shadow", 100, 8), step("canary", 50, 8), step("canary", 100, 8))
"""For what is about something else than steps."""
ENDLESS: Steps = (step("canary", 50, 400, 60.0),)
"""A canary that reads for half of the users until something happens."""
LONG: Steps = (step("canary", 50, 25, 15.0),)
"""The same, but that it ends by itself if nothing does."""
FAULTY: Steps = (step("canary", 50, 60),)
"""At once for users, so that they meet what is wrong with it."""


@dataclass(frozen=True)
class Stage:
    """Where scenarios are played: a cluster with the chart installed, one Helm, and the doors.

    base     the chart's values with which stable reads between scenarios
    digests  of bundles, by what they are: "base", "good", "worse", "slow", "unsigned", "candidate"
    """

    surroundings: Surroundings
    helm: Helm
    base: Values
    digests: Mapping[str, str]
    doors: Doors
    say: Say

    @property
    def cluster(self) -> Cluster:
        """The cluster, looked at from the release's namespace."""
        return self.surroundings.cluster

    @property
    def bus(self) -> Bus:
        """The broker, from this machine."""
        return self.doors.bus

    def values(self, *layers: Values) -> dict[str, Any]:
        """The base, with layers on top."""
        return merged(self.base, *layers)

    def lipsol(self, *words: str) -> str:
        """What `lipsol` prints on this machine, asked about the cluster's platform."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith("LIPSOL_")}
        return lipsol({**ours, "LIPSOL_BUS__KIND": "kafka", "LIPSOL_BUS__SERVERS": KAFKA}, *words)

    def generation(self) -> int:
        """How often stable's Deployment was changed."""
        return int(self.cluster.get("deployment", STABLE_READER)["metadata"]["generation"])

    def has_canary(self) -> bool:
        """Whether the canary's Deployment is there."""
        return self.cluster.seek("deployment", CANARY_READER) is not None

    def policy(self) -> Policy:
        """The traffic policy that the topic tells."""
        return split.read_rules(self.bus)[-1].policy

    def await_bus(self, at_most_s: float = 90.0) -> None:
        """Return when the broker answers this machine. Raises Transient if it does not."""
        until = time.monotonic() + at_most_s
        while True:
            try:
                list(self.bus.replay([TRAFFIC.name], time.time()))
            except Transient:
                if time.monotonic() > until:
                    raise
                time.sleep(1.0)
            else:
                return

    def await_expiry(self) -> Policy:
        """Return when no canary gets anything any more, by a policy of stable or by expiry; the policy."""
        while live(policy := self.policy(), time.time()):
            time.sleep(0.5)
        return policy

    def await_no_canary(self, at_most_s: float = 40.0) -> None:
        """Return when the canary's Deployment has gone, or after a while all the same."""
        until = time.monotonic() + at_most_s
        while self.has_canary() and time.monotonic() < until:
            time.sleep(1.0)

    def await_left(self, at_most_s: float = 90.0) -> None:
        """Return when stable has all its new pods and its old ones have gone; these after a while all the same."""
        self.cluster.rolled_out(f"deployment/{STABLE_READER}")
        until = time.monotonic() + at_most_s
        while time.monotonic() < until:
            pods = self.cluster.objects("pods", f"{READERS}stable")
            if not any("deletionTimestamp" in pod["metadata"] for pod in pods):
                return
            time.sleep(0.5)

    def deployed(self) -> int:
        """The newest revision that Helm holds for deployed; 0: none."""
        revisions = [int(each["revision"]) for each in self.helm.history() if each["status"] == "deployed"]
        return max(revisions, default=0)


@contextmanager
def staged(
    surroundings: Surroundings, helm: Helm, base: Values, digests: Mapping[str, str], say: Say
) -> Iterator[Stage]:
    """A stage over an installed chart: doors open, samples in the platform's store for batches."""
    with surroundings.kafka(), surroundings.doors() as found:
        bus = KafkaBus(Link(KAFKA))
        try:
            sources = put_samples(surroundings.cluster)
            yield Stage(surroundings, helm, base, digests, Doors(found.rest, found.grpc, bus, sources), say)
        finally:
            bus.close()


def put_samples(cluster: Cluster) -> dict[str, str]:
    """Put the samples into the platform's store, by the edge's own hand; their keys there, by file name."""
    keys = {sample.path.name: f"samples/{sample.path.name}" for sample in read_samples()}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for sample in read_samples():
            archive.add(sample.path, keys[sample.path.name])
    pod = cluster.pods("app.kubernetes.io/component=preprocess")[-1]
    cluster.exec(pod, "python", "-c", PUT, given=packed.getvalue(), timeout_s=120)
    return keys


def bundle(digest: str, steps: Steps = SHORT, way: str = "canary") -> dict[str, Any]:
    """Values that release a bundle by steps."""
    return {"release": {"bundle": digest, "way": way, "steps": list(steps), "expiry_s": EXPIRY_S}}


def image(tag: str, steps: Steps = SHORT) -> dict[str, Any]:
    """Values that release images of another tag, which read by the bundle of before."""
    return {"release": {"way": "canary", "steps": list(steps), "expiry_s": EXPIRY_S}, "image": {"tag": tag}}


def rehearsal(fault: str, steps: Steps, way: str = "canary", settings: Values | None = None) -> dict[str, Any]:
    """Values that release what stable has, with a fault in the canary alone. settings: how much of it."""
    release = {"way": way, "steps": list(steps), "expiry_s": EXPIRY_S}
    return {"release": release, "rehearsal": {"allowed": True, "fault": fault, "settings": dict(settings or {})}}


def settle(stage: Stage) -> None:
    """Bring the release to its base, whatever a scenario left: no operation open, stable by the base, no canary."""
    helm = stage.helm
    if helm.status().startswith("pending"):
        helm.rollback(stage.deployed(), timeout_s=HELM_S).wait(WAIT_S).check()
    if _told(helm.values(stage.deployed())) != _told(stage.base) or helm.status() != "deployed":
        at_once = stage.values({"release": {"enabled": False}})
        helm.upgrade(at_once, timeout_s=HELM_S).wait(WAIT_S).check()
    if stage.has_canary():
        stage.say("the canary's Deployment was left behind: taking it away")
        stage.cluster.delete("deployment", CANARY_READER)
    if live(stage.policy(), time.time()):
        stage.say("a canary's policy was left behind: all to stable")
        now = time.time()
        back = replace(STABLE, set_by=BY, reason="between scenarios", set_at=now)
        stage.bus.publish_all([wrap(back.event(), BY, now)])
    stage.cluster.rolled_out(f"deployment/{STABLE_READER}")
    stage.cluster.rolled_out(f"deployment/{EDGE}")


def _told(values: Values) -> object:
    """Values as JSON has them, but for whether releases are judged."""
    return json.loads(json.dumps(merged(values, {"release": {"enabled": True}})))
