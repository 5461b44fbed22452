"""Which deployment reads a clip. preprocess is the only splitter: nobody behind it decides again."""

from lipsol.runtime.policy import LivePolicy
from lipsol.traffic import Route, route


class Traffic(LivePolicy):
    """The live policy of one edge, and the split by it. An edge is not ready while it does not know the policy."""

    def route(self, name: str) -> Route:
        """Where the session or clip of that name goes now. Raises Transient while the policy is not known."""
        return route(name, self.policy(), self._clock.now())
