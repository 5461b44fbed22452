"""A batch in figures and in rows: counted, scored where the manifest told the words, and written to a report."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from lipsol.errors import BadInput
from services.cli.figures import Scored, figures, intervals, scored
from services.cli.following import STATES, Counts, Standing, counted
from services.cli.output import opened
from services.cli.report import NAMES, figure_line
from services.cli.sources import Spoken
from services.cli.times import span

COLUMNS = ("path", "clip_id", "state", "text", "confidence", "abstained", "alternatives", "reason", "model")
FORMS = (".csv", ".jsonl")  # of a report, by its file's ending
TOLD = 10  # failed clips that are told of one by one; the report has all
STATE_NAMES = {
    "submitted": "waiting",
    "reading": "being read",
    "read": "read",
    "abstained": "not sure",
    "failed": "failed",
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Summary:
    """How a batch stands.

    scored    the clips that were read and whose words are known, compared
    failures  path and reason of the first few that failed
    """

    batch: str
    counts: Counts
    scored: tuple[Scored, ...]
    failures: tuple[tuple[str, str], ...]

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        told: dict[str, Any] = {
            "batch": self.batch,
            "clips": self.counts.clips,
            **{state: self.counts.states[state] for state in STATES},
            "done": not self.counts.open,
            "clips_per_second": round(self.counts.rate, 3),
            "remaining_s": None if self.counts.remaining_s is None else round(self.counts.remaining_s, 1),
        }
        if self.scored:
            told["scores"] = {**figures(self.scored), "intervals": intervals(self.scored)}
        return told

    def text(self) -> str:
        """For eyes."""
        states = ", ".join(f"{self.counts.states[state]} {STATE_NAMES[state]}" for state in STATES)
        lines = [f"batch {self.batch}: {self.counts.clips} clips: {states}"]
        if self.counts.open:
            left = self.counts.remaining_s
            lines.append(
                f"{self.counts.rate:.1f} clips/s, {'nobody knows how long' if left is None else span(left)} to go"
            )
        if self.scored:
            scores = {**figures(self.scored), "intervals": intervals(self.scored)}
            lines += [
                "",
                f"of the {len(self.scored)} whose words are known:",
                *(figure_line(name, scores) for name in NAMES),
            ]
        return "\n".join(lines)


def summed_up(batch: str, standings: Iterable[Standing], now: float, keep: Callable[[Row], None]) -> Summary:
    """Go through a batch once: count, score, and `keep` each clip's row."""
    compared: list[Scored] = []
    failures: list[tuple[str, str]] = []

    def seen() -> Iterator[Standing]:
        for each in standings:
            keep(row(each))
            if each.entry.text and each.result is not None and each.result.state == "read":
                compared.append(scored(_spoken(each), each.result))
            if each.state == "failed" and len(failures) < TOLD:
                failures.append((each.entry.path, each.reason))
            yield each

    counts = counted(seen(), now)
    return Summary(batch, counts, tuple(compared), tuple(failures))


def row(standing: Standing) -> Row:
    """A clip's line of the report, as JSON values."""
    result = standing.result
    read = result is not None and result.state == "read"
    return {
        "path": standing.entry.path,
        "clip_id": standing.entry.clip_id,
        "state": standing.state,
        "text": result.text if result is not None and read else "",
        "confidence": result.confidence if result is not None and read else None,
        "abstained": result.abstained if result is not None and read else None,
        "alternatives": [each.text for each in result.alternatives] if result is not None else [],
        "reason": standing.reason,
        "model": result.model.model_dump(mode="json") if result is not None and result.model is not None else None,
    }


def check_report(file: Path | None) -> None:
    """Raise BadInput for a report of a form that is not written here."""
    if file is not None and file.suffix.lower() not in FORMS:
        raise BadInput(f"a report called {file.name}", f"end its name with {' or '.join(FORMS)}")


@contextmanager
def report_to(file: Path | None) -> Iterator[Callable[[Row], None]]:
    """A function that adds a row to the report; without a file it does nothing. Raises BadInput if it can't be."""
    if file is None:
        yield lambda _: None
        return
    with opened(file) as sink:
        yield _csv(sink) if file.suffix.lower() == ".csv" else _lines(sink)


def _lines(sink: TextIO) -> Callable[[Row], None]:
    return lambda row: print(json.dumps(row, ensure_ascii=False), file=sink)


def _csv(sink: TextIO) -> Callable[[Row], None]:
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(COLUMNS)

    def write(row: Row) -> None:
        model = row["model"]
        told = {**row, "alternatives": " | ".join(row["alternatives"])}
        told["model"] = f"{model['name']} {model['version']} {model['digest']}" if model else ""
        writer.writerow(["" if told[name] is None else told[name] for name in COLUMNS])

    return write


def _spoken(standing: Standing) -> Spoken:
    entry = standing.entry
    return Spoken(entry.path, Path(entry.path), entry.text, entry.speaker, entry.language)
