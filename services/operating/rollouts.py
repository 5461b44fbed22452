"""The rollouts that the bus tells of: each analyst's looks, folded into steps, with what ended it.

- A rollout is one beginning: a release that was uninstalled counts its revisions from 1 again, and that is another one.
- The log's order rules. Times in the events are the analyst's own clock's, and serve to say how long something took;
  when something was heard is the bus's. What the two differ by is told.
- The first verdict holds. A hand-back comes after it, or instead of one, and ends whatever the release was at: before
  a rollback it is told by the hooks of the revision that is gone back to, so its own number says nothing.
- Who tells nothing for `SILENT_S` is silent. Its policy expires by itself, so nothing hangs on whether it is dead. When
  its deadline is over too, or another rollout of the release has begun, it is lost: nobody will tell its verdict.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, TypeAlias

from lipsol.bus.port import Bus, Message
from lipsol.errors import BadInput
from lipsol.events import RolloutLooked, Told
from lipsol.runtime.envelope import unwrap
from lipsol.topics import ROLLOUTS

State = Literal["under way", "silent", "lost", "passed", "observed", "aborted", "stood down", "handed back"]
Key: TypeAlias = tuple[str, str, int, float]

SILENT_S = 30.0  # an analyst tells at least each 10 s: two of its looks may be lost
LATE_S = 60.0  # after its deadline: by then it has told its verdict, or never will
VERDICTS: Mapping[str, State] = MappingProxyType({"pass": "passed", "abort": "aborted", "stood-down": "stood down"})
GOOD: frozenset[str] = frozenset({"passed", "observed"})  # verdicts: nothing spoke against it
OPEN: frozenset[State] = frozenset({"under way", "silent"})  # something may still come of it


@dataclass(frozen=True)
class Step:
    """One step, as it went.

    number           from 1
    kind, weight     "shadow": copies of so many per cent; "canary": so many per cent of the sessions
    began_at         Unix seconds, as `ended_at`; 0.0 there: it is in it
    passed           whether it was gone on from
    looks            how often its evidence was told
    canary_clips, baseline_clips  clips that each side was judged by, at the last look
    reason           the last word: what is waited for, or why it ended
    findings         what each measure said then
    """

    number: int
    kind: str
    weight: float
    began_at: float
    ended_at: float = 0.0
    passed: bool = False
    looks: int = 0
    canary_clips: int = 0
    baseline_clips: int = 0
    reason: str = ""
    findings: tuple[Told, ...] = ()


@dataclass(frozen=True)
class Rollout:
    """One rollout of a release, as far as it was told.

    bundle          digest of the canary's bundle; "": only the image is new
    way             as in the plan: canary, blueGreen or shadow
    planned         how many steps it has
    began_at        Unix seconds, as all times here
    deadline_at     who has not passed by then is aborted
    expires_at      when the canary gets nothing more, unless that is renewed; with a verdict: when it would have
    looked_at       the last look
    state           "under way", "silent" or "lost" until there is a verdict: "passed", "aborted", "stood down", or
                    "observed" where way shadow passed, which is never let in; "handed back": Helm's hook gave all to
                    stable, after "passed" or instead of a verdict
    verdict         the verdict, also after the hand-back; "": none was told
    reason          what is waited for, or why it ended
    ended_at        of the verdict; 0.0: none yet
    handed_back_at  of the hand-back; 0.0: none yet
    handed_back     what the hand-back said
    steps           those that it came to
    first_at, told_at  when the bus took its first and its last word, by the bus's clock
    silent_s        seconds since its last word, where it is silent or lost; else 0.0
    ahead_s         by how much the analyst's clock is ahead of the bus's; below 0: behind
    """

    release: str
    namespace: str
    revision: int
    bundle: str
    way: str
    planned: int
    began_at: float
    deadline_at: float
    expires_at: float
    looked_at: float
    state: State = "under way"
    verdict: str = ""
    reason: str = ""
    ended_at: float = 0.0
    handed_back_at: float = 0.0
    handed_back: str = ""
    steps: tuple[Step, ...] = ()
    first_at: float = 0.0
    told_at: float = 0.0
    silent_s: float = 0.0
    ahead_s: float = 0.0

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.release} revision {self.revision}"

    @property
    def key(self) -> Key:
        """What makes it this one and no other."""
        return (self.namespace, self.release, self.revision, self.began_at)


def rollouts(bus: Bus, now: float, release: str = "", since: float = 0.0) -> list[Rollout]:
    """What was told since then (Unix seconds, the bus's clock), the newest rollout first; release: "" for all."""
    found: dict[Key, Rollout] = {}
    for message, event in _told(bus, since):
        if release in ("", event.release):
            _take(found, event, message.timestamp)
    newest = {(each.namespace, each.release): each for each in found.values()}
    return [
        _heard(each, now, newer=newest[each.namespace, each.release] is not each) for each in reversed(found.values())
    ]


def _told(bus: Bus, since: float) -> Iterator[tuple[Message, RolloutLooked]]:
    """What can be read of the topic, the oldest first."""
    for message in bus.replay([ROLLOUTS.name], since):
        with suppress(BadInput):
            event = unwrap(message)
            if isinstance(event, RolloutLooked):
                yield message, event


def _take(found: dict[Key, Rollout], event: RolloutLooked, at: float) -> None:
    """Add one event to what was found."""
    if event.what == "handed-back":
        _hand_back(found, event)
        return
    key = (event.namespace, event.release, event.revision, event.began_at)
    found[key] = _looked(found.get(key) or _begun(event, at), event, at)


def _hand_back(found: dict[Key, Rollout], event: RolloutLooked) -> None:
    """Whatever the release was at last is over; what was handed back already stays as it is."""
    for key in reversed(found):
        held = found[key]
        if (held.namespace, held.release) != (event.namespace, event.release):
            continue
        if not held.handed_back_at:
            over = held.verdict not in ("", "passed")
            found[key] = replace(
                _ended(held, event.looked_at),
                state=held.state if over else "handed back",
                handed_back_at=event.looked_at,
                handed_back=event.reason,
            )
        return


def _begun(event: RolloutLooked, at: float) -> Rollout:
    """A rollout of which nothing is known yet but that it is."""
    return Rollout(
        release=event.release,
        namespace=event.namespace,
        revision=event.revision,
        bundle=event.bundle,
        way=event.way,
        planned=event.steps,
        began_at=event.began_at or event.looked_at,
        deadline_at=event.deadline_at,
        expires_at=event.expires_at,
        looked_at=event.looked_at,
        first_at=at,
    )


def _looked(held: Rollout, event: RolloutLooked, at: float) -> Rollout:
    """The rollout after one more look; after a verdict nothing changes any more, after a hand-back only a verdict."""
    if held.verdict or (held.handed_back_at and event.what not in VERDICTS):
        return held
    after = replace(
        held,
        looked_at=event.looked_at,
        expires_at=event.expires_at or held.expires_at,
        reason="" if event.what in ("began", "advance") else event.reason,
        steps=_walked(held.steps, event),
        told_at=at,
        ahead_s=event.looked_at - at,
    )
    if event.what not in VERDICTS:
        return after
    verdict: State = "observed" if event.what == "pass" and event.way == "shadow" else VERDICTS[event.what]
    return replace(_ended(after, event.looked_at), state=verdict, verdict=verdict, ended_at=event.looked_at)


def _walked(steps: tuple[Step, ...], event: RolloutLooked) -> tuple[Step, ...]:
    """The steps after one more look. An "advance" is told of the step that is passed."""
    if not event.kind:
        return steps
    number = event.step + 1
    if not steps or steps[-1].number != number:
        began_at = (steps[-1].ended_at if steps else 0.0) or event.looked_at
        steps = (*steps, Step(number, event.kind, event.weight, began_at))
    passed = event.what in ("advance", "pass")
    last = replace(
        steps[-1],
        ended_at=event.looked_at if passed else 0.0,
        passed=passed,
        looks=steps[-1].looks + (event.what != "began"),
        canary_clips=max(event.canary_clips, steps[-1].canary_clips),  # who stands down looked at none
        baseline_clips=max(event.baseline_clips, steps[-1].baseline_clips),
        reason=event.reason,
        findings=event.findings or steps[-1].findings,
    )
    return (*steps[:-1], last)


def _ended(held: Rollout, at: float) -> Rollout:
    """The rollout with its last step ended."""
    if not held.steps or held.steps[-1].ended_at:
        return held
    return replace(held, steps=(*held.steps[:-1], replace(held.steps[-1], ended_at=at)))


def _heard(held: Rollout, now: float, *, newer: bool) -> Rollout:
    """The rollout with what its silence means by now; newer: there is a later one of its release."""
    silent_s = now - held.told_at
    if held.state != "under way" or not (newer or silent_s > SILENT_S):
        return held
    lost = newer or now > held.deadline_at - held.ahead_s + LATE_S
    return replace(held, state="lost" if lost else "silent", silent_s=silent_s)
