"""What both doors do with a request: n mouths become n asks of the core, whose answers become one reply.

All of a request is read by one bundle, or none of it is: the first fault ends it, and what still waits is cancelled, as
it is when the client goes away or its deadline passes.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np

from lipsol.errors import BadInput, TooLate, Transient
from services.inference.core import Answer, Ask, Core
from services.inference.oip.models import Known
from services.inference.oip.mouths import grammars_of, mouths_of, outputs_of

TIMEOUT_MAX = 2**63 - 1  # what the protocol can carry


@dataclass(frozen=True)
class Request:
    """One request, whatever door it came through.

    version      "": the newest
    id           given back with the answer; "": none
    inputs       arrays by name, each of a shape and datatype that is taken
    outputs      what is wanted, in this order
    deadline_at  Unix seconds after which nobody waits; 0.0: no such time
    """

    model: str
    version: str
    id: str
    inputs: Mapping[str, np.ndarray]
    outputs: tuple[str, ...]
    deadline_at: float = 0.0


@dataclass(frozen=True)
class Reply:
    """What was read, and by which bundle."""

    model: str
    version: str
    id: str
    digest: str
    outputs: Mapping[str, np.ndarray]


class Inferring:
    """Asks the core. Lives on one event loop."""

    def __init__(self, core: Core, known: Known) -> None:
        self._core = core
        self._known = known

    async def infer(self, request: Request) -> Reply:
        """The readings of a request's mouths.

        Raises BadInput, NotFound, Busy or ModelError as the core does, TooLate past the deadline.
        """
        info = await self._known.find(request.model, request.version)
        mouths = mouths_of(request.inputs)
        grammars = grammars_of(request.inputs, len(mouths))
        asks = [Ask(mouth, info, grammar, request.deadline_at) for mouth, grammar in zip(mouths, grammars, strict=True)]
        answers = await self._answers(asks, request.deadline_at)
        outputs = outputs_of([answer.prediction for answer in answers], request.outputs)
        return Reply(info.name, info.version, request.id, info.digest, outputs)

    async def _answers(self, asks: Sequence[Ask], deadline_at: float) -> list[Answer]:
        waiting: list[Future[Answer]] = self._core.submit_all(asks)
        left = asyncio.timeout(deadline_at - time.time() if deadline_at else None)
        try:
            async with left:
                return await asyncio.gather(*map(asyncio.wrap_future, waiting))
        except TimeoutError as late:
            if not left.expired():
                raise
            raise TooLate("no reading came before the deadline", "allow more time, or try again later") from late
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise Transient("the service is leaving", "try again, another will answer") from None
        finally:
            for future in waiting:
                future.cancel()


def deadline(timeout_us: int, now: float) -> float:
    """When a request's `timeout` (microseconds; 0: none) ends, Unix seconds. Raises BadInput for one that makes no
    sense.
    """
    if not 0 <= timeout_us <= TIMEOUT_MAX:
        raise BadInput(f"a timeout of {str(timeout_us)[:30]} microseconds", f"give 0 (none) to {TIMEOUT_MAX}")
    return now + timeout_us / 1e6 if timeout_us else 0.0
