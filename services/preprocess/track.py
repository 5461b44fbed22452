"""Which deployment reads a clip. preprocess is the only splitter: nobody behind it decides again."""

from lipsol.events import Track
from lipsol.runtime.policy import LivePolicy
from lipsol.traffic import PLACES, Route, place, route


class Traffic(LivePolicy):
    """The live policy of one edge, and the split by it. An edge is not ready while it does not know the policy."""

    def route(self, name: str) -> Route:
        """Where the session or clip of that name goes now. Raises Transient while the policy is not known."""
        return route(name, self.policy(), self._clock.now())


def track_of(name: str, canary_share: float = 0.0) -> Track:
    """The track of a session or clip where no policy is followed yet."""
    return "canary" if place(name) < canary_share * PLACES else "stable"
