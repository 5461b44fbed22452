"""A clip's way over REST and Kafka, told by three clocks of one machine, which are one.

The client's own; those of the services, in events and envelopes (`received_at`, `timings_ms`, `ce_time`, `made_at`);
and the broker's time of each message.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from lipsol.bus.port import Message
from lipsol.events import MouthReady, PredictionMade
from lipsol.runtime.envelope import unwrap

WATCHING = ("decode", "face", "mouth", "quality")
# send: until the edge has the clip. keep: a thread's turn, and what is kept of the mouth. publish, tell: until the
# broker has the mouth, and the prediction. queue: until it is read. settle: until the result is kept. answer: until the
# client has it
STAGES = ("send", *WATCHING, "keep", "publish", "queue", "read", "tell", "settle", "answer")


@dataclass(frozen=True)
class Way:
    """What the client saw of a clip, and when its result was kept; Unix seconds."""

    clip_id: str
    sent_at: float
    settled_at: float
    answered_at: float

    @property
    def total_ms(self) -> float:
        """From the first byte sent to the answer."""
        return (self.answered_at - self.sent_at) * 1e3


def stages_ms(ways: Iterable[Way], told: Iterable[Message]) -> list[dict[str, float]]:
    """How long each stage of each way took, ms; they add up to its total. told: all mouths and predictions there were.

    Raises KeyError for a clip of which an event is missing.
    """
    mouths: dict[str, tuple[Message, MouthReady]] = {}
    made: dict[str, tuple[Message, PredictionMade]] = {}
    for message in told:
        match unwrap(message):
            case MouthReady() as event:
                mouths[event.clip_id] = message, event
            case PredictionMade() as event:
                made[event.clip_id] = message, event
    return [_stages(way, *mouths[way.clip_id], *made[way.clip_id]) for way in ways]


def _stages(way: Way, ready: Message, mouth: MouthReady, told: Message, made: PredictionMade) -> dict[str, float]:
    at = mouth.received_at
    times = [way.sent_at, at, *(at := at + mouth.timings_ms[stage] / 1e3 for stage in WATCHING)]
    published_at = datetime.fromisoformat(ready.headers["ce_time"]).timestamp()
    read_at = made.made_at - made.timings_ms["read"] / 1e3
    times += [published_at, ready.timestamp, read_at, made.made_at, told.timestamp, way.settled_at, way.answered_at]
    return {stage: (after - before) * 1e3 for stage, (before, after) in zip(STAGES, pairwise(times), strict=True)}
