"""Timed words -> captions: SRT, and WebVTT with a time for each word.

Text stays in logical order: players order right-to-left text themselves (Unicode Standard Annex 9). Times are whole
milliseconds, never negative; cues never overlap, and each word lasts at least one millisecond.

WebVTT: W3C Candidate Recommendation of 4 April 2019. SRT has no standard; this is what SubRip wrote.
"""

import html
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from lipsol.errors import BadInput

MAX_CUE_LENGTH = 74  # characters: two lines of 37, as in the BBC's subtitle guidelines
MAX_CUE_MS = 7000  # a cue stays no longer than this unless one word does
PAUSE_MS = 1000  # a silence that long parts two cues
NOT_SURE = "[not sure]"
NOT_READ = "[not read]"

TimedText = tuple[str, float, float]  # a word, and the seconds from the clip's start at which it begins and ends


@dataclass(frozen=True)
class _Spoken:
    """A word and when it is said, milliseconds."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Reading:
    """A part of a recording: its words on the recording's clock; not sure and alternatives as in `to_srt`.

    gap  from when to when nothing could be read, seconds; None: words were
    """

    words: Sequence[TimedText]
    sure: bool = True
    alternatives: Sequence[str] = ()
    gap: tuple[float, float] | None = None

    @property
    def timed(self) -> Sequence[TimedText]:
        """What its cues show, and when."""
        return self.words if self.gap is None else [(NOT_READ, *self.gap)]


def to_srt(words: Sequence[TimedText], *, sure: bool = True, alternatives: Sequence[str] = ()) -> str:
    """The words as SRT, a cue a phrase.

    Not sure: every cue says so, or, where other readings are given, one cue offers them all. SRT knows no escapes, so
    angle brackets become ‹ and ›, which no player takes for a tag or an arrow. Raises BadInput for a time without end.
    """
    return srt_of([Reading(words, sure, alternatives)])


def srt_of(readings: Sequence[Reading]) -> str:
    """A recording as SRT: as `to_srt` has each of its parts, one after the other."""
    cues: list[str] = []
    for part, others in _each(readings, _plain):
        for cue in _cues(part.timed, whole=bool(others)):
            line = " ".join(_plain(word.text) for word in cue)
            times = f"{_clock(cue[0].start, ',')} --> {_clock(cue[-1].end, ',')}"
            cues.append(f"{len(cues) + 1}\n{times}\n{_marked(line, others, sure=part.sure)}\n")
    return "\n".join(cues)


def to_vtt(
    words: Sequence[TimedText], *, sure: bool = True, alternatives: Sequence[str] = (), language: str = ""
) -> str:
    """The words as WebVTT, a cue a phrase, each word with its time; not sure as in `to_srt`.

    language: a tag such as "ur" (BCP 47), given to each cue as a language span: WebVTT has no header for it.
    Raises BadInput for a time without end.
    """
    return vtt_of([Reading(words, sure, alternatives)], language=language)


def vtt_of(readings: Sequence[Reading], *, language: str = "") -> str:
    """A recording as WebVTT: as `to_vtt` has each of its parts, one after the other."""
    before, after = (f"<lang {_escaped(language)}>", "</lang>") if language else ("", "")
    cues = ["WEBVTT\n"]
    for part, others in _each(readings, _escaped):
        for cue in _cues(part.timed, whole=bool(others)):
            timed = [f"<{_clock(word.start, '.')}>{_escaped(word.text)}" for word in cue[1:]]
            line = " ".join([_escaped(cue[0].text), *timed])
            times = f"{_clock(cue[0].start, '.')} --> {_clock(cue[-1].end, '.')}"
            cues.append(f"{times}\n{before}{_marked(line, others, sure=part.sure)}{after}\n")
    return "\n".join(cues)


def _each(readings: Sequence[Reading], written: Callable[[str], str]) -> Iterator[tuple[Reading, list[str]]]:
    """The readings, each with the others that are offered beside it; gaps reach from word to word at most."""
    at = 0.0
    for reading, after in zip(readings, [*readings[1:], Reading(())], strict=True):
        shown = reading
        if reading.gap is not None:
            start, end = max(reading.gap[0], at), min([reading.gap[1], *(word[1] for word in after.words[:1])])
            shown = replace(reading, gap=(start, max(start, end)))
        at = max([at, *(word[2] for word in shown.timed)])
        yield shown, [] if reading.sure else [written(other) for other in reading.alternatives]


def _cues(words: Sequence[TimedText], *, whole: bool) -> list[list[_Spoken]]:
    """The words that are shown together: all of them if `whole`, else phrase by phrase."""
    cues: list[list[_Spoken]] = []
    for word in _in_time(words):
        if cues and (whole or _fits(word, cues[-1])):
            cues[-1].append(word)
        else:
            cues.append([word])
    return cues


def _fits(word: _Spoken, cue: Sequence[_Spoken]) -> bool:
    length = sum(len(each.text) + 1 for each in cue) + len(word.text)
    soon = word.start - cue[-1].end < PAUSE_MS
    return soon and length <= MAX_CUE_LENGTH and word.end - cue[0].start <= MAX_CUE_MS


def _in_time(words: Sequence[TimedText]) -> list[_Spoken]:
    """Words with whole milliseconds, one after the other; a word without a letter is left out."""
    spoken: list[_Spoken] = []
    for text, start_s, end_s in words:
        if not math.isfinite(start_s) or not math.isfinite(end_s):
            raise BadInput(f"the word {text!r} is said from {start_s} to {end_s} seconds", "give finite times")
        start = max(round(start_s * 1000), spoken[-1].end if spoken else 0)
        if text.split():
            spoken.append(_Spoken(" ".join(text.split()), start, max(round(end_s * 1000), start + 1)))
    return spoken


def _marked(line: str, others: Sequence[str], *, sure: bool) -> str:
    return line if sure else f"{NOT_SURE} {' / '.join([line, *others])}"


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("<", "‹").replace(">", "›")


def _escaped(text: str) -> str:
    return html.escape(" ".join(text.split()), quote=False)


def _clock(ms: int, point: str) -> str:
    """Milliseconds as 00:00:00.000, with the format's own decimal point."""
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{ms:03}"
