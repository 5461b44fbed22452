"""Whether stable came to read by a release's bundle though no release let it in. Pure: messages in, a sentence out.

A stable that is pinned to nothing reads by whatever was promoted last. Then all users are read for by a bundle that
nobody judged on them, and a canary of it is compared with itself. Readings tell that: stable's newest are all by that
bundle, the oldest that are known nearly all by one other, and Helm did not go over stable in that time. Where stable
read by nothing else in all that is known, it may be pinned to it, and the image alone be new: nothing is said.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from lipsol.bus.port import Message
from lipsol.errors import LipsolError
from lipsol.events import PredictionMade
from lipsol.runtime.envelope import unwrap
from lipsol.topics import PREDICTIONS

EARLIER_S = 600.0  # before the rollout, from which on stable's readings are known
ENOUGH = 10  # readings, oldest or newest: of fewer each may be of a client that named a bundle
NEARLY = 8  # of those


class Drift:
    """Listens to what stable reads a language by.

    digest     of the bundle that the release has read it
    began_at   when the rollout began, Unix seconds; what was read up to `EARLIER_S` before is known
    meanwhile  whether stable reads on in it, so that what it read before need not settle it
    """

    def __init__(self, digest: str, language: str, began_at: float, *, meanwhile: bool) -> None:
        self._digest, self._language = digest, language
        self._since = began_at if meanwhile else 0.0
        self._newest: deque[tuple[float, str]] = deque(maxlen=ENOUGH)
        self._oldest: list[str] = []  # by which bundle each was read
        self._other_at = 0.0  # the newest reading by another bundle

    def hear(self, messages: Iterable[Message]) -> Iterator[Message]:
        """The same messages, listened to."""
        for message in messages:
            if message.topic == PREDICTIONS.name:
                self._take(message)
            yield message

    @property
    def same(self) -> bool:
        """Whether stable reads by that bundle: then the image alone is compared."""
        return len(self._newest) == ENOUGH and all(digest == self._digest for _, digest in self._newest)

    def objection(self, handed_back_at: float) -> str:
        """Why the rollout tells nothing of the bundle, for people; "": that is not so, as far as one can know.

        handed_back_at: by Helm, which does so whenever it has moved stable, or is about to.
        """
        if not self.same or any(at < self._since for at, _ in self._newest):
            return ""
        ((chief, read),) = Counter(self._oldest).most_common(1)
        if chief == self._digest or read < NEARLY or handed_back_at > self._other_at - EARLIER_S:
            return ""
        was, until = chief[:12], datetime.fromtimestamp(self._other_at, UTC)
        return (
            f"stable reads by this very bundle ({self._digest[:12]}) already, judged by nobody: it read by {was} until "
            f"{until:%H:%M} UTC, so it is pinned to nothing, and a promotion moved it; "
            f"promote {was} again, pin it ({chief}), and then release this one; "
            "if Helm moved it just now, without its hooks, wait ten minutes"
        )

    def _take(self, message: Message) -> None:
        try:
            event = unwrap(message)
        except LipsolError:
            return  # told of where it is gathered
        if not isinstance(event, PredictionMade) or event.track != "stable" or event.language != self._language:
            return
        digest, at = event.model.digest, event.made_at
        if digest != self._digest:
            self._other_at = max(self._other_at, at)
        if len(self._oldest) < ENOUGH:
            self._oldest.append(digest)
        self._newest.append((at, digest))
