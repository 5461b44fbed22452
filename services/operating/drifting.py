"""What the monitor found and did, as the bus tells it; taking up what it proposed, and accepting what is new.

- The newest event of a finding says how it stands: begun, or over.
- A proposal that is taken up becomes an action by that person's name. A training is asked for and a canary ended by
  that; of all else it says that the person did it: to go back to an earlier model is `lipsol models demote`, which may
  have to be signed.
- What is taken up twice is one action. To accept is asked of the monitor, not of people, and so is not taken up.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from lipsol.bus.port import Bus
from lipsol.errors import BadInput, NotFound
from lipsol.events import ActionTaken, DriftDetected, Event, Track
from lipsol.runtime.envelope import unwrap, wrap
from lipsol.topics import ACTIONS, DRIFT, Topic
from lipsol.traffic import Policy

NAME = "operating"  # who publishes, in envelopes
TAKEN = "-taken"  # behind the name of a proposal, the name of what it became


def findings(bus: Bus, since: float = 0.0) -> list[DriftDetected]:
    """The last word on each finding that was told since then (Unix seconds), what was found last first."""
    found = {event.drift_id: event for event in _told(bus, DRIFT, since) if isinstance(event, DriftDetected)}
    return sorted(found.values(), key=lambda each: each.window_to, reverse=True)


def actions(bus: Bus, since: float = 0.0) -> list[ActionTaken]:
    """What was done or proposed since then (Unix seconds), the newest first, each once."""
    told = {event.action_id: event for event in _told(bus, ACTIONS, since) if isinstance(event, ActionTaken)}
    return sorted(told.values(), key=lambda each: each.at, reverse=True)


def take(bus: Bus, name: str, by: str, now: float) -> ActionTaken:
    """Take up what was proposed under that name, or under one that begins so; gives what it became.

    Raises NotFound where nothing is called that, BadInput where several are.
    """
    known = actions(bus)
    found = [each for each in known if name and each.action_id.startswith(name) and not each.action_id.endswith(TAKEN)]
    if not found:
        raise NotFound(f"no action {name[:64]!r}", "`lipsol drift actions` lists them")
    if len(found) > 1:
        raise BadInput(f"{len(found)} actions begin with {name!r}", "give more of its name")
    proposed = found[0]
    if proposed.done:
        return proposed
    if proposed.kind == "accept":
        raise BadInput("that was asked of the monitor, which answers it", "`lipsol drift actions` tells what it did")
    done = replace(proposed, action_id=proposed.action_id + TAKEN, done=True, by=by, at=now)
    if earlier := next((each for each in known if each.action_id == done.action_id), None):
        return earlier
    carried: list[Event] = [done]
    if done.kind == "abort-canary":
        carried.insert(0, Policy(set_by=by, reason=done.reason, set_at=now).event())
    bus.publish_all([wrap(event, NAME, now) for event in carried])
    return done


def accept(
    bus: Bus, by: str, now: float, *, track: Track = "stable", digest: str = "", language: str = "", reason: str = ""
) -> list[ActionTaken]:
    """Ask that what is seen now be the new normal. An action for each model, which the monitor answers by its name.

    digest: "" for every model that drifts there now; language: "" for every one. Raises NotFound if none drifts.
    """
    digests = [digest] if digest else sorted({each.model_digest for each in _open(bus, track, language)})
    if not digests:
        raise NotFound(f"nothing drifts on {track}", "name the model whose normal is to change")
    said = reason or "what is seen now is the new normal"
    accepted = [
        ActionTaken(
            f"accept-{track}-{each[:12]}-{language or 'all'}-{now:.3f}",
            "accept", "suggest", False, said, "", each, track, language, by, now,
        )
        for each in digests
    ]  # fmt: skip
    bus.publish_all([wrap(action, NAME, now) for action in accepted])
    return accepted


def _open(bus: Bus, track: Track, language: str) -> list[DriftDetected]:
    """The findings on a track that are not over."""
    return [
        each
        for each in findings(bus)
        if each.state != "over" and each.track == track and language in ("", each.language)
    ]


def _told(bus: Bus, topic: Topic, since: float) -> Iterator[Event]:
    """What can be read of a topic, the oldest first."""
    for message in bus.replay([topic.name], since):
        with suppress(BadInput):
            yield unwrap(message)
