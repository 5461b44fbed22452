"""A BentoML service over the same network and the same decoding, batched by BentoML itself: what ours is held against.

As efficient as BentoML allows: the body is the tensors' own bytes, taken as they are; the answer is as complete as
ours; a batch is one call of the reader, with onnxruntime set as ours is. `BENTO_SIDE_*` say how it is tuned, so that
whoever doubts a figure can try what would suit BentoML better.
"""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import bentoml
import numpy as np
from pydantic import PlainValidator, WithJsonSchema

from lipsol.bundle import Bundle
from lipsol.clips.clip import JAW_POINTS, LIP_POINTS, MOUTH_PX, MouthClip
from lipsol.engine import Engine
from lipsol.reader import BUNDLE_GRAMMAR, Reader

BATCH = int(os.environ.get("BENTO_SIDE_BATCH", "8"))
LATENCY_MS = int(os.environ.get("BENTO_SIDE_LATENCY_MS", "10000"))  # beyond it BentoML gives up what waits
WORKERS = int(os.environ.get("BENTO_SIDE_WORKERS", "1"))  # processes, each with a batcher and a model of its own
THREADS = int(os.environ.get("BENTO_SIDE_THREADS", "1"))

FRAME_BYTES = MOUTH_PX * MOUTH_PX + 2 * 4 * (LIP_POINTS + JAW_POINTS)

# One clip a request, as a list of one: BentoML joins the lists. "binary" makes it hand on the body unread.
BINARY = {"type": "string", "format": "binary"}
Packed = Annotated[list[bytes], PlainValidator(lambda body: [body]), WithJsonSchema(BINARY)]


def unpacked(body: bytes) -> MouthClip:
    """The mouth whose tensors these are, one behind the other; not copied."""
    frames = len(body) // FRAME_BYTES
    pixels = frames * MOUTH_PX * MOUTH_PX
    points = frames * LIP_POINTS * 2
    lips = np.frombuffer(body, np.float32, points, pixels).reshape(frames, LIP_POINTS, 2)
    return MouthClip(
        np.frombuffer(body, np.uint8, pixels).reshape(frames, MOUTH_PX, MOUTH_PX),
        lips,
        np.frombuffer(body, np.float32, offset=pixels + 4 * points).reshape(frames, JAW_POINTS, 2),
        np.zeros_like(lips),
        np.ones(frames, bool),
    )


@bentoml.service(
    name="bento-side",
    workers=WORKERS,
    traffic={"timeout": 60},
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
class Reading:
    """Reads mouths."""

    def __init__(self) -> None:
        self._reader = Reader(Bundle.load(Path(os.environ["BENTO_SIDE_MODEL"])), Engine(threads=THREADS))

    @bentoml.api(batchable=True, max_batch_size=BATCH, max_latency_ms=LATENCY_MS)
    def read(self, bodies: Packed, /) -> list[dict[str, Any]]:
        """What is said in each."""
        mouths = [unpacked(body) for body in bodies]
        return [asdict(each) for each in self._reader.read_many(mouths, [BUNDLE_GRAMMAR] * len(mouths))]
