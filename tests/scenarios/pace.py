"""Load at a given rate, whatever becomes of it: an open loop, as users are, who do not wait for each other.

`python -m tests.scenarios.pace URL NAME RATE SECONDS DEADLINE` is a crowd in a process of its own: beside a platform in
the same process, its many threads would take the platform's turns. RATE 0: a closed loop, each sends the next clip when
the last one is answered. It prints the answers as JSON.
"""

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass

import httpx

from tests.conftest import TOP
from tests.scenarios.mouths import clip_bytes

CLIENTS = 16  # of a closed loop
WORKERS = 160  # requests that are under way at once, at most: more than are accepted at once under overload
FIRST_S = 0.05  # before the first request


@dataclass(frozen=True)
class Answer:
    """What came of one request. status: 0 where the connection broke; at: when it was due, monotonic; took_s: from
    then to its answer, so that a sender who came late counts as waiting."""

    status: int
    at: float
    took_s: float


def pace(rate: float, seconds: float, act: Callable[[int], int], workers: int = WORKERS) -> list[Answer]:
    """Call `act` so often a second, with the number of the call; it returns a status. Returns when all came back."""
    due: queue.SimpleQueue[tuple[int, float] | None] = queue.SimpleQueue()
    answers: list[Answer] = []
    faults: list[BaseException] = []

    def work() -> None:
        while (task := due.get()) is not None:
            number, at = task
            try:
                status = act(number)
            except BaseException as fault:  # noqa: BLE001 - told by the caller's thread
                faults.append(fault)
                return
            answers.append(Answer(status, at, time.monotonic() - at))

    threads = [threading.Thread(target=work, name=f"user-{n}", daemon=True) for n in range(workers)]
    for thread in threads:
        thread.start()
    began = time.monotonic() + FIRST_S
    for number in range(int(rate * seconds)):
        at = began + number / rate
        time.sleep(max(0.0, at - time.monotonic()))
        due.put((number, at))
    for _ in threads:
        due.put(None)
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return answers


class Users:
    """Send clips, each once, and wait for the answer. deadline_s: what they allow; None: they do not say."""

    def __init__(self, url: str, name: str, deadline_s: float | None = None) -> None:
        limits = httpx.Limits(max_connections=WORKERS, max_keepalive_connections=WORKERS)
        self._http = httpx.Client(base_url=url, timeout=60.0, limits=limits)
        self._name = name
        self._headers = {"Request-Timeout": f"{deadline_s:g}"} if deadline_s is not None else {}

    def send(self, number: int) -> int:
        """The status of a clip's answer."""
        data = clip_bytes(number, self._name)
        try:
            answer = self._http.post(
                "/v1/clips",
                params={"wait": "true"},
                headers=self._headers,
                files={"file": ("clip.mp4", data, "video/mp4")},
            )
        except httpx.TransportError:
            return 0
        return answer.status_code

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()


def crowd(url: str, name: str, rate: float, seconds: float, deadline_s: float = 0.0) -> list[Answer]:
    """The answers that users get who send so many clips a second; rate 0.0: `CLIENTS` of them, as fast as they can.

    deadline_s: what they allow; 0.0: they do not say.
    """
    command = [sys.executable, "-m", "tests.scenarios.pace", url, name, *map(str, (rate, seconds, deadline_s))]
    told = subprocess.run(command, stdout=subprocess.PIPE, cwd=TOP, check=True).stdout
    return [Answer(*each) for each in json.loads(told)]


def in_turn(seconds: float, act: Callable[[int], int], clients: int) -> list[Answer]:
    """So many clients at once, each calling `act` again as soon as it is answered."""
    until, answers = time.monotonic() + seconds, list[Answer]()

    def work(number: int) -> None:
        while (at := time.monotonic()) < until:
            answers.append(Answer(act(number), at, time.monotonic() - at))
            number += clients

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def main(url: str, name: str, rate: float, seconds: float, deadline_s: float) -> None:
    """Be that crowd."""
    users = Users(url, name, deadline_s or None)
    answers = pace(rate, seconds, users.send) if rate else in_turn(seconds, users.send, CLIENTS)
    users.close()
    print(json.dumps([astuple(answer) for answer in answers]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(float, sys.argv[3:6]))
