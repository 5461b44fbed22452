"""Both sides of one comparison, added up: what a canary and stable answered in one step, and what people said of that.

- Stable's baseline is all that it read, or what it read by one bundle: the one that read most.
- What people said of a canary step's clips holds in all later ones: they say it when the step may be over.
- A step that leaves stable nothing to read is compared with what stable read while it read everything: before this
  rollout's first canary step, as many of the newest as the step asks for, and `LEAST` at least. Where it read fewer
  than `FEW` then, what it read first in the steps that left it something is added. Without `FEW` no such step begins.
- Memory is bounded: sums for ever, names for a while.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Generic, TypeVar

from lipsol.events import Track
from lipsol.rollout.evidence import Evidence, Moments, Pairs, Tally, in_baseline
from lipsol.rollout.plan import Step

BEFORE, LEAST = 512, 50  # of stable's readings before the first canary step: kept at most, and compared with at least
FEW = 20  # of stable's readings, without which a step that leaves it none is compared with nothing
NAMES = 1 << 16  # of clips and readings that are remembered
BUNDLES = 16  # by which stable may read

K = TypeVar("K")
V = TypeVar("V")


class Recent(dict[K, V], Generic[K, V]):
    """The newest `NAMES` entries."""

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        if len(self) > NAMES:
            del self[next(iter(self))]


@dataclass(frozen=True)
class Answer:
    """One clip that was read or given up, as far as it counts. digest: of the bundle that read; "": not told."""

    track: Track
    clip_id: str
    language: str
    digest: str
    shadow: bool
    received_at: float
    at: float
    tally: Tally
    read: Moments = field(default_factory=Moments)  # the logarithm of the milliseconds that reading alone took
    sure_of: str | None = None  # a name of the words that it was sure of; None: it was not, or said none
    part: int = 0  # of the split; 0: not told


class Book:
    """Adds up one step after the other. judged: whether people called a clip wrong, by who answered it; it is read.

    by_chief: whether the baseline is what one bundle read, or all.
    """

    def __init__(self, judged: Mapping[tuple[Track, str], bool], *, by_chief: bool) -> None:
        self._judged, self._by_chief = judged, by_chief
        self._step: Step | None = None
        self._before: deque[Answer] = deque(maxlen=BEFORE)
        self._beside: list[Answer] = []
        self._canary, self._pairs = Tally(), Pairs()
        self._stable: dict[str, Tally] = {}
        self._counted: Recent[tuple[Track, str], str] = Recent()  # by which bundle
        self._halves: Recent[str, Answer] = Recent()  # of pairs

    def begin(self, step: Step) -> None:
        """It is in that step from now on."""
        if self._step is not None and self._step.kind == "canary":
            self._canary, self._stable = _said(self._canary), {each: _said(self._stable[each]) for each in self._stable}
        else:
            self._canary, self._stable, self._counted = Tally(), {}, Recent()
        self._step, self._pairs, self._halves = step, Pairs(), Recent()

    def led(self, answer: Answer, *, alone: bool) -> None:
        """Stable answered that while it had clips to read; alone: all of them."""
        if alone:
            self._before.append(answer)
        elif len(self._beside) < FEW:
            self._beside.append(answer)

    def lacking(self, step: Step) -> str:
        """What there must be before that step can be judged, in words; "": it is there."""
        there = len(self._before) + len(self._beside)
        if not step.alone or there >= FEW:
            return ""
        return f"stable has read {there} of the {FEW} clips that a step of {step.weight:g} % is compared with"

    def count(self, answer: Answer) -> None:
        """Add an answer of this step to its side, and to the pairs."""
        step = self._step
        if step is None:
            return
        copied = step.kind == "shadow"
        if answer.track == "canary":
            if answer.shadow != copied:
                return  # it was split by the step before
            self._canary += self._told(answer, copied=copied)
        elif in_baseline(answer.clip_id, step.weight, 100.0 if copied else None):
            self._add(answer, copied=copied)
        if copied and answer.tally.readings:
            self._pair(answer)

    def correct(self, key: tuple[Track, str], change: Tally) -> None:
        """Count what people said of a clip by now, if that clip is one of those counted."""
        digest = self._counted.get(key)
        if digest is None:
            return
        if key[0] == "canary":
            self._canary += change
        else:
            self._stable[digest] += change

    def evidence(self) -> Evidence:
        """Of the step that it is in."""
        baseline = self._of_chief(self._stable)
        if self._step is not None and self._step.alone:
            baseline = self._of_chief(self._earlier()) + _said(baseline)
        return Evidence(self._canary, baseline, self._pairs)

    def _add(self, answer: Answer, *, copied: bool) -> None:
        """Add one of the baseline's."""
        if answer.digest in self._stable or len(self._stable) < BUNDLES:
            self._stable[answer.digest] = self._stable.get(answer.digest, Tally()) + self._told(answer, copied=copied)

    def _told(self, answer: Answer, *, copied: bool) -> Tally:
        """An answer's sums, with what people said of it so far. copied: it is one of copies and their originals."""
        self._counted[answer.track, answer.clip_id] = answer.digest
        tally = replace(answer.tally, log_ms=answer.read) if copied else answer.tally
        return tally if answer.shadow else self._with_word(answer, tally)

    def _with_word(self, answer: Answer, tally: Tally) -> Tally:
        """An answer's sums, with what people said of its clip so far."""
        wrong = self._judged.get((answer.track, answer.clip_id))
        return tally if wrong is None else replace(tally, told=1, wrong=int(wrong))

    def _pair(self, answer: Answer) -> None:
        """Compare a reading with the other side's of the same clip, once both are there."""
        other = self._halves.get(answer.clip_id)
        if other is None or other.track == answer.track:
            self._halves[answer.clip_id] = answer
            return
        del self._halves[answer.clip_id]
        opposed = None not in (answer.sure_of, other.sure_of) and answer.sure_of != other.sure_of
        self._pairs += Pairs(1, int(opposed))

    def _earlier(self) -> dict[str, Tally]:
        """What stable did before such a step, by bundle, with what people said since of what it read by itself."""
        most = max(LEAST, self._step.readings if self._step else 0)
        told = [(each.digest, self._with_word(each, each.tally)) for each in islice(reversed(self._before), most)]
        if len(self._before) < FEW:
            told += [(each.digest, each.tally) for each in self._beside]  # their words are their step's
        sums: dict[str, Tally] = {}
        for digest, tally in told:
            sums[digest] = sums.get(digest, Tally()) + tally
        return sums

    def _of_chief(self, sums: Mapping[str, Tally]) -> Tally:
        """Of sums by bundle: the chief's with all deaths, or all."""
        chief = self._chief_of(sums)
        return sum((sums[digest] for digest in sums if not chief or digest in ("", chief)), Tally())

    def _chief_of(self, sums: Mapping[str, Tally]) -> str:
        read = [digest for digest in sums if digest] if self._by_chief else []
        return max(read, key=lambda digest: (sums[digest].readings, sums[digest].told), default="")


def _said(tally: Tally) -> Tally:
    """What people said, alone."""
    return Tally(told=tally.told, wrong=tally.wrong)
