"""The edge's own settings: `LIPSOL_PREPROCESS__...` in the environment."""

from typing import Self

from pydantic import Field, model_validator

from lipsol.bus.port import VALUE_MAX_BYTES
from lipsol.store.claims import INLINE_MAX_BYTES
from lipsol.store.corrections import RETENTION_S
from lipsol.topics import STABLE_MOUTHS
from services.doors.service import DoorSettings

MIB = 2**20


class PreprocessSettings(DoorSettings):
    """What the edge is told at start-up."""

    port: int = Field(8080, ge=0, le=65535)
    """Port of the HTTP door; 0 takes any free one."""
    grpc_port: int = Field(8090, ge=0, le=65535)
    """Port of the gRPC door, on the same address; 0 takes any free one."""
    language: str = "en"
    """What is spoken where a client names neither language nor model, as BCP 47."""
    workers: int = Field(0, ge=0)
    """Threads that watch clips; 0 takes one for each CPU that the process may use."""
    line: int = Field(32, ge=0)
    """Clips that may wait for a thread; one more is answered 429."""
    in_flight: int = Field(256, ge=1)
    """Clips that this replica has taken and that are not read yet; one more is answered 429. As many as two CPUs read
    in the 30 s that a client waits. Clips with a deadline are bounded further, by how soon the last ones were answered
    (`flight.py`)."""
    retry_after_s: float = Field(2.0, gt=0)
    """What a 429 tells a client to wait, seconds: about the time in which a full line on two CPUs has moved."""
    max_bytes: int = Field(256 * MIB, gt=0)
    """Bytes of one video; more is answered 413. Half an hour at a little over 1 Mbit/s."""
    clip_seconds: float = Field(12.0, gt=0, le=30.0)
    """Seconds that a video may last to be read as one clip. What is longer is a recording, and is read in parts that
    are cut where the lips rest. Few utterances last longer than this."""
    max_seconds: float = Field(1800.0, ge=0)
    """Seconds that a recording may last; what is longer is refused. Half an hour. At most `clip_seconds`: no recordings
    are taken."""
    recordings: int = Field(2, ge=1)
    """Recordings in work at once; one more is answered 429. Each holds a few hundred MiB at most, for pictures of
    640x480 and however long it is, and watches as fast as one CPU can."""
    recording_ahead: int = Field(8, ge=1)
    """Parts of one recording that wait to be read, before more of it is watched: as many as a reader takes together."""
    memory_bytes: int = Field(1024 * MIB, gt=0)
    """Bytes of clips held in memory at once, from upload to mouth; more is answered 429."""
    upload_s: float = Field(60.0, gt=0)
    """Seconds that one upload may take; a slower one is answered 408."""
    wait_s: float = Field(30.0, gt=0)
    """Seconds that `?wait=true` waits for a reading before it is answered 202, as without waiting."""
    deadline_s: float = Field(0.0, ge=0)
    """Seconds after which a clip is not worth reading any more where its client names no deadline; 0: it always is.
    A client that left may come back for its result."""
    retention_s: float = Field(STABLE_MOUTHS.retention_s, gt=0)
    """Seconds that mouths, results and idempotency keys are kept. A day: as long as an event may wait to be read."""
    corrections_s: float = Field(RETENTION_S, gt=0)
    """Seconds that a mouth and its right words are kept to teach, where somebody agreed to that. 90 days: time for them
    to become part of a data set, and for who agreed to think better of it."""
    sweep_s: float = Field(600.0, gt=0)
    """Seconds between two looks for what the store needs no more: what has expired, and what is left of clips whose
    edge died at them. Nobody can read the former anyhow; a look lists all that is kept."""
    inline_bytes: int = Field(INLINE_MAX_BYTES, ge=0, le=VALUE_MAX_BYTES // 2)
    """Bytes of a mouth that ride inside the event; a bigger one goes to the store, and the event carries a claim
    check. At most half of what a message holds, as the event tells more than the mouth."""
    batch: int = Field(32, ge=1, le=1024)
    """Results taken from the bus together at most."""
    attempts: int = Field(3, ge=1)
    """How often a result is tried to be kept when something passing fails, before it becomes a dead letter."""

    fetches: int = Field(0, ge=0)
    """Clips of batches that are fetched and watched at the same time; 0 takes half as many as `workers`, one at least:
    the other half is left to those who wait for an answer."""
    ahead: int = Field(16, ge=1)
    """Clips of batches that this replica has handed on and that are not read yet, before it fetches more. As many as a
    reader takes together and as many that wait; who sends one clip waits behind these at most."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.memory_bytes < self.max_bytes:
            raise ValueError(f"memory_bytes {self.memory_bytes} is below max_bytes {self.max_bytes}: raise it")
        return self
