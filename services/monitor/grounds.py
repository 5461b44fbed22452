"""What there is to decide on when something is found: the policy of now, and what a model meant before."""

from lipsol.errors import LipsolError
from lipsol.promotion import before
from lipsol.registry.port import Registry
from lipsol.runtime.policy import LivePolicy
from services.monitor.actions import Ground
from services.monitor.group import Group


class Grounds:
    """Asks both. What can't be told just now is taken to be nothing: then less is done, and people are asked."""

    def __init__(self, policy: LivePolicy, registry: Registry) -> None:
        self._policy, self._registry = policy, registry

    def __call__(self, group: Group) -> Ground:
        try:
            policy = self._policy.policy(0.0)
        except LipsolError:
            policy = None
        try:
            previous = before(self._registry.history(group.model), group.model)
        except LipsolError:
            previous = ""
        return Ground(policy, previous)

    def ended(self) -> bool:
        """Whether no canary may read any more; no, where that can't be told."""
        try:
            return not self._policy.live()
        except LipsolError:
            return False
