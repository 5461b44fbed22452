"""Where readings go: to the terminal or a pipe as they come, into a file, or as captions into a folder."""

import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from lipsol.errors import BadInput
from services.cli.formats import document, text_line
from services.cli.truths import Truths
from services.preprocess.results import Result

CAPTIONS = frozenset({"srt", "vtt"})

Results = Iterable[tuple[Path, Result]]


@dataclass(frozen=True)
class Output:
    """How the readings of one call are written.

    form    text, json, jsonl, srt or vtt
    one     a single clip was named: JSON is then an object, not an array of one
    place   a file; a folder for captions of several clips; None for standard output
    truths  what was really said, where it is known
    """

    form: str
    one: bool
    place: Path | None = None
    truths: Truths = field(default_factory=Truths)

    def check(self, paths: list[Path]) -> None:
        """Captions have one clock, their clip's: several clips need a folder and unlike names. Else BadInput."""
        if self.form not in CAPTIONS or self.one:
            return
        if self.place is None:
            raise BadInput(
                f"{len(paths)} clips can't share one {self.form} file",
                "name a folder with --output: each clip gets a file of its own in it",
            )
        stems = [path.stem for path in paths]
        twice = sorted({stem for stem in stems if stems.count(stem) > 1})
        if twice:
            raise BadInput(f"two clips would be written to {twice[0]}.{self.form}", "read them one after the other")

    def write(self, results: Results) -> None:
        """Write all of them, each as soon as it comes. Raises BadInput if the place can't be written to."""
        if self.form in CAPTIONS and not self.one and self.place is not None:
            self._beside(self.place, results)
            return
        with _sink(self.place) as sink:
            for string in self._strings(results):
                print(string, end="", flush=True, file=sink)

    def _strings(self, results: Results) -> Iterator[str]:
        """What goes out for `results`, each string with its line's end."""
        if self.form == "text":
            return (text_line(path, result, self.truths.of(path)) + "\n" for path, result in results)
        if self.form in CAPTIONS:
            return (result.captions(self.form) for _, result in results)
        documents = (document(str(path), result, self.truths.of(path)) for path, result in results)
        if self.form == "jsonl":
            return (json.dumps(each, ensure_ascii=False) + "\n" for each in documents)
        return self._whole(documents)

    def _whole(self, documents: Iterable[dict[str, Any]]) -> Iterator[str]:
        """One JSON document of all results; nothing for a single clip that was not read."""
        every = list(documents)
        if every or not self.one:
            yield json.dumps(every[0] if self.one else every, ensure_ascii=False, indent=2) + "\n"

    def _beside(self, folder: Path, results: Results) -> None:
        """The captions of each clip into folder/CLIP.form."""
        with _writable(folder):
            folder.mkdir(parents=True, exist_ok=True)
        for path, result in results:
            with _writable(folder):
                (folder / f"{path.stem}.{self.form}").write_text(result.captions(self.form), encoding="utf-8")


@contextmanager
def opened(place: Path) -> Iterator[TextIO]:
    """A file to write to. Raises BadInput if it can't be opened."""
    with _writable(place):
        file = place.open("w", encoding="utf-8")
    with file:
        yield file


def _sink(place: Path | None) -> AbstractContextManager[TextIO | None]:
    """A file, or None for the standard output of the moment (the bar may stand before it)."""
    return nullcontext() if place is None else opened(place)


@contextmanager
def _writable(place: Path) -> Iterator[None]:
    """Turn the machine's refusal to write into bad input."""
    try:
        yield
    except OSError as fault:
        raise BadInput(f"{place} can't be written to ({fault.strerror})", "name a place of yours") from fault
