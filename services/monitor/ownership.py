"""One monitor counts at a time: the newest that claimed to. Claims lie on the monitor's own topic, in the log's order.

- Who starts claims, and waits until the one before has left; one that does not even answer within `answer_s` is taken
  for dead, and its claim is taken over. If it lives it goes on until it hears of that: what it commits meanwhile
  `services.monitor.keeping` reads after it.
- Who hears a newer claim answers, ends what it has in hand, keeps what it knows, leaves the group, and says so: it
  stands down, and stays down until its process is started anew.
- Who stops in good order says that it has left, so that nobody need wait for it.
"""

import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Condition, Thread
from threading import Event as Flag
from typing import Literal

import structlog

from lipsol.bus.port import Bus, Closed, Consumer, Message
from lipsol.errors import BadInput, LipsolError, Transient
from lipsol.events import StateKept
from lipsol.runtime.envelope import instance, unwrap, wrap
from lipsol.runtime.telemetry import Telemetry
from lipsol.topics import WATCH
from services.doors.service import Working

CLAIM, FAREWELL = "owner", "owner-leaves"  # parts of the state
STAGE = "monitor"
LEAVE_S = 30.0  # that one that answered has to end what it has in hand
POLL_S, RETRY_S = 0.5, 1.0
TOGETHER = 256  # messages of the topic taken at once

log = structlog.get_logger()

Said = Literal["claims", "leaving", "left"]


@dataclass(frozen=True)
class _Claim:
    """What one said: who it is, the number of its claim among all, and what."""

    owner: str
    turn: int
    said: Said


class Ownership:
    """This process's claim, and what it hears of others'. Safe between threads.

    answer_s: seconds that the one before has to answer
    """

    def __init__(self, bus: Bus, telemetry: Telemetry, answer_s: float, now: Callable[[], float] = time.time) -> None:
        self._bus, self._telemetry, self._answer_s, self._now = bus, telemetry, answer_s, now
        self._ends: Sequence[Working] = ()
        self.owner = f"{instance()}/{secrets.token_hex(4)}"
        self.turn = 0  # 0: nothing claimed yet
        self._heard: dict[str, _Claim] = {}  # owner -> the last that it said
        self._mine_heard = False
        self._seen = -1  # offset up to which was heard
        self._changed = Condition()
        self._listening, self._stopping, self._down = Flag(), Flag(), Flag()
        self._claimed = False
        self._fault: str | None = None
        self._why = ""  # of not hearing
        self._consumer: Consumer | None = None
        self._thread: Thread | None = None

    @property
    def fault(self) -> str | None:
        """Why this process does not count; None: nothing is against it."""
        return self._fault

    @property
    def down(self) -> bool:
        """Whether it stood down."""
        return self._down.is_set()

    def ends(self, *works: Working) -> None:
        """What ends, in this order, when a newer one claims: the counting, and then the keeping."""
        self._ends = works

    def start(self) -> None:
        """Begin to listen. Claims nothing yet."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._thread = Thread(target=self._run, name="ownership", daemon=True)
        self._thread.start()

    def claim(self) -> int:
        """Become the one that counts, waiting for the one before to leave; the number of the claim among all.

        Raises Transient when the bus is away, or when somebody newer came or this is stopping meanwhile.
        """
        if self._claimed:
            return self.turn
        if not self._listening.wait(RETRY_S):
            raise Transient(self._why or "the monitor's own topic can't be heard yet", "it is tried again")
        before = self._before()
        self.turn = before.turn + 1 if before else 1
        self._say(CLAIM, "claims")
        log.info("claims", owner=self.owner, turn=self.turn, before=before.owner if before else None)
        if before is not None and before.owner != self.owner:
            self._await(before)
        if self._stopping.is_set() or self.down:
            raise Transient("somebody newer counts, or this monitor is stopping", "nothing to do")
        self._claimed = True
        self._telemetry.set("lipsol_counting_monitors", 1)
        return self.turn

    def wait(self, seconds: float) -> bool:
        """Wait a while; whether this monitor is to end meanwhile."""
        return self._stopping.wait(seconds) or self.down

    def interrupt(self) -> None:
        """Wait for nobody any more."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()

    def stop(self, timeout_s: float = 30.0) -> bool:
        """Say that it has left, and listen no more."""
        self.interrupt()
        if self.turn and not self.down:
            self._telemetry.set("lipsol_counting_monitors", 0)
            self._say_if_possible("left")
        if self._consumer is not None:
            self._consumer.wake()
        if self._thread is not None:
            self._thread.join(timeout_s)
        return self._thread is None or not self._thread.is_alive()

    def _before(self) -> _Claim | None:
        """The newest claim on the topic, if its owner has not left."""
        newest: _Claim | None = None
        left: set[str] = set()
        for message in self._bus.replay([WATCH.name]):
            said = _claim(message)
            if said is not None and said.said == "claims":
                newest = said
            elif said is not None and said.said == "left":
                left.add(said.owner)
        if newest is not None and newest.owner in left:
            return _Claim(newest.owner, newest.turn, "left")
        return newest

    def _await(self, before: _Claim) -> None:
        """Wait for the one before to leave; not for long if it does not answer."""
        if before.said == "left":
            return
        self._fault = f"waiting for {before.owner} to leave"
        patience = time.monotonic() + self._answer_s
        answered = False
        with self._changed:
            while not (self._stopping.is_set() or self.down):
                heard = self._heard.get(before.owner)
                if heard is not None and heard.said == "left":
                    break
                if heard is not None and heard.said == "leaving" and not answered:
                    answered, patience = True, time.monotonic() + LEAVE_S
                if (left := patience - time.monotonic()) <= 0:
                    log.warning("taken-over", owner=before.owner, answered=answered)
                    break
                self._changed.wait(left)
        self._fault = None

    def _say(self, part: str, said: Said) -> None:
        now = self._now()
        value = json.dumps({"turn": self.turn, "said": said}).encode()
        self._bus.publish_all([wrap(StateKept(part, self.owner, value, now), STAGE, now)])

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._attend()
            except Closed:
                return
            except Exception as fault:  # noqa: BLE001 - it is told, and begun anew
                why = str(fault) if isinstance(fault, LipsolError) else type(fault).__name__
                if why != self._why:
                    log.warning("claims-not-heard", reason=why)
                self._why = why
                self._stopping.wait(RETRY_S)

    def _attend(self) -> None:
        """Listen, hear what was said meanwhile, and follow."""
        self._consumer = consumer = self._bus.consumer([WATCH.name], None, start="latest")
        try:
            for message in self._bus.replay([WATCH.name]):
                self._hear(message)
            self._listening.set()
            while not self._stopping.is_set():
                messages = consumer.poll(TOGETHER, POLL_S)
                for message in messages:
                    self._hear(message)
                if messages:
                    consumer.commit(messages)
        finally:
            consumer.close()

    def _hear(self, message: Message) -> None:
        if message.offset <= self._seen:
            return
        self._seen = message.offset
        said = _claim(message)
        if said is None:
            return
        with self._changed:
            self._heard[said.owner] = said
            self._changed.notify_all()
        if said.owner == self.owner:
            self._mine_heard = self._mine_heard or said.said == "claims"
        elif said.said == "claims" and self._mine_heard and not self.down:
            self._yield_to(said.owner)

    def _yield_to(self, newer: str) -> None:
        """Stand down."""
        self._fault = f"stood down: {newer} counts now"
        self._down.set()
        with self._changed:
            self._changed.notify_all()
        log.warning("stands-down", owner=self.owner, newer=newer)
        self._telemetry.set("lipsol_counting_monitors", 0)
        self._say_if_possible("leaving")
        for work in self._ends:
            work.stop(LEAVE_S)
        self._say_if_possible("left")

    def _say_if_possible(self, said: Said) -> None:
        try:
            self._say(FAREWELL, said)
        except LipsolError as fault:  # who comes next waits for it in vain
            log.warning("unsaid", said=said, reason=fault.detail)


def _claim(message: Message) -> _Claim | None:
    """What a message says of owners; None: nothing."""
    if message.key not in (CLAIM, FAREWELL):
        return None
    try:
        event = unwrap(message)
        told = json.loads(event.value) if isinstance(event, StateKept) else {}
        return _Claim(event.owner, int(told["turn"]), told["said"]) if isinstance(event, StateKept) else None
    except (BadInput, ValueError, KeyError, TypeError):
        return None
