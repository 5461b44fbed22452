"""The edge's gRPC door: the same clips, bounds and answers as over HTTP. The contract is `lip_reading.proto`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from lipsol.errors import BadInput
from lipsol.events import FeedbackGiven
from lipsol.proto.v1 import events_pb2, lip_reading_pb2, lip_reading_pb2_grpc
from lipsol.text.hotwords import TIMES
from services.doors.rpc import RpcServer, answering, metadata
from services.preprocess.asking import ASKED, Asked
from services.preprocess.contract import FEEDBACK_MAX
from services.preprocess.feedback import Verdict
from services.preprocess.handler import Handler, known_id
from services.preprocess.receiving import TIMEOUT_MAX_S, Receiving, Sent
from services.preprocess.repeats import checked_key
from services.preprocess.results import Result
from services.preprocess.uploads import Held

NAME = "lipsol.v1.LipReading"
CHUNK_BYTES = 2**20  # of one part of a clip
HOW = "send ReadOptions first, then the clip's bytes in chunks"
STATES = {"reading": "STATE_READING", "read": "STATE_READ", "failed": "STATE_FAILED"}
TRACKS = {"stable": "TRACK_STABLE", "canary": "TRACK_CANARY"}
VERDICTS: dict[Verdict, Any] = {"right": events_pb2.VERDICT_RIGHT, "wrong": events_pb2.VERDICT_WRONG}


def rpc_server(
    handler: Handler, receiving: Receiving, held: Held, host: str, port: int, faults: Callable[[], Sequence[str]]
) -> RpcServer:
    """The door on its port, not yet started."""
    reading = LipReading(handler, receiving, held)

    def add(server: Any) -> None:
        lip_reading_pb2_grpc.add_LipReadingServicer_to_server(reading, server)

    return RpcServer(NAME, add, host, port, faults)


class LipReading(lip_reading_pb2_grpc.LipReadingServicer):
    """The calls, each a thin cover over the handler."""

    def __init__(self, handler: Handler, receiving: Receiving, held: Held) -> None:
        self._handler = handler
        self._receiving = receiving
        self._held = held

    async def Read(self, requests: AsyncIterator[Any], context: Any) -> lip_reading_pb2.Result:  # noqa: N802
        """Read one clip."""
        async with answering(context):
            key = metadata(context).get("idempotency-key")
            key = checked_key(key) if key is not None else None
            with self._receiving.counting_busy():
                options, deadline_at = await self._options(requests, context)
                with self._held.counting(self._held.bounds.max_bytes) as take:
                    data = await self._clip(requests, take)
                    asked = _asked(options)
                    taken = await self._receiving.take(Sent(data, asked, key, deadline_at, options.wait))
                    del data
            return told(await self._receiving.settled(taken) if options.wait else taken.result)

    async def GetResult(self, request: Any, context: Any) -> lip_reading_pb2.Result:  # noqa: N802
        """A clip's result as it stands."""
        async with answering(context):
            return told(await asyncio.to_thread(self._handler.result, known_id(request.clip_id)))

    async def GiveFeedback(self, request: Any, context: Any) -> lip_reading_pb2.FeedbackTaken:  # noqa: N802
        """Take what a person says of a reading."""
        async with answering(context):
            given = await asyncio.to_thread(self._told, request)
            right = VERDICTS[given.verdict] if given.verdict else None
            return lip_reading_pb2.FeedbackTaken(
                clip_id=given.clip_id,
                text=given.text,
                verdict=right,
                kept=bool(given.consent),
                gave_up=given.gave_up,
            )

    def _told(self, request: Any) -> FeedbackGiven:
        clip_id = known_id(request.clip_id)
        if request.WhichOneof("said") == "gave_up" and request.gave_up:
            return self._handler.gave_up(clip_id)
        return self._handler.feedback(clip_id, *_said(request), request.consent)

    async def _options(self, requests: AsyncIterator[Any], context: Any) -> tuple[Any, float]:
        """How the clip is to be read, and until when. Raises Busy before any of the clip is taken in vain."""
        first = await _next(requests, self._held)
        if first is None or first.WhichOneof("part") != "options":
            raise BadInput("the call does not begin with its options", HOW)
        left_s = context.time_remaining() if first.options.wait else None
        deadline_at = self._receiving.deadline(None if left_s is None else min(left_s, TIMEOUT_MAX_S))
        self._receiving.check(deadline_at)
        return first.options, deadline_at

    async def _clip(self, requests: AsyncIterator[Any], take: Callable[[int], None]) -> bytes:
        """The clip, chunk by chunk, each counted before it is kept."""
        clip = bytearray()
        try:
            async with asyncio.timeout(self._held.bounds.timeout_s):
                async for request in requests:
                    if request.WhichOneof("part") != "chunk":
                        raise BadInput("options came again, where a chunk of the clip was due", HOW)
                    if len(request.chunk) > CHUNK_BYTES:
                        raise BadInput(f"a chunk of {len(request.chunk)} bytes", f"send at most {CHUNK_BYTES} at once")
                    take(len(request.chunk))
                    clip += request.chunk
        except TimeoutError as slow:
            raise self._held.too_slow() from slow
        if not clip:
            raise BadInput("the call has no clip", HOW)
        return bytes(clip)


async def _next(requests: AsyncIterator[Any], held: Held) -> Any:
    """The next message; None at the end."""
    try:
        async with asyncio.timeout(held.bounds.timeout_s):
            return await anext(aiter(requests), None)
    except TimeoutError as slow:
        raise held.too_slow() from slow


def _said(request: Any) -> tuple[str | None, Verdict | None]:
    """The right words, or whether the reading was right; one of the two. Raises BadInput."""
    said = request.WhichOneof("said")
    if said == "text":
        if len(request.text) > FEEDBACK_MAX:
            raise BadInput(f"a text of {len(request.text)} characters", f"send at most {FEEDBACK_MAX}")
        return request.text, None
    for verdict, number in VERDICTS.items():
        if said == "verdict" and request.verdict == number:
            return None, verdict
    raise BadInput("nothing is said of the reading", "give a text, the verdict right or wrong, or gave_up as true")


def _asked(options: Any) -> Asked:
    """What a clip's options ask for."""
    hotwords = tuple((word, times or TIMES) for word, times in sorted(options.hotwords.items()))
    plain = {name: getattr(options, name).strip() for name in ASKED}
    return Asked(**plain, phrases=tuple(options.phrases), hotwords=hotwords)


def told(result: Result) -> lip_reading_pb2.Result:
    """A result as it is told over gRPC: field for field the one of HTTP."""
    plain = result.model_dump(exclude_none=True)
    plain["state"], plain["track"] = STATES[result.state], TRACKS[result.track]
    return lip_reading_pb2.Result(**plain)
