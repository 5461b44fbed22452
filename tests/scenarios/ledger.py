"""What clients sent and what they were told: the one witness that is not part of the platform."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Door = Literal["rest", "grpc", "batch"]


@dataclass(frozen=True)
class Reading:
    """What a user sees of a clip that was read; two that differ are two effects."""

    text: str
    confidence: float
    digest: str
    track: str


@dataclass
class Sent:
    """One clip, as its client knows it.

    key       its idempotency key: one for all tries
    session   name of the stream that it belongs to; "": a clip of its own
    place     its number in its session, in the order of sending
    clip_ids  every name that it was told to have, first one first
    readings  every reading that its client was shown, first one first
    statuses  every answer's HTTP status; 0: the connection broke
    began_at, ended_at  from the first try to the reading, Unix seconds
    feedback  how often feedback on it was accepted
    gave_up   why its client asks no more; "": it has its reading
    """

    key: str
    session: str = ""
    place: int = 0
    door: Door = "rest"
    clip_ids: list[str] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    began_at: float = 0.0
    ended_at: float = 0.0
    feedback: int = 0
    gave_up: str = ""

    @property
    def name(self) -> str:
        """What the traffic is split by: its session, or else the clip's own name."""
        return self.session or (self.clip_ids[0] if self.clip_ids else "")

    @property
    def took_s(self) -> float:
        """Seconds that the client waited."""
        return self.ended_at - self.began_at

    def told(self, clip_id: str) -> None:
        """The platform named the clip."""
        if clip_id not in self.clip_ids:
            self.clip_ids.append(clip_id)

    def read(self, reading: Reading) -> None:
        """The platform showed a reading."""
        if reading not in self.readings:
            self.readings.append(reading)


class Ledger:
    """All clips of a scenario; safe to share between threads. `on_answer` is told how many have been answered."""

    def __init__(self, on_answer: Callable[[int], None] = lambda _: None) -> None:
        self.clips: list[Sent] = []
        self._on_answer = on_answer
        self._answered = 0
        self._lock = threading.Lock()

    def open(self, clip: Sent) -> Sent:
        """Write down a clip that is about to be sent."""
        with self._lock:
            self.clips.append(clip)
        return clip

    def answered(self, clip: Sent, reading: Reading) -> None:
        """Write down a clip's reading."""
        first = not clip.readings
        clip.read(reading)
        if first:
            with self._lock:
                self._answered += 1
                count = self._answered
            self._on_answer(count)

    @property
    def answers(self) -> int:
        """How many clips have a reading."""
        return self._answered
