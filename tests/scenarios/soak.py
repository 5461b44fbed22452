"""Long work at 80 % of what the platform can do, then twice as much as it can: memory stays flat, and who is accepted
is answered in time.

What it can do is measured first, with the clients on the same machine: so is everything that follows.
"""

import statistics
import threading
import time
from collections import Counter
from collections.abc import Sequence

import numpy as np

from tests.scenarios import laws
from tests.scenarios.outcome import Outcome, Say
from tests.scenarios.pace import Answer, Users, crowd, pace
from tests.scenarios.platform import Asked, Platform

ASKED = Asked({"bus": {"capacity": 4096}})
MEASURE_S = 15.0
SOAK_SHARE, OVERLOAD_SHARE = 0.8, 2.0  # of the capacity
OVERLOAD_S = 60.0  # at most; half of the soak where that is shorter
GROWTH = 0.05  # of memory over the last half
EDGE = 0.2  # share of the last half that is compared at each of its ends
DEADLINE_S = 5.0  # that clients allow under overload
RECOVER_S = 5.0  # within which all is as before
PROBE_S, PROBES = 12.0, 8.0  # how long, and how often a second, it is asked after the overload
IN_TIME_OR_NOT = frozenset({200, 429, 504})  # what a slow machine may make of a clip; anything else is a fault
IN_A_ROW = 8  # answers as quick as before say that it has recovered


class Memory(threading.Thread):
    """Looks at the memory of each service once a second."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(name="memory", daemon=True)
        self.samples: dict[str, list[int]] = {}
        self._platform = platform
        self._enough = threading.Event()

    def run(self) -> None:
        while not self._enough.wait(1.0):
            for service, resident in self._platform.memory().items():
                self.samples.setdefault(service, []).append(resident)

    def end(self) -> None:
        """Look no more."""
        self._enough.set()
        self.join()


def play(platform: Platform, say: Say, seconds: float) -> list[Outcome]:
    """Find the capacity, soak, overload."""
    capacity = measure(platform)
    say(f"the capacity is {capacity:.1f} clips/s; {seconds:g} s at {SOAK_SHARE:.0%} of it")
    soaked, quick_s = soak(platform, capacity, seconds)
    say(f"{min(OVERLOAD_S, seconds / 2):g} s at {OVERLOAD_SHARE:.0%} of it")
    return [soaked, overload(platform, capacity, min(OVERLOAD_S, seconds / 2), quick_s)]


def measure(platform: Platform) -> float:
    """Clips a second with so many clients at once, each sending the next clip when the last one is answered."""
    answers = crowd(platform.url, "measure", 0.0, MEASURE_S)
    began, ended = min(each.at for each in answers), max(each.at + each.took_s for each in answers)
    return sum(each.status == 200 for each in answers) / (ended - began)


def soak(platform: Platform, capacity: float, seconds: float) -> tuple[Outcome, float]:
    """What 80 % of the capacity does to memory; and the 95th percentile of the answers' times, seconds."""
    memory = Memory(platform)
    memory.start()
    began = time.monotonic()
    answers = crowd(platform.url, "soak", capacity * SOAK_SHARE, seconds)
    memory.end()
    statuses = Counter(answer.status for answer in answers)
    grown = {service: growth(samples) for service, samples in memory.samples.items()}
    p50, p95 = np.percentile([answer.took_s for answer in answers], [50, 95])
    wrong = [f"{count} answers {status}" for status, count in statuses.items() if status not in IN_TIME_OR_NOT]
    slow = [f"{count} answers {status}" for status, count in statuses.items() if status in {429, 504}]
    fat = [f"{service} by {share:.1%}" for service, share in grown.items() if share >= GROWTH]
    broken = [
        *laws.told("under 80 % of the capacity not all was read", wrong),
        *laws.told("memory", laws.proven("services looked at", len(grown), len(platform.memory()))),
    ]
    missed = [
        *laws.told("under 80 % of the capacity not all was read", slow),
        *laws.told("memory grew over the last half", fat),
    ]
    measured = {
        "capacity in clips/s": round(capacity, 1),
        "p50 in ms": round(1e3 * float(p50)),
        "p95 in ms": round(1e3 * float(p95)),
        "growth of memory": {service: round(share, 4) for service, share in grown.items()},
        "memory in MiB": {service: round(samples[-1] / 2**20) for service, samples in memory.samples.items()},
    }
    lost = len(answers) - statuses[200]
    took = round(time.monotonic() - began, 1)
    outcome = Outcome("soak", len(answers), statuses[200], lost, 0, took, tuple(broken), measured, tuple(missed))
    return outcome, float(p95)


def overload(platform: Platform, capacity: float, seconds: float, quick_s: float) -> Outcome:
    """Twice the capacity, by users who allow some seconds; then how soon all is as before."""
    began = time.monotonic()
    answers = crowd(platform.url, "overload", capacity * OVERLOAD_SHARE, seconds, DEADLINE_S)
    recovered_s = recovery(platform, 2 * quick_s)
    statuses = Counter(answer.status for answer in answers)
    accepted = [answer.took_s for answer in answers if answer.status == 200]
    p95 = float(np.percentile(accepted, 95)) if accepted else float("inf")
    wrong = [f"{count} answers {status}" for status, count in statuses.items() if status not in IN_TIME_OR_NOT]
    given_up = [f"{statuses[504]} answers 504"] if statuses[504] else []
    late = [f"p95 of the accepted is {p95:.2f} s, they allowed {DEADLINE_S:g} s"] if p95 > DEADLINE_S else []
    slow = [f"{recovered_s:.1f} s"] if recovered_s > RECOVER_S else []
    broken = [
        *laws.told("overload was answered by more than 429", wrong),
        *laws.told("overload", laws.proven("answers 429", statuses[429])),
        *laws.told("overload", laws.proven("answers 200", statuses[200])),
    ]
    missed = [
        *laws.told("who was accepted was given up", given_up),
        *laws.told("who was accepted waited too long", late),
        *laws.told("recovery took too long", slow),
    ]
    measured = {
        "rate in clips/s": round(capacity * OVERLOAD_SHARE, 1),
        "answers": {str(status): count for status, count in sorted(statuses.items())},
        "accepted a second": round(statuses[200] / seconds, 1),
        "p95 of accepted in ms": round(1e3 * p95) if accepted else None,
        "recovered after s": round(recovered_s, 2),
    }
    lost = len(answers) - statuses[200] - statuses[429] - statuses[504]
    took = round(time.monotonic() - began, 1)
    return Outcome("overload", len(answers), statuses[200], lost, 0, took, tuple(broken), measured, tuple(missed))


def recovery(platform: Platform, quick_s: float) -> float:
    """Seconds until clips are answered as they were before the overload, several in a row; infinite if they are not."""
    began, users = time.monotonic(), Users(platform.url, "recovery", DEADLINE_S)
    answers = sorted(pace(PROBES, PROBE_S, users.send), key=lambda answer: answer.at)
    users.close()
    return recovered(answers, began, max(1.0, quick_s))


def recovered(answers: Sequence[Answer], began: float, quick_s: float) -> float:
    """Seconds from `began` to the first of so many good answers in a row."""
    for first in range(len(answers) - IN_A_ROW + 1):
        row = answers[first : first + IN_A_ROW]
        if all(answer.status == 200 and answer.took_s <= quick_s for answer in row):
            return row[0].at - began
    return float("inf")


def growth(samples: Sequence[int]) -> float:
    """How much memory grew over the last half of the samples: the median of its end against that of its beginning."""
    half = samples[len(samples) // 2 :]
    some = max(1, int(EDGE * len(half)))
    return statistics.median(half[-some:]) / statistics.median(half[:some]) - 1 if half else 0.0
