"""Clients of the release scenarios: a real clip by REST, gRPC or as part of a batch, and what became of it.

A request that fails is written down as failed, whatever comes after it. Then its client does what the API's contract
says and asks again by the same idempotency key: so it is seen whether the clip was lost, or became two. To be told to
come back later (429 or 503 with Retry-After, RESOURCE_EXHAUSTED with retry-after) is no failure; it is counted apart.
"""

import hashlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import grpc
import httpx

from lipsol.bus.port import Bus
from lipsol.errors import LipsolError
from lipsol.events import ClipReceived
from lipsol.proto.v1 import lip_reading_pb2 as messages
from lipsol.proto.v1 import lip_reading_pb2_grpc as stubs
from lipsol.runtime.envelope import wrap
from tests.conftest import Sample
from tests.scenarios.clients import reading_of
from tests.scenarios.doors import TRACKS
from tests.scenarios.ledger import Reading, Sent

PATIENCE_S = 180.0  # that a client gives one clip: longer than anything that a scenario breaks stays broken
ANSWER_S = 40.0  # that a client waits for one answer: longer than the edge makes it wait
AGAIN_S = 1.0  # between two looks at a clip, and before a failed request is made again
CHUNK = 2**18  # bytes of one part of a clip over gRPC
BATCH = "cluster"  # name of the batch that the batch's clips belong to
GOOD = frozenset({200, 202})
LATER = frozenset({429, 503})  # with Retry-After: come back then
AT_ONCE = 64  # connections


@dataclass
class Clip(Sent):
    """One clip, as its client knows it, and what went wrong on its way.

    sample  which sample it shows
    judged  whether its client says whether the reading was right
    faults  every request of it that failed, and why; a final "failed" is one
    waits   how often its client was told to come back later
    refused the final answer, where that is no reading; "": none
    right   whether the reading was what was really said; None: there is none
    """

    sample: int = 0
    judged: bool = False
    faults: list[str] = field(default_factory=list)
    waits: int = 0
    refused: str = ""
    right: bool | None = None

    @property
    def settled(self) -> bool:
        """Whether it has its final answer."""
        return bool(self.readings or self.refused)


@dataclass(frozen=True)
class Doors:
    """Where the platform is reached.

    url, grpc  the edge's doors: http://host:port, host:port
    bus        for batches, and to look at the topics
    sources    by a sample's file name, its key in the platform's store; none: there are no batches
    """

    url: str
    grpc: str
    bus: Bus
    sources: Mapping[str, str] = field(default_factory=dict)


class Clients:
    """Sends clips, and follows each to its end; safe to share between threads. `stop`: give up everything."""

    def __init__(self, doors: Doors, samples: Sequence[Sample], stop: threading.Event) -> None:
        self._doors, self._stop = doors, stop
        self._truths = [sample.text for sample in samples]
        self._names = [sample.path.name for sample in samples]
        self._data = [sample.path.read_bytes() for sample in samples]
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
        self._http = httpx.Client(base_url=doors.url, timeout=ANSWER_S, limits=limits)
        self._channel = grpc.insecure_channel(doors.grpc)
        self._stub = stubs.LipReadingStub(self._channel)

    def read(self, clip: Clip) -> None:
        """Send a clip, wait for its reading, and say whether that was right, if it is to be said."""
        until = time.monotonic() + PATIENCE_S
        clip.began_at = time.time()
        {"rest": self._by_rest, "grpc": self._by_grpc, "batch": self._by_batch}[clip.door](clip, until)
        self._follow(clip, until)
        clip.ended_at = time.time()
        if clip.readings:
            self._judge(clip, until)
        elif not clip.refused:
            clip.gave_up = f"its client's patience ended after {clip.statuses[-3:]}, {clip.faults[-1:]}"

    def look_again(self, clip: Clip) -> None:
        """What a user sees of the clip now, under every name that it was told to have."""
        for clip_id in clip.clip_ids:
            answer = self._look(clip_id, time.monotonic() + ANSWER_S)
            if answer.status_code == 200 and answer.json()["state"] == "read":
                clip.read(reading_of(answer.json()))
            elif clip.readings:
                clip.read(Reading(f"answered {answer.status_code}", 0.0, "", ""))

    def _look(self, clip_id: str, until: float) -> httpx.Response:
        """A clip's result, whenever the edge can be reached again. Raises TransportError if it never can."""
        while True:
            try:
                return self._http.get(f"/v1/clips/{clip_id}")
            except httpx.TransportError:
                if not self._goes_on(until):
                    raise
            self._stop.wait(AGAIN_S)

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()
        self._channel.close()

    def _by_rest(self, clip: Clip, until: float) -> None:
        """Send it and wait for the reading; where that fails, send it again, not waiting, until it is taken."""
        wait = True
        while not clip.clip_ids and not clip.refused and self._goes_on(until):
            answer = self._ask(
                clip,
                "POST",
                "/v1/clips",
                until,
                params={"wait": str(wait).lower()},
                headers={"Idempotency-Key": clip.key},
                data={"session": clip.session} if clip.session else {},
                files={"file": ("clip.mp4", self._data[clip.sample], "video/mp4")},
            )
            if answer is None and not clip.refused:
                wait = False
                self._stop.wait(AGAIN_S)
            elif answer is not None:
                self._told(clip, answer.json())

    def _by_grpc(self, clip: Clip, until: float) -> None:
        """Send it in chunks and wait for the reading; where that fails, ask for it over REST by the same key."""
        while self._goes_on(until):
            try:
                told = self._stub.Read(self._parts(clip), metadata=(("idempotency-key", clip.key),), timeout=ANSWER_S)
            except grpc.RpcError as fault:
                later_s = _later_s(fault)
                if later_s is None:
                    clip.faults.append(f"Read was answered {fault.code().name}: {(fault.details() or '')[:200]}")
                    self._by_rest(clip, until)
                    return
                clip.waits += 1
                self._stop.wait(later_s)
                continue
            clip.told(told.clip_id)
            if told.state == messages.STATE_READ:
                clip.read(Reading(told.text, told.confidence, told.model.digest, TRACKS[told.track]))
            return

    def _parts(self, clip: Clip) -> Iterator[messages.ReadRequest]:
        data = self._data[clip.sample]
        yield messages.ReadRequest(options=messages.ReadOptions(session=clip.session, wait=True))
        for start in range(0, len(data), CHUNK):
            yield messages.ReadRequest(chunk=data[start : start + CHUNK])

    def _by_batch(self, clip: Clip, until: float) -> None:
        """Tell of it as a batch does: again, until the bus has taken it."""
        data, source = self._data[clip.sample], self._doors.sources[self._names[clip.sample]]
        clip.told(hashlib.sha256(clip.key.encode()).hexdigest()[:32])
        digest, now = hashlib.sha256(data).hexdigest(), time.time()
        event = ClipReceived(
            clip.clip_ids[0], clip.session, BATCH, clip.key, source, digest, len(data), "", "", "en", now, 0.0
        )
        while self._goes_on(until):
            try:
                self._doors.bus.publish_all([wrap(event, BATCH, now)])
            except LipsolError:
                clip.waits += 1
                self._stop.wait(AGAIN_S)
            else:
                return

    def _follow(self, clip: Clip, until: float) -> None:
        """Ask for the result until it is there."""
        unknown = frozenset({404}) if clip.door == "batch" else frozenset[int]()  # till the edge has fetched it
        while clip.clip_ids and not clip.settled and self._goes_on(until):
            if clip.door == "batch":
                self._stop.wait(AGAIN_S)
            answer = self._ask(clip, "GET", f"/v1/clips/{clip.clip_ids[-1]}", until, GOOD | unknown)
            if answer is not None and answer.status_code in GOOD:
                self._told(clip, answer.json())
            if not clip.settled:
                self._stop.wait(AGAIN_S)

    def _judge(self, clip: Clip, until: float) -> None:
        """The right words where it was wrong; else that it was right."""
        truth = self._truths[clip.sample]
        clip.right = clip.readings[-1].text == truth
        said = {"verdict": "right"} if clip.right else {"text": truth}
        path = f"/v1/clips/{clip.clip_ids[-1]}/feedback"
        if clip.judged and self._ask(clip, "POST", path, until, json=said) is not None:
            clip.feedback += 1

    def _ask(
        self, clip: Clip, method: str, path: str, until: float, good: frozenset[int] = GOOD, **how: object
    ) -> httpx.Response | None:
        """The answer, once it does not say to come back later; None: the request failed, which is written down."""
        while self._goes_on(until):
            try:
                answer = self._http.request(method, path, **how)  # type: ignore[arg-type]
            except httpx.TransportError as fault:
                clip.statuses.append(0)
                clip.faults.append(f"{method} {path} broke: {type(fault).__name__} {fault}"[:200])
                return None
            clip.statuses.append(answer.status_code)
            if answer.status_code in good:
                return answer
            if not (answer.status_code in LATER and "Retry-After" in answer.headers):
                self._fault(clip, method, path, answer)
                return None
            clip.waits += 1
            self._stop.wait(float(answer.headers["Retry-After"]))
        return None

    def _fault(self, clip: Clip, method: str, path: str, answer: httpx.Response) -> None:
        """Write a failed request down; one that is refused for good is not sent again."""
        said = f"{method} {path} was answered {answer.status_code}: {answer.text[:200]}"
        clip.faults.append(said)
        if method == "POST" and path == "/v1/clips" and 400 <= answer.status_code < 500 and answer.status_code != 408:
            clip.refused = said

    def _told(self, clip: Clip, told: dict[str, object]) -> None:
        """Note what an answer says of the clip."""
        clip.told(str(told["clip_id"]))
        if told["state"] == "read":
            clip.read(reading_of(told))
        elif told["state"] == "failed":
            clip.refused = f"failed: {told['problem']}"
            clip.faults.append(clip.refused[:300])

    def _goes_on(self, until: float) -> bool:
        return time.monotonic() < until and not self._stop.is_set()


def _later_s(fault: grpc.RpcError) -> float | None:
    """When to come back, seconds; None: it is a failure."""
    trailing = dict(fault.trailing_metadata() or ())
    if fault.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and "retry-after" in trailing:
        return float(trailing["retry-after"])
    return None
