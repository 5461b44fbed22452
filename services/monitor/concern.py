"""What the monitor makes of a look at a group: it tells what began and what is over, and answers it (`actions`).

- One look proves nothing: `lipsol.drift.episodes` waits for several in a row, and for several quiet ones.
- The same kind is told, and answered, again only after its cool-down. Until then it is shown as what it is: the board,
  the gauge and so the alerts tell how things stand, not what was said of them.
- A finding is named after its group, its kind and the look at which it began. So the same looks again, after a crash,
  tell the same findings and actions by the same names, and a repeat changes nothing.
- What was done is remembered as it is heard on `lipsol.actions.v1`, whoever did it: the monitor's own like a person's.
- Findings about shadow copies are told, and nothing is done about them: no user sees those readings.
- A finding about readers that read no more is over when somebody else is looked at: a canary whose policy has ended, a
  bundle in whose place another reads, a group that was silent for a day. An alert must not outlive its cause.
- Who is told of the past (`muted`) counts and logs nothing anew.

`looked`, `gone`, `accepted` and `heard` are called by one thread; what is told of them may be asked by any.
"""

import base64
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from threading import Lock
from types import MappingProxyType
from typing import Any, Literal, cast

import structlog

from lipsol.drift.budget import Sensitivity
from lipsol.drift.comparison import Comparison, Method
from lipsol.drift.episodes import Began, Episodes, Over
from lipsol.drift.verdict import Verdict
from lipsol.errors import BadInput
from lipsol.events import ActionTaken, Automation, DriftDetected, Event, Evidence, from_bytes, to_bytes
from lipsol.runtime.telemetry import Telemetry
from lipsol.topics import ACTIONS, DRIFT
from services.monitor.actions import NAME, Ground, answer, named
from services.monitor.group import Group
from services.monitor.views import State, Watched

SUCCEEDED_S = 600.0  # that a bundle is silent while another of its name reads: replicas change over in less
IDLE_S = 86_400.0  # that any group is silent
NOBODY: Mapping[Group, float] = MappingProxyType({})
KEPT = 200  # actions that are told of; the topic keeps them all
SAID: dict[State, str] = {
    "quiet": "All is as the reference has it.",
    "learning": "Too few clips to compare with the reference yet.",
    "away": "The bundle's reference can't be had, so nothing is compared; it is asked for again.",
    "no reference": "The bundle brings no reference, so nothing is compared: `lipsol models reference` gives it one.",
}
COOLING = "The same was told not long ago, so nothing is done about it yet."

log = structlog.get_logger()

Comparable = Literal["yes", "not yet", "no reference", "away"]


@dataclass(frozen=True)
class Standing:
    """A group as whoever counts its clips knows it: how many its window holds, and whether that can be compared.

    why: what keeps a reference away
    """

    group: Group
    clips: int
    comparable: Comparable = "yes"
    why: str = ""


@dataclass
class _Case:
    """What is known of one group.

    found    what began and is not over, told or not; None: nothing
    said     that in a sentence
    verdict  of the last look
    at       of the last look, Unix seconds
    state, since  how it stands, and since when, Unix seconds
    """

    episodes: Episodes
    found: DriftDetected | None = None
    said: str = ""
    verdict: Verdict | None = None
    at: float = 0.0
    state: str = "quiet"
    since: float = 0.0


class Concern:
    """All groups' findings, and what was done about them.

    automation   how much is done without asking
    sensitivity  after how many looks a finding is told, and how soon again
    ground       what there is to decide on about a group's model, asked at each look; raises nothing, waits for nobody
    ended        whether no canary may read any more; raises nothing
    now          Unix seconds, for what is done; findings go by the clips' own time
    """

    def __init__(
        self,
        automation: Automation,
        sensitivity: Sensitivity,
        telemetry: Telemetry,
        ground: Callable[[Group], Ground] = lambda _group: Ground(),
        ended: Callable[[], bool] = lambda: False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._automation, self._sensitivity, self._telemetry = automation, sensitivity, telemetry
        self._ground, self._ended, self._now = ground, ended, now
        self._cases: dict[Group, _Case] = {}
        self._actions: dict[str, ActionTaken] = {}  # by name, the oldest first
        self._lock = Lock()
        self._muted = False

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Count and log nothing while the block runs: it is told of what was told before."""
        self._muted = True
        try:
            yield
        finally:
            self._muted = False

    def looked(
        self,
        group: Group,
        verdict: Verdict | None,
        at: float,
        *,
        clips: int = 0,
        since: float = 0.0,
        read: Mapping[Group, float] = NOBODY,
    ) -> list[Event]:
        """What a look tells and sets off.

        at, since  when the window's last and first clip was read, Unix seconds
        read       when each group read last: seldom-used ones read for long without a look
        """
        ground = self._ground(group)
        with self._lock:
            case = self._cases.setdefault(group, _Case(Episodes(self._sensitivity), since=at))
            told = case.episodes.look(verdict, at)
            case.verdict, case.at = verdict, at
            events = [] if self._muted else self._retired(group, at, read)
            match told:
                case Began():
                    events += self._began(
                        group, case, told, _finding(group, told.verdict, told.at, clips, since), ground
                    )
                case Over():
                    events += self._over(group, case, at)
            if case.episodes.state != case.state:
                case.state, case.since = case.episodes.state, at
            return events

    def gone(self, group: Group, at: float) -> list[Event]:
        """Nothing is read by that group any more: what is open is over, as there is nobody whom it concerns."""
        with self._lock:
            case = self._cases.pop(group, None)
            return [] if case is None else self._over(group, case, at)

    def accepted(self, group: Group, at: float) -> list[Event]:
        """What is seen now is the new normal: what is open is over, and its cool-down forgotten with it."""
        with self._lock:
            case = self._cases.get(group)
            self._cases[group] = _Case(Episodes(self._sensitivity), since=at)
            return [] if case is None else self._over(group, case, at)

    def heard(self, action: ActionTaken) -> None:
        """Somebody did, proposed or asked for something, or tells what became of that; a repeat changes nothing."""
        with self._lock:
            known = action.action_id in self._actions
            self._actions[action.action_id] = action
            if not known and action.by != NAME:  # its own were counted as it took them
                self._acted(action)
            for oldest in list(self._actions)[:-KEPT]:
                del self._actions[oldest]

    def watched(self, standings: Iterable[Standing]) -> list[Watched]:
        """How those groups stand."""
        with self._lock:
            return [self._watched(standing) for standing in standings]

    def actions(self) -> list[ActionTaken]:
        """What was done or proposed lately, the newest first."""
        with self._lock:
            return sorted(self._actions.values(), key=lambda action: action.at, reverse=True)

    def to_bytes(self) -> bytes:
        """All that it remembers, but the last looks' verdicts."""
        with self._lock:
            cases = [_dumped(group, case) for group, case in self._cases.items()]
            return json.dumps({"cases": cases, "actions": [_packed(each) for each in self._actions.values()]}).encode()

    def restore(self, data: bytes) -> None:
        """Undo `to_bytes`: remember that, and nothing else. Raises BadInput for bytes that are no such memory."""
        try:
            kept = json.loads(data)
            cases = dict(_loaded(each, self._sensitivity) for each in kept["cases"])
            actions = [from_bytes(ACTIONS.name, base64.b64decode(each)) for each in kept["actions"]]
        except (ValueError, KeyError, TypeError) as fault:
            raise BadInput(f"what was found before makes no sense ({fault})", "it begins anew without it") from fault
        with self._lock:
            self._cases = cases
            self._actions = {each.action_id: each for each in actions if isinstance(each, ActionTaken)}
            for group, case in cases.items():
                if case.found is not None:
                    self._show(group, case.found)

    def _retired(self, group: Group, at: float, read: Mapping[Group, float]) -> list[Event]:
        """What is open of readers that read no more, now that this group was looked at."""
        events: list[Event] = []
        for other, case in self._cases.items():
            if other == group or case.found is None:
                continue
            if self._reads_no_more(other, max(case.at, read.get(other, 0.0)), group, at):
                case.episodes.kind, case.state, case.since = None, "quiet", at
                events += self._over(other, case, at)
        return events

    def _reads_no_more(self, other: Group, read_at: float, group: Group, at: float) -> bool:
        if other.track == "canary" and group.track == "stable" and self._ended():
            return True
        succeeded = replace(other, digest=group.digest) == group
        return at - read_at > (SUCCEEDED_S if succeeded else IDLE_S)

    def _began(self, group: Group, case: _Case, told: Began, found: DriftDetected, ground: Ground) -> list[Event]:
        verdict = told.verdict
        case.found = found
        case.said = f"{verdict.said} {COOLING}" if told.silent else verdict.said
        self._show(group, found)
        if told.silent:
            return []
        self._count("lipsol_drift_detected_total", kind=verdict.kind, track=group.track, model=group.model)
        self._log("drift-begun", group, found)
        if group.shadow:
            return [found]
        done = answer(found, group.model, verdict.said, self._automation, ground, self._now())
        for event in done:
            if isinstance(event, ActionTaken):
                self._acted(event)
        return [found, *done]

    def _over(self, group: Group, case: _Case, at: float) -> list[Event]:
        found, case.found, case.said = case.found, None, ""
        if found is None:
            return []
        self._show(group, found)
        if case.episodes.silent:
            return []
        self._log("drift-over", group, found)
        return [replace(found, state="over", detected_at=at)]

    def _acted(self, action: ActionTaken) -> None:
        self._count("lipsol_actions_total", kind=action.kind, mode=action.automation)
        if not self._muted:
            log.warning("action", **{name: value for name, value in asdict(action).items() if name != "language"})

    def _show(self, group: Group, found: DriftDetected) -> None:
        """1 while any group of that track and model, whatever its language, has an open finding of that kind."""
        if group.shadow or found.kind is None:
            return
        is_open = any(
            case.found is not None and case.found.kind == found.kind
            for each, case in self._cases.items()
            if (each.track, each.model, each.shadow) == (group.track, group.model, False)
        )
        labels = {"kind": found.kind, "track": group.track, "model": group.model}
        self._telemetry.set("lipsol_drift_state", float(is_open), **labels)

    def _count(self, name: str, **labels: str) -> None:
        if not self._muted:
            self._telemetry.add(name, **labels)

    def _log(self, what: str, group: Group, found: DriftDetected) -> None:
        if not self._muted:
            log.warning(
                what, kind=found.kind, remedy=found.remedy, drift_id=found.drift_id, track=group.track,
                model=group.model, language=group.language, shadow=group.shadow, measure=found.measure,
                method=found.method, value=found.value, threshold=found.threshold,
            )  # fmt: skip

    def _watched(self, standing: Standing) -> Watched:
        case = self._cases.get(standing.group)
        state = _state(case, standing)
        said = f"{SAID[state]} {standing.why}".rstrip() if case is None or state != "drift" else case.said
        if case is None:
            return Watched(standing.group, standing.clips, state, None, 0.0, said)
        return Watched(standing.group, standing.clips, state, _verdict(case), case.since, said)


def _state(case: _Case | None, standing: Standing) -> State:
    """What is found stays so however few clips there are just now."""
    if case is not None and case.found is not None:
        return "drift"
    if standing.comparable == "yes":
        return "quiet"
    return "learning" if standing.comparable == "not yet" else standing.comparable


def _verdict(case: _Case) -> Verdict | None:
    """What the last look found; while something is open that it did not find, what it was when it began."""
    found, seen = case.found, case.verdict
    if found is None or found.kind is None or (seen is not None and seen.kind == found.kind):
        return seen
    evidence = tuple(
        Comparison(each.measure, cast(Method, each.method), each.value, each.threshold, each.share, drifted=True)
        for each in found.evidence
    )
    return Verdict(found.kind, found.remedy or "nothing", evidence, case.said)


def _finding(group: Group, verdict: Verdict, at: float, clips: int, since: float) -> DriftDetected:
    """The event that tells of a verdict."""
    evidence = tuple(
        Evidence(each.measure, each.method, each.value, each.threshold, each.share) for each in verdict.evidence
    )
    first = evidence[0] if evidence else Evidence(verdict.kind, "", 0.0, 0.0)
    shadow = "shadow" if group.shadow else ""
    return DriftDetected(
        drift_id=named(group.track, shadow, group.digest, group.language, verdict.kind, repr(at)),
        model_digest=group.digest,
        track=group.track,
        measure=first.measure,
        method=first.method,
        value=first.value,
        threshold=first.threshold,
        samples=clips,
        window_from=since or at,
        window_to=at,
        detected_at=at,
        kind=verdict.kind,
        remedy=verdict.remedy,
        state="begun",
        language=group.language,
        evidence=evidence,
    )


def _packed(event: Event) -> str:
    return base64.b64encode(to_bytes(event)).decode()


def _dumped(group: Group, case: _Case) -> dict[str, Any]:
    found = "" if case.found is None else _packed(case.found)
    told = {"said": case.said, "at": case.at, "state": case.state, "since": case.since}
    return {"group": asdict(group), "episodes": case.episodes.to_json(), "found": found, **told}


def _loaded(kept: dict[str, Any], sensitivity: Sensitivity) -> tuple[Group, _Case]:
    """Undo `_dumped`. Raises ValueError, KeyError, TypeError or BadInput for what is none."""
    found = from_bytes(DRIFT.name, base64.b64decode(kept["found"])) if kept["found"] else None
    if found is not None and not isinstance(found, DriftDetected):
        raise BadInput(f"a {type(found).__name__} where a finding was kept", "it begins anew without it")
    episodes = Episodes.from_json(kept["episodes"], sensitivity)
    return Group(**kept["group"]), _Case(episodes, found, kept["said"], None, kept["at"], kept["state"], kept["since"])
