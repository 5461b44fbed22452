"""The reading service's own settings: `LIPSOL_INFERENCE__...` in the environment."""

import re
from typing import Literal

from pydantic import Field, field_validator

from lipsol.engine import BUCKETS, Engine
from lipsol.reader import MIN_FRAMES
from services.doors.service import DoorSettings
from services.inference.line import Batching

DIGEST = re.compile(r"[0-9a-f]{64}")  # of a bundle, whole


class InferenceSettings(DoorSettings):
    """What the reading service is told at start-up."""

    port: int = Field(8081, ge=0, le=65535)
    """Port of its HTTP door; 0 takes any free one."""
    track: Literal["stable", "canary", "both"] = "both"
    """Which deployment this is. `both` reads what is meant for either: right wherever there is one deployment alone,
    and what the embedded platform always is. During a rollout the one that is known to be good is `stable`, and reads
    what waits for the canary once no policy lets it live; `canary` reads that as long as one does."""
    grpc_port: int = Field(8091, ge=0, le=65535)
    """Port of its gRPC door, on the same address; 0 takes any free one."""
    provider: Literal["cpu", "cuda", "tensorrt"] = "cpu"
    """What networks run on. `cuda` and `tensorrt` need onnxruntime-gpu in the place of onnxruntime; where they can't be
    had, the start is refused: nothing falls back."""
    device_id: int = Field(0, ge=0)
    """Which GPU, where there are several."""
    fp16: bool = False
    """Half precision on a GPU: faster, a little less exact. Refused on the CPU, which gains nothing by it."""
    threads: int = Field(0, ge=0)
    """CPUs that networks use: as many batches at the same time, each on one. 0 takes half of those that the process may
    use (a container's limit, not its host's), since finding the words takes the others; but a single one in the
    platform in one process: who watches needs the others.
    """
    batch: int = Field(8, ge=1, le=64)
    """Mouths read together at most, and taken from the bus together. More gains little on a CPU."""
    batch_frames: int = Field(1200, ge=1)
    """Frames of one batch at most, padding counted, so that none keeps the next one waiting for long; a longer clip
    goes alone. 1200 are eight clips of 6 s, some 0.15 s of a CPU's time; a GPU takes more."""
    batch_wait_ms: float = Field(2.0, ge=0)
    """Milliseconds that a free network waits for company, and only when clips come more often than that; 0: never."""
    buckets: list[int] = Field(list(BUCKETS))
    """Lengths in frames (25 a second), rising; clips up to the same one share batches. Longer than the last one are
    read one at a time, in a lane of their own. Each is warmed up at the start."""
    line: int = Field(256, ge=1)
    """Mouths that wait for a place in a batch at most, for each bundle; one more is Busy."""
    look_s: float = Field(5.0, gt=0)
    """Seconds between two looks at whether a default has become another bundle."""
    attempts: int = Field(3, ge=1)
    """How often a mouth is tried when something passing fails, before it becomes a dead letter."""
    models_held: int = Field(4, ge=1)
    """Bundles in memory at once; of more, the one longest unused makes way, but never a language's default, nor
    what is pinned."""
    bundles: list[str] = Field([])
    """Digests of the bundles that are pinned, 64 hex digits each, one of a model at most: each is what its name means,
    and the first of a language reads it when no model is named, whatever is promoted meanwhile. What no pin speaks of
    goes by the registry. The start is refused where one can't be used. A release on Kubernetes pins what it was judged
    by, so that a promotion alone moves nothing there, and a rollback brings the bundle before back."""

    @field_validator("buckets")
    @classmethod
    def _rising(cls, buckets: list[int]) -> list[int]:
        if not buckets or buckets[0] < MIN_FRAMES or buckets != sorted(set(buckets)):
            raise ValueError(f"{buckets}: give rising numbers from {MIN_FRAMES} on, as [25,75,250]")
        return buckets

    @field_validator("bundles")
    @classmethod
    def _whole(cls, bundles: list[str]) -> list[str]:
        if strange := [each for each in bundles if not DIGEST.fullmatch(each)]:
            raise ValueError(
                f"{strange[0][:80]!r}: give whole digests, 64 hex digits, as `lipsol models show --json` does"
            )
        if len(set(bundles)) < len(bundles):
            raise ValueError("a digest twice: name each bundle once")
        return bundles

    def engine(self) -> Engine:
        """How networks are run."""
        return Engine(self.provider, 1, self.fp16, self.device_id, tuple(self.buckets), self.batch)

    def batching(self) -> Batching:
        """How batches are made."""
        return Batching(self.batch, self.batch_frames, self.batch_wait_ms / 1e3, self.line, tuple(self.buckets))
