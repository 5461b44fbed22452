"""Clips go through while processes are killed and the broker goes away: nothing is lost, nothing is done twice."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from lipsol.topics import CANARY_MOUTHS, DEAD_LETTERS, PREDICTIONS, STABLE_MOUTHS
from tests.scenarios import laws
from tests.scenarios.clients import Order, Rest, Stream, drive
from tests.scenarios.ledger import Ledger, Sent
from tests.scenarios.outcome import Outcome, Say
from tests.scenarios.platform import Asked, Platform

CLIPS = 2000
CLIENTS = 16
SESSION_EVERY, SESSION_CLIPS = 5, 6  # every fifth stream is a session of so many clips
FEEDBACK_EVERY = 10
PLAN = (  # share of the clips that were answered -> what is killed then
    (0.05, "inference"),
    (0.14, "monitor"),
    (0.22, "inference"),
    (0.32, "preprocess"),
    (0.42, "inference"),
    (0.52, "broker"),
    (0.62, "inference"),
    (0.70, "monitor"),
    (0.78, "inference"),
)
COUNTED_S = 60.0  # that the monitor may take to hear the last event
ASKED = Asked({"bus": {"capacity": 20_000, "history": 20_000, "history_mib": 2048}})


@dataclass(frozen=True)
class Kill:
    """A fault that was made. at: how many clips had been answered."""

    what: str
    at: int


class Mischief(threading.Thread):
    """Kills what the plan says, each when so many clips have been answered, and starts it again."""

    def __init__(self, platform: Platform, ledger: Ledger, plan: Sequence[tuple[int, str]], say: Say) -> None:
        super().__init__(name="mischief", daemon=True)
        self.done: list[Kill] = []
        self.fault: BaseException | None = None
        self._platform, self._ledger, self._plan, self._say = platform, ledger, plan, say
        self._enough = threading.Event()

    def run(self) -> None:
        try:
            for count, what in self._plan:
                while self._ledger.answers < count:
                    if self._enough.wait(0.02):
                        return
                self._say(f"{self._ledger.answers} clips are answered: killing {what}")
                self._make(what)
                self.done.append(Kill(what, self._ledger.answers))
        except BaseException as fault:  # noqa: BLE001 - told by whoever joins
            self.fault = fault

    def end(self) -> None:
        """Make no more; raises what went wrong in making them."""
        self._enough.set()
        self.join()
        if self.fault is not None:
            raise self.fault

    def _make(self, what: str) -> None:
        if what == "broker":
            self._platform.restart_broker()
        else:
            self._platform.kill(what)
            self._platform.revive(what)


def play(platform: Platform, say: Say, clips: int = CLIPS) -> list[Outcome]:
    """Send the clips, make every fault of the plan, and look at what came of it."""
    began = time.monotonic()
    ledger, stop = Ledger(), threading.Event()
    streams = streams_of(ledger, clips)
    sent = len(ledger.clips)
    mischief = Mischief(platform, ledger, [(int(share * sent), what) for share, what in PLAN], say)
    mischief.start()
    try:
        drive(lambda: Rest(platform.url, ledger, stop), streams, CLIENTS)
    finally:
        stop.set()
        mischief.end()
    seconds = time.monotonic() - began
    say(f"{ledger.answers} of {sent} clips are answered; looking at every one again")
    platform.await_ready()
    look_again(platform, ledger)
    return [judged(platform, ledger, mischief.done, seconds)]


def streams_of(ledger: Ledger, clips: int) -> list[Stream]:
    """So many clips as streams, single ones and sessions mixed; each is written down as sent."""
    streams: list[Stream] = []
    number = 0
    while number < clips:
        session = f"session-{len(streams)}" if len(streams) % SESSION_EVERY == 0 else ""
        size = min(SESSION_CLIPS if session else 1, clips - number)
        entries = [ledger.open(Sent(f"faults-{number + at}", session, at)) for at in range(size)]
        streams.append(
            [Order(clip, number + at, (number + at) % FEEDBACK_EVERY == 0) for at, clip in enumerate(entries)]
        )
        number += size
    return streams


def look_again(platform: Platform, ledger: Ledger) -> None:
    """Ask once more for every clip: what was shown must still be shown."""
    client = Rest(platform.url, ledger, threading.Event())
    for clip in ledger.clips:
        if clip.readings:
            client.look_again(clip)
    client.close()


def judged(platform: Platform, ledger: Ledger, kills: Sequence[Kill], seconds: float) -> Outcome:
    """The figures, and the laws that do not hold."""
    lost, doubled = laws.lost(ledger.clips), laws.doubled(ledger.clips)
    mouths = list(platform.bus.replay([STABLE_MOUTHS.name, CANARY_MOUTHS.name]))
    readings = list(platform.bus.replay([PREDICTIONS.name]))
    letters = list(platform.bus.replay([DEAD_LETTERS.name]))
    feedback = sum(clip.feedback for clip in ledger.clips)
    counted = await_counts(platform, ledger.answers, feedback)
    order = laws.out_of_order(ledger.clips, mouths) + laws.read_out_of_order(ledger.clips, readings)
    broken = [
        *laws.told("clips were lost", lost),
        *laws.told("effects were doubled", doubled),
        *laws.told("order by key was not kept", order),
        *laws.told("counters", laws.unequal("readings", counted[0], ledger.answers)),
        *laws.told("counters", laws.unequal("feedbacks", counted[1], feedback)),
        *laws.told("dead letters", [f"{len(letters)} of them"] if letters else []),
        *laws.told("faults", laws.proven("kills", len(kills), len(PLAN))),
        *laws.told("order", laws.proven("mouths on the bus", len(mouths), ledger.answers)),
        *laws.told("order", laws.proven("readings on the bus", len(readings), ledger.answers)),
    ]
    tries = sum(len(clip.statuses) for clip in ledger.clips)
    return Outcome(
        "faults",
        len(ledger.clips),
        ledger.answers,
        len(lost),
        len(doubled),
        round(seconds, 1),
        tuple(broken),
        {
            "kills": ", ".join(f"{each.what} at {each.at}" for each in kills),
            "requests": tries,
            "connections broken": sum(clip.statuses.count(0) for clip in ledger.clips),
            "readings on the bus": len(readings),
            "feedback given": feedback,
            "feedback counted": counted[1],
            "readings counted": counted[0],
            "sessions": len({clip.session for clip in ledger.clips if clip.session}),
            "clips/s": round(ledger.answers / seconds, 1),
        },
    )


def await_counts(platform: Platform, readings: int, feedback: int) -> tuple[int | None, int | None]:
    """What the monitor counts, once it counts that much, or after a time."""
    until = time.monotonic() + COUNTED_S
    counted: tuple[int | None, int | None] = (None, None)
    while time.monotonic() < until:
        try:
            answer = httpx.get(f"{platform.monitor}/v1/figures", timeout=5)
        except httpx.TransportError:
            answer = None
        if answer is not None and answer.status_code == 200:
            counted = counts_of(answer.json())
            if counted == (readings, feedback):
                break
        time.sleep(0.2)
    return counted


def counts_of(figures: dict[str, object]) -> tuple[int | None, int | None]:
    """Readings and feedbacks in the monitor's figures."""
    readings, feedback = figures.get("readings"), figures.get("feedback")
    return (int(str(readings)) if readings is not None else None, int(str(feedback)) if feedback is not None else None)
