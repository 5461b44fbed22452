"""Clients over REST as they should be: one idempotency key a clip, and the same request again until it is answered.

A stream is what one client sends one after the other: a clip of its own, waited for; or the clips of a session, each
sent as soon as the one before was taken. All is bounded: so many clients, so many seconds for a clip.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import httpx

from tests.scenarios.ledger import Ledger, Reading, Sent
from tests.scenarios.mouths import clip_bytes

PATIENCE_S = 180.0  # that a client gives one clip
AGAIN_S = 0.25  # between two tries
ANSWER_S = 40.0  # that a client waits for one answer: longer than the edge makes it wait
AGAIN = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Order:
    """One clip to be sent.

    clip      its entry in the ledger
    mouth     which mouth it shows
    feedback  whether to say that its reading was right
    model     the model that it asks for; "": none
    """

    clip: Sent
    mouth: int
    feedback: bool = False
    model: str = ""


Stream = Sequence[Order]


class Rest:
    """One client. `stop`: give up everything."""

    def __init__(self, url: str, ledger: Ledger, stop: threading.Event) -> None:
        self._http = httpx.Client(base_url=url, timeout=ANSWER_S)
        self._ledger = ledger
        self._stop = stop

    def play(self, stream: Stream) -> None:
        """Send a stream and wait for all its readings; then give feedback where that is asked for."""
        for order in stream:
            order.clip.began_at = time.time()
            self.post(order, wait=len(stream) == 1, until=time.monotonic() + PATIENCE_S)
        for order in stream:
            self.fetch(order, until=time.monotonic() + PATIENCE_S)
            order.clip.ended_at = time.time()
            if order.feedback and order.clip.readings:
                self.judge(order.clip, time.monotonic() + PATIENCE_S)

    def post(self, order: Order, *, wait: bool, until: float) -> None:
        """Send the clip until it is taken."""
        clip = order.clip
        form = {name: value for name, value in (("session", clip.session), ("model", order.model)) if value}
        while not clip.gave_up:
            answer = self._ask(
                "POST",
                "/v1/clips",
                clip,
                until,
                params={"wait": str(wait).lower()},
                headers={"Idempotency-Key": clip.key},
                data=form,
                files={"file": ("clip.mp4", clip_bytes(order.mouth, clip.key), "video/mp4")},
            )
            if answer is not None and self._take(clip, answer):
                return

    def fetch(self, order: Order, until: float) -> None:
        """Ask for the result until it is there; send the clip again where the platform does not know it."""
        clip = order.clip
        while not clip.readings and not clip.gave_up:
            answer = self._ask("GET", f"/v1/clips/{clip.clip_ids[-1]}", clip, until)
            if answer is not None and answer.status_code == 404:
                self.post(order, wait=True, until=until)
            elif answer is not None and not (self._take(clip, answer) and clip.readings):
                self._stop.wait(AGAIN_S)

    def judge(self, clip: Sent, until: float) -> None:
        """Say that a reading was right, until that is taken."""
        while not clip.gave_up:
            path = f"/v1/clips/{clip.clip_ids[-1]}/feedback"
            answer = self._ask("POST", path, clip, until, json={"verdict": "right"})
            if answer is not None and answer.status_code == 202:
                clip.feedback += 1
                return
            if answer is not None:
                clip.gave_up = f"feedback was answered {answer.status_code}: {answer.text[:200]}"

    def state(self, clip: Sent) -> str:
        """How far the clip is; "": that can't be told now."""
        try:
            answer = self._http.get(f"/v1/clips/{clip.clip_ids[-1]}")
        except httpx.TransportError:
            return ""
        return str(answer.json()["state"]) if answer.status_code == 200 else ""

    def look_again(self, clip: Sent) -> None:
        """What a user sees of the clip now."""
        for clip_id in clip.clip_ids:
            answer = self._http.get(f"/v1/clips/{clip_id}")
            if answer.status_code == 200 and answer.json()["state"] == "read":
                clip.read(reading_of(answer.json()))
            else:
                clip.read(Reading(f"answered {answer.status_code}", 0.0, "", ""))

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def _ask(self, method: str, path: str, clip: Sent, until: float, **how: object) -> httpx.Response | None:
        """One try; None, after a pause, where it has to be made again."""
        if self._stop.is_set() or time.monotonic() > until:
            clip.gave_up = f"its client's patience ended after {clip.statuses[-3:]}"
            return None
        try:
            answer = self._http.request(method, path, **how)  # type: ignore[arg-type]
        except httpx.TransportError:
            clip.statuses.append(0)
            self._stop.wait(AGAIN_S)
            return None
        clip.statuses.append(answer.status_code)
        if answer.status_code in AGAIN:
            self._stop.wait(AGAIN_S)
            return None
        return answer

    def _take(self, clip: Sent, answer: httpx.Response) -> bool:
        """Note what an answer says of the clip; whether the clip was taken."""
        if answer.status_code not in {200, 202}:
            clip.gave_up = f"answered {answer.status_code}: {answer.text[:200]}"
            return False
        told = answer.json()
        clip.told(told["clip_id"])
        if told["state"] == "read":
            self._ledger.answered(clip, reading_of(told))
        elif told["state"] == "failed":
            clip.gave_up = f"failed: {told['problem']}"
        return True


def reading_of(told: dict[str, object]) -> Reading:
    """The reading in a result's JSON."""
    model = told["model"]
    assert isinstance(model, dict)
    return Reading(str(told["text"]), float(str(told["confidence"])), str(model["digest"]), str(told["track"]))


def drive(make: Callable[[], Rest], streams: Iterable[Stream], clients: int) -> None:
    """Have so many clients send all streams; returns when every clip was answered or given up."""
    waiting: queue.SimpleQueue[Stream | None] = queue.SimpleQueue()
    for stream in streams:
        waiting.put(stream)
    for _ in range(clients):
        waiting.put(None)
    faults: list[BaseException] = []

    def work() -> None:
        client = make()
        try:
            while (stream := waiting.get()) is not None:
                client.play(stream)
        except BaseException as fault:  # noqa: BLE001 - told by the caller's thread
            faults.append(fault)
        finally:
            client.close()

    threads = [threading.Thread(target=work, name=f"client-{n}", daemon=True) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
