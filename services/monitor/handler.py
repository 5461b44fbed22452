"""What the monitor makes of each event: figures about the readings, and, once people have told, how right they were.

A repeat of an event changes no figure, and no order between readings and feedback is needed.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from lipsol.events import ClipDeleted, Event, FeedbackGiven, PredictionMade
from lipsol.text.scoring import word_error_rate
from services.monitor.window import Seen, Window


class Gauges(Protocol):
    """Where the figures go: `services.monitor.figures.Figures`."""

    def read(self, made: PredictionMade) -> None:
        """A clip was read."""
        ...

    def judged(self, model: str, *, right: bool, corrected: bool) -> None:
        """A person told whether a reading was right; corrected: by giving the words."""
        ...

    def real_error_rate(self, model: str, rate: float) -> None:
        """The word error rate over what people told in the window; not a number where they told nothing."""
        ...


@dataclass(frozen=True)
class Handler:
    """Joins readings with what people say of them. `now`: Unix time, seconds. Called by one thread."""

    window: Window
    gauges: Gauges
    now: Callable[[], float]

    def handle(self, events: Sequence[Event]) -> list[Event]:
        """Take some events."""
        for event in events:
            match event:
                case PredictionMade():
                    self._read(event)
                case FeedbackGiven():
                    self._told(event)
                case ClipDeleted():
                    self._deleted(event.clip_id)
                case _:
                    pass
        return []

    def _read(self, made: PredictionMade) -> None:
        before = self.window.get(made.clip_id, self.now())
        if before.prediction_id:
            return
        self.gauges.read(made)
        after = replace(before, prediction_id=made.prediction_id, model=made.model.name, track=made.track)
        self._remember(made.clip_id, after)

    def _told(self, given: FeedbackGiven) -> None:
        before = self.window.get(given.clip_id, self.now())
        if before.feedback_id == given.feedback_id:
            return
        truth = given.text if given.text is not None else given.reading if given.verdict == "right" else ""
        right = given.verdict == "right" or truth == given.reading
        after = replace(before, feedback_id=given.feedback_id, truth=truth, reading=given.reading, right=right)
        self._remember(given.clip_id, after)

    def _remember(self, clip_id: str, after: Seen) -> None:
        """Keep what is new of a clip; where both sides are known now, count it."""
        self.window.put(clip_id, after)
        if after.joined:
            self.gauges.judged(after.model, right=after.right, corrected=bool(after.truth))
            self._rate(after.model)

    def _deleted(self, clip_id: str) -> None:
        forgotten = self.window.forget(clip_id)
        if forgotten is not None and forgotten.joined:
            self._rate(forgotten.model)

    def _rate(self, model: str) -> None:
        """Measure a model anew over all that people told of it."""
        pairs = self.window.corrected(model, self.now())
        truths, readings = [truth for truth, _ in pairs], [reading for _, reading in pairs]
        self.gauges.real_error_rate(model, word_error_rate(truths, readings) if pairs else math.nan)
