"""The monitor as a process over a real Kafka, killed in the midst of its windows."""

import os
import re
import signal
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import floor
from pathlib import Path

import httpx
import pytest

from lipsol.bus.kafka import KafkaBus, create_topics
from lipsol.bus.kafka_client import Link
from lipsol.events import Event, FeedbackGiven, PredictionMade
from lipsol.runtime.envelope import wrap
from lipsol.topics import WATCH
from services.local.broker import free_port
from services.local.processes import Process
from services.monitor.state import HEAD
from tests.conftest import link_to
from tests.services_made import SAID, feedback_of, prediction_of

PATIENCE_S = 120.0
WIDTH_S = 2.0  # of a window: a run sees several
CLIPS, KILLS = 900, 2
TOLD, TWICE, AGAIN = 3, 7, 9  # one clip in so many is judged, told twice by another message, judged anew
RIGHT = {"track": "stable", "model": "grid-sentences", "language": "en", "confidence": 0.9}


def until(holds: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    end = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def read(n: int) -> PredictionMade:
    return replace(prediction_of(f"{n:032x}"), made_at=time.time())


def told(n: int, text: str, name: str = "") -> FeedbackGiven:
    given = feedback_of(f"{n:032x}", text)
    return replace(given, feedback_id=given.feedback_id + name, given_at=time.time(), **RIGHT)


def happened(n: int) -> list[Event]:
    """What is told of the n-th clip, repeats and second thoughts among it."""
    made = read(n)
    events: list[Event] = [made] + [made] * (n % TWICE == 0)
    if n % TOLD == 0:
        first = told(n, "bin blue at f two soon")
        events += [first, first] + [told(n, SAID, "again")] * (n % AGAIN == 0)
    return events


@contextmanager
def monitor_process(top: Path, folder: Path, link: Link) -> Iterator[tuple[Process, httpx.Client]]:
    port = free_port()
    settings = {
        "MONITOR__PORT": port, "MONITOR__HOST": "127.0.0.1", "MONITOR__KEEP_S": 0.3, "MONITOR__ANSWER_S": 2,
        "MONITOR__TUMBLING_S": WIDTH_S, "MONITOR__BATCH": 16, "STORE__FOLDER": folder / "store",
        "TELEMETRY__METRICS_PORT": 0, "TELEMETRY__METRICS_HOST": "127.0.0.1", "BUS__KIND": "kafka",
        "BUS__SERVERS": link.servers, "BUS__PREFIX": link.prefix, "BUS__SESSION_S": 3,
    }  # fmt: skip
    environment = os.environ | {f"LIPSOL_{name}": str(value) for name, value in settings.items()}
    with (
        (folder / "log").open("ab") as log,
        Process([sys.executable, "-m", "services", "monitor"], environment=environment, folder=top, output=log) as it,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http,
    ):
        yield it, http


def figures(http: httpx.Client) -> dict[str, object]:
    try:
        answer = http.get("/v1/figures")
    except httpx.TransportError:
        return {}
    return answer.json() if answer.status_code == 200 else {}


@pytest.mark.slow
def test_killed_in_the_midst_of_windows_it_counts_each_thing_once_in_the_window_where_it_happened(top, tmp_path, kafka):
    link = link_to(kafka, f"killed-{uuid.uuid4().hex[:8]}.")
    create_topics(link)
    bus, sent, go_on = KafkaBus(link), Counter[float](), threading.Event()

    def publish() -> None:
        for n in range(CLIPS):
            events = happened(n)
            sent[floor(events[0].made_at / WIDTH_S) * WIDTH_S] += 1
            bus.publish_all([wrap(event, "tests", time.time()) for event in events])
            if n == CLIPS * 2 // 3:
                go_on.wait(PATIENCE_S)  # the rest comes when the last one counts
            time.sleep(0.002)

    sending = threading.Thread(target=publish)
    sending.start()
    for kill in range(1, KILLS + 1):
        with monitor_process(top, tmp_path, link) as (service, http):
            goal = CLIPS * kill // (2 * KILLS)
            until(lambda: int(str(figures(http).get("readings", 0))) >= goal)  # noqa: B023 - asked here and now
            until(lambda: any(message.key == HEAD for message in bus.replay([WATCH.name])))
            time.sleep(0.1 * kill)
            service.signal(signal.SIGKILL)
            service.wait(PATIENCE_S)
    with monitor_process(top, tmp_path, link) as (_, http):
        until(lambda: int(str(figures(http).get("readings", 0))) >= CLIPS // 2)
        go_on.set()
        sending.join(PATIENCE_S)
        judged, second = len(range(0, CLIPS, TOLD)), len(range(0, CLIPS, AGAIN))
        until(lambda: (figures(http).get("readings"), figures(http).get("feedback")) == (CLIPS, judged + second))
        counted = figures(http)
        (series,) = [
            each
            for each in http.get("/v1/windows", params={"measure": "lipsol_predictions_total"}).json()
            if each["group"] in (None, "all")
        ]
        assert {point["at"]: point["clips"] for point in series["points"] if point["clips"]} == sent
        assert (counted["right"], counted["wrong"]) == (second, judged - second)
        (group,) = counted["by_group"]
        wrong = group["word_error"]
        assert (wrong["clips"], wrong["value"]) == (judged, pytest.approx((judged - second) / (6 * judged)))
        assert wrong["low"] < wrong["value"] < wrong["high"]
    bus.close()
    log = (tmp_path / "log").read_text()
    restored = [line for line in log.splitlines() if "restored" in line]
    assert len(restored) == KILLS and "state-unfit" not in log
    assert all(re.search(r"kept_at\W+\d", line) for line in restored)  # from the state, not from the start
