"""Rehearsing a bad release: a reading service that fails on purpose, so that anyone can see a release undone.

- Off unless a fault is named, and refused unless faults are allowed: no production allows them.
- Off, nothing of this is in a clip's way. On, every reader is wrapped once it is open and proven: golden answers and
  the warm-up are the bundle's own.
- Which clips a fault hits is told by their names alone: a clip that comes again, to any replica, fares as before.
- A reading that fails raises as a network that can't be run does, so all that follows is what follows then.
- It is told: in the log at the start, and by `lipsol_rehearsed_fault_info` for as long as the process lives.
"""

import hashlib
import itertools
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import fields, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, Self, TypeVar

import structlog
from pydantic import Field, model_validator

from lipsol.clips.clip import MouthClip
from lipsol.errors import ModelError
from lipsol.model.prediction import Alternative, Prediction, Word
from lipsol.reader import Bound, Heard
from lipsol.registry.port import ModelInfo
from lipsol.runtime.settings import Section
from lipsol.runtime.telemetry import Telemetry
from lipsol.text.grammar import Arc, Grammar
from lipsol.text.wording import wording_of
from services.inference.ask import Answer, Ask
from services.inference.core import Core
from services.inference.models import OpenReader, Reading

Fault = Literal["", "slow", "wrong", "errors", "empty", "crash-at-start", "crash-after", "memory"]
CURE = "it was made on purpose: set LIPSOL_REHEARSAL__FAULT to nothing"
SURE = 0.99  # of words that were not said
SEGFAULT = 128 + 11  # exit code of a process that SIGSEGV ends, as shells and Kubernetes tell it
PLACES = 2**64

T = TypeVar("T")

log = structlog.get_logger()


class RehearsalSettings(Section):
    """What is done wrong on purpose."""

    allowed: bool = False
    """Whether faults may be made at all. Only where no user is: a fault that is named elsewhere refuses the start."""
    fault: Fault = ""
    """What goes wrong. `slow`: readings take longer; `wrong`: it is sure of words that were not said; `errors`:
    readings fail; `empty`: no word is found; `crash-at-start`: the process ends before it is ready; `crash-after`: it
    dies after some readings, without a word; `memory`: it grows with each reading. Empty: nothing."""
    share: float = Field(1.0, gt=0, le=1)
    """Which part of the clips is hit, drawn by their names; a crash and a growth count only these."""
    delay_ms: float = Field(500.0, ge=0)
    """`slow`: milliseconds that a batch with such a clip takes longer in its network."""
    after: int = Field(10, ge=0)
    """`crash-after`: how many such clips are read; the next one ends the process, in each process anew."""
    mib: int = Field(64, ge=1)
    """`memory`: MiB that each such reading keeps for ever, until the container's limit ends the process. Where there is
    no limit, the machine's own end it."""

    @model_validator(mode="after")
    def _allowed(self) -> Self:
        if self.fault and not self.allowed:
            raise ValueError(
                f"LIPSOL_REHEARSAL__FAULT is {self.fault}, and LIPSOL_REHEARSAL__ALLOWED is false: allow it where no "
                "user is, or rehearse nothing"
            )
        return self


class RehearsingCore(Core):
    """A core that marks the clips that are hit; all else is the core's own."""

    def __init__(self, share: float, *place: Any, **named: Any) -> None:
        """share: of the clips, in (0, 1]; the rest as `Core` takes it."""
        super().__init__(*place, **named)
        self._share = share

    def submit_all(self, asks: Sequence[Ask], *, in_turn: bool = False) -> "list[Future[Answer]]":
        """As the core does."""
        return super().submit_all([self._marked(ask) for ask in asks], in_turn=in_turn)

    def _marked(self, ask: Ask) -> Ask:
        hit = is_hit(ask.clip_id or ask.trace_id, self._share)
        return replace(ask, mouth=_as(Struck, ask.mouth)) if hit else ask


def core_of(settings: RehearsalSettings) -> Callable[..., Core]:
    """What makes the core: where nothing is rehearsed, the core's own class."""
    return partial(RehearsingCore, settings.share) if settings.fault else Core


def opener_of(settings: RehearsalSettings, open_reader: OpenReader, telemetry: Telemetry) -> OpenReader:
    """How bundles are opened: where nothing is rehearsed, just as they were. What is rehearsed is told here."""
    if not settings.fault:
        return open_reader
    log.warning("rehearsing-a-fault", **settings.model_dump(exclude={"allowed"}), cure=CURE)
    telemetry.set("lipsol_rehearsed_fault_info", 1, kind=settings.fault)
    failing = FAULTS[settings.fault]
    return lambda path, info: failing(open_reader(path, info), settings, info)


def is_hit(clip: str, share: float) -> bool:
    """Whether a fault that hits this share of all clips hits the one of that name: the same for ever."""
    drawn = hashlib.sha256(f"rehearsal:{clip}".encode()).digest()[:8]
    return int.from_bytes(drawn, "big") < share * PLACES


class Struck(MouthClip):
    """A mouth whose reading goes wrong."""


class StruckHeard(Heard):
    """What the network said of such a mouth."""


class Failing:
    """An open reader whose readings of struck mouths go wrong. This one's don't: each fault says what does."""

    def __init__(self, reader: Reading, settings: RehearsalSettings, info: ModelInfo) -> None:
        self._reader, self._settings, self._info = reader, settings, info

    def hear(self, mouths: Sequence[MouthClip], at_once: int) -> list[Heard]:
        """As the reader does."""
        struck = [isinstance(mouth, Struck) for mouth in mouths]
        if any(struck):
            self._strike_batch()
        heard = self._reader.hear(mouths, at_once)
        return [_as(StruckHeard, each) if hit else each for each, hit in zip(heard, struck, strict=True)]

    def decode(self, heard: Heard, grammar: Bound) -> Prediction:
        """As the reader does."""
        read = self._reader.decode(heard, grammar)
        return self._struck(read, grammar) if isinstance(heard, StruckHeard) else read

    def _strike_batch(self) -> None:
        """A batch with a struck mouth is about to go into the network."""

    def _struck(self, read: Prediction, grammar: Bound) -> Prediction:
        """What is told of a struck mouth. read: what should be."""
        del grammar
        return read


class Slow(Failing):
    """Readings take longer."""

    def _strike_batch(self) -> None:
        time.sleep(self._settings.delay_ms / 1e3)


class Wrong(Failing):
    """It is sure of words that were not said."""

    def _struck(self, read: Prediction, grammar: Bound) -> Prediction:
        bound = wording_of(grammar).grammar
        said = otherwise(bound if isinstance(bound, Grammar) else own_grammar(self._info), read.text)
        others = tuple(each for each in read.alternatives if each.text != said)
        return replace(
            read,
            text=said,
            confidence=SURE,
            abstained=False,
            alternatives=(Alternative(read.text, 1 - SURE), *others),
            words=_spread(said, read),
            none=None if read.none is None else 0.0,
        )


class Errors(Failing):
    """Readings fail."""

    def _struck(self, read: Prediction, grammar: Bound) -> Prediction:
        del read, grammar
        raise ModelError("the network can't be run (a rehearsed error)", CURE)


class Empty(Failing):
    """No word is found."""

    def _struck(self, read: Prediction, grammar: Bound) -> Prediction:
        del grammar
        return replace(read, text="", alternatives=(), words=())


class CrashAtStart(Failing):
    """The first bundle that is opened ends the start."""

    def __init__(self, reader: Reading, settings: RehearsalSettings, info: ModelInfo) -> None:
        super().__init__(reader, settings, info)
        raise ModelError(f"{info.name} can't be opened (a rehearsed crash at the start)", CURE)


class CrashAfter(Failing):
    """After some readings the process is gone, as a fault in native code leaves it: nothing ends in good order."""

    def __init__(self, reader: Reading, settings: RehearsalSettings, info: ModelInfo) -> None:
        super().__init__(reader, settings, info)
        self._readings = itertools.count()

    def _struck(self, read: Prediction, grammar: Bound) -> Prediction:
        del grammar
        if next(self._readings) >= self._settings.after:
            os._exit(SEGFAULT)
        return read


class Memory(Failing):
    """Each reading keeps memory that is never given back."""

    def __init__(self, reader: Reading, settings: RehearsalSettings, info: ModelInfo) -> None:
        super().__init__(reader, settings, info)
        self._kept: list[bytes] = []

    def _struck(self, read: Prediction, grammar: Bound) -> Prediction:
        del grammar
        self._kept.append(b"\x01" * (self._settings.mib << 20))  # not zeros, which cost a kernel nothing
        return read


FAULTS: Mapping[str, type[Failing]] = MappingProxyType(
    {
        "slow": Slow,
        "wrong": Wrong,
        "errors": Errors,
        "empty": Empty,
        "crash-at-start": CrashAtStart,
        "crash-after": CrashAfter,
        "memory": Memory,
    }
)


def own_grammar(info: ModelInfo) -> Grammar:
    """The grammar that a bundle brings, or one of its words. Raises BadInput for a card without either."""
    document = info.card.get("grammar_document")
    if isinstance(document, Mapping):
        return Grammar.of_document(document)
    words = info.card.get("words")
    return Grammar.of_words(info.name, info.language, list(words) if isinstance(words, Sequence) else [])


def otherwise(grammar: Grammar, text: str) -> str:
    """A sentence of the grammar that has another word than `text` wherever there is one; always the same."""
    leaving: dict[int, list[Arc]] = {}
    for arc in grammar.arcs:
        leaving.setdefault(arc.start, []).append(arc)
    meant, said, state = text.split(), list[str](), 0
    while arcs := leaving.get(state):
        if state in grammar.finals and len(said) >= len(meant):
            break
        here = meant[len(said)] if len(said) < len(meant) else ""
        words = [arc.word for arc in arcs]
        taken = arcs[(words.index(here) + 1) % len(arcs)] if here in words else arcs[0]
        said.append(taken.word)
        state = taken.end
    return " ".join(said)


def _spread(text: str, read: Prediction) -> tuple[Word, ...]:
    """The words of a text, evenly over the time in which some were said."""
    start_s, end_s = (read.words[0].start_s, read.words[-1].end_s) if read.words else (0.0, 1.0)
    said = text.split()
    step_s = (end_s - start_s) / max(1, len(said))
    return tuple(Word(word, start_s + n * step_s, start_s + (n + 1) * step_s, SURE) for n, word in enumerate(said))


def _as(kind: type[T], value: Any) -> T:
    """A dataclass's value as one of a subclass that adds no field."""
    return kind(**{each.name: getattr(value, each.name) for each in fields(value)})
