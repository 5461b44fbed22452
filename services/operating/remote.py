"""The operations on an embedded platform of this machine, through its operator's door."""

import http.client
import json
from typing import Any

from pydantic import TypeAdapter

from lipsol.errors import BadInput, Busy, LipsolError, NotFound, Transient
from lipsol.events import Mode
from services.operating.operations import TrafficState

WAIT_S = 60.0  # that an answer may take: some operations read all that a topic keeps
FAULTS: dict[int, type[LipsolError]] = {404: NotFound, 429: Busy, 503: Transient}  # what a status was raised as


class Remote:
    """The same methods as `Operations`; raises what they raise, and Transient where no platform is."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._host, self._port = host, port

    def traffic(self) -> TrafficState:
        state: TrafficState = self._call("traffic", TrafficState)
        return state

    def set_traffic(
        self, mode: Mode, weight: float, life_s: float, *, canary_digest: str = "", set_by: str, reason: str = ""
    ) -> TrafficState:
        policy = {"mode": mode, "weight": weight, "life_s": life_s, "canary_digest": canary_digest}
        state: TrafficState = self._call("set_traffic", TrafficState, **policy, set_by=set_by, reason=reason)
        return state

    def abort(self, *, set_by: str, reason: str = "") -> TrafficState:
        state: TrafficState = self._call("abort", TrafficState, set_by=set_by, reason=reason)
        return state

    def _call(self, name: str, kind: Any, **arguments: object) -> Any:
        """Call an operation and take its result as `kind`: any type, with its parts."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=WAIT_S)
        try:
            connection.request("POST", f"/v1/{name}", json.dumps(arguments), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as fault:
            raise Transient(
                f"no platform answers at {self._host}:{self._port} ({fault})",
                "start `lipsol serve`, or set LIPSOL_BUS__KIND=kafka to reach the services of a broker",
            ) from fault
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK:
            raise _fault(answer.status, body)
        return TypeAdapter(kind).validate_json(body)


def _fault(status: int, body: bytes) -> LipsolError:
    """What the operation raised, as far as its problem tells."""
    try:
        problem = json.loads(body)
        detail, cure = str(problem["detail"]), str(problem.get("cure", ""))
    except (ValueError, KeyError, TypeError):
        detail, cure = f"an answer {status} that is no problem", "see whether `lipsol serve` has that port"
    kind = FAULTS.get(status, BadInput if status < http.HTTPStatus.INTERNAL_SERVER_ERROR else LipsolError)
    return kind(detail, cure)
