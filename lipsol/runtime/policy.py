"""The traffic policy as a process knows it: read from its topic, then followed. What splits and what drains goes by it.

- It listens first and reads what is kept then, so nothing is missed in between; the newest by the log's order holds.
- What is unreadable, or can't be meant, never becomes the policy: the last good one stays, until its own expiry.
- A policy's life begins when the bus took it, where the clock of whoever set it says later.
- A bus that is away is asked again and again; meanwhile the policy that is known holds, until its own expiry.
- Until the state was read once nobody is told anything: replicas would split differently.
"""

from contextlib import suppress
from dataclasses import replace
from threading import Event as Flag
from threading import Thread

import structlog

from lipsol.bus.port import Bus, Closed, Consumer, Message
from lipsol.errors import BadInput, LipsolError, Transient
from lipsol.events import TrafficSet
from lipsol.runtime.clock import Clock, SystemClock
from lipsol.runtime.envelope import unwrap
from lipsol.runtime.telemetry import Telemetry
from lipsol.topics import TRAFFIC
from lipsol.traffic import STABLE, Policy, live

TOGETHER = 64  # messages of the topic taken at once
POLL_S = 0.5  # that a poll waits at most: by then the figures tell of an expiry
RETRY_S = 1.0  # between two tries to reach the bus
AT_ONCE_S = 1.0  # that `start` waits for the state: a bus that is there gives it in less
WAIT_S = 10.0  # that who asks too early waits for the state

log = structlog.get_logger()


class LivePolicy:
    """Follows the policy in a thread of its own; safe to share between threads. `stage`: who follows, in figures."""

    def __init__(self, bus: Bus, *, stage: str, telemetry: Telemetry, clock: Clock | None = None) -> None:
        self._bus, self._stage, self._telemetry = bus, stage, telemetry
        self._clock = clock or SystemClock()
        self._policy = STABLE
        self._newest: Message | None = None  # the one that set the policy, or failed to
        self._read, self._tried, self._stopping = Flag(), Flag(), Flag()
        self._why = "its topic was not read yet"
        self._consumer: Consumer | None = None
        self._thread: Thread | None = None

    @property
    def known(self) -> bool:
        """Whether the state was read."""
        return self._read.is_set()

    @property
    def alive(self) -> bool:
        """Whether the policy is followed."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def fault(self) -> str | None:
        """Why nobody may go by it, in one line; None: all is well."""
        if not self.alive:
            return "the traffic policy is not followed"
        return None if self.known else f"the traffic policy is not known: {self._why}"

    def policy(self, wait_s: float = WAIT_S) -> Policy:
        """The policy, waiting for the state at most wait_s. Raises Transient while it is not known."""
        if not self._read.wait(wait_s):
            raise Transient(f"the traffic policy is not known: {self._why}", "try again in a moment")
        return self._policy

    def live(self) -> bool:
        """Whether a canary may get anything now. Raises Transient, at once, while that is not known."""
        return live(self.policy(0.0), self._clock.now())

    def start(self) -> None:
        """Begin to follow. What the bus holds is known on return, unless it is away or slow."""
        if self.alive:
            return
        self._stopping.clear()
        self._tried.clear()
        self._thread = Thread(target=self._run, name=f"policy-{self._stage}", daemon=True)
        self._thread.start()
        self._tried.wait(AT_ONCE_S)

    def stop(self, timeout_s: float = 30.0) -> bool:
        """Follow no more; whether that took less than timeout_s."""
        self._stopping.set()
        consumer, thread = self._consumer, self._thread
        if consumer is not None:
            consumer.wake()
        if thread is not None:
            thread.join(timeout_s)
        return not self.alive

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._attend()
        except Closed:
            log.warning("policy-ended-with-its-bus", stage=self._stage)
        finally:
            self._tried.set()

    def _attend(self) -> None:
        """Listen, read what is kept, and follow for as long as that goes. Raises Closed when the bus is."""
        consumer = None
        try:
            self._consumer = consumer = self._bus.consumer([TRAFFIC.name], None, start="latest")
            self._take(list(self._bus.replay([TRAFFIC.name])))
            self._show()
            self._read.set()
            self._tried.set()
            self._follow(consumer)
        except Closed:
            raise
        except Exception as fault:  # noqa: BLE001 - it is told, and begun anew
            self._stumble(fault)
        finally:
            if consumer is not None:
                consumer.close()

    def _follow(self, consumer: Consumer) -> None:
        """Take what comes, until told to stop or the consumer is closed; if that was the bus, beginning anew tells."""
        while not self._stopping.is_set():
            try:
                messages = consumer.poll(TOGETHER, POLL_S)
            except Closed:
                return
            self._why = ""
            self._take(messages)
            if messages:
                with suppress(Transient):  # nobody goes on from there
                    consumer.commit(messages)
            self._show()

    def _take(self, messages: list[Message]) -> None:
        for message in messages:
            if _after(message, self._newest):
                self._newest = message
                self._set(message)

    def _set(self, message: Message) -> None:
        """Go by what a message says from now on, if it can be meant."""
        try:
            policy = self._policy = policy_of(message)
        except LipsolError as fault:
            self._telemetry.add("lipsol_policies_refused_total", stage=self._stage)
            log.warning(
                "policy-refused", stage=self._stage, offset=message.offset, reason=fault.detail, cure=fault.cure
            )
            return
        log.info("policy-set", stage=self._stage, mode=policy.mode, weight=policy.weight)

    def _stumble(self, fault: Exception) -> None:
        """Say what keeps us from the bus, once for each reason, and wait."""
        why = str(fault) if isinstance(fault, LipsolError) else type(fault).__name__
        if why != self._why:
            log.warning("policy-not-read", stage=self._stage, reason=why)
        self._why = why
        self._tried.set()
        self._clock.wait(self._stopping, RETRY_S)

    def _show(self) -> None:
        """The figures: what share of the sessions reaches the canary now, and when that ends."""
        policy, now = self._policy, self._clock.now()
        for mode in ("canary", "shadow", "blueGreen"):
            share = policy.weight / 100 if policy.mode == mode and live(policy, now) else 0.0
            self._telemetry.set("lipsol_traffic_weight_ratio", share, stage=self._stage, mode=mode)
        ends = policy.expires_at if policy.mode != "stable" else 0.0
        self._telemetry.set("lipsol_traffic_expiry_timestamp_seconds", ends, stage=self._stage)


def read_policy(bus: Bus) -> Policy:
    """The policy that the topic tells now. Raises as `Bus.replay`."""
    newest, policy = None, STABLE
    for message in bus.replay([TRAFFIC.name]):
        if _after(message, newest):
            newest = message
            with suppress(LipsolError):
                policy = policy_of(message)
    return policy


def policy_of(message: Message) -> Policy:
    """The policy that a message sets. Raises BadInput for what is none.

    It lives for as long as whoever set it meant, from when the bus took it at the latest: a clock that is ahead must
    not keep a canary alive.
    """
    event = unwrap(message)
    if not isinstance(event, TrafficSet):
        raise BadInput(f"a {type(event).__name__} on {TRAFFIC.name}", "publish TrafficSet there")
    policy = Policy.of(event)
    if policy.mode == "stable":
        return policy
    return replace(policy, expires_at=min(policy.expires_at, message.timestamp + policy.expires_at - policy.set_at))


def _after(message: Message, newest: Message | None) -> bool:
    """Whether a message lies behind the newest. The listener repeats what was read; a topic made anew begins at 0."""
    return newest is None or message.offset > newest.offset or message.timestamp > newest.timestamp
