"""`lipsol read`: clips in, a reading each, as lines, JSON or captions."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from lipsol.errors import BadInput
from services.cli import BAD_INPUT, FAULT, NOT_SURE, tell
from services.cli.output import Output
from services.cli.platform import Asked, Outcome, Platform, check, open_platform, read_all, width
from services.cli.progress import bar
from services.cli.sources import expand
from services.cli.truths import Truths
from services.cli.wordings import Wish
from services.preprocess.results import Result


@dataclass(frozen=True)
class ReadOptions:
    """What was asked for on the command line, as it stood there."""

    clips: tuple[str, ...]
    model: str = ""
    wish: Wish = field(default_factory=Wish)
    language: str = ""
    form: str = "text"
    truth: Path | None = None
    output: Path | None = None


@dataclass
class Tally:
    """How the clips went: read, of those not sure; refused for their own fault; failed for ours."""

    read: int = 0
    unsure: int = 0
    refused: int = 0
    failed: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one clip."""
        if outcome.result is not None:
            self.read += 1
            sentences = [each for each in outcome.result.sentences if each.problem is None]
            self.unsure += all(each.abstained for each in sentences) if sentences else outcome.result.abstained
        elif isinstance(outcome.fault, BadInput):
            self.refused += 1
        else:
            self.failed += 1

    def exit_code(self) -> int:
        """0 read, 1 the platform failed on a clip, 2 a clip is at fault, 3 all were read and none surely."""
        if self.failed:
            return FAULT
        if self.refused:
            return BAD_INPUT
        return NOT_SURE if self.unsure == self.read else 0


def run(options: ReadOptions, platform: Callable[[], AbstractContextManager[Platform]] = open_platform) -> int:
    """Read the clips and write their readings; the exit code says how it went (see Tally)."""
    paths = expand(options.clips)
    one = len(options.clips) == 1 and paths == [Path(options.clips[0])]
    output = Output(options.form, one, options.output, Truths.of_file(options.truth))
    output.check(paths)
    grammar = options.wish.spec(options.language)
    asked = [Asked(path, options.model, grammar, options.language) for path in paths]
    tally = Tally()
    with platform() as running, bar(len(paths), "reading") as step:
        check(running, asked)
        output.write(counted(read_all(running, asked, width()), tally, step))
    return tally.exit_code()


def counted(outcomes: Iterable[Outcome], tally: Tally, step: Callable[[], None]) -> Iterator[tuple[Path, Result]]:
    """The results among `outcomes`, while each is counted and each fault told on standard error."""
    for outcome in outcomes:
        tally.add(outcome)
        step()
        if outcome.fault is not None:
            tell(outcome.fault, str(outcome.path))
        if outcome.result is not None:
            yield outcome.path, outcome.result
