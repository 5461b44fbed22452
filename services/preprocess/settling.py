"""What comes of the clips: events of the other services -> results in the store, and clients that are answered.

Replicas of the edge share the store and nothing else, so the same events are heard twice. The replicas' common group
settles each clip in the store: one replica an event, in order, a repeat changes nothing, and the first reading stands.
And every replica listens alone, for its own clips: it settles those too before it wakes who waits for them, so that
whoever is answered finds the same answer at every replica. Both compute the result from the same event in the same
way, so it does not matter who is first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from lipsol.errors import LipsolError, NotFound
from lipsol.events import ClipDeleted, DeadLetter, Event, PredictionMade
from lipsol.runtime.envelope import trace_id_of
from lipsol.runtime.telemetry import Telemetry
from lipsol.topics import CANARY_MOUTHS, CLIPS, STABLE_MOUTHS
from services.preprocess.flight import Flight
from services.preprocess.keeping import Keeper
from services.preprocess.repeats import Repeats
from services.preprocess.results import Result, failed, read
from services.preprocess.waiting import Waiters

READING = frozenset({CLIPS.name, STABLE_MOUTHS.name, CANARY_MOUTHS.name})  # whose dead letters mean a clip unread

log = structlog.get_logger("lipsol.preprocess")


@dataclass(frozen=True)
class Settling:
    """Both ears of a replica; safe to share between threads. `now`: Unix time, seconds."""

    keeper: Keeper
    repeats: Repeats
    waiters: Waiters
    flight: Flight
    now: Callable[[], float]
    telemetry: Telemetry

    def handle(self, events: Sequence[Event]) -> list[Event]:
        """Keep what the other services told, for all replicas. Raises Transient when the store is away."""
        for event in events:
            self._take(event)
        return []

    def hear(self, events: Sequence[Event]) -> list[Event]:
        """Answer this replica's own clients; what concerns none of them is passed over. Raises nothing."""
        for event in events:
            clip_id = _clip(event)
            if clip_id in self.flight or self.waiters.awaited(clip_id):
                try:
                    self._take(event)
                except LipsolError as fault:  # the group settles it; who waits looks there from time to time
                    log.warning("answer-delayed", reason=fault.detail)
        return []

    def forget(self, clip_id: str) -> None:
        """Remove all that is kept of a clip, and of a recording's windows; who waits for it is told so."""
        windows = self.keeper.windows(clip_id)
        for each in (clip_id, *windows):  # the recording first, so that no more of it is handed on
            self.repeats.forget(each)
            self.keeper.forget(each)
            self.flight.remove(each)
            self.waiters.give_up(each, NotFound(f"the clip {each} was deleted", "send it again"))

    def delete(self, clip_id: str) -> None:
        """Forget a clip because somebody wants that: also what it was allowed to teach."""
        for each in (clip_id, *self.keeper.windows(clip_id)):
            self.keeper.corrections.forget(each)
        self.forget(clip_id)

    def _take(self, event: Event) -> None:
        match event:
            case PredictionMade(shadow=False):
                self._settle(event.clip_id, lambda before: read(before, event))
            case DeadLetter(shadow=False) if event.clip_id and event.origin_topic in READING and not self._again(event):
                self._settle(event.clip_id, lambda before: failed(before, event))
            case ClipDeleted():
                self.delete(event.clip_id)
            case _:
                pass

    def _again(self, letter: DeadLetter) -> bool:
        """Whether a clip that came too late was handed on anew since, with more time."""
        return letter.kind == "too-late" and self.repeats.handed_on(letter.clip_id, self.now())

    def _settle(self, clip_id: str, change: Callable[[Result], Result]) -> None:
        settled = self.keeper.settle(clip_id, change)
        ours = self.flight.remove(clip_id, settled=True)  # so each answer is measured once, by who took the clip
        if settled is None:
            return
        result, _ = settled
        if ours and result.state == "read":
            waited_s, trace_id = self.now() - result.received_at, trace_id_of(clip_id)
            self.telemetry.observe("lipsol_answer_seconds", waited_s, track=result.track, trace_id=trace_id)
        self.waiters.wake(result)


def _clip(event: Event) -> str:
    """The clip that an event is about; "": none."""
    return str(getattr(event, "clip_id", ""))
