"""A platform that lives through all that the dashboards tell of, and a real Prometheus that watches it.

One process, the real models and the samples: clips are read, one is refused, one is too late; people correct, agree,
film again and give up; a canary reads beside stable, in shadow first; a message dies. Then the readings that were made
are told once more under other ids, so that the windows in which drift is looked for fill in seconds.
"""

import json
import math
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from lipsol.events import Claim, Event, Mode, MouthReady, PredictionMade, TrafficSet
from lipsol.runtime.envelope import unwrap, wrap
from lipsol.runtime.settings import RegistrySettings, StoreSettings, TelemetrySettings
from lipsol.runtime.telemetry import MetricsServer
from lipsol.topics import PREDICTIONS
from services.embedded import Embedded, EmbeddedSettings
from services.local.prometheus import LocalPrometheus
from services.operating.settings import OperatingSettings
from services.preprocess.settings import PreprocessSettings
from tests.conftest import TOP, Sample
from tests.services_made import served

EVERY = "1s"  # between two looks of Prometheus
RECENT = "300s"  # what $__rate_interval comes to: on a busy machine many looks in a row may come too late
WITHIN_S = 60.0
RIGHT, WRONG, GAVE_UP = {"verdict": "right"}, {"verdict": "wrong"}, {"gave_up": True}
REPEATED = 110  # times that a track's readings are told once more, twice: more than a window of drift


@dataclass(frozen=True)
class Watching:
    """Prometheus, and since when it has something to tell."""

    prometheus: LocalPrometheus
    since: float

    def series(self, expr: str) -> list[dict[str, Any]]:
        """What an expression comes to from the beginning until now, series by series; only numbers that are finite."""
        asked = {"query": expr, "start": self.since, "end": time.time(), "step": 1}
        found = self._ask("query_range", asked)["result"]
        for each in found:
            each["values"] = [value for _, value in each["values"] if math.isfinite(float(value))]
        return [each for each in found if each["values"]]

    def looks(self) -> None:
        """Return when Prometheus has looked once more from now on, and its rules have seen what it saw."""
        for series in ("lipsol_build_info", "lipsol:slo_budget:ratio"):
            now = time.time()
            wait_for(lambda series=series, now=now: self.newest(f"max(timestamp({series}))") > now)

    def newest(self, expr: str) -> float:
        """What an expression of one series comes to now."""
        found = self._ask("query", {"query": expr})["result"]
        return float(found[0]["value"][1]) if found else 0.0

    def exemplars(self, expr: str) -> list[dict[str, Any]]:
        """The single clips that were remembered with an expression's series."""
        told = self._ask("query_exemplars", {"query": expr, "start": self.since, "end": time.time()})
        return [exemplar for series in told for exemplar in series["exemplars"]]

    def values(self, label: str, series: str) -> set[str]:
        """The values of a label that a variable offers."""
        return set(self._ask(f"label/{label}/values", {"match[]": series, "start": self.since}))

    def _ask(self, what: str, of: dict[str, Any]) -> Any:
        url = f"{self.prometheus.uri}/api/v1/{what}?{urllib.parse.urlencode(of)}"
        try:
            with urllib.request.urlopen(url, timeout=WITHIN_S) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as fault:
            raise AssertionError(f"{of}: {fault.read().decode()}") from fault


@contextmanager
def watching(folder: Path, samples: Sequence[Sample]) -> Iterator[Watching]:
    """The platform has lived through it all, and has been watched."""
    settings = EmbeddedSettings(
        store=StoreSettings(folder=folder / "store"),
        registry=RegistrySettings(folder=TOP / "models"),
        telemetry=TelemetrySettings(metrics_port=0, metrics_host="127.0.0.1"),
        operating=OperatingSettings(port=0),
        preprocess=PreprocessSettings(grpc_port=0, wait_s=WITHIN_S, sweep_s=2.0),
    )
    with Embedded(settings) as platform, served(platform) as client:
        metrics = MetricsServer(platform.telemetry, 0, "127.0.0.1")
        try:
            prometheus = LocalPrometheus.start(folder / "prometheus", metrics=[metrics.port], every=EVERY)
            with prometheus:
                since = time.time()
                watched = Watching(prometheus, since)
                watched.looks()
                life = Life(platform, client, samples)
                life.begin()
                for _ in range(2):  # what happened once before anybody looked is no growth to Prometheus
                    life.go_on()
                    watched.looks()
                yield watched
        finally:
            metrics.close()


@dataclass
class Life:
    """What happens to the platform."""

    platform: Embedded
    client: httpx.Client
    samples: Sequence[Sample]
    read: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  # what was said, and what came of it
    made: list[PredictionMade] = field(default_factory=list)

    def begin(self) -> None:
        """A canary comes, first in shadow; clips are read."""
        ear = self.platform.bus.consumer([PREDICTIONS.name], None, start="latest")
        try:
            self.shadow()
            self.canary()
            while messages := ear.poll(100, 0.5):
                ear.commit(messages)
                events = map(unwrap, messages)
                self.made += [event for event in events if isinstance(event, PredictionMade) and not event.shadow]
        finally:
            ear.close()

    def go_on(self) -> None:
        """People say what they think, things go wrong, and many more clips are read."""
        self.read.reverse()
        self.people()
        self.faults()
        self.repeat()

    def send(self, data: bytes, **told: str) -> dict[str, Any]:
        """A clip through the REST door; what came of it."""
        form = {"file": ("clip.mp4", data, "video/mp4")}
        answer: dict[str, Any] = self.client.post("/v1/clips", params={"wait": True}, files=form, data=told).json()
        return answer

    def shadow(self) -> None:
        """The canary reads copies; a policy that can't be meant changes nothing."""
        self.route("shadow", 100.0)
        self.publish([TrafficSet("canary", 500.0, "", time.time() + 60, "test", "", time.time())])
        for sample in self.samples[:4]:
            assert self.send(sample.bytes())["state"] == "read"

    def canary(self) -> None:
        """Some clips are read by stable, some by the canary."""
        self.route("canary", 50.0)
        for turn in range(40):
            sample = self.samples[turn % len(self.samples)]
            self.read.append((sample.text, self.send(sample.bytes())))
            if turn > 6 and {answer["track"] for _, answer in self.read} == {"stable", "canary"}:
                return

    def route(self, mode: Mode, weight: float) -> None:
        """A policy, from the moment in which the edge knows it."""
        other = self.platform.registry.find("grid-words").digest
        self.platform.operations.set_traffic(mode, weight, 600.0, canary_digest=other, set_by="test")
        told = self.platform.telemetry.value
        wait_for(lambda: told("lipsol_traffic_weight_ratio", stage="preprocess", mode=mode) == weight / 100)

    def people(self) -> None:
        """They correct, agree, film again and give up."""
        for text, answer in self.read:
            self.tell(answer, {"text": text})
        for (_, answer), said in zip(self.read, (RIGHT, WRONG, GAVE_UP), strict=False):
            self.tell(answer, said)
        for sample in self.samples[:2]:
            self.send(sample.bytes(), session="one-person")

    def tell(self, answer: dict[str, Any], body: dict[str, Any]) -> None:
        """What a person says of a reading."""
        taken = self.client.post(f"/v1/clips/{answer['clip_id']}/feedback", json=body)
        assert taken.status_code == 202, taken.text

    def faults(self) -> None:
        """A clip that is none, one that nobody waits for, and a message that can't be read."""
        for data, timeout_s, status in ((b"no video", "30", 422), (self.samples[0].bytes(), "0.01", 504)):
            form, hurry = {"file": ("clip.mp4", data, "video/mp4")}, {"Request-Timeout": timeout_s}
            assert self.client.post("/v1/clips", files=form, headers=hurry).status_code == status
        empty = Claim(b"no mouth", "", "0" * 64, 8, 0.0)
        now = time.time()
        dead = MouthReady(
            uuid4().hex, "", "stable", False, "", "", "", "en", empty, 1, {"seconds": 3.0}, {"decode": 1.0}, now, 0.0
        )
        late = replace(dead, clip_id=uuid4().hex, deadline_at=now - 1)
        self.publish([dead, late])

    def repeat(self) -> None:
        """The readings once more, as other clips, each track's as often; one of them comes an hour late."""
        now = time.time()
        tracks = [[made for made in self.made if made.track == track] for track in ("stable", "canary")]
        again = [
            replace(
                made[turn % len(made)], clip_id=uuid4().hex, prediction_id=uuid4().hex, received_at=now, made_at=now
            )
            for made in tracks
            for turn in range(REPEATED)
        ]
        counted = partial(self.platform.telemetry.value, "lipsol_predictions_total", track="canary", model="grid-words")
        wanted = counted() + REPEATED
        self.publish([*again, replace(again[0], clip_id=uuid4().hex, received_at=now - 3600, made_at=now - 3600)])
        wait_for(lambda: counted() >= wanted)

    def publish(self, events: Sequence[Event]) -> None:
        """Events straight on the bus."""
        self.platform.bus.publish_all([wrap(event, "test", time.time()) for event in events])


def wait_for(happened: Callable[[], object]) -> None:
    """Return once it has."""
    until = time.monotonic() + WITHIN_S
    while not happened():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.1)
