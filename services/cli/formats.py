"""How one reading is written: a line for people, a document for programs, captions for players."""

import math
from pathlib import Path
from typing import Any

from services.cli.sources import Spoken
from services.cli.truths import same
from services.preprocess.results import Result, Sentence


def text_line(path: Path, result: Result, spoken: Spoken | None) -> str:
    """One line: the clip, its words and how sure they are; then, if told, a mark and what was really said.

    Of a recording a line for each sentence, with the time at which it begins.
    """
    if result.sentences:
        return "\n".join(f"{path}  {_at(each.start_s)}  {_sentence(each)}" for each in result.sentences)
    line = f"{path}  {_words(result)}  {percent(result.confidence)}"
    return line if spoken is None else f"{line}  {mark(result, spoken.text)} {spoken.text}"


def mark(result: Result, truth: str) -> str:
    """✓ the words are right; ≈ the reader was not sure, and they are among the possibilities it named; ✗ neither."""
    right = [same(truth, text, result.language) for text in _possible(result)]
    if right[:1] == [True]:
        return "✓"
    return "≈" if any(right) else "✗"


def document(path: str, result: Result, spoken: Spoken | None) -> dict[str, Any]:
    """The result contract as JSON values with the clip's `path`; with `truth` and `right` if told."""
    told: dict[str, Any] = {"path": path, **result.model_dump(mode="json")}
    if spoken is not None:
        told |= {"truth": spoken.text, "right": same(spoken.text, result.text, result.language)}
    return told


def percent(share: float) -> str:
    """A share in whole percent, rounded down: 100 % is said of certainty alone."""
    return f"{math.floor(100 * share)} %"


def _sentence(each: Sentence) -> str:
    """A recording's sentence with how sure it is, or why it was not read."""
    if each.problem is not None:
        return f"not read: {each.problem.detail}"
    return f"{_words(each)}  {percent(each.confidence)}"


def _at(seconds: float) -> str:
    """A time in a recording, as 1:02:03.4."""
    whole, tenths = divmod(round(10 * seconds), 10)
    minutes, rest = divmod(whole, 60)
    hours = f"{minutes // 60}:" if minutes >= 60 else ""
    return f"{hours}{minutes % 60:02}:{rest:02}.{tenths}"


def _words(result: Result | Sentence) -> str:
    """The words if the reader is sure of them, else the first possibilities, each with those that look the same."""
    if not result.abstained:
        return result.text
    possible = " | ".join(_alike(group) for group in result.offered() if group[0])
    none = "" if result.none is None else f" | none of the phrases: {percent(result.none)}"
    return f"not sure; perhaps: {possible}{none}" if possible else "not sure"


def _alike(group: list[str]) -> str:
    """A reading, and in brackets what looks the same."""
    return f"{group[0]} (looks the same: {', '.join(group[1:])})" if group[1:] else group[0]


def _possible(result: Result) -> list[str]:
    """What the reader says it may be: one reading if it is sure, else all that it offers."""
    return [text for group in result.offered() for text in group] if result.abstained else [result.text]
