"""The protocol over gRPC: `inference.GRPCInferenceService`, with health and reflection beside it.

Messages come as bytes and are read here, so that what is none gets INVALID_ARGUMENT as every other bad input does. On a
stream each request has one answer, in the order of the requests; one that can't be read has its reason in
`error_message` and leaves the others alone, and a stream that ends takes along what still waits on it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import grpc
import structlog
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from lipsol.errors import LipsolError, NotFound
from lipsol.proto import private
from lipsol.proto.oip import inference_pb2 as pb
from services.doors.rpc import Bounds, RpcServer, answering
from services.inference.core import Core
from services.inference.oip import models as known
from services.inference.oip import wire
from services.inference.oip.inferring import Inferring, Reply, Request
from services.inference.oip.room import REQUEST_BYTES, Room

NAME = "inference.GRPCInferenceService"
BOUNDS = Bounds(message_bytes=REQUEST_BYTES, calls=256)
AHEAD = 32  # requests of one stream that are in work; further ones are not taken from it yet

log = structlog.get_logger("lipsol.doors")


def oip_server(core: Core, host: str, port: int, faults: Callable[[], Sequence[str]]) -> RpcServer:
    """The door on its port, not yet started."""
    models = known.Known(core.models.known, core.models.unusable)
    calls = Calls(Inferring(core, models), models, faults)
    private.share([health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR])

    def add(server: Any) -> None:
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, calls.handlers()),))

    return RpcServer(NAME, add, host, port, faults, BOUNDS, private.POOL)


class Calls:
    """The calls, each a thin cover over the registry's models or the core."""

    def __init__(self, inferring: Inferring, models: known.Known, faults: Callable[[], Sequence[str]]) -> None:
        self._inferring = inferring
        self._models = models
        self._faults = faults
        self._room = Room()

    def handlers(self) -> dict[str, Any]:
        """The calls by name, bytes in and bytes out."""
        asked: dict[str, tuple[type[Message], Callable[[Any], Awaitable[Message]]]] = {
            "ServerLive": (pb.ServerLiveRequest, self._live),
            "ServerReady": (pb.ServerReadyRequest, self._ready),
            "ServerMetadata": (pb.ServerMetadataRequest, self._server),
            "ModelReady": (pb.ModelReadyRequest, self._model_ready),
            "ModelMetadata": (pb.ModelMetadataRequest, self._metadata),
            "ModelConfig": (pb.ModelConfigRequest, self._config),
            "RepositoryIndex": (pb.RepositoryIndexRequest, self._index),
        }
        return {
            **{name: _unary(kind, answer) for name, (kind, answer) in asked.items()},
            "ModelInfer": grpc.unary_unary_rpc_method_handler(self.infer),
            "ModelStreamInfer": grpc.stream_stream_rpc_method_handler(self.stream),
        }

    async def infer(self, data: bytes, context: Any) -> bytes:
        """Read one request's mouths."""
        async with answering(context):
            with self._room.counting() as take:
                take(len(data))
                sent = wire.message(pb.ModelInferRequest, data)
                reply = await self._read(sent, context.time_remaining())
                return wire.written(reply).SerializeToString()

    async def stream(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        """Read requests as they come, some at a time, and answer in their order."""
        async with answering(context):
            waiting: asyncio.Queue[asyncio.Task[bytes] | None] = asyncio.Queue(AHEAD)
            working: set[asyncio.Task[bytes]] = set()
            taking = asyncio.create_task(self._take(requests, context, waiting, working))
            try:
                while (task := await waiting.get()) is not None:
                    yield await task
                    working.discard(task)
            finally:
                for left in (taking, *working):
                    left.cancel()

    async def _take(
        self,
        requests: AsyncIterator[bytes],
        context: Any,
        waiting: "asyncio.Queue[asyncio.Task[bytes] | None]",
        working: "set[asyncio.Task[bytes]]",
    ) -> None:
        """Begin each request of a stream as it comes, as long as there is room in line."""
        try:
            async for data in requests:
                task = asyncio.create_task(self._one(data, context))
                working.add(task)
                await waiting.put(task)
        finally:
            await waiting.put(None)

    async def _one(self, data: bytes, context: Any) -> bytes:
        """One answer of a stream."""
        told = pb.ModelStreamInferResponse()
        try:
            with self._room.counting() as take:
                take(len(data))
                sent = wire.message(pb.ModelInferRequest, data)
                told.infer_response.id = sent.id
                reply = await self._read(sent, context.time_remaining())
            told.infer_response.CopyFrom(wire.written(reply))
        except LipsolError as fault:
            told.error_message = str(fault)
        except Exception:  # one request's fault is not the stream's end, whatever it is
            log.exception("unexpected", method="gRPC")
            told.error_message = "something unexpected happened: try again"
        return told.SerializeToString()

    async def _read(self, sent: pb.ModelInferRequest, left_s: float | None) -> Reply:
        """The readings of a request; left_s: until the call's own deadline, None: it has none."""
        now = time.time()
        raw = bool(sent.raw_input_contents)
        request = wire.parsed(sent, now) if raw else await self._room.unpack(lambda: wire.parsed(sent, now))
        return await self._inferring.infer(_within(request, now + left_s if left_s is not None else 0.0))

    async def _live(self, _: pb.ServerLiveRequest) -> Message:
        return pb.ServerLiveResponse(live=True)

    async def _ready(self, _: pb.ServerReadyRequest) -> Message:
        return pb.ServerReadyResponse(ready=not self._faults())

    async def _server(self, _: pb.ServerMetadataRequest) -> Message:
        return pb.ServerMetadataResponse(**known.server())

    async def _model_ready(self, sent: pb.ModelReadyRequest) -> Message:
        try:
            await self._models.find(sent.name, sent.version)
        except NotFound:
            return pb.ModelReadyResponse(ready=False)
        return pb.ModelReadyResponse(ready=not self._faults())

    async def _metadata(self, sent: pb.ModelMetadataRequest) -> Message:
        info = await self._models.find(sent.name, sent.version)
        return pb.ModelMetadataResponse(**known.metadata(info, await self._models.versions(info.name)))

    async def _config(self, sent: pb.ModelConfigRequest) -> Message:
        info = await self._models.find(sent.name, sent.version)
        return pb.ModelConfigResponse(config=pb.ModelConfig(**known.config(info)))

    async def _index(self, _: pb.RepositoryIndexRequest) -> Message:
        return pb.RepositoryIndexResponse(models=known.index(await self._models.models(), self._models.unusable()))


def _unary(kind: type[Message], answer: Callable[[Any], Awaitable[Message]]) -> Any:
    """One message in, one out, both as bytes on the outside."""

    async def call(data: bytes, context: Any) -> bytes:
        async with answering(context):
            return (await answer(wire.message(kind, data))).SerializeToString()

    return grpc.unary_unary_rpc_method_handler(call)


def _within(request: Request, deadline_at: float) -> Request:
    """The request with the earlier of both deadlines."""
    given = [each for each in (request.deadline_at, deadline_at) if each]
    return replace(request, deadline_at=min(given, default=0.0))
