"""The edge's own settings: `LIPSOL_PREPROCESS__...` in the environment."""

from typing import Self

from pydantic import Field, model_validator

from lipsol.topics import STABLE_MOUTHS
from services.doors.service import DoorSettings

MIB = 2**20


class PreprocessSettings(DoorSettings):
    """What the edge is told at start-up."""

    port: int = Field(8080, ge=0, le=65535)
    """Port of the HTTP door; 0 takes any free one."""
    language: str = "en"
    """What is spoken where a client names neither language nor model, as BCP 47."""
    workers: int = Field(0, ge=0)
    """Threads that watch clips; 0 takes one for each CPU that the process may use."""
    line: int = Field(32, ge=0)
    """Clips that may wait for a thread; one more is answered 429."""
    retry_after_s: float = Field(2.0, gt=0)
    """What a 429 tells a client to wait, seconds: about the time in which a full line on two CPUs has moved."""
    max_bytes: int = Field(64 * MIB, gt=0)
    """Bytes of one clip; more is answered 413."""
    memory_bytes: int = Field(512 * MIB, gt=0)
    """Bytes of clips held in memory at once, from upload to mouth; more is answered 429."""
    upload_s: float = Field(60.0, gt=0)
    """Seconds that one upload may take; a slower one is answered 408."""
    wait_s: float = Field(30.0, gt=0)
    """Seconds that `?wait=true` waits for a reading before it is answered 202, as without waiting."""
    retention_s: float = Field(STABLE_MOUTHS.retention_s, gt=0)
    """Seconds that mouths, results and idempotency keys are kept. A day: as long as an event may wait to be read."""
    batch: int = Field(32, ge=1, le=1024)
    """Results taken from the bus together at most."""
    attempts: int = Field(3, ge=1)
    """How often a result is tried to be kept when something passing fails, before it becomes a dead letter."""
    replica: str = Field("", pattern=r"[A-Za-z0-9._-]{0,100}$")
    """Name of this replica among its like: it hears every result. Empty takes the host's name."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.memory_bytes < self.max_bytes:
            raise ValueError(f"memory_bytes {self.memory_bytes} is below max_bytes {self.max_bytes}: raise it")
        return self
