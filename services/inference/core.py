"""The one core behind every door: what Kafka, REST and gRPC ask is read here, and by the same readers.

- An ask is bound to one bundle when it is submitted; whatever becomes the default later, that bundle reads it.
- Submitting never blocks: what is wrong with an ask comes by its future, as BadInput or NotFound (the ask itself), Busy
  (too much waits), TooLate (its deadline passed before its turn) or ModelError (the bundle can't be used).
- A future that is cancelled before its turn costs no work.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

from lipsol.clips.clip import MouthClip
from lipsol.errors import TooLate
from lipsol.model.prediction import Prediction
from lipsol.reader import BUNDLE_GRAMMAR, Bound, check_length
from lipsol.registry.port import ModelInfo
from lipsol.text.grammar import Grammar
from services.inference.models import Models

FREE = "none"  # the grammar that asks for a free reading
GRAMMARS_HELD = 64  # parsed grammars in memory


@dataclass(frozen=True)
class Ask:
    """One mouth to be read.

    info         the bundle that reads it: of `Models.info` or `Models.usable`
    grammar      "": the bundle's own; "none": a free reading; else a packaged grammar's name or a grammar document
    deadline_at  Unix time, seconds, after which nobody waits any more; 0: there is none
    """

    mouth: MouthClip
    info: ModelInfo
    grammar: str = ""
    deadline_at: float = 0.0


@dataclass(frozen=True)
class Answer:
    """What was read, and by which bundle.

    timings_ms  `wait` (for its turn), `network` (of its batch) and `search` (for its words)
    batch       clips that went through the network together
    """

    prediction: Prediction
    info: ModelInfo
    timings_ms: Mapping[str, float]
    batch: int


class Core:
    """Reads what is asked. Safe to share between threads."""

    def __init__(self, models: Models, now: Callable[[], float] = time.time) -> None:
        """now: Unix time, seconds, which deadlines are held against."""
        self.models = models
        self._now = now
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="core")

    def start(self) -> None:
        """Open the models that read by default, each verified and warm. Raises ModelError if one can't be used."""
        self.models.open_defaults()

    def stop(self, timeout_s: float) -> bool:
        """Take no more, and finish what was taken; whether that took less than timeout_s."""
        del timeout_s
        self._threads.shutdown()
        return True

    def submit(self, ask: Ask) -> "Future[Answer]":
        """Have one mouth read."""
        return self.submit_all([ask])[0]

    def submit_all(self, asks: Sequence[Ask], *, in_turn: bool = False) -> "list[Future[Answer]]":
        """Have several read, in one batch where that goes; of one bundle's, all are taken or all are Busy.

        in_turn: wait for room instead of being turned away; for callers that have a thread to wait with.
        """
        del in_turn
        return [self._threads.submit(self._read, ask, time.perf_counter()) for ask in asks]

    def _read(self, ask: Ask, submitted: float) -> Answer:
        if ask.deadline_at and self._now() >= ask.deadline_at:
            raise TooLate("the deadline passed while the clip waited to be read", "send it again with more time")
        check_length(ask.mouth)
        grammar, reader = bound(ask.grammar), self.models.reader(ask.info)
        began = time.perf_counter()
        (heard,) = reader.hear([ask.mouth], 1)
        heard_at = time.perf_counter()
        prediction = reader.decode(heard, grammar)
        done = time.perf_counter()
        steps = {"wait": began - submitted, "network": heard_at - began, "search": done - heard_at}
        return Answer(prediction, ask.info, {name: round(s * 1e3, 3) for name, s in steps.items()}, 1)


@lru_cache(maxsize=GRAMMARS_HELD)
def bound(spec: str) -> Bound:
    """What a grammar's name or document means to a reader. Raises BadInput or NotFound."""
    if spec == "":
        return BUNDLE_GRAMMAR
    return None if spec == FREE else Grammar.of(spec)
