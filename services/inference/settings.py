"""The reading service's own settings: `LIPSOL_INFERENCE__...` in the environment."""

from typing import Literal

from pydantic import Field

from services.doors.service import DoorSettings


class InferenceSettings(DoorSettings):
    """What the reading service is told at start-up."""

    port: int = Field(8081, ge=0, le=65535)
    """Port of its health door; 0 takes any free one."""
    track: Literal["stable", "canary", "both"] = "both"
    """Which deployment this is. `both` reads what is meant for either: right wherever there is one deployment alone,
    and what the embedded platform always is. During a rollout the one that is known to be good is `stable`, and reads
    what waits for the canary once no policy lets it live; `canary` reads that as long as one does."""
    batch: int = Field(8, ge=1, le=64)
    """Mouths read together at most: what waits is taken, nothing is waited for. More costs memory and gains little."""
    attempts: int = Field(3, ge=1)
    """How often a mouth is tried when something passing fails, before it becomes a dead letter."""
    threads: int = Field(1, ge=1)
    """Threads of one network. One: the watching threads need the other CPUs, and a reading takes some ms."""
    models_held: int = Field(4, ge=1)
    """Bundles in memory at once; of more, the one longest unused makes way."""
