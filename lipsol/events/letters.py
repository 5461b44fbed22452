"""Messages that were given up."""

from dataclasses import dataclass
from typing import Literal

from lipsol.events.base import Event
from lipsol.topics import DEAD_LETTERS

DeathKind = Literal["bad-input", "model-error", "exhausted", "too-late"]


@dataclass(frozen=True)
class DeadLetter(Event):
    """A message that could not be handled: kept, with the reason, for a person or a repair to pick up.

    dead_key          key of the message
    clip_id           the clip it was about; "": the message could not even be read
    shadow            True: it was a shadow copy, so no user waits for it
    origin_topic, origin_partition, origin_offset  where it lay
    reason            what was wrong, as the error said it
    cure              what a person can do about it; "": not known
    kind              "bad-input": the same again whenever repeated; "model-error": a bundle is unfit;
                      "exhausted": it was tried `attempts` times and something else failed each time;
                      "too-late": its deadline had passed before anybody came to it
    stage             the worker that gave up
    attempts          how often it was tried; 0: never, it could not be read or came too late
    value             the message's bytes as they were
    """

    dead_key: str
    clip_id: str
    shadow: bool
    origin_topic: str
    origin_partition: int
    origin_offset: int
    reason: str
    cure: str
    kind: DeathKind
    stage: str
    attempts: int
    value: bytes

    @property
    def topic(self) -> str:
        return DEAD_LETTERS.name

    @property
    def key(self) -> str:
        return self.dead_key
