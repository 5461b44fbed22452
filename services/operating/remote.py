"""The operations on an embedded platform of this machine, through its operator's door."""

import http.client
import json
from dataclasses import asdict
from typing import TypeVar

from pydantic import TypeAdapter

from lipsol.errors import BadInput, Busy, LipsolError, NotFound, Transient
from lipsol.events import ActionTaken, DriftDetected, Mode, Track
from services.operating.letters import Again, Letter, Opened, Wanted
from services.operating.operations import TrafficState
from services.operating.rollouts import Rollout
from services.operating.story import Story

T = TypeVar("T")

WAIT_S = 60.0  # that an answer may take: some operations read all that a topic keeps
FAULTS: dict[int, type[LipsolError]] = {404: NotFound, 429: Busy, 503: Transient}  # what a status was raised as


class Remote:
    """The same methods as `Operations`; raises what they raise, and Transient where no platform is."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._host, self._port = host, port

    def traffic(self) -> TrafficState:
        return self._call("traffic", TrafficState)

    def set_traffic(
        self, mode: Mode, weight: float, life_s: float, *, canary_digest: str = "", set_by: str, reason: str = ""
    ) -> TrafficState:
        policy = {"mode": mode, "weight": weight, "life_s": life_s, "canary_digest": canary_digest}
        return self._call("set_traffic", TrafficState, **policy, set_by=set_by, reason=reason)

    def abort(self, *, set_by: str, reason: str = "") -> TrafficState:
        return self._call("abort", TrafficState, set_by=set_by, reason=reason)

    def rollouts(self, *, release: str = "", since: float = 0.0) -> list[Rollout]:
        return self._call("rollouts", list[Rollout], release=release, since=since)

    def letters(self, wanted: Wanted) -> list[Letter]:
        return self._call("letters", list[Letter], wanted=asdict(wanted))

    def letter(self, name: str) -> Opened:
        return self._call("letter", Opened, name=name)

    def replay(self, name: str, *, by: str, mended: str = "") -> Again:
        return self._call("replay", Again, name=name, by=by, mended=mended)

    def replay_all(self, wanted: Wanted, *, by: str) -> list[Again]:
        return self._call("replay_all", list[Again], wanted=asdict(wanted), by=by)

    def story(self, clip_id: str, *, since: float = 0.0, words: bool = False) -> Story:
        return self._call("story", Story, clip_id=clip_id, since=since, words=words)

    def findings(self, *, since: float = 0.0) -> list[DriftDetected]:
        return self._call("findings", list[DriftDetected], since=since)

    def actions(self, *, since: float = 0.0) -> list[ActionTaken]:
        return self._call("actions", list[ActionTaken], since=since)

    def take(self, name: str, *, by: str) -> ActionTaken:
        return self._call("take", ActionTaken, name=name, by=by)

    def accept(
        self, *, track: Track = "stable", digest: str = "", language: str = "", by: str, reason: str = ""
    ) -> list[ActionTaken]:
        groups = {"track": track, "digest": digest, "language": language}
        return self._call("accept", list[ActionTaken], **groups, by=by, reason=reason)

    def _call(self, operation: str, kind: type[T], /, **arguments: object) -> T:
        """Call an operation and take its result as `kind`: any type, with its parts."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=WAIT_S)
        try:
            connection.request("POST", f"/v1/{operation}", json.dumps(arguments), {"Content-Type": "application/json"})
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
        result: T = TypeAdapter(kind).validate_json(body)
        return result


def _fault(status: int, body: bytes) -> LipsolError:
    """What the operation raised, as far as its problem tells."""
    try:
        problem = json.loads(body)
        detail, cure = str(problem["detail"]), str(problem.get("cure", ""))
    except (ValueError, KeyError, TypeError):
        detail, cure = f"an answer {status} that is no problem", "see whether `lipsol serve` has that port"
    kind = FAULTS.get(status, BadInput if status < http.HTTPStatus.INTERNAL_SERVER_ERROR else LipsolError)
    return kind(detail, cure)
