"""What the monitor makes of each event: each thing counted once, in the window and for the group that it belongs to.

- A message at or before the place that is counted already is a repeat: it changes nothing. So is another message that
  tells the same, for as long as its clip is remembered.
- No order between readings, feedback, deletions and shadow copies is needed, and no other event is waited for.
- A person's last word of a clip replaces the former ones, and is taken back when the clip is deleted.
- What an event sets off is given out even if the next one of its batch fails.
- Readings of shadow copies are counted apart: they say nothing of what users got.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import repeat
from threading import RLock

from lipsol.bus.port import Message
from lipsol.events import ActionTaken, ClipDeleted, ClipRefused, DeadLetter, Event, FeedbackGiven, PredictionMade
from services.monitor.figures import Figures
from services.monitor.group import Group
from services.monitor.groups import Concern, Groups
from services.monitor.observing import Judged, group_of, group_told_of, inputs, judged, mark, observation, outputs
from services.monitor.remembering import TOLD_MAX, Memory, Remembered, named
from services.monitor.state import Place
from services.monitor.windows import Window, Windows

KIND_MAX = 60  # characters of a refusal's kind
KINDS_MAX = 32  # different ones; each is a series that is kept for ever
PARTICULAR = re.compile(r"'[^']*'|\"[^\"]*\"|\d+(\.\d+)?")  # what differs between two refusals of one kind
OTHER = "other"
SKEW_S = (
    60.0  # by which producers' clocks may differ; a message that much younger than its place is of a topic made anew
)


@dataclass
class Handler:
    """Called by one thread; who asks what it counted holds `lock`.

    owner   whose process it is
    now     Unix time, seconds: when an event comes whose message is not told
    places  (topic, partition) -> the last message that is counted
    kinds   kinds of refusals that are told apart
    """

    memory: Memory
    windows: Windows
    groups: Groups
    concern: Concern
    figures: Figures
    owner: str
    now: Callable[[], float]
    places: dict[tuple[str, int], Place] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)
    lock: RLock = field(default_factory=RLock)
    _coming: Sequence[Message] = ()
    _outbox: list[Event] = field(default_factory=list)

    def coming(self, messages: Sequence[Message]) -> None:
        """The messages that the next call of `handle` is about."""
        self._coming = messages

    def handle(self, events: Sequence[Event]) -> list[Event]:
        """Take some events; what they set off."""
        messages, self._coming = self._coming, ()
        with self.lock:
            for event, message in zip(events, messages or repeat(None), strict=False):
                self._outbox += self.take(event, message)
            self.figures.tell()
        outbox, self._outbox = self._outbox, []
        return outbox

    @contextmanager
    def again(self) -> Iterator[None]:
        """While the block runs, events are told again that were counted, and answered, by a process before this one."""
        with self.lock, self.figures.muted(), self.concern.muted():
            yield

    def take(self, event: Event, message: Message | None) -> list[Event]:
        """Take one event; what it sets off."""
        at = self.now()
        if message is not None:
            where = (message.topic, message.partition)
            offset, taken_at = self.places.get(where, (-1, 0.0))
            if message.offset <= offset and message.timestamp <= taken_at + SKEW_S:
                return []
            at = message.timestamp
        events = self._count(event, at)
        if message is not None:
            self.places[where] = (message.offset, at)
        return events

    def _count(self, event: Event, at: float) -> list[Event]:
        match event:
            case PredictionMade():
                return self._read(event, at)
            case FeedbackGiven():
                return self._told(event, at)
            case ClipDeleted():
                self._deleted(event, at)
            case ClipRefused():
                self._refused(event, at)
            case DeadLetter():
                self._died(event, at)
            case ActionTaken():
                self.concern.heard(event)
                return self.groups.accept(event, self.owner)
        return []

    def _read(self, made: PredictionMade, at: float) -> list[Event]:
        clip = self.memory.take(named(made.clip_id), at)
        if (clip.copied if made.shadow else clip.reader) is not None:
            return []
        group, coming, going = group_of(made), inputs(made), outputs(made)
        if made.shadow:
            clip.copied, clip.shadow = group, mark(made)
        else:
            clip.reader, clip.mark = group, mark(made)
        window = self._window(made.made_at, at)
        if window is not None:
            window.tally(group).read(made, coming | going)
        self.figures.read(made, coming, going, self.groups.words(group))
        self._compare(clip, window)
        events = self.groups.read(group, observation(made), min(made.made_at or at, at))
        if not made.shadow and clip.judged is not None and clip.group is None:
            events += self._judge(clip, clip.judged, group, sure=not made.abstained, first=True)
        return events

    def _compare(self, clip: Remembered, window: Window | None) -> None:
        """Where both tracks have read a clip: did they read the same?"""
        if not (clip.mark and clip.shadow and clip.copied):
            return
        differ = clip.mark != clip.shadow
        clip.mark = clip.shadow = b""
        self.figures.compared(clip.copied.model, differ=differ)
        if window is not None:
            counts = window.tally(clip.copied).counts
            counts["compared"] += 1
            counts["disagreed"] += differ

    def _told(self, given: FeedbackGiven, at: float) -> list[Event]:
        clip, name = self.memory.take(named(given.clip_id), at), named(given.feedback_id)
        if name in clip.told:
            return []
        clip.told = (*clip.told, name)[-TOLD_MAX:]
        known = group_told_of(given) or clip.reader
        group = known or Group(given.track or "stable", given.model, given.model_digest, given.language)
        window, said = self._window(given.given_at, at), judged(given)
        if said is None:
            if given.gave_up and not clip.gave_up:
                clip.gave_up = True
                self.figures.gave_up(group)
                if window is not None:
                    window.tally(group).counts["gave_up"] += 1
            return []
        if window is not None:
            window.tally(group).counts["feedback"] += 1
            window.tally(group).counts["corrections"] += said.corrected
        if clip.deleted:
            return []
        first = clip.judged is None
        self._unjudge(clip)
        clip.judged, clip.window = said, None if window is None else window.start
        return [] if known is None else self._judge(clip, said, known, sure=not given.abstained, first=first)

    def _judge(self, clip: Remembered, said: Judged, group: Group, *, sure: bool, first: bool) -> list[Event]:
        """Count a person's word of a reading; first: of that clip, which is the one that drift hears."""
        clip.group = group
        if (window := self.windows.held(clip.window)) is not None:
            window.tally(group).judge(said)
        self.figures.judged(group.model, said, sure=sure)
        return self.groups.tell(group, said.told(), clip.at) if first else []

    def _unjudge(self, clip: Remembered) -> None:
        """Take back what is counted of a person's word, where it is still kept."""
        window = self.windows.held(clip.window)
        if window is not None and clip.judged is not None and clip.group is not None:
            window.tally(clip.group).judge(clip.judged, -1)
        clip.judged = clip.group = clip.window = None

    def _deleted(self, deleted: ClipDeleted, at: float) -> None:
        clip = self.memory.take(named(deleted.clip_id), at)
        self._unjudge(clip)
        clip.deleted = True

    def _refused(self, refused: ClipRefused, at: float) -> None:
        clip = self.memory.take(named(refused.clip_id), at)
        if clip.refused:
            return
        clip.refused = True
        kind = PARTICULAR.sub("N", refused.reason)[:KIND_MAX] or OTHER
        if len(self.kinds) < KINDS_MAX:
            self.kinds.add(kind)
        told = kind if kind in self.kinds else OTHER
        self.figures.refused(told)
        if (window := self._window(refused.refused_at, at)) is not None:
            window.refused[told] += 1

    def _died(self, letter: DeadLetter, at: float) -> None:
        place = f"{letter.origin_topic}/{letter.origin_partition}/{letter.origin_offset}"
        name = named("letter", place, letter.stage)
        if self.memory.knows(name):
            return
        self.memory.take(name, at, "letter")
        self.figures.died(letter.kind)
        if (window := self._window(0.0, at)) is not None:
            (window.shadow_letters if letter.shadow else window.letters)[letter.kind] += 1

    def _window(self, happened_at: float, at: float) -> Window | None:
        """The window that something belongs into; None: it is kept no more."""
        start, when = self.windows.place(happened_at, at)
        if when != "in-time":
            self.figures.late(when)
        if when == "too-late":
            self.windows.open(self.windows.place(at, at)[0], at).late[when] += 1
            return None
        window = self.windows.open(start, at)
        if when != "in-time":
            window.late[when] += 1
        return window
