"""The laws of delivery, as checks over what clients saw and what the bus holds. Pure: each returns what breaks its law.

Every check names its finds; none passes for want of evidence: `proven` says when there was nothing to look at.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from lipsol.bus.port import Message
from lipsol.errors import BadInput
from lipsol.events import Event, MouthReady, PredictionMade
from lipsol.runtime.envelope import unwrap
from lipsol.traffic import PLACES, place
from tests.scenarios.ledger import Sent

SHOWN = 3  # finds that a sentence names; the count tells of the rest


def lost(clips: Iterable[Sent]) -> list[str]:
    """Clips without a reading."""
    return [f"{clip.key} was never read ({clip.gave_up or clip.statuses[-3:]})" for clip in clips if not clip.readings]


def doubled(clips: Iterable[Sent]) -> list[str]:
    """Clips that became two: by name, by reading, or one name given to two clips."""
    owners: dict[str, set[str]] = defaultdict(set)
    found = []
    for clip in clips:
        for clip_id in clip.clip_ids:
            owners[clip_id].add(clip.key)
        if len(clip.clip_ids) > 1:
            found.append(f"{clip.key} became the clips {', '.join(clip.clip_ids)}")
        if len(clip.readings) > 1:
            found.append(f"{clip.key} was read as {' and as '.join(str(each) for each in clip.readings)}")
    return found + [f"the clip {clip_id} answers {len(keys)} keys" for clip_id, keys in owners.items() if len(keys) > 1]


def events_of(messages: Iterable[Message]) -> list[tuple[Message, Event]]:
    """Messages with their events, by partition and offset; unreadable ones are left out."""
    found = []
    for message in sorted(messages, key=lambda each: (each.topic, each.partition, each.offset)):
        try:
            found.append((message, unwrap(message)))
        except BadInput:
            continue
    return found


def out_of_order(clips: Iterable[Sent], messages: Iterable[Message]) -> list[str]:
    """Sessions whose mouths lie on the bus in another order than their clips were sent in, or in two partitions."""
    places = {clip_id: (clip.session, clip.place) for clip in clips if clip.session for clip_id in clip.clip_ids}
    lines: dict[str, list[int]] = defaultdict(list)
    parts: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for message, event in events_of(messages):
        if isinstance(event, MouthReady) and not event.shadow and event.clip_id in places:
            session, number = places[event.clip_id]
            parts[session].add((message.topic, message.partition))
            if number not in lines[session]:
                lines[session].append(number)
    found = [f"session {name} lies as {line}" for name, line in lines.items() if line != sorted(line)]
    return found + [f"session {name} lies in {sorted(held)}" for name, held in parts.items() if len(held) > 1]


def read_out_of_order(clips: Iterable[Sent], messages: Iterable[Message]) -> list[str]:
    """Sessions whose clips were first read in another order than they were sent in."""
    places = {clip_id: (clip.session, clip.place) for clip in clips if clip.session for clip_id in clip.clip_ids}
    first: dict[str, float] = {}
    for _, event in events_of(messages):
        if isinstance(event, PredictionMade) and not event.shadow and event.clip_id in places:
            first[event.clip_id] = min(event.made_at, first.get(event.clip_id, event.made_at))
    lines: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for clip_id, made_at in first.items():
        session, number = places[clip_id]
        lines[session].append((made_at, number))
    read = {name: [number for _, number in sorted(line)] for name, line in lines.items()}
    return [f"session {name} was read as {line}" for name, line in read.items() if line != sorted(line)]


def off_the_split(clips: Iterable[Sent], weight: float, tracks: Mapping[str, str] | None = None) -> list[str]:
    """Clips on another track than the hash of their name says for this weight (per cent).

    tracks: the track that each name took, where the readings' own is not it.
    """
    found = []
    for clip in clips:
        wanted = "canary" if place(clip.name) < weight / 100 * PLACES else "stable"
        taken = tracks.get(clip.name) if tracks is not None else clip.readings[0].track if clip.readings else None
        if taken is not None and taken != wanted:
            found.append(f"{clip.name} ({clip.door}) went to {taken}, its hash says {wanted} at {weight:g} %")
    return found


def at_odds(clips: Iterable[Sent]) -> list[str]:
    """Names that went one way by one door and another way by another."""
    ways: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for clip in clips:
        for reading in clip.readings:
            ways[clip.name].add((clip.door, reading.track))
    return [
        f"{name} went {', '.join(f'{track} by {door}' for door, track in sorted(held))}"
        for name, held in ways.items()
        if len({track for _, track in held}) > 1
    ]


def unequal(what: str, counted: int | None, sent: int) -> list[str]:
    """A count that is not what was sent; None: nothing was counted at all."""
    return [] if counted == sent else [f"{counted} {what} were counted, {sent} were sent"]


def proven(what: str, seen: int, wanted: int = 1) -> list[str]:
    """A law that nothing was seen of is not held."""
    return (
        [] if seen >= wanted else [f"{seen} {what} were seen, at least {wanted} have to be for this to show anything"]
    )


def told(law: str, found: Sequence[str]) -> list[str]:
    """One sentence for a broken law; none for one that holds."""
    if not found:
        return []
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return [f"{law}: {'; '.join(found[:SHOWN])}{more}"]
