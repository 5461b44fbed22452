"""A platform and a cluster for an analyst, in one thread: time passes where the analyst waits, and clips with it."""

import random
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event as Flag

from lipsol.bus.memory import MemoryBus
from lipsol.errors import BadInput, NotFound, Transient
from lipsol.events import RolloutLooked, from_bytes
from lipsol.registry.port import ModelInfo
from lipsol.rollout.plan import Plan, Step
from lipsol.runtime.clock import ManualClock
from lipsol.runtime.envelope import unwrap, wrap
from lipsol.runtime.policy import read_policy
from lipsol.topics import ROLLOUTS, TRAFFIC
from lipsol.traffic import Policy, live, route
from services.analyst.analyst import Analyst
from services.analyst.canary import Canary, Crash
from services.analyst.cluster import Denied
from services.analyst.settings import AnalystSettings
from tests.unit.analyst.events import NEW, OLD, death, judged, reading

STEPS = (
    Step("shadow", 100.0, 20, least_s=3.0),
    Step("canary", 25.0, 10, least_s=3.0),
    Step("canary", 50.0, 12, least_s=3.0),
    Step("canary", 100.0, 12, least_s=3.0),
)
PLAN = Plan("canary", STEPS, deadline_s=180.0, expiry_s=15.0)
INFO = ModelInfo("grid", "2", NEW, "sentences", "en", "", False, {})


class Recorder(MemoryBus):
    """A bus that remembers every policy, as Kafka does for a day: the memory bus keeps the newest alone."""

    def __init__(self, now):
        super().__init__(now=now)
        self.policies = []

    def publish_all(self, messages):
        super().publish_all(messages)
        for each in messages:
            if each.topic == TRAFFIC.name:
                with suppress(BadInput):
                    self.policies.append(Policy.of(from_bytes(each.topic, each.value)))


@dataclass
class Kubernetes:
    """A cluster that says what it is told to, and remembers what was asked of it."""

    pods: Canary | None = field(default_factory=lambda: Canary("uid-1", True, "2 of 2 pods are available"))
    statuses: dict[int, str] = field(default_factory=lambda: {7: "pending-upgrade"})
    away: bool = False
    denied: bool = False
    done: list[tuple[str, ...]] = field(default_factory=list)

    def canary(self, name):
        self._here()
        if self.pods is None:
            raise NotFound(f"no {name}")
        return self.pods

    def delete(self, name, uid=""):
        self._here()
        self.done.append(("delete", name, uid))
        was_there, self.pods = self.pods is not None, None
        return was_there

    def release_status(self, release, revision):
        self._here()
        if revision not in self.statuses:
            raise NotFound(f"no {release} v{revision}")
        return self.statuses[revision]

    def job_uid(self, job):
        self._here()
        return f"{job}-uid"

    def fail(self, job, why, uid=""):
        self._here()
        assert uid in ("", f"{job}-uid")
        self.done.append(("fail", job, why))

    def _here(self):
        if self.away:
            raise Transient("the API server is away")
        if self.denied:
            raise Denied("GET canary was answered 403 (Forbidden)", "let the Role allow it")


@dataclass
class Behaviour:
    """How the canary reads: shares of its clips, and milliseconds that it takes."""

    ms: float = 100.0
    died: float = 0.0
    empty: float = 0.0
    abstained: float = 0.0
    confidence: float = 0.9
    other: float = 0.0  # sure of other words
    wrong: float = 0.1  # as people say
    hangs: bool = False  # it is there, and answers nothing


class World(ManualClock):
    """The clock that the analyst waits by: two seconds of traffic at each of its looks."""

    def __init__(self, behaviour=None, *, clips=12, plan=PLAN, **asked):
        super().__init__()
        self.bus = Recorder(self.now)
        self.kubernetes = Kubernetes()
        self.behaviour, self.clips, self.plan = behaviour or Behaviour(), clips, plan
        self.at = {}  # what happens at a look, by its number
        self.look = self.names = 0
        self.chance = random.Random(7)
        told = {"release": "lipsol", "revision": 7, "deployment": "canary", "job": "lipsol-analyst"}
        self.settings = AnalystSettings(**({"canary_digest": NEW, "plan": plan} | told | asked))
        self.stop = Flag()
        self.registry = lambda _digest: INFO
        self.stable = OLD  # by which it reads
        self.traffic()

    def analyst(self):
        return Analyst(self.settings, self.bus, self.kubernetes, self.check, self, self.stop)

    def run(self):
        return self.analyst().run()

    def check(self, digest):
        return self.registry(digest)

    def wait(self, until, at_most_s):
        self.look += 1
        self.at.pop(self.look, lambda: None)()
        if until.is_set():
            return True
        self.traffic()
        self.advance(at_most_s)
        return False

    def publish(self, *events, by="test"):
        self.bus.publish_all([wrap(event, by, self.now()) for event in events])

    def traffic(self):
        policy = self.policy()
        for _ in range(self.clips):
            self.names += 1
            self.clip(f"clip-{self.names}", policy)

    def clip(self, name, policy):
        way = route(name, policy, self.now())
        noise = self.chance.gauss(0.0, 0.1)
        if way.track == "stable":
            ms = 100.0 * 2.718**noise
            sure = 0.9 + self.chance.uniform(-0.05, 0.05)
            self.publish(reading(name, at=self.now(), ms=ms, confidence=sure, digest=self.stable))
        if way.track == "canary" or way.copy:
            self.read_by_canary(name, copy=way.copy, noise=noise)
        said = self.chance.random()
        wrong = said < (self.behaviour.wrong if way.track == "canary" else 0.1)
        if self.chance.random() < 0.5:
            self.publish(judged(name, way.track, at=self.now(), verdict="wrong" if wrong else "right"))

    def read_by_canary(self, name, *, copy, noise):
        how, said = self.behaviour, self.chance.random()
        if how.hangs:
            return
        if said < how.died:
            self.publish(death(name, at=self.now(), shadow=copy))
            return
        words = "" if said < how.empty else "set white by k six please" if said < how.other else "bin blue at f two now"
        self.publish(
            reading(
                name,
                "canary",
                at=self.now(),
                shadow=copy,
                text=words,
                ms=how.ms * 2.718**noise,
                abstained=said < how.abstained,
                confidence=how.confidence + self.chance.uniform(-0.05, 0.05),
            )
        )

    def set_policy(self, mode, weight, by, expires_s=60.0):
        self.publish(Policy(mode, weight, "", self.now() + expires_s, by, "because", self.now()).event())

    def policy(self):
        return read_policy(self.bus)

    def live(self):
        return live(self.policy(), self.now())

    def policies(self):
        return self.bus.policies

    def looks(self) -> list[RolloutLooked]:
        return [unwrap(message) for message in self.bus.replay([ROLLOUTS.name])]

    def crash(self, **changes):
        values = {"container": "canary-x/inference", "count": 3, "loops": True, "words": "Error, exit code 1: no model"}
        self.kubernetes.pods = Canary("uid-1", False, "0 of 2", (Crash(**(values | changes)),))
