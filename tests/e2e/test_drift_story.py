"""The monitor notices before the users do: real clips in at the edge, a finding, an alert, and what is done."""

import io
import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
from playwright.sync_api import expect

from lipsol.data import grid
from lipsol.data.dataset import Item
from lipsol.events import ActionTaken, DriftDetected
from lipsol.runtime.settings import RegistrySettings, StoreSettings, TelemetrySettings
from lipsol.runtime.telemetry import MetricsServer
from lipsol.steps.daily import Asking, looked, remembered
from services.embedded import Embedded, EmbeddedSettings
from services.local.broker import free_port
from services.local.prometheus import LocalPrometheus
from services.monitor.settings import MonitorSettings
from services.operating.settings import OperatingSettings
from services.preprocess.settings import PreprocessSettings
from tests.clips_made import film
from tests.conftest import DATA, TOP
from tests.services_made import served, served_app

pytestmark = pytest.mark.slow
Spoil = Callable[[bytes], bytes]

BLOCK = 25  # clips between two looks
DARK = 0.45  # of every value that is left when the light goes
PATIENCE_S = 120.0
ASKING = Asking("grid", "en")
SOON_S = 0.01  # that a queue in memory is listened to


@dataclass(frozen=True)
class Stage:
    """A platform with its real edge and its real models, and doors to it."""

    platform: Embedded
    edge: httpx.Client
    board: httpx.Client

    def send(self, clips: Sequence[bytes], spoilt: Spoil = bytes) -> None:
        """Clips, spoilt first, through the edge's HTTP door, some at once; each is read."""

        def one(data: bytes) -> str:
            form = {"file": ("clip.mp4", spoilt(data), "video/mp4")}
            return str(self.edge.post("/v1/clips", params={"wait": True}, files=form).json()["state"])

        with ThreadPoolExecutor(4) as senders:
            assert list(senders.map(one, clips)) == ["read"] * len(clips)

    def send_blocks(self, clips: Sequence[bytes], spoilt: Spoil = bytes) -> None:
        """Clips, spoilt first, a block at a time, until the monitor finds drift or has looked at them all."""
        counted = sum(each["clips"] for each in self.groups())
        for at in range(0, len(clips), BLOCK):
            self.send(clips[at : at + BLOCK], spoilt)
            counted += BLOCK
            until(lambda: [each["clips"] for each in self.groups()] == [counted])  # noqa: B023 - called at once
            if self.groups()[0]["state"] == "drift":
                return

    def found(self) -> DriftDetected:
        """The finding that was told."""
        until(self.findings)
        (found,) = self.findings()
        return found

    def findings(self) -> list[DriftDetected]:
        """What drifts now."""
        return [each for each in self.platform.operations.findings() if each.state != "over"]

    def actions(self) -> list[ActionTaken]:
        """What was done or proposed."""
        return self.platform.operations.actions()

    def alerts(self) -> set[str]:
        """The names of the alerts that the board has from Alertmanager."""
        told = self.board.get("/v1/alerts").json()
        return {each["name"] for each in told["alerts"]} if told["source"] == "alertmanager" else set()

    def groups(self) -> list[dict[str, Any]]:
        """How the groups of readings stand, as the board has it."""
        told: list[dict[str, Any]] = self.board.get("/v1/state").json()["groups"]
        return told


@contextmanager
def staged(folder: Path, **monitor: object) -> Iterator[Stage]:
    """A platform whose monitor finds drift at the first look that shows it: a test has no month to be wrong in."""
    told = {"port": 0, "begin_after": 1, "over_after": 1, **monitor}
    settings = EmbeddedSettings(
        store=StoreSettings(folder=folder / "store"),
        registry=RegistrySettings(folder=TOP / "models"),
        telemetry=TelemetrySettings(metrics_port=0, metrics_host="127.0.0.1"),
        operating=OperatingSettings(port=0),
        preprocess=PreprocessSettings(grpc_port=0, wait_s=PATIENCE_S),
        monitor=MonitorSettings.model_validate(told),
    )
    with ExitStack() as opened:
        platform = opened.enter_context(Embedded(settings))
        edge = opened.enter_context(served(platform))
        edge.timeout = httpx.Timeout(PATIENCE_S)
        board = opened.enter_context(served_app(platform.watching.app, settings.monitor))
        yield Stage(platform, edge, board)


@pytest.fixture(scope="module")
def items() -> list[Item]:
    """Clips that no model was trained on, of the speaker whom the models know best and of others."""
    return [each for each in grid.read(DATA / "grid").items if each.split == "test" or each.speaker != "s1"]


@pytest.fixture(scope="module")
def known(items) -> list[bytes]:
    """Of the speaker whom the models know."""
    return [each.path.read_bytes() for each in items if each.speaker == "s1"][: 4 * BLOCK]


@pytest.fixture(scope="module")
def strangers(items) -> list[bytes]:
    """Of speakers whom they do not."""
    return [each.path.read_bytes() for each in items if each.speaker != "s1" and each.split != "train"][: 4 * BLOCK]


def darkened(data: bytes) -> bytes:
    """The same film with less light."""
    with av.open(io.BytesIO(data)) as source:
        pictures = [frame.to_ndarray(format="rgb24") for frame in source.decode(video=0)]
    return film([(picture * DARK).astype(np.uint8) for picture in pictures])


def until(holds: Callable[[], object]) -> None:
    """Return once it does."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.1)


def alerts(alertmanager: str) -> dict[str, dict[str, Any]]:
    """What Alertmanager has active, by name."""
    with urllib.request.urlopen(f"{alertmanager}/api/v2/alerts?active=true", timeout=PATIENCE_S) as answer:
        return {each["labels"]["alertname"]: each for each in json.load(answer)}


def test_a_light_that_goes_out_is_told_on_the_board_and_by_an_alert_and_an_operator_may_accept_it(
    tmp_path, known, open_page
):
    alerting = free_port()
    with (
        staged(tmp_path, alertmanager=f"http://127.0.0.1:{alerting}") as stage,
        closing(MetricsServer(stage.platform.telemetry, 0, "127.0.0.1")) as metrics,
        LocalPrometheus.start(
            tmp_path / "prometheus", alertmanager_port=alerting, metrics=[metrics.port], every="1s"
        ) as prometheus,
    ):
        stage.send_blocks(known[: 2 * BLOCK])
        assert ([each["state"] for each in stage.groups()], stage.findings()) == (["quiet"], [])

        stage.send_blocks(known[2 * BLOCK :], darkened)
        found = stage.found()
        assert (found.kind, found.remedy, found.state) == ("camera", "tell-users", "begun")
        assert "brightness" in {each.measure for each in found.evidence}
        until(lambda: "LipSolDriftCamera" in alerts(prometheus.alertmanager.uri))
        labels = alerts(prometheus.alertmanager.uri)["LipSolDriftCamera"]["labels"]
        assert (labels["model"], labels["track"], labels["kind"]) == ("grid-sentences", "stable", "camera")

        (proposed,) = stage.actions()
        assert (proposed.kind, proposed.done, proposed.drift_id) == ("tell-users", False, found.drift_id)
        until(lambda: "LipSolDriftCamera" in stage.alerts())
        page = open_page(str(stage.board.base_url), reduced_motion="reduce")
        headline = stage.board.get("/v1/state").json()["headline"]
        expect(page.get_by_text(headline).first).to_be_visible()

        stage.platform.operations.accept(by="sara@clinic", reason="the lamps stay as they are")
        until(lambda: not stage.findings())
        until(lambda: stage.groups()[0]["state"] != "drift")
        labels = {"kind": "camera", "track": "stable", "model": "grid-sentences"}
        assert stage.platform.telemetry.value("lipsol_drift_state", **labels) == 0


def test_in_act_strangers_have_the_pipelines_asked_to_train(tmp_path, strangers):
    with staged(tmp_path, automation="act") as stage:
        store, bus = stage.platform.store, stage.platform.bus
        looked(store, bus, ASKING, "one", 50, SOON_S)
        remembered(store, ASKING)
        assert looked(store, bus, ASKING, "one", 50, SOON_S) == "nothing"

        stage.send_blocks(strangers)
        found = stage.found()
        assert (found.kind, found.remedy) == ("speaker", "retrain")
        (asked,) = stage.actions()
        assert (asked.kind, asked.automation, asked.done, asked.by) == ("retrain", "act", True, "monitor")
        assert looked(store, bus, ASKING, "one", 50, SOON_S) == "train"
        until(lambda: [each["kind"] for each in stage.board.get("/v1/actions").json()] == ["retrain"])
