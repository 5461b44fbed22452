"""What there is to decide on when something drifts, and what is made of what can't be told."""

import pytest

from lipsol.bus.memory import MemoryBus
from lipsol.errors import Transient
from lipsol.runtime.envelope import wrap
from lipsol.runtime.policy import LivePolicy
from lipsol.runtime.telemetry import Telemetry
from lipsol.traffic import Policy
from services.monitor.actions import Ground
from services.monitor.grounds import Grounds
from services.monitor.group import Group
from tests.bundles_made import promotion_of
from tests.services_made import MadeRegistry

AT = 1_795_251_600.0
NEW, OLD = "a" * 64, "b" * 64
GROUP = Group("canary", "grid-sentences", NEW, "en")
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
    assert Grounds(policy, Promoted())(GROUP) == Ground(CANARY, OLD)
    assert Grounds(policy, MadeRegistry())(GROUP) == Ground(CANARY, "")
    assert Grounds(policy, MadeRegistry()).ended(), "that policy was of another day"


def test_what_can_not_be_told_is_taken_to_be_nothing(policy):
    assert Grounds(policy, Away())(GROUP) == Ground(None, "")
    assert not Grounds(policy, Away()).ended()
