"""The ground of every gRPC door: a server beside the HTTP one, on the same event loop, with health and reflection.

Health (grpc.health.v1) follows readiness. A fault is a status; its particulars stand in the trailing metadata:
`lipsol-problem-bin` (a `lipsol.v1.Problem`), `trace-id`, and `retry-after` in seconds where that helps. Connections are
not encrypted: in a cluster the mesh or the ingress does that.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import structlog
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import SERVICE_NAME as HEALTH
from grpc_health.v1.health import aio as health
from grpc_reflection.v1alpha.reflection import SERVICE_NAME as REFLECTION
from grpc_reflection.v1alpha.reflection import enable_server_reflection

from lipsol.errors import BadInput, Busy, LipsolError
from lipsol.proto.v1 import lip_reading_pb2
from lipsol.runtime.envelope import TRACEPARENT, Trace, following
from services.doors.problems import Problem

LOOK_S = 0.5  # between two looks at readiness

CODES = {
    404: grpc.StatusCode.NOT_FOUND,
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.DEADLINE_EXCEEDED,
}

log = structlog.get_logger("lipsol.doors")


@dataclass(frozen=True)
class Bounds:
    """What a door takes; the edge's by default.

    message_bytes  of one message, unpacked; a chunk of a clip has 1 MiB at most
    calls          at once; one more is RESOURCE_EXHAUSTED. More than clips may be in flight: asking costs little
    """

    message_bytes: int = 2 * 2**20
    calls: int = 1024


BOUNDS = Bounds()


class RpcServer:
    """One gRPC server. Starts and stops on the event loop that serves HTTP."""

    def __init__(
        self,
        name: str,
        add: Callable[[Any], None],
        host: str,
        port: int,
        faults: Callable[[], Sequence[str]],
        bounds: Bounds = BOUNDS,
        pool: DescriptorPool | None = None,
    ) -> None:
        """name: of the service in full; add: adds its servicer to a server; faults: say why it is not ready.

        pool: where reflection finds the service, its own schema and health's among it; None: where protobuf has all.
        """
        self._name, self._add = name, add
        self._host, self._port = host, port
        self._faults = faults
        self._bounds = bounds
        self._pool = pool
        self._server: Any = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port that is listened on; once started, also where 0 was asked for."""
        return self._port

    async def start(self) -> None:
        """Begin to take calls. Raises BadInput if the port can't be had."""
        options = (
            ("grpc.max_receive_message_length", self._bounds.message_bytes),
            ("grpc.so_reuseport", 0),  # else two servers would share a port, and each get half of the calls
        )
        server = grpc.aio.server(options=options, maximum_concurrent_rpcs=self._bounds.calls)
        state = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(state, server)
        self._add(server)
        enable_server_reflection((self._name, HEALTH, REFLECTION), server, self._pool)
        host = f"[{self._host}]" if ":" in self._host else self._host
        try:
            self._port = server.add_insecure_port(f"{host}:{self._port}")
        except RuntimeError as fault:
            raise BadInput(
                f"{self._host} port {self._port} can't be listened on for gRPC", "name another address or port"
            ) from fault
        await self._show(state)
        await server.start()
        self._server = server
        self._watching = asyncio.create_task(self._watch(state))

    async def stop(self, grace_s: float) -> None:
        """Take no more calls; those that are in work have grace_s seconds."""
        if self._server is None:
            return
        await self._server.stop(grace_s)
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching

    async def _watch(self, state: Any) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await self._show(state)

    async def _show(self, state: Any) -> None:
        serving = health_pb2.HealthCheckResponse
        status = serving.NOT_SERVING if self._faults() else serving.SERVING
        for name in ("", self._name):
            await state.set(name, status)


@asynccontextmanager
async def answering(context: Any) -> AsyncIterator[None]:
    """A call's work, as a step of its client's trace; what goes wrong in it becomes the call's status."""
    trace = Trace.of({TRACEPARENT: metadata(context).get(TRACEPARENT, "")})
    told = [("trace-id", trace.trace_id)]
    context.set_trailing_metadata(tuple(told))
    with following(trace):
        try:
            yield
        except LipsolError as fault:
            problem = Problem.of(fault)
            if isinstance(fault, Busy):
                told.append(("retry-after", str(max(1, round(fault.retry_after_s)))))
            await _refuse(context, problem, told)
        except (grpc.aio.AbortError, grpc.RpcError):
            raise
        except Exception:  # the last door: whatever it is, the client gets a status and the log the rest
            log.exception("unexpected", method="gRPC")
            cure = f"try again; if it stays, tell the operator the trace id {trace.trace_id}"
            await _refuse(context, Problem.of_status(500, "something unexpected happened", cure), told)


def metadata(context: Any) -> dict[str, str]:
    """What the client sent along with its call, as far as it is text."""
    return {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}


async def _refuse(context: Any, problem: Problem, told: Sequence[tuple[str, str]]) -> None:
    """End the call with a problem; raises."""
    wire = lip_reading_pb2.Problem(**problem.model_dump())
    fallback = grpc.StatusCode.INVALID_ARGUMENT if problem.status < 500 else grpc.StatusCode.INTERNAL
    await context.abort(
        CODES.get(problem.status, fallback),
        f"{problem.detail}: {problem.cure}" if problem.cure else problem.detail,
        (*told, ("lipsol-problem-bin", wire.SerializeToString())),
    )
