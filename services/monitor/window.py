"""What the monitor remembers of each clip: who read it and, once a person has told, what was right; for a time.

The text of a reading is not kept, unless a person corrected it: then the true words and those that had been shown.
"""

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True)
class Seen:
    """One clip.

    model   name of the bundle that read it; "" while only the feedback came
    track   the deployment that read it
    feedback_id      of what a person told last; "": nothing yet
    truth, reading   the right words ("": not told) and the ones that were shown
    right            whether the reading was right
    """

    at: float
    prediction_id: str = ""
    model: str = ""
    track: str = ""
    feedback_id: str = ""
    truth: str = ""
    reading: str = ""
    right: bool = False

    @property
    def joined(self) -> bool:
        """Whether both sides are known: who read it, and what people say of it."""
        return bool(self.prediction_id and self.feedback_id)


class Window:
    """Clips by id, the last `clips` of them and none older than `seconds`."""

    def __init__(self, clips: int, seconds: float) -> None:
        self._clips = clips
        self._seconds = seconds
        self._seen: OrderedDict[str, Seen] = OrderedDict()

    def get(self, clip_id: str, now: float) -> Seen:
        """What is known of a clip; nothing but the time, if nothing is."""
        self._expire(now)
        return self._seen.get(clip_id, Seen(now))

    def put(self, clip_id: str, seen: Seen) -> None:
        """Remember a clip, the oldest making way."""
        self._seen[clip_id] = seen
        while len(self._seen) > self._clips:
            self._seen.popitem(last=False)

    def forget(self, clip_id: str) -> Seen | None:
        """Forget a clip; returns what was known of it."""
        return self._seen.pop(clip_id, None)

    def corrected(self, model: str, now: float) -> list[tuple[str, str]]:
        """The right words and the reading of each of a model's clips whose right words are known."""
        self._expire(now)
        told = (seen for seen in self._seen.values() if seen.joined and seen.truth and seen.model == model)
        return [(seen.truth, seen.reading) for seen in told]

    def __len__(self) -> int:
        return len(self._seen)

    def _expire(self, now: float) -> None:
        while self._seen and now - next(iter(self._seen.values())).at > self._seconds:
            self._seen.popitem(last=False)
