"""Whether the traffic went the way that its policy says: exactly, clip by clip, as the topics tell it. Pure.

The edge puts a mouth on the topic of the track that `lipsol.traffic.route` gives for its name. A clip that was decided
on while a new policy was on its way may go by the old one or the new one; all others go by the one that ruled.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile

from lipsol.bus.port import Bus, Message
from lipsol.errors import LipsolError
from lipsol.events import MouthReady, TrafficSet
from lipsol.runtime.policy import policy_of
from lipsol.topics import CANARY_MOUTHS, STABLE_MOUTHS, TRAFFIC
from lipsol.traffic import STABLE, Policy, Route, live, route
from tests.scenarios import laws

FOLLOWED_S = 5.0  # within which a policy, or its end, is followed; and between a clip's decision and its publication


@dataclass(frozen=True)
class Rule:
    """A policy, and when the bus took it, Unix seconds."""

    at: float
    policy: Policy


@dataclass(frozen=True)
class Way:
    """The way that a clip took: its name in the split, its route, and when the bus took its mouth, Unix seconds."""

    clip_id: str
    name: str
    route: Route
    at: float


def rules(messages: Iterable[Message]) -> list[Rule]:
    """The policies on the traffic topic, in their order; before the first, stable ruled."""
    found = [Rule(0.0, STABLE)]
    for message, event in laws.events_of(messages):
        if isinstance(event, TrafficSet):
            with suppress(LipsolError):  # what can't be meant never rules
                found.append(Rule(message.timestamp, policy_of(message)))
    return found


def back_at(rules: Sequence[Rule]) -> float:
    """From when all is stable's for good: the first of the last policies that say so, else the last one's expiry."""
    last = rules[-1]
    if last.policy.mode != "stable":
        return last.policy.expires_at
    trailing = takewhile(lambda rule: rule.policy.mode == "stable", reversed(rules))
    return min(rule.at for rule in trailing)


def ways(messages: Iterable[Message]) -> dict[str, Way]:
    """By clip, the way that it took first: the mouths' own events, with what their copies tell."""
    taken: dict[str, Way] = {}
    copies: dict[str, str] = {}
    for message, event in laws.events_of(messages):
        if not isinstance(event, MouthReady):
            continue
        if event.shadow:
            copies[event.clip_id] = event.bundle
        elif event.clip_id not in taken or message.timestamp < taken[event.clip_id].at:
            name = event.session or event.clip_id
            taken[event.clip_id] = Way(event.clip_id, name, Route(event.track, event.bundle), message.timestamp)
    return {
        clip_id: Way(clip_id, way.name, Route(way.route.track, copies[clip_id], copy=True), way.at)
        if clip_id in copies and way.route.track == "stable"
        else way
        for clip_id, way in taken.items()
    }


def ruling(at: float, rules: Sequence[Rule]) -> list[Policy]:
    """The policies by which a clip may have gone whose mouth the bus took at `at`."""
    ends = [after.at + FOLLOWED_S for after in rules[1:]] + [float("inf")]
    return [rule.policy for rule, end in zip(rules, ends, strict=True) if rule.at <= at <= end]


def permitted(way: Way, rules: Sequence[Rule]) -> set[Route]:
    """Every route that a clip may have taken."""
    moments = (way.at, way.at - FOLLOWED_S)
    return {route(way.name, policy, now) for policy in ruling(way.at, rules) for now in moments}


def off(ways: Iterable[Way], rules: Sequence[Rule]) -> list[str]:
    """Clips that took a way that no policy gives that may have ruled."""
    found = []
    for way in ways:
        allowed = permitted(way, rules)
        if way.route not in allowed:
            wanted = " or ".join(sorted(_said(each) for each in allowed))
            found.append(f"{way.name} went {_said(way.route)}, its hash says {wanted}")
    return found


def by_weight(ways: Iterable[Way], rules: Sequence[Rule]) -> dict[str, dict[str, int]]:
    """Of clips for which one policy alone can have ruled, by mode and weight: how many, of them on the canary, and how
    many the hash says; in shadow those that were copied.
    """
    counts: dict[str, Counter[str]] = {}
    for way in ways:
        if len({_meant(policy, way.at) for policy in ruling(way.at, rules)}) > 1 or len(permitted(way, rules)) > 1:
            continue
        policy = ruling(way.at, rules)[-1]
        wanted = route(way.name, policy, way.at)
        seen = counts.setdefault(_meant(policy, way.at), Counter(clips=0, canary=0, hash=0))
        seen["clips"] += 1
        seen["canary"] += _to_canary(way.route)
        seen["hash"] += _to_canary(wanted)
    return {name: dict(seen) for name, seen in counts.items()}


def unequal(weights: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Weights whose clips on the canary are not as many as the hash says."""
    return [
        f"under {name} {seen['canary']} of {seen['clips']} clips went to the canary, the hash says {seen['hash']}"
        for name, seen in weights.items()
        if seen["canary"] != seen["hash"]
    ]


def read_rules(bus: Bus) -> list[Rule]:
    """All that the traffic topic still holds."""
    return rules(bus.replay([TRAFFIC.name]))


def read_ways(bus: Bus, since: float, clip_ids: set[str]) -> dict[str, Way]:
    """The ways of those clips, whose mouths came since then."""
    found = ways(bus.replay([STABLE_MOUTHS.name, CANARY_MOUTHS.name], since))
    return {clip_id: way for clip_id, way in found.items() if clip_id in clip_ids}


def _meant(policy: Policy, at: float) -> str:
    return f"{policy.mode} {policy.weight:g} %" if live(policy, at) else "stable"


def _to_canary(way: Route) -> bool:
    return way.track == "canary" or way.copy


def _said(way: Route) -> str:
    return f"to {way.track}{' with a copy' if way.copy else ''}{f' by {way.bundle[:8]}' if way.bundle else ''}"
