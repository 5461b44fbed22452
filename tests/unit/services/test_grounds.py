"""What there is to decide on when something drifts, and what is made of what can't be told."""

import threading
import time

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.errors import Transient
from lipsol.runtime.envelope import wrap
from lipsol.runtime.policy import LivePolicy
from lipsol.runtime.telemetry import Telemetry
from lipsol.traffic import Policy
from services.monitor.actions import Ground
from services.monitor.grounds import ASK_S, Grounds
from services.monitor.group import Group
from tests.bundles_made import promotion_of
from tests.services_made import MadeRegistry

AT = 1_795_251_600.0
NEW, OLD = "a" * 64, "b" * 64
GROUP = Group("canary", "grid-sentences", NEW, "en")
PATIENCE_S = 20.0
CANARY = Policy("canary", 25.0, NEW, AT + 60, "analyst", "", AT)


class Promoted(MadeRegistry):
    """A registry whose model was promoted once, in the place of another."""

    def history(self, name=""):
        assert name == GROUP.model
        return [promotion_of(NEW, OLD)]


class Away(MadeRegistry):
    """A registry that can't be asked."""

    def history(self, name=""):  # noqa: ARG002 - the port's signature
        raise Transient("the registry is away", "wait")


class Slow(Promoted):
    """A registry that holds whoever asks, until it is told to go on; or that fails from then on."""

    def __init__(self):
        super().__init__()
        self.go_on, self.asked, self.fails = threading.Event(), 0, False

    def history(self, name=""):
        self.asked += 1
        assert self.go_on.wait(PATIENCE_S)
        if self.fails:
            raise Transient("the registry is away", "wait")
        return super().history(name)


def asked(policy, registry):
    grounds = Grounds(policy, registry)
    grounds.ask(GROUP)
    return grounds


@pytest.fixture
def policy():
    bus = MemoryBus()
    bus.publish_all([wrap(CANARY.event(), "tests", AT)])
    followed = LivePolicy(bus, stage="monitor", telemetry=Telemetry())
    yield followed
    followed.stop()
    bus.close()


def test_it_knows_the_policy_and_what_the_name_meant_before(policy):
    policy.start()
    assert asked(policy, Promoted())(GROUP) == Ground(CANARY, OLD)
    assert asked(policy, MadeRegistry())(GROUP) == Ground(CANARY, "")
    assert Grounds(policy, MadeRegistry()).ended(), "that policy was of another day"


def test_what_can_not_be_told_is_taken_to_be_nothing(policy):
    assert asked(policy, Away())(GROUP) == Ground(None, "")
    assert not Grounds(policy, Away()).ended()


def test_nobody_waits_for_a_registry_that_is_slow(policy, clock):
    registry = Slow()
    grounds = Grounds(policy, registry, clock.now)
    assert [grounds(GROUP) for _ in range(5)] == [Ground(None, "")] * 5
    registry.go_on.set()
    until(lambda: grounds(GROUP).previous == OLD)
    assert registry.asked == 1
    registry.fails = True
    clock.advance(ASK_S + 1)
    assert grounds(GROUP).previous == OLD, "what it said last"
    until(lambda: registry.asked == 2)
    assert grounds(GROUP).previous == OLD


def until(holds):
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)
