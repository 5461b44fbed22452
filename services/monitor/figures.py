"""Where the monitor's findings become metrics (names and units: `lipsol/runtime/metrics/`).

Counters and histograms grow with what is new to this process; gauges tell of the windows, whoever saw it first.
Counters are summed up here and told once for a batch: a reading touches dozens of them. What was read is told
of a full block of a track's and model's readings at once: growing with each, these counters would be its transcript.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field

from lipsol.drift.budget import BLOCK
from lipsol.events import PredictionMade
from lipsol.runtime.envelope import trace_id_of
from lipsol.runtime.metrics import CATALOGUE
from lipsol.runtime.telemetry import Telemetry
from lipsol.text.alphabet import ALPHABETS
from services.monitor.group import Group
from services.monitor.observing import Judged
from services.monitor.tally import Tally
from services.monitor.windows import When, Window

RECENT = 500  # readings at least over which the share of abstentions is taken, for each model and track
CODECS_MAX = 16  # different ones that are told apart
TRACED = ("lipsol_confidence_ratio", "total")  # histogram and stage whose buckets name a trace: what is odd shows there
OTHER = "other"
WORDS, CHARACTERS = "lipsol_words_total", "lipsol_characters_total"
NAN = float("nan")

Name = tuple[str, tuple[tuple[str, str], ...]]


@dataclass
class Spelled:
    """What the readings of a block that is still open came to in words and characters; a process that ends drops it."""

    readings: int = 0
    grown: Counter[Name] = field(default_factory=Counter)


class Figures:
    """Counts into a telemetry. One thread calls."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._grown: Counter[Name] = Counter()
        self._spelled: dict[tuple[str, str], Spelled] = {}
        self._observers: dict[tuple[str, ...], Callable[[float, str], None]] = {}
        self._codecs: set[str] = set()
        self._rated: set[tuple[str, str]] = set()
        self._muted = False

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Count nothing while the block runs: it is told of what was counted before."""
        self._muted = True
        try:
            yield
        finally:
            self._muted = False

    def tell(self) -> None:
        """Let the counters grow by what was counted since."""
        grown, self._grown = self._grown, Counter()
        for (name, labels), count in grown.items():
            self._telemetry.add(name, count, **dict(labels))

    def read(
        self, made: PredictionMade, inputs: Mapping[str, float], outputs: Mapping[str, float], words: Set[str]
    ) -> None:
        """A clip was read: what the picture was like, how sure, how long each stage took, and which of the bundle's own
        words it has."""
        if self._muted:
            return
        if made.shadow:
            self._count("lipsol_shadow_readings_total", model=made.model.name)
            return
        who = {"track": made.track, "model": made.model.name}
        self._count("lipsol_predictions_total", **who)
        for name, fact in (
            ("lipsol_abstained_total", made.abstained),
            ("lipsol_empty_answers_total", not made.text),
            ("lipsol_redone_total", made.redo),
        ):
            if fact:
                self._count(name, **who)
        if made.codec:
            self._count("lipsol_clip_codecs_total", codec=self._codec(made.codec))
        trace_id = trace_id_of(made.clip_id)
        track, model = made.track, made.model.name
        for name, value in outputs.items():
            self._observer(name, track, model)(value, trace_id if name in TRACED else "")
        for name, value in inputs.items():
            self._observer(name)(value, "")
        for stage, milliseconds in made.timings_ms.items():
            self._observer("lipsol_stage_seconds", stage)(milliseconds / 1e3, trace_id if stage in TRACED else "")
        self._spell(made, words)

    def _spell(self, made: PredictionMade, words: Set[str]) -> None:
        """Count words and characters, those of the bundle and the language by themselves, once their block is full."""
        track_and_model = made.track, made.model.name
        who = (("track", made.track), ("model", made.model.name))
        block = self._spelled.setdefault(track_and_model, Spelled())
        alphabet = ALPHABETS.get(made.language)
        for character, count in Counter("".join(made.text.split())).items():
            known = alphabet is not None and character in alphabet.characters
            block.grown[CHARACTERS, (*who, ("character", character if known else OTHER))] += count
        for word, count in Counter(made.text.split()).items() if words else ():
            block.grown[WORDS, (*who, ("word", word if word in words else OTHER))] += count
        block.readings += 1
        if block.readings == BLOCK:
            self._grown.update(self._spelled.pop(track_and_model).grown)

    def _observer(self, name: str, *labels: str) -> Callable[[float, str], None]:
        known = self._observers.get((name, *labels))
        if known is None:
            by = dict(zip(CATALOGUE[name].labels, labels, strict=True))
            known = self._observers[name, *labels] = self._telemetry.observer(name, **by)
        return known

    def compared(self, model: str, *, differ: bool) -> None:
        """A clip was read by both tracks. model: the copy's."""
        self._count("lipsol_compared_total", model=model)
        if differ:
            self._count("lipsol_disagreed_total", model=model)

    def judged(self, model: str, judged: Judged, *, sure: bool) -> None:
        """A person told whether a reading was right; sure: it had been told as that."""
        self._count("lipsol_verdicts_total", model=model, reason="right" if judged.right else "wrong")
        if judged.corrected:
            self._count("lipsol_corrections_total", model=model)
        if sure and not judged.right:
            self._count("lipsol_misled_total", model=model)

    def gave_up(self, group: Group) -> None:
        """A person gave up on a reading and typed instead."""
        self._count("lipsol_gave_up_total", track=group.track, model=group.model)

    def refused(self, kind: str) -> None:
        """The edge refused a clip."""
        self._count("lipsol_refusals_total", reason=kind)

    def died(self, kind: str) -> None:
        """A message died."""
        self._count("lipsol_dead_letters_seen_total", reason=kind)

    def late(self, when: When) -> None:
        """An event came after its window had passed, or before its time."""
        self._count("lipsol_late_events_total", kind=when)

    def windows(self, windows: list[Window]) -> None:
        """Tell of all windows that are kept, the oldest first: the error rates, and the last readings' abstentions."""
        told: dict[tuple[str, str], Tally] = {}
        recent: dict[tuple[str, str], list[int]] = {}
        for window in reversed(windows):
            for group, tally in window.tallies.items():
                if group.shadow or not group.model:
                    continue
                who = (str(group.track), group.model)
                sums = told.setdefault(who, Tally())
                sums.words, sums.characters = sums.words + tally.words, sums.characters + tally.characters
                last = recent.setdefault(who, [0, 0])
                if last[0] < RECENT:
                    last[0] += tally.counts["readings"]
                    last[1] += tally.counts["abstained"]
        for (track, model), (readings, abstained) in recent.items():
            if readings:
                self._telemetry.set("lipsol_abstained_ratio", abstained / readings, track=track, model=model)
        for rated in self._rated | {who for who, sums in told.items() if sums.words.said}:
            self._rate(*rated, told.get(rated) or Tally())

    def _rate(self, track: str, model: str, sums: Tally) -> None:
        self._rated.add((track, model))
        for part, rate in (("word", sums.words), ("character", sums.characters)):
            low, high = rate.interval() or (NAN, NAN)
            value = NAN if rate.value is None else rate.value
            for end, number in (("", value), ("_low", low), ("_high", high)):
                self._telemetry.set(f"lipsol_corrected_{part}_error{end}_ratio", number, track=track, model=model)

    def _codec(self, codec: str) -> str:
        if len(self._codecs) < CODECS_MAX:
            self._codecs.add(codec)
        return codec if codec in self._codecs else OTHER

    def _count(self, name: str, **labels: str) -> None:
        if not self._muted:
            self._grown[name, tuple(labels.items())] += 1
