"""What has become of the clips of a batch: asked of the edge's results, some at a time, until all are settled."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, get_args

from lipsol.errors import LipsolError, NotFound
from services.cli import BAD_INPUT, FAULT, NOT_SURE, reason
from services.cli.ledger import FILE_S, Entry, Ledger
from services.doors.problems import Problem
from services.preprocess.keeping import Keeper
from services.preprocess.results import Result

State = Literal["submitted", "reading", "read", "abstained", "failed"]
STATES: tuple[State, ...] = get_args(State)
OPEN = frozenset({"submitted", "reading"})  # states that something is still to come of
LOOKS = 256  # clips that are looked for in one round; a stuck one can't hide those behind it, as rounds go on in turn
AT_ONCE = 16  # of them at the same time
ROUND_S = 0.25  # between two rounds
RATE_S = 60.0  # over which it is counted how fast clips are read


@dataclass(frozen=True)
class Standing:
    """How a clip of a batch stands: its state, its result if the edge has one, and why there is no reading ("")."""

    entry: Entry
    state: State
    result: Result | None
    problem: Problem | None

    @property
    def reason(self) -> str:
        """Why there is no reading, with its cure, in a line."""
        return reason(LipsolError(self.problem.detail, self.problem.cure)) if self.problem else ""

    @property
    def settled_at(self) -> float | None:
        """When it was read, Unix seconds; None if it was not."""
        if self.result is None or self.result.state != "read":
            return None
        return self.result.received_at + self.result.timings_ms.get("total", 0.0) / 1e3


@dataclass(frozen=True)
class Counts:
    """How many clips of a batch are in which state.

    rate  clips that were read in a second, lately; 0.0: none
    """

    states: Mapping[State, int]
    refused: int
    rate: float

    @property
    def clips(self) -> int:
        """All of them."""
        return sum(self.states.values())

    @property
    def open(self) -> int:
        """Those that something is still to come of."""
        return sum(self.states[state] for state in STATES if state in OPEN)

    @property
    def remaining_s(self) -> float | None:
        """Seconds until all are settled if it goes on like that; None where nothing tells."""
        if not self.open:
            return 0.0
        return self.open / self.rate if self.rate else None

    def exit_code(self) -> int:
        """As of `lipsol read`: 1 the platform failed on a clip, 2 a clip is at fault, 3 sure of none; else 0."""
        if self.states["failed"] > self.refused:
            return FAULT
        if self.refused:
            return BAD_INPUT
        return NOT_SURE if self.states["abstained"] and self.states["abstained"] == self.clips else 0


class Follower:
    """Looks for what became of one batch's clips. Raises Transient when the store is away."""

    def __init__(self, ledger: Ledger, keeper: Keeper, now: Callable[[], float] = time.time) -> None:
        self._ledger, self._keeper, self._now = ledger, keeper, now

    def standings(self) -> Iterator[Standing]:
        """How each clip stands, one by one."""
        yield from self._look(self._ledger.ids())

    def wait(self, step: Callable[[], None], pause: Callable[[float], object] = time.sleep) -> None:
        """Wait until every clip is settled; `step` is called for each."""
        left = deque(self._ledger.ids())
        while left:
            ids = [left.popleft() for _ in range(min(LOOKS, len(left)))]
            stand = {standing.entry.clip_id: standing.state for standing in self._look(ids)}
            for clip_id in ids:
                if stand.get(clip_id) in OPEN:
                    left.append(clip_id)
                else:
                    step()
            if any(state in OPEN for state in stand.values()):
                pause(ROUND_S)

    def counts(self) -> Counts:
        """How many are in which state."""
        return counted(self.standings(), self._now())

    def _look(self, ids: list[str]) -> Iterator[Standing]:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="look") as pool:
            for start in range(0, len(ids), LOOKS):
                yield from (each for each in pool.map(self._standing, ids[start : start + LOOKS]) if each is not None)

    def _standing(self, clip_id: str) -> Standing | None:
        """How one clip stands; None if it is of no batch any more."""
        entry = self._ledger.entry(clip_id)
        if entry is None:
            return None
        try:
            return _of_result(entry, self._keeper.result(clip_id))
        except NotFound:
            return self._of_none(entry)

    def _of_none(self, entry: Entry) -> Standing:
        """A clip of which the edge knows nothing: not taken yet, never sent, or forgotten."""
        if entry.reason:
            return Standing(entry, "failed", None, Problem.of_status(422, entry.reason, entry.cure))
        if self._now() - entry.sent_at > FILE_S:
            gone = Problem.of_status(
                503, "nothing is known of it (any more): deleted, or nobody took it in time", "send it again"
            )
            return Standing(entry, "failed", None, gone)
        return Standing(entry, "submitted", None, None)


def counted(standings: Iterator[Standing], now: float) -> Counts:
    """Count the clips by state, and how fast they were read of late."""
    states: dict[State, int] = dict.fromkeys(STATES, 0)
    refused, lately, first = 0, 0, now
    for each in standings:
        states[each.state] += 1
        refused += each.problem is not None and each.problem.status < 500
        settled_at = each.settled_at
        if settled_at is not None and now - settled_at < RATE_S:
            lately, first = lately + 1, min(first, settled_at)
    return Counts(states, refused, lately / (now - first) if now > first else 0.0)


def _of_result(entry: Entry, result: Result) -> Standing:
    match result.state:
        case "read":
            return Standing(entry, "abstained" if result.abstained else "read", result, None)
        case "failed":
            return Standing(entry, "failed", result, result.problem)
    return Standing(entry, "reading", result, None)
