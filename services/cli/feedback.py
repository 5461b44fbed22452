"""`lipsol data corrections` and `from-feedback`: what people let us learn from, listed, taken back, made a data set."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from lipsol.runtime.cpus import available_cpus
from lipsol.runtime.settings import Settings
from lipsol.runtime.wiring import open_store
from lipsol.store.corrections import Corrections
from services.cli.environment import quiet
from services.cli.report import columns

HEAD = ("clip", "language", "contributor", "agreed", "wording", "words")


def corrections(withdraw: tuple[str, ...], *, as_json: bool) -> int:
    """Take back what the named clips teach; without any, list all that is kept, oldest first."""
    held = _held()
    for clip_id in withdraw:
        held.withdraw(clip_id)
        print(f"{clip_id}: taken back, and in no later data set", file=sys.stderr)
    if withdraw:
        return 0
    found = sorted(held.all(), key=lambda each: each.consented_at)
    if as_json:
        print(json.dumps([asdict(each) for each in found], ensure_ascii=False, indent=2))
        return 0
    rows: list[tuple[str, ...]] = [
        (
            each.clip_id,
            each.language,
            each.contributor,
            datetime.fromtimestamp(each.consented_at, UTC).strftime("%Y-%m-%d %H:%M"),
            each.wording,
            str(len(each.text.split())),
        )
        for each in found
    ]
    print("\n".join(columns(HEAD, rows)) if rows else "nothing that anybody let us learn from is kept")
    return 0


def from_feedback(out: Path, previous: Path | None, cache: Path, language: str) -> int:
    """Make a data set of what is kept, and print what became of it as JSON."""
    from lipsol.data.feedback import collect

    held = _held()
    summary = collect(
        [*held.all()], held.mouth, previous, out, cache, withdrawn=held.withdrawn(), language=language,
        workers=available_cpus(),
    )  # fmt: skip
    print(summary.to_json())
    return 0


def _held() -> Corrections:
    return Corrections(open_store(quiet(Settings)))
