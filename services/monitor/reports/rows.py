"""What a report is made of: a row of plain numbers and kinds for each clip, from the events that the bus still keeps.

A group with more clips than a report holds is sampled: those whose ids have the lowest hashes (bottom-k sampling, Cohen
and Kaplan 2007), which is fair, and takes a repeated event once. Clips that people judged are few, so they are sampled
apart. No row says which clip it was, or what was said.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import heappush, heappushpop

from lipsol.bus.port import Bus
from lipsol.drift.reference import Reference
from lipsol.errors import BadInput
from lipsol.events import ClipDeleted, Event, FeedbackGiven, PredictionMade
from lipsol.runtime.envelope import unwrap
from lipsol.topics import DELETIONS, FEEDBACK, PREDICTIONS
from services.monitor.group import Group

KINDS = ("codec", "abstained", "redo")  # columns of kinds; all others are numbers
RIGHT = "right"  # "yes" or "no", by what a person told last; only in rows that were judged

Row = Mapping[str, float | str]


@dataclass
class Sample:
    """At most `most` rows of all that were added, each with the same chance, and each id once."""

    most: int
    seen: int = 0
    _ranked: list[tuple[int, Row]] = field(default_factory=list)
    _ranks: set[int] = field(default_factory=set)

    def add(self, name: str, row: Row) -> None:
        """Take a row, or pass it over; name: the id by which a repeat is known."""
        self.seen += 1
        rank = -int.from_bytes(blake2b(name.encode(), digest_size=8).digest())  # a heap lets go of its least
        if rank in self._ranks or (len(self._ranks) == self.most and rank < self._ranked[0][0]):
            return
        self._ranks.add(rank)
        if len(self._ranks) <= self.most:
            heappush(self._ranked, (rank, row))
        else:
            self._ranks.remove(heappushpop(self._ranked, (rank, row))[0])

    def rows(self) -> tuple[Row, ...]:
        """What was taken, in an order of chance."""
        return tuple(row for _, row in self._ranked)


@dataclass(frozen=True)
class Rows:
    """A group's clips: a sample of all, and of those that people judged; `clips` counts all events, repeats too."""

    clips: int
    sample: tuple[Row, ...]
    judged: tuple[Row, ...]


def gather(bus: Bus, since: float, most: int) -> dict[Group, Rows]:
    """The rows of every group since `since`, Unix seconds by the bus's own time; most: of one group.

    Raises as `Bus.replay` does.
    """
    judged = _judged(_events(bus, (FEEDBACK.name, DELETIONS.name), since))
    every: dict[Group, tuple[Sample, Sample]] = {}
    for event in _events(bus, (PREDICTIONS.name,), since):
        if not isinstance(event, PredictionMade):
            continue
        group = Group(event.track, event.model.name, event.model.digest, event.language, event.shadow)
        if group not in every:
            every[group] = Sample(most), Sample(most)
        sample, told = every[group]
        row = row_of(event)
        sample.add(event.prediction_id, row)
        if event.clip_id in judged and not event.shadow:
            told.add(event.prediction_id, {**row, RIGHT: _said(judged[event.clip_id])})
    return {group: Rows(sample.seen, sample.rows(), told.rows()) for group, (sample, told) in sorted(every.items())}


def row_of(made: PredictionMade) -> Row:
    """One clip's row: the picture's measures, what came out, and three kinds."""
    numbers: dict[str, float] = dict(made.quality)
    numbers |= {"faces": float(made.faces), "confidence": made.confidence, "length": float(len(made.text))}
    if made.entropy is not None:
        numbers["entropy"] = made.entropy
    kinds = {"codec": made.codec or "unknown", "abstained": _said(made.abstained), "redo": _said(made.redo)}
    return {**numbers, **kinds}


def _said(fact: bool) -> str:
    return "yes" if fact else "no"


def usual_rows(reference: Reference) -> list[Row]:
    """A reference's own clips; what is not known of one is left out."""
    columns = reference.rows()
    table = zip(*columns.values(), strict=True)
    return [
        {name: float(each) for name, each in zip(columns, row, strict=True) if math.isfinite(each)} for row in table
    ]


def _judged(events: Iterable[Event]) -> dict[str, bool]:
    """Whether each clip was read right, by what a person told last; not of clips that were taken back."""
    right: dict[str, bool] = {}
    gone: set[str] = set()
    for event in events:
        if isinstance(event, ClipDeleted):
            gone.add(event.clip_id)
        elif isinstance(event, FeedbackGiven) and (event.verdict is not None or event.text is not None):
            right[event.clip_id] = event.verdict == "right" or event.text == event.reading
    return {clip_id: value for clip_id, value in right.items() if clip_id not in gone}


def _events(bus: Bus, topics: tuple[str, ...], since: float) -> Iterator[Event]:
    for message in bus.replay(topics, since):
        with suppress(BadInput):  # whoever works on it has buried it
            yield unwrap(message)
