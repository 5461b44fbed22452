"""The result of a recording, out of those of its windows; pure.

One number would hide what matters to whoever depends on it: which sentences are sure. So each has its own confidence
and abstention, and says why if it could not be read. The whole is sure only if every part of it is; its text marks
what is not; its confidence is the probability that all of it is right, which falls with every sentence.
"""

import math
from collections import Counter
from collections.abc import Sequence

from lipsol.clips.watch import Window
from lipsol.errors import BadInput, LipsolError
from lipsol.text.captions import NOT_READ, NOT_SURE
from lipsol.text.joining import Part, joined
from services.doors.problems import Problem
from services.preprocess.results import Result, Sentence, Word

DIGITS = 3  # of a second


def sentence(window: Window, result: Result) -> Sentence:
    """A window that was read or given up, on the recording's clock."""
    if result.problem is not None:
        return gap(window, result.problem)
    words = tuple(_moved(word, window.clip_s) for word in result.words)
    return Sentence(
        clip_id=result.clip_id,
        start_s=round(window.start_s, DIGITS),
        end_s=round(window.end_s, DIGITS),
        text=result.text,
        confidence=result.confidence,
        abstained=result.abstained,
        alternatives=result.alternatives,
        words=words,
        none=result.none,
    )


def _moved(word: Word, by_s: float) -> Word:
    times = {"start_s": round(word.start_s + by_s, DIGITS), "end_s": round(word.end_s + by_s, DIGITS)}
    return word.model_copy(update=times)


def gap(window: Window, problem: Problem) -> Sentence:
    """A window that was not read."""
    return Sentence(start_s=round(window.start_s, DIGITS), end_s=round(window.end_s, DIGITS), problem=problem)


def composed(before: Result, sentences: Sequence[Sentence], watched_s: float, reading: Result | None) -> Result:
    """The recording so far. reading: of one of its windows, which tells of model and faces; None: none was read yet."""
    told = _each_once(sentences)
    sure = all(each.problem is None and not each.abstained for each in told)
    update = {
        "text": "\n".join(_marked(each) for each in told),
        "confidence": math.prod(each.confidence for each in told if each.problem is None) if reading else 0.0,
        "abstained": not sure,
        "sentences": tuple(told),
        "words": tuple(word for each in told for word in each.words),
        "watched_s": round(watched_s, DIGITS),
    }
    if reading is not None:
        update |= {name: getattr(reading, name) for name in ("model", "grammar", "language", "track")}
        update["faces"] = max(before.faces, reading.faces)
    return before.model_copy(update=update)


def ended(result: Result, fault: LipsolError | None = None) -> Result:
    """The recording's last word: read, if anything of it was; else failed, for the reason that most of it has.

    fault: what kept the rest from being watched, and may pass; then it failed whatever was read.
    """
    if fault is not None:
        return result.model_copy(update={"state": "failed", "problem": Problem.of(fault)})
    if any(each.problem is None for each in result.sentences):
        return result.model_copy(update={"state": "read", "problem": None})
    reasons = Counter(each.problem for each in result.sentences if each.problem is not None)
    silent = BadInput(
        f"the lips rest for all {result.watched_s or 0.0:.1f} s", "record while speaking, and face the camera"
    )
    problem = reasons.most_common(1)[0][0] if reasons else Problem.of(silent)
    return result.model_copy(update={"state": "failed", "problem": problem})


def _each_once(sentences: Sequence[Sentence]) -> list[Sentence]:
    """The sentences with every word told once, one after the other."""
    kept = joined([Part(each.start_s, each.words) for each in sentences])
    told, at = [], 0.0
    for each, words in zip(sentences, kept, strict=True):
        timed: list[Word] = []
        for word in words:
            start = max(word.start_s, at)
            at = max(word.end_s, start)
            timed.append(word.model_copy(update={"start_s": start, "end_s": at}))
        text = each.text if len(words) == len(each.words) else " ".join(word.text for word in words)
        told.append(each.model_copy(update={"words": tuple(timed), "text": text}))
    return told


def _marked(each: Sentence) -> str:
    if each.problem is not None:
        return NOT_READ
    return f"{NOT_SURE} {each.text}".rstrip() if each.abstained else each.text
