"""What the monitor makes of each event: figures about the readings, and, once people have told, how right they were.

A repeat of an event changes no figure, and no order between readings, feedback and deletions is needed. Readings of
shadow copies are counted apart: they say nothing of what users got.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from lipsol.events import ClipDeleted, ClipRefused, DeadLetter, Event, FeedbackGiven, PredictionMade
from lipsol.text.scoring import word_error_rate
from services.monitor.window import TOLD_MAX, Letter, Seen, Window

KIND_MAX = 60  # characters of a refusal's kind
KINDS_MAX = 32  # different ones; each is a series that is kept for ever
PARTICULAR = re.compile(r"'[^']*'|\"[^\"]*\"|\d+(\.\d+)?")  # what differs between two refusals of one kind
OTHER = "other"


class Gauges(Protocol):
    """Where the figures go: `services.monitor.figures.Figures`."""

    def read(self, made: PredictionMade) -> None:
        """A clip was read."""
        ...

    def shadowed(self, model: str) -> None:
        """A shadow copy was read."""
        ...

    def judged(self, model: str, *, right: bool, corrected: bool) -> None:
        """A person told whether a reading was right; corrected: by giving the words."""
        ...

    def refused(self, kind: str) -> None:
        """The edge refused a clip."""
        ...

    def died(self, kind: str) -> None:
        """A message died."""
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
    kinds: set[str] = field(default_factory=set)

    def handle(self, events: Sequence[Event]) -> list[Event]:
        """Take some events."""
        for event in events:
            self.take(event, self.now())
        return []

    def take(self, event: Event, at: float) -> None:
        """Take an event that came at `at`, Unix seconds."""
        match event:
            case PredictionMade(shadow=True):
                self._shadowed(event, at)
            case PredictionMade():
                self._read(event, at)
            case FeedbackGiven():
                self._told(event, at)
            case ClipDeleted():
                self._deleted(event.clip_id, at)
            case ClipRefused():
                self._refused(event, at)
            case DeadLetter():
                self._died(event, at)
            case _:
                pass

    def _read(self, made: PredictionMade, at: float) -> None:
        before = self.window.get(made.clip_id, at)
        if before.prediction_id:
            return
        self.gauges.read(made)
        after = replace(
            before,
            prediction_id=made.prediction_id,
            model=made.model.name,
            track=made.track,
            abstained=made.abstained,
        )
        self._remember(made.clip_id, after, at)

    def _shadowed(self, made: PredictionMade, at: float) -> None:
        before = self.window.get(made.clip_id, at)
        if before.shadow_id:
            return
        self.gauges.shadowed(made.model.name)
        self.window.put(made.clip_id, replace(before, shadow_id=made.prediction_id, shadow_model=made.model.name))

    def _told(self, given: FeedbackGiven, at: float) -> None:
        before = self.window.get(given.clip_id, at)
        if given.feedback_id in before.told:
            return
        truth = given.text if given.text is not None else given.reading if given.verdict == "right" else ""
        right = given.verdict == "right" or truth == given.reading
        after = replace(
            before,
            told=(*before.told, given.feedback_id)[-TOLD_MAX:],
            corrections=before.corrections + bool(truth and not right),
            truth="" if before.deleted else truth,
            reading="" if before.deleted else given.reading,
            right=right,
        )
        self._remember(given.clip_id, after, at)

    def _remember(self, clip_id: str, after: Seen, at: float) -> None:
        """Keep what is new of a clip; where both sides are known now, count it."""
        self.window.put(clip_id, after)
        if after.joined:
            self.gauges.judged(after.model, right=after.right, corrected=bool(after.truth))
            self._rate(after.model, at)

    def _deleted(self, clip_id: str, at: float) -> None:
        before = self.window.get(clip_id, at)
        self.window.put(clip_id, replace(before, truth="", reading="", deleted=True))
        if before.truth and before.joined:
            self._rate(before.model, at)

    def _refused(self, refused: ClipRefused, at: float) -> None:
        before = self.window.get(refused.clip_id, at)
        if before.refused:
            return
        kind = PARTICULAR.sub("N", refused.reason)[:KIND_MAX] or OTHER
        if len(self.kinds) < KINDS_MAX:
            self.kinds.add(kind)
        told = kind if kind in self.kinds else OTHER
        self.gauges.refused(told)
        self.window.put(refused.clip_id, replace(before, refused=told))

    def _died(self, letter: DeadLetter, at: float) -> None:
        place = f"{letter.origin_topic}/{letter.origin_partition}/{letter.origin_offset}/{letter.stage}"
        if self.window.bury(place, Letter(at, letter.kind, letter.shadow)):
            self.gauges.died(letter.kind)

    def _rate(self, model: str, at: float) -> None:
        """Measure a model anew over all that people told of it."""
        pairs = self.window.corrected(model, at)
        truths, readings = [truth for truth, _ in pairs], [reading for _, reading in pairs]
        self.gauges.real_error_rate(model, word_error_rate(truths, readings) if pairs else math.nan)
