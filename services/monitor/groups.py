"""One detector of drift for each group of readings, and a look at it whenever a block of its clips is full.

- A group waits for its reference without holding up the counting; meanwhile its last clips are kept as numbers, and a
  group whose bundle brings none is counted but not compared.
- A canary is held against stable as well: what both see is not the canary's doing.
- So many groups are watched at most; of more, the one that was quiet for longest is let go.
- A group that can't be compared says why, and how many there are is told: nobody takes their silence for quiet.
- Drift hears a person's first word of a clip alone: what is in a block can't be taken out again.
"""

import base64
import hashlib
import json
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass, field, replace
from typing import Protocol

import structlog

from lipsol.drift.budget import WINDOWS, Sensitivity
from lipsol.drift.comparison import Comparison
from lipsol.drift.detector import Detector
from lipsol.drift.features import Observation, Told
from lipsol.drift.reference import Reference
from lipsol.drift.verdict import Verdict
from lipsol.errors import BadInput
from lipsol.events import ActionTaken, Event
from lipsol.runtime.telemetry import Telemetry
from services.monitor.accepting import asks, kept, means
from services.monitor.actions import NAME
from services.monitor.concern import Comparable, Standing
from services.monitor.group import Group
from services.monitor.references import Answer, Away
from services.monitor.views import Watched

PART = "drift/"  # begins the names of the parts of the state
WAITING = 500  # clips that a group keeps while its reference is fetched
GROUPS_MAX = 32
RECENT_S = 3600.0  # that a group counts among those that are read by
REASONS: Mapping[Comparable, str] = {"not yet": "loading", "no reference": "no-reference", "away": "away"}
WORDS_MAX = 64  # that are told by themselves in metrics: each is a series that is kept for ever

log = structlog.get_logger()


class Bundled(Protocol):
    """`services.monitor.references.References`."""

    def of(self, digest: str) -> Answer:
        """The reference that a bundle brings, if it is known already."""
        ...

    def load(self, digest: str) -> Answer:
        """The same, waiting for it."""
        ...


class Concern(Protocol):
    """What becomes of a look: `services.monitor.concern.Concern`. Events that it gives are published."""

    def muted(self) -> AbstractContextManager[None]:
        """Count nothing while the block runs."""
        ...

    def looked(
        self,
        group: Group,
        verdict: Verdict | None,
        at: float,
        *,
        clips: int = 0,
        since: float = 0.0,
        read: Mapping[Group, float] = ...,
    ) -> list[Event]:
        """A group was looked at."""
        ...

    def gone(self, group: Group, at: float) -> list[Event]:
        """A group is watched no more."""
        ...

    def accepted(self, group: Group, at: float) -> list[Event]:
        """What a group is like now is its new normal."""
        ...

    def heard(self, action: ActionTaken) -> None:
        """Something was done or proposed."""
        ...

    def watched(self, standings: Sequence[Standing]) -> list[Watched]:
        """How groups stand."""
        ...

    def actions(self) -> list[ActionTaken]:
        """What was done or proposed lately, the newest first."""
        ...

    def to_bytes(self) -> bytes:
        """All that it remembers."""
        ...

    def restore(self, data: bytes) -> None:
        """Undo `to_bytes`."""
        ...


@dataclass
class _Held:
    """One group: its detector, or what waits for one.

    why    what keeps its reference away
    shown  (measure, method) of what is told of it in gauges
    """

    detector: Detector | None = None
    state: bytes = b""  # of a detector that waits for its reference
    waiting: deque[tuple[Observation | Told, float]] = field(default_factory=lambda: deque(maxlen=WAITING))
    comparable: Comparable = "not yet"
    why: str = ""
    shown: set[tuple[str, str]] = field(default_factory=set)
    at: float = 0.0
    words: frozenset[str] = frozenset()


class Groups:
    """All groups that are watched, the quietest first. One thread calls; `standings` may be asked by any."""

    def __init__(
        self, bundled: Bundled, sensitivity: Sensitivity, concern: Concern, telemetry: Telemetry, most: int = GROUPS_MAX
    ) -> None:
        self._bundled, self._sensitivity, self._concern, self._telemetry = bundled, sensitivity, concern, telemetry
        self._most = most
        self._held: OrderedDict[Group, _Held] = OrderedDict()
        self._accepted: dict[Group, bytes] = {}
        self._changed: set[Group] = set()

    def read(self, group: Group, observation: Observation, at: float) -> list[Event]:
        """Take a reading in; what came of the look that it set off."""
        return self._take(group, observation, at)

    def tell(self, group: Group, told: Told, at: float) -> list[Event]:
        """Take in what a person told of a reading."""
        return self._take(group, told, at)

    def words(self, group: Group) -> frozenset[str]:
        """The commonest words of what the group's bundle was held against; none where that is not known."""
        held = self._held.get(group)
        if held is None or held.detector is None:
            return frozenset()
        if not held.words:
            layout = held.detector.reference.layout
            commonest = sorted(zip(layout.weights, layout.words, strict=False))[:WORDS_MAX]
            held.words = frozenset(word for _, word in commonest)
        return held.words

    def reference(self, group: Group) -> Reference | None:
        """What the group is compared with; None: nothing, or nothing yet."""
        held = self._held.get(group)
        return None if held is None or held.detector is None else held.detector.reference

    def accept(self, action: ActionTaken, owner: str) -> list[Event]:
        """What an operator asks to be normal becomes the reference.

        What keeps it, what is over by it, and whether that was done; where not, why not.
        """
        if not asks(action):
            return []
        events: list[Event] = []
        said: list[str] = []
        for group, held in self._held.items():
            if means(action, group):
                try:
                    events += self._accept(group, held, action, owner)
                    said.append(f"{group.language}: done.")
                except BadInput as fault:
                    said.append(f"{group.language}: {fault}.")
        told = " ".join(said) or f"nothing that was asked for is read on {action.track}: name a model that reads there."
        return [*events, replace(action, done=bool(events), by=NAME, reason=f"{action.by}: {action.reason} ({told})")]

    def _accept(self, group: Group, held: _Held, action: ActionTaken, owner: str) -> list[Event]:
        """Raises BadInput where there is too little to accept, or nothing to compare it with."""
        if held.detector is None:
            raise BadInput("it is compared with nothing yet", "see that its bundle brings a reference")
        reference = held.detector.reference.accepted(held.detector.window(), action.action_id)
        held.detector.reference = reference
        self._accepted[group] = reference.to_bytes()
        self._changed.add(group)
        return [kept(group, self._accepted[group], owner, action.at), *self._concern.accepted(group, action.at)]

    def show(self, now: float) -> None:
        """Let a gauge tell how many groups that are read by are compared with nothing, by reason."""
        reasons = Counter(each.comparable for each in self._held.values() if now - each.at < RECENT_S)
        for comparable, reason in REASONS.items():
            self._telemetry.set("lipsol_uncompared_groups", reasons[comparable], reason=reason)

    def standings(self) -> list[Standing]:
        """How far each group is."""
        return [_standing(group, held) for group, held in list(self._held.items())]

    def parts(self) -> set[str]:
        """The names of all parts of it."""
        return set(map(_part, self._held))

    def changed(self) -> dict[str, bytes]:
        """The parts that changed since this was asked last."""
        groups, self._changed = self._changed, set()
        return {_part(group): _packed(group, self._held[group]) for group in groups if group in self._held}

    def restore(self, parts: Mapping[str, bytes], accepted: Mapping[Group, bytes]) -> None:
        """Undo `changed`: know that, and nothing else. accepted: references that operators accepted."""
        self._held, self._changed, self._accepted = OrderedDict(), set(), dict(accepted)
        found = [_unpacked(data) for name, data in parts.items() if name.startswith(PART)]
        for group, held in sorted(found, key=lambda each: each[1].at):
            self._held[group] = held
            self._bundled.load(group.digest)
            self._begin(group, held)

    def _take(self, group: Group, what: Observation | Told, at: float) -> list[Event]:
        events: list[Event] = []
        held = self._held.get(group)
        if held is None:
            held, events = self._found(group, at)
        self._changed.add(group)
        self._held.move_to_end(group)
        held.at = max(held.at, at)
        held.waiting.append((what, at))
        if held.detector is None:
            self._begin(group, held)
        while held.detector is not None and held.waiting:
            events += self._feed(group, held.detector, *held.waiting.popleft())
        if held.comparable == "no reference":
            held.waiting.clear()
        return events

    def _found(self, group: Group, at: float) -> tuple[_Held, list[Event]]:
        events: list[Event] = []
        while len(self._held) >= self._most:
            gone, left = self._held.popitem(last=False)
            self._changed.discard(gone)
            self._hide(gone, left)
            events += self._concern.gone(gone, at)
        held = self._held[group] = _Held()
        return held, events

    def _begin(self, group: Group, held: _Held) -> None:
        """Give a group its detector, if its reference is known."""
        answer = self._bundled.of(group.digest)
        if not isinstance(answer, Reference):
            held.why = answer.reason if isinstance(answer, Away) else ""
            held.comparable = "away" if held.why else "not yet" if answer == "loading" else "no reference"
            return
        held.comparable, held.why = "yes", ""
        state, held.state = held.state, b""
        reference = self._reference(group, answer)
        try:
            held.detector = Detector.from_bytes(state, reference, self._sensitivity) if state else None
        except BadInput as fault:
            log.warning("detector-begins-anew", track=group.track, model=group.model, reason=fault.detail)
        held.detector = held.detector or Detector(reference, self._sensitivity)

    def _reference(self, group: Group, bundled: Reference) -> Reference:
        """The one that an operator accepted for the group, or else the bundle's."""
        if group not in self._accepted:
            return bundled
        try:
            return Reference.from_bytes(self._accepted[group])
        except BadInput as fault:
            log.warning("accepted-reference-unfit", track=group.track, model=group.model, reason=fault.detail)
            return bundled

    def _feed(self, group: Group, detector: Detector, what: Observation | Told, at: float) -> list[Event]:
        if isinstance(what, Told):
            detector.tell(what)
            return []
        if not detector.add(what, at):
            return []
        verdict = detector.look(canary_against=self._stable(group))
        self._show(group, detector)
        since, until = detector.span()
        read = {each: held.at for each, held in self._held.items()}
        return self._concern.looked(group, verdict, until, clips=detector.window().clips, since=since, read=read)

    def _stable(self, group: Group) -> tuple[Comparison, ...]:
        if group.track != "canary":
            return ()
        for other, held in reversed(self._held.items()):
            if other.track == "stable" and other.language == group.language and held.detector is not None:
                return held.detector.compared()
        return ()

    def _show(self, group: Group, detector: Detector) -> None:
        if group.shadow:
            return
        who = _labels(group)
        self._telemetry.set("lipsol_window_clips", detector.window().clips, **who)
        for each in detector.compared():
            self._held[group].shown.add((each.measure, each.method))
            how = {"measure": each.measure, "method": each.method, **who}
            self._telemetry.set("lipsol_drift_value", each.value, **how)
            self._telemetry.set("lipsol_drift_threshold", each.threshold, **how)

    def _hide(self, gone: Group, left: _Held) -> None:
        """Tell of a group no more that is gone, unless another one tells under the same labels."""
        who = _labels(gone)
        if gone.shadow or any(_labels(each) == who and not each.shadow for each in self._held):
            return
        self._telemetry.drop("lipsol_window_clips", **who)
        for measure, method in left.shown:
            for name in ("lipsol_drift_value", "lipsol_drift_threshold"):
                self._telemetry.drop(name, measure=measure, method=method, **who)


def _labels(group: Group) -> dict[str, str]:
    return {"track": group.track, "model": group.model, "language": group.language}


def _standing(group: Group, held: _Held) -> Standing:
    """A detector that has not filled its shortest window has compared nothing yet."""
    detector = held.detector
    if detector is None:
        return Standing(group, 0, held.comparable, held.why)
    return Standing(group, detector.window().clips, "yes" if detector.blocks >= min(WINDOWS) else "not yet")


def _part(group: Group) -> str:
    return PART + hashlib.sha256(json.dumps(astuple(group)).encode()).hexdigest()[:16]


def _packed(group: Group, held: _Held) -> bytes:
    state = held.state if held.detector is None else held.detector.to_bytes()
    return json.dumps({"group": astuple(group), "at": held.at, "detector": base64.b64encode(state).decode()}).encode()


def _unpacked(data: bytes) -> tuple[Group, _Held]:
    told = json.loads(data)
    return Group(*told["group"]), _Held(state=base64.b64decode(told["detector"]), at=told["at"])
