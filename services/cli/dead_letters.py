"""`lipsol dead-letters`: what could not be handled, why, and sending it again."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from lipsol.errors import BadInput
from services.cli import BAD_INPUT, reason, tell
from services.cli.operator import me, open_platform
from services.cli.report import columns
from services.cli.times import moment, since
from services.operating.documents import pretty
from services.operating.letters import Again, Letter, Opened, Wanted
from services.operating.operations import Operating

REASON_SHOWN = 70  # characters of a reason in a list
VALUE_SHOWN = 120  # characters of a value that no event can be made of, and of a long field

Opening = Callable[[], AbstractContextManager[Operating]]


@dataclass(frozen=True)
class ReplayOptions:
    """What was asked for on the command line, as it stood there."""

    names: tuple[str, ...] = ()
    every: bool = False
    mended: Path | None = None
    kind: str = ""
    stage: str = ""
    since: str = ""
    as_json: bool = False


def run_list(kind: str, stage: str, told: str, *, as_json: bool, platform: Opening = open_platform) -> int:
    """Print the letters that are wanted."""
    with platform() as running:
        letters = running.letters(Wanted(kind, stage, since(told, time.time())))
    print(pretty([asdict(each) for each in letters]) if as_json else table(letters))
    return 0


def run_show(name: str, *, event: bool, as_json: bool, platform: Opening = open_platform) -> int:
    """Print one letter whole, or the event in it alone, as a file that can be mended."""
    with platform() as running:
        opened = running.letter(name)
    if event and opened.event is None:
        raise BadInput(f"no event can be made of letter {name} ({opened.fault})", "write the whole event yourself")
    if event:
        print(pretty(opened.event))
    else:
        print(pretty(asdict(opened)) if as_json else page(opened))
    return 0


def run_replay(options: ReplayOptions, platform: Opening = open_platform) -> int:
    """Replay the named letters, or all that are wanted; 2 if one could not be sent."""
    if options.every == bool(options.names) or (options.mended is not None and len(options.names) != 1):
        raise BadInput(
            f"{len(options.names)} ids{', and --all' * options.every}{', and --with' * (options.mended is not None)}",
            "name letters, or say --all; --with needs exactly one id",
        )
    event = _document(options.mended)
    wanted = Wanted(options.kind, options.stage, since(options.since, time.time()))
    if wanted != Wanted() and not options.every:
        raise BadInput("a filter beside ids", "filters choose among --all")
    with platform() as running:
        if options.every:
            done = running.replay_all(wanted, by=me())
        else:
            done = [_replayed_one(running, name, event) for name in options.names]
    for each in done:
        if each.fault:
            tell(BadInput(each.fault), each.id)
    told = "\n".join(f"{each.id}  sent to {each.topic}" for each in done if not each.fault) or "nothing was sent"
    print(pretty([asdict(each) for each in done]) if options.as_json else told)
    return BAD_INPUT if any(each.fault for each in done) else 0


def _replayed_one(platform: Operating, name: str, event: str) -> Again:
    """What came of one letter; one that can't be sent keeps no other back."""
    try:
        return platform.replay(name, by=me(), mended=event)
    except BadInput as fault:
        return Again(name, "", reason(fault))


def table(letters: Sequence[Letter]) -> str:
    """A line for each letter; one that was replayed says when and by whom."""
    if not letters:
        return "no dead letters"
    head = ("id", "when", "stage", "kind", "clip", "origin", "replayed", "reason")
    return "\n".join(columns(head, [_cells(each) for each in letters]))


def page(opened: Opened) -> str:
    """A letter for eyes: what, why, what to do; its headers; and the event in it, long fields cut."""
    letter = opened.letter
    told = [
        ("letter", letter.id),
        ("buried", moment(letter.at)),
        ("kind", f"{letter.kind}, after {letter.attempts} attempts in {letter.stage or 'nowhere'}"),
        ("reason", letter.reason),
        ("cure", letter.cure or "-"),
        ("clip", letter.clip_id or "-"),
        ("origin", f"{letter.origin_topic} {letter.origin_partition}-{letter.origin_offset}, key {letter.key!r}"),
        ("trace", letter.trace_id or "-"),
        *(("replayed", _replayed(each.at, each.by, mended=each.mended)) for each in letter.replays),
        *((f"header {name}", value) for name, value in sorted(opened.headers.items())),
    ]
    width = max(len(name) for name, _ in told)
    return "\n".join([*(f"{name:<{width}}  {' '.join(value.split())}" for name, value in told), "", _content(opened)])


def _cells(letter: Letter) -> tuple[str, ...]:
    last = letter.replays[-1] if letter.replays else None
    origin = f"{letter.origin_topic} {letter.origin_partition}-{letter.origin_offset}" if letter.origin_topic else "-"
    replayed = _replayed(last.at, last.by, mended=last.mended) if last else "-"
    why = " ".join(letter.reason.split())
    cut = why if len(why) <= REASON_SHOWN else f"{why[: REASON_SHOWN - 1]}…"
    shadow = " (shadow)" if letter.shadow else ""
    return (
        letter.id,
        moment(letter.at),
        letter.stage or "-",
        letter.kind,
        (letter.clip_id or "-") + shadow,
        origin,
        replayed,
        cut,
    )


def _replayed(at: float, by: str, *, mended: bool) -> str:
    return f"{moment(at)} by {by}{', mended' if mended else ''}"


def _content(opened: Opened) -> str:
    if opened.event is not None:
        return pretty(_cut(opened.event))
    cut = "" if opened.whole else " (the first of them: it was too long to be kept whole)"
    value = opened.value if len(opened.value) <= VALUE_SHOWN else f"{opened.value[:VALUE_SHOWN]}…"
    return f"no event can be made of it: {opened.fault}\nits bytes, base64{cut}: {value}"


def _cut(value: object) -> object:
    """The same document with its long strings cut, as they hold pictures."""
    if isinstance(value, dict):
        return {name: _cut(each) for name, each in value.items()}
    if isinstance(value, str) and len(value) > VALUE_SHOWN:
        return f"{value[:VALUE_SHOWN]}… ({len(value)} characters)"
    return value


def _document(file: Path | None) -> str:
    """The mended event in a file; "" without one. Raises BadInput if it is no JSON."""
    if file is None:
        return ""
    try:
        text = file.read_text(encoding="utf-8")
        json.loads(text)
    except OSError as fault:
        raise BadInput(f"{file} can't be read ({fault.strerror})", "name the file with the mended event") from fault
    except ValueError as fault:
        raise BadInput(f"{file} is no JSON ({fault})", "begin with `lipsol dead-letters show ID --event`") from fault
    return text
