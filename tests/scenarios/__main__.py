"""`python -m tests.scenarios [NAME ...]`: play scenarios, print their figures, and write build/scenarios.json.

BUS           kafka (the default) or memory
SOAK_SECONDS  that the soak lasts (120); the overload takes half of that, at most 60
TIMED         law (the default), or tell: bounds of time and memory that a starved machine misses are told, no more
Exit code 1 if a law was broken.
"""

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence

from rich.console import Console

from lipsol.runtime.logs import set_up_logging
from lipsol.runtime.settings import TelemetrySettings
from tests.benchmarks.figures import machine
from tests.conftest import TOP
from tests.scenarios import faults, poison, soak, traffic
from tests.scenarios.memory import MemoryPlatform
from tests.scenarios.outcome import Outcome, Say, failed, show, write
from tests.scenarios.platform import Asked, Platform
from tests.scenarios.processes import ProcessPlatform

OUT = TOP / "build" / "scenarios.json"
BUSES: dict[str, Callable[[Asked], Platform]] = {"kafka": ProcessPlatform, "memory": MemoryPlatform}
SCENARIOS: dict[str, tuple[Callable[[Platform, Say], Sequence[Outcome]], Asked]] = {
    "faults": (faults.play, faults.ASKED),
    "traffic": (traffic.play, traffic.ASKED),
    "poison": (poison.play, poison.ASKED),
    "soak": (lambda platform, say: soak.play(platform, say, soak_s()), soak.ASKED),
}


def soak_s() -> float:
    """How long the soak lasts, seconds."""
    return float(os.environ.get("SOAK_SECONDS", "120"))


def main(names: Sequence[str]) -> int:
    """Play them; the exit code."""
    unknown = sorted(set(names) - set(SCENARIOS))
    bus = os.environ.get("BUS", "kafka")
    if unknown or bus not in BUSES:
        print(f"no {', '.join(unknown) or bus}; scenarios: {', '.join(SCENARIOS)}; BUS: {', '.join(BUSES)}")
        return 2
    set_up_logging(TelemetrySettings(log_level="error"))
    for name in ("uvicorn", "lipsol"):  # what breaks off in a crash is no news here, nor is a dead letter
        logging.getLogger(name).setLevel(logging.CRITICAL)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that all is cleared away
    where, console = machine(), Console(width=160)
    outcomes: list[Outcome] = []
    for name in names or SCENARIOS:
        outcomes += play(name, bus, lambda what: console.print(f"  {what}"))
    write(outcomes, OUT, bus, where)
    show(outcomes, console, bus, where)
    timed = os.environ.get("TIMED", "law") != "tell"
    return 0 if all(outcome.holds(timed=timed) for outcome in outcomes) else 1


def play(name: str, bus: str, say: Say) -> Sequence[Outcome]:
    """One scenario on a platform of its own; one that can't be played breaks every law that it was to show."""
    scene, asked = SCENARIOS[name]
    say(f"{name}: starting the platform over the {bus} bus")
    began = time.monotonic()
    try:
        with BUSES[bus](asked) as platform:
            return scene(platform, say)
    except Exception as fault:  # noqa: BLE001 - the others are still to be played
        traceback.print_exc()
        return [failed(name, round(time.monotonic() - began, 1), f"{type(fault).__name__}: {fault}")]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
