"""What all events have in common, and the words that several of them use."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

Track = Literal["stable", "canary"]


@dataclass(frozen=True)
class Event(ABC):
    """The base of all events: each knows the topic it belongs on and the key that keeps it in order."""

    @property
    @abstractmethod
    def topic(self) -> str:
        """Name of the topic that this event is published on."""

    @property
    @abstractmethod
    def key(self) -> str:
        """What this event is ordered by."""


@dataclass(frozen=True)
class ModelName:
    """Which bundle read: its name, its version, and the sha256 of its file, hex."""

    name: str
    version: str
    digest: str
