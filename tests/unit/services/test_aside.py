"""Events that no answer hangs on."""

import threading
import time

from structlog.testing import capture_logs

from lipsol.errors import Transient
from lipsol.events import ClipDeleted
from services.preprocess.aside import ROOM, Aside

EVENT = ClipDeleted("a" * 32)


def test_what_is_told_is_published_before_leaving():
    published = []
    aside = Aside(published.append)
    aside.tell(EVENT)
    aside.stop(60)
    assert published == [EVENT]


def test_a_bus_that_is_away_holds_nobody_up_and_what_is_left_out_is_logged():
    away = threading.Event()

    def publish(_event):
        away.wait(10)
        raise Transient("the bus is away")

    aside = Aside(publish)
    with capture_logs() as logs:
        for _ in range(ROOM + 2):
            aside.tell(EVENT)
        aside.stop(0.01)
        away.set()
        until = time.monotonic() + 60
        while len(logs) < ROOM + 2 and time.monotonic() < until:
            time.sleep(0.01)
    assert {line["event"] for line in logs} == {"event-left-out"}
    assert len(logs) == ROOM + 2
