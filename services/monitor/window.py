"""What the monitor remembers: of each clip who read it and what people said of it, and which messages died; for a time.

Everything is kept under its own id, so that a repeat changes nothing. The text of a reading is not kept, unless a
person corrected it: then the true words and those that had been shown, until the person takes the clip back.
"""

from collections import Counter, OrderedDict
from dataclasses import dataclass
from threading import Lock

TOLD_MAX = 32  # feedbacks of one clip that are known by their ids


@dataclass(frozen=True)
class Seen:
    """One clip.

    at        when it was first heard of, Unix seconds
    prediction_id, model, track, abstained  of its reading; the ids "" while there is none
    shadow_id, shadow_model                 of the reading of its copy, that no user saw
    told              ids of what people told of it, oldest first
    corrections       how many of them gave other words than the reading
    truth, reading    of the last of them: the right words ("": not told) and the ones that were shown
    right             whether the reading was right, by the last of them
    refused           why the edge refused it, as a kind; "": it did not
    deleted           a person took it back: it still counts, but none of its text is kept
    """

    at: float
    prediction_id: str = ""
    model: str = ""
    track: str = ""
    abstained: bool = False
    shadow_id: str = ""
    shadow_model: str = ""
    told: tuple[str, ...] = ()
    corrections: int = 0
    truth: str = ""
    reading: str = ""
    right: bool = False
    refused: str = ""
    deleted: bool = False

    @property
    def joined(self) -> bool:
        """Whether both sides are known: who read it, and what people say of it."""
        return bool(self.prediction_id and self.told)


@dataclass(frozen=True)
class Letter:
    """A message that died: when it was heard of, of which kind of death, and whether it was a shadow copy."""

    at: float
    kind: str
    shadow: bool


@dataclass(frozen=True)
class Counts:
    """All that is in the window, counted once.

    clips         how many are remembered
    readings      by track and model
    abstained     those in which the reader was not sure, by track and model
    shadow        readings of copies, by model
    feedback      times that people told something, and of them corrections
    right, wrong  clips by what people told last, where the reading is known too
    refused       clips by kind of reason
    dead_letters  messages by kind of death, shadow copies left out
    shadow_dead_letters  the same of shadow copies
    """

    clips: int
    readings: Counter[tuple[str, str]]
    abstained: Counter[tuple[str, str]]
    shadow: Counter[str]
    feedback: int
    corrections: int
    right: int
    wrong: int
    refused: Counter[str]
    dead_letters: Counter[str]
    shadow_dead_letters: Counter[str]


class Window:
    """Clips and dead letters by id, the last `clips` of either and none older than `seconds`. Safe between threads."""

    def __init__(self, clips: int, seconds: float) -> None:
        self.seconds = seconds
        self._clips = clips
        self._seen: OrderedDict[str, Seen] = OrderedDict()
        self._letters: OrderedDict[str, Letter] = OrderedDict()
        self._lock = Lock()

    def get(self, clip_id: str, now: float) -> Seen:
        """What is known of a clip; nothing but the time, if nothing is."""
        with self._lock:
            self._expire(now)
            return self._seen.get(clip_id, Seen(now))

    def put(self, clip_id: str, seen: Seen) -> None:
        """Remember a clip, the oldest making way."""
        with self._lock:
            self._seen[clip_id] = seen
            while len(self._seen) > self._clips:
                self._seen.popitem(last=False)

    def bury(self, place: str, letter: Letter) -> bool:
        """Remember a message that died, by the place where it lay; whether it is new."""
        with self._lock:
            if place in self._letters:
                return False
            self._letters[place] = letter
            while len(self._letters) > self._clips:
                self._letters.popitem(last=False)
            return True

    def settle(self) -> None:
        """Put the oldest first again, after they came in no order."""
        with self._lock:
            self._seen = OrderedDict(sorted(self._seen.items(), key=lambda item: item[1].at))
            self._letters = OrderedDict(sorted(self._letters.items(), key=lambda item: item[1].at))

    def corrected(self, model: str, now: float) -> list[tuple[str, str]]:
        """The right words and the reading of each of a model's clips whose right words are known."""
        with self._lock:
            self._expire(now)
            told = (seen for seen in self._seen.values() if seen.joined and seen.truth and seen.model == model)
            return [(seen.truth, seen.reading) for seen in told]

    def counts(self, now: float) -> Counts:
        """All that is in it."""
        with self._lock:
            self._expire(now)
            seen, letters = list(self._seen.values()), list(self._letters.values())
        return Counts(
            clips=len(seen),
            readings=Counter((each.track, each.model) for each in seen if each.prediction_id),
            abstained=Counter((each.track, each.model) for each in seen if each.prediction_id and each.abstained),
            shadow=Counter(each.shadow_model for each in seen if each.shadow_id),
            feedback=sum(len(each.told) for each in seen),
            corrections=sum(each.corrections for each in seen),
            right=sum(each.joined and each.right for each in seen),
            wrong=sum(each.joined and not each.right for each in seen),
            refused=Counter(each.refused for each in seen if each.refused),
            dead_letters=Counter(each.kind for each in letters if not each.shadow),
            shadow_dead_letters=Counter(each.kind for each in letters if each.shadow),
        )

    def __len__(self) -> int:
        return len(self._seen)

    def _expire(self, now: float) -> None:
        while self._seen and now - next(iter(self._seen.values())).at > self.seconds:
            self._seen.popitem(last=False)
        while self._letters and now - next(iter(self._letters.values())).at > self.seconds:
            self._letters.popitem(last=False)
