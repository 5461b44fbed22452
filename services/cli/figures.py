"""The figures of an evaluation: error rates, abstentions and their intervals, over all clips and for each speaker.

Every figure is one sum over another (edits over words, clips that are so over clips), and so is drawn anew alike.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lipsol.text.alphabet import normalise
from lipsol.text.scoring import bootstrap_interval, edits
from services.cli.sources import Spoken
from services.preprocess.results import Result

ALTERNATIVES = 2  # that count beside the best reading for top-3
SPEAKERS_TO_DRAW = 5  # speakers from which on they, not clips, are drawn anew: fewer say little about other people
DIGITS = 4  # decimals of a figure


@dataclass(frozen=True)
class Scored:
    """One clip, compared with its truth.

    words, characters            of the truth
    word_edits, character_edits  between truth and reading
    top3                         the truth is the reading or one of the first two alternatives
    answered                     the reader was sure
    """

    speaker: str
    words: int
    word_edits: int
    characters: int
    character_edits: int
    top3: bool
    answered: bool

    @property
    def right(self) -> bool:
        """Not one character is wrong."""
        return self.character_edits == 0


Count = Callable[[Scored], int]

FIGURES: Mapping[str, tuple[Count, Count]] = {
    "wer": (lambda clip: clip.word_edits, lambda clip: clip.words),
    "cer": (lambda clip: clip.character_edits, lambda clip: clip.characters),
    "sentence_accuracy": (lambda clip: clip.right, lambda _: 1),
    "top3_accuracy": (lambda clip: clip.top3, lambda _: 1),
    "abstained": (lambda clip: not clip.answered, lambda _: 1),
    "answered_wer": (lambda clip: clip.answered * clip.word_edits, lambda clip: clip.answered * clip.words),
    "sure_wrong": (lambda clip: clip.answered and not clip.right, lambda _: 1),
}


def scored(spoken: Spoken, result: Result) -> Scored:
    """Compare a reading with what was said, both normalised in their language."""
    language = spoken.language or result.language
    truth, reading = normalise(spoken.text, language), normalise(result.text, language)
    possible = {reading, *(normalise(each.text, language) for each in result.alternatives[:ALTERNATIVES])}
    return Scored(
        speaker=spoken.speaker,
        words=len(truth.split()),
        word_edits=edits(truth.split(), reading.split()),
        characters=len(truth),
        character_edits=edits(truth, reading),
        top3=truth in possible,
        answered=not result.abstained,
    )


def figures(clips: Sequence[Scored]) -> dict[str, Any]:
    """n and every figure of these clips; None where there is nothing to count."""
    return {"n": len(clips), **{name: _ratio(clips, *counts) for name, counts in FIGURES.items()}}


def intervals(clips: Sequence[Scored]) -> dict[str, Any]:
    """The ends of each figure's 95 % bootstrap interval, and `by` what was drawn anew; None for a figure of nothing."""
    speakers = [clip.speaker for clip in clips]
    by_speaker = len(set(speakers)) >= SPEAKERS_TO_DRAW
    groups = speakers if by_speaker else None
    ends = {name: _ends(clips, groups, *counts) for name, counts in FIGURES.items()}
    return {"by": "speakers" if by_speaker else "clips", **ends}


def per_speaker(clips: Sequence[Scored]) -> dict[str, dict[str, Any]]:
    """The figures of each speaker, by name."""
    names = sorted({clip.speaker for clip in clips})
    return {name: figures([clip for clip in clips if clip.speaker == name]) for name in names}


def _ratio(clips: Sequence[Scored], amount: Count, total: Count) -> float | None:
    """One sum over another; None if the other is 0."""
    over = sum(map(total, clips))
    return round(sum(map(amount, clips)) / over, DIGITS) if over else None


def _ends(clips: Sequence[Scored], groups: Sequence[str] | None, amount: Count, total: Count) -> list[float] | None:
    """Low and high end of a figure's interval; None if there is nothing to count."""
    if not clips:
        return None
    ends = bootstrap_interval(_numbers(clips, amount), _numbers(clips, total), groups)
    return None if any(map(math.isnan, ends)) else [round(end, DIGITS) for end in ends]


def _numbers(clips: Sequence[Scored], count: Count) -> list[float]:
    """A count of each clip."""
    return [float(count(clip)) for clip in clips]
