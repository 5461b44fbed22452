"""An evaluation as a person reads it."""

from collections.abc import Mapping
from typing import Any

NAMES = {
    "wer": "word error rate",
    "cer": "character error rate",
    "sentence_accuracy": "without any error",
    "top3_accuracy": "among the first three",
    "abstained": "not sure",
    "answered_wer": "word error rate where sure",
    "sure_wrong": "sure and wrong",
}
HEADS = ("speaker", "n", "WER", "CER", "right", "top 3", "not sure", "WER sure", "sure wrong")


def report(evaluation: Mapping[str, Any]) -> str:
    """The figures with their intervals, and a line for each speaker."""
    if not evaluation["n"]:
        return "no clip could be read"
    model = evaluation["model"]
    lines = [
        f"{model['name']} {model['version']} ({model['digest'][:12]}), {evaluation['decoding']}",
        f"{evaluation['n']} clips read, {len(evaluation['unreadable'])} unreadable (not counted below)",
        "",
        f"{'':<27} {'':>8}   95 % interval, drawing {evaluation['intervals']['by']} anew",
        *(figure_line(name, evaluation) for name in NAMES),
        "",
        *columns(HEADS, [_speaker(name, each) for name, each in evaluation["per_speaker"].items()]),
    ]
    return "\n".join(lines)


def columns(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """Lines of text cells, each column as wide as its widest cell."""
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows))
    return [line.rstrip() for line in lines]


def figure_line(name: str, evaluation: Mapping[str, Any]) -> str:
    """One figure and its interval."""
    line = f"{NAMES[name]:<27} {_percent(evaluation[name]):>8}"
    ends = evaluation["intervals"][name]
    return line if ends is None else f"{line}   {_percent(ends[0])} to {_percent(ends[1])}"


def _speaker(name: str, figures: Mapping[str, Any]) -> tuple[str, ...]:
    """One speaker's row."""
    return (name, str(figures["n"]), *(_percent(figures[each]) for each in NAMES))


def _percent(share: float | None) -> str:
    """A share in percent; a dash where there is none."""
    return "-" if share is None else f"{100 * share:.1f} %"
