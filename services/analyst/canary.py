"""How a canary's Deployment fares, and what its containers said last: Kubernetes' own objects in, a few facts out."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RESTING = frozenset({"ContainerCreating", "PodInitializing"})  # a container that waits so is on its way
LOOP = "CrashLoopBackOff"
WORDS_MAX = 300  # characters of a container's last words


@dataclass(frozen=True)
class Crash:
    """A container that ended.

    container  pod and container
    count      how often it was started anew
    loops      whether Kubernetes holds it back already
    words      how it ended, and what it said last
    """

    container: str
    count: int
    loops: bool
    words: str


@dataclass(frozen=True)
class Canary:
    """A canary's Deployment.

    uid        of the Deployment: another of the same name has another
    available  whether all its pods are
    told       how far it is, for people
    crashes    its containers that ended
    """

    uid: str
    available: bool
    told: str
    crashes: tuple[Crash, ...] = ()

    @property
    def restarts(self) -> Mapping[str, int]:
        """How often each container was started anew."""
        return {crash.container: crash.count for crash in self.crashes}


def canary_of(deployment: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> Canary:
    """What there is to know. Last words are termination messages, which end in the log's last lines."""
    metadata, spec, status = deployment["metadata"], deployment["spec"], deployment.get("status", {})
    wanted, available = spec.get("replicas", 1), status.get("availableReplicas") or 0
    seen = status.get("observedGeneration", 0) >= metadata.get("generation", 0)
    living = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    held_up = next((why for pod in living if (why := _held_up(pod))), "")
    told = f"{available} of {wanted} pods of {metadata['name']} are available" + (f": {held_up}" if held_up else "")
    crashes = tuple(crash for pod in living for crash in _crashes(pod))
    return Canary(metadata["uid"], seen and 0 < wanted <= available, told, crashes)


def _held_up(pod: Mapping[str, Any]) -> str:
    """Why a pod does not start; "": nothing keeps it."""
    for each in pod.get("status", {}).get("conditions") or ():
        if each["type"] == "PodScheduled" and each["status"] == "False":
            return f"{pod['metadata']['name']} has no node: {_cut(each.get('message', ''))}"
    for state in _statuses(pod):
        waiting = state.get("state", {}).get("waiting") or {}
        if waiting.get("reason", "") not in ("", *RESTING):
            said = f": {_cut(waiting['message'])}" if waiting.get("message") else ""
            return f"{pod['metadata']['name']} waits, {waiting['reason']}{said}"
    return ""


def _crashes(pod: Mapping[str, Any]) -> Iterator[Crash]:
    for state in _statuses(pod):
        now = state.get("state", {})
        ended = now.get("terminated") or state.get("lastState", {}).get("terminated")
        if ended is None or not (state.get("restartCount", 0) or ended.get("exitCode", 0)):
            continue
        name = pod["metadata"]["name"]
        loops = (now.get("waiting") or {}).get("reason") == LOOP
        yield Crash(f"{name}/{state['name']}", state.get("restartCount", 0), loops, _words(ended))


def _statuses(pod: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    status = pod.get("status", {})
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _words(ended: Mapping[str, Any]) -> str:
    """How a container ended, and its last line."""
    lines = (ended.get("message") or "").splitlines()
    how = f"{ended.get('reason') or 'Error'}, exit code {ended.get('exitCode')}"
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f"{how}: {_cut(_plain(last))}" if last else how


def _plain(line: str) -> str:
    """A line of a log for people: of a JSON object its event and what it says of it."""
    try:
        said = json.loads(line)
    except ValueError:
        return line
    if not isinstance(said, dict):
        return line
    return " ".join(str(said[key]) for key in ("event", "reason", "exception") if said.get(key)) or line


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= WORDS_MAX else f"{flat[: WORDS_MAX - 3]}..."
