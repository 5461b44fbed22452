"""What the bus promises when the broker goes away and returns, and when a consumer's process is killed.

For Kafka alone: the memory bus is away only when its process is, and nobody is left to notice; what it says to those
who call it while it closes is in `test_bus.py`.
"""

import gc
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import TypeVar

import pytest

from lipsol.bus.kafka import KafkaBus, Link, create_topics
from lipsol.bus.port import Message
from lipsol.errors import LipsolError, Transient
from lipsol.topics import Topic
from services.local.broker import Broker

pytestmark = pytest.mark.slow

WIDE = Topic("test.wide.v1", "any", 4, 3600.0, ("tests",), ("tests",))
PATIENCE_S = 90.0

T = TypeVar("T")


@pytest.fixture(scope="module")
def broker(kafka, tmp_path_factory) -> Iterator[Broker]:
    """A broker that may be killed; where `kafka` is skipped for want of Java, so is this."""
    with Broker.start(tmp_path_factory.mktemp("mortal-kafka")) as started:
        yield started


@pytest.fixture
def link(broker, request) -> Iterator[Link]:
    yield Link(broker.servers, prefix=f"{request.node.name}.", session_s=6.0, connect_s=2.0, publish_s=4.0)
    gc.collect()


class Traffic:
    """Publishes numbers until told to stop, and listens, alone and in a group of two, whatever is away meanwhile."""

    def __init__(self, link: Link) -> None:
        self.bus = KafkaBus(link)
        self.sent: list[int] = []
        self.group: list[Message] = []
        self.heard: list[Message] = []
        self.faults: set[str] = set()
        self._stop, self._quiet = Event(), Event()
        listener = self.bus.consumer([WIDE.name], None, start="latest")
        members = [self.bus.consumer([WIDE.name], "readers") for _ in range(2)]
        steps = [self._publish, lambda: self._listen(listener, self.heard)]
        steps += [lambda member=member: self._listen(member, self.group) for member in members]
        self._threads = [Thread(target=self._run, args=(step,)) for step in steps]
        for thread in self._threads:
            thread.start()

    def wait_until(self, what: Callable[[], bool]) -> bool:
        until = time.monotonic() + PATIENCE_S
        while not what() and time.monotonic() < until:
            time.sleep(0.05)
        return what()

    def end(self) -> None:
        """Publish no more, and wait until all that was published has come."""
        self._quiet.set()
        for heard in (self.group, self.heard):
            assert self.wait_until(lambda heard=heard: set(self.sent) <= set(numbers(heard)))
        self.close()

    def close(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        self.bus.close()

    def _run(self, step: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                step()
            except LipsolError as fault:
                self.faults.add(f"{type(fault).__name__} {fault}")
                time.sleep(0.1)

    def _publish(self) -> None:
        if self._quiet.wait(0.01):
            return
        number = len(self.sent)
        self.bus.publish(WIDE.name, f"key-{number % 5}", b"%d" % number)
        self.sent.append(number)

    def _listen(self, consumer, heard: list[Message]) -> None:
        found = consumer.poll(10, 0.5)
        heard += found
        consumer.commit(found)


def numbers(messages: list[Message]) -> list[int]:
    return [int(message.value) for message in messages]


def at_last(do: Callable[[], T]) -> T:
    """What it gives once the broker that was just started answers."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            return do()
        except Transient:
            assert time.monotonic() < end


def test_a_broker_that_is_killed_and_returns_loses_nothing_and_no_order(broker, link):
    create_topics(link, topics=[WIDE])
    traffic = Traffic(link)
    try:
        assert traffic.wait_until(lambda: len(traffic.group) > 50)
        broker.kill()
        away = f"Transient no broker answers at {link.servers}: start it, or mend LIPSOL_BUS__SERVERS"
        assert traffic.wait_until(lambda: away in traffic.faults)
        broker.restart()
        sent = len(traffic.sent)
        assert traffic.wait_until(lambda: len(traffic.sent) > sent + 50)
        traffic.end()
    finally:
        traffic.close()
    for heard in (traffic.group, traffic.heard):
        firsts: dict[str, list[int]] = defaultdict(list)
        for message in heard:
            if int(message.value) not in firsts[message.key]:
                firsts[message.key].append(int(message.value))
        assert all(came == sorted(came) for came in firsts.values())
    assert all(fault.startswith("Transient") for fault in traffic.faults)


def test_a_bus_may_be_made_before_its_broker_and_says_in_one_line_what_is_missing(broker, link):
    create_topics(link, topics=[WIDE])
    broker.stop()
    bus = KafkaBus(link)
    calls = [
        lambda: bus.publish(WIDE.name, "key", b"1"),
        lambda: bus.consumer([WIDE.name], "readers"),
        lambda: bus.replay([WIDE.name]),
        lambda: create_topics(link, topics=[WIDE]),
    ]
    for call in calls:
        with pytest.raises(Transient, match=rf"^no broker answers at {link.servers}: .*$"):
            call()
    broker.restart()
    at_last(lambda: bus.publish(WIDE.name, "key", b"2"))
    message, *_ = at_last(lambda: bus.consumer([WIDE.name], "readers")).poll(1, PATIENCE_S)
    assert message.value == b"2"
    bus.close()


HOLDER = """
import sys, time
from lipsol.bus.kafka import KafkaBus, Link
bus = KafkaBus(Link(sys.argv[1], prefix=sys.argv[2], session_s=6.0))
consumer = bus.consumer([sys.argv[3]], "readers")
while True:
    for message in consumer.poll(100, 60.0):
        print(message.value.decode(), flush=True)
"""


def test_what_a_killed_process_held_goes_to_the_next(kafka, request, tmp_path):
    link = Link(kafka, prefix=f"{tmp_path.name}.{time.time_ns()}.", session_s=6.0)
    create_topics(link, topics=[WIDE])
    bus = KafkaBus(link)
    for number in range(8):
        bus.publish(WIDE.name, f"key-{number}", b"%d" % number)
    script = tmp_path / "holder.py"
    script.write_text(HOLDER)
    top = Path(__file__).resolve().parents[2]
    command = [sys.executable, str(script), link.servers, link.prefix, WIDE.name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=top, env={"PYTHONPATH": str(top)}) as holder:
        assert holder.stdout is not None
        held = [holder.stdout.readline().strip() for _ in range(8)]
        second = bus.consumer([WIDE.name], "readers")
        assert second.poll(8, 1.0) == []  # the first still works on them
        holder.kill()
    came: list[Message] = []
    until = time.monotonic() + PATIENCE_S
    while len(came) < 8 and time.monotonic() < until:
        came += second.poll(8, 1.0)
    assert sorted(held) == sorted(message.value.decode() for message in came)
    bus.close()
