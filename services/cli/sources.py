"""The clips a person names: files, folders and patterns; and manifests that say what was spoken in them."""

import csv
import glob
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lipsol.clips.video import Limits
from lipsol.errors import BadInput

VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".3gp"})
MANIFEST_BYTES = 64 * 2**20  # a manifest of half a million clips; more is hardly meant
COLUMNS = ("path", "text", "speaker", "language", "session")  # of a manifest
UNKNOWN_SPEAKER = "unknown"  # who speaks where the manifest does not say


@dataclass(frozen=True)
class Spoken:
    """One line of a manifest: a clip, the words really said in it, by whom, in which language ("": the model's).

    name     the clip's path as the manifest writes it
    path     where it lies
    text     "": not told
    session  name of the stream that it was cut from; "": a clip of its own
    """

    name: str
    path: Path
    text: str
    speaker: str = UNKNOWN_SPEAKER
    language: str = ""
    session: str = ""


def expand(names: Sequence[str]) -> list[Path]:
    """The files that `names` stand for: a folder is all videos right in it, a pattern all files it fits, in order.

    A file that is not there stays in the list, so that it is reported in its turn. Raises BadInput if a folder or a
    pattern holds no video.
    """
    found: list[Path] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            inside = sorted(each for each in path.iterdir() if each.suffix.lower() in VIDEO_SUFFIXES)
        elif not path.exists() and glob.has_magic(name):
            inside = sorted(Path(each) for each in glob.glob(name, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute one
        else:
            inside = [path]
        if not inside:
            raise BadInput(f"no video in {name}", f"name a clip, or a folder of {', '.join(sorted(VIDEO_SUFFIXES))}")
        found += inside
    return found


def clip_bytes(path: Path, limit: int = Limits.max_bytes) -> bytes:
    """A clip as it lies in its file. Raises BadInput if there is no such file, it can't be read or is too big."""
    if not path.exists():
        raise BadInput("no such file", "check its name and the folder you are in")
    if not path.is_file():
        raise BadInput("not a file", "name a video file, or a folder of them")
    size = path.stat().st_size
    if size > limit:
        raise BadInput(f"{size} bytes are over the {limit} that a clip may have", "cut it shorter or smaller")
    try:
        return path.read_bytes()
    except OSError as fault:
        raise BadInput(f"it can't be read ({fault.strerror})", "allow yourself to read it") from fault


def read_manifest(file: Path, needed: Sequence[str] = ("path", "text")) -> list[Spoken]:
    """The clips of a CSV file with a head line: path, text, speaker, language and session, those that are `needed` and
    the others if they are there; paths from its folder.

    Columns of other names are passed over. Raises BadInput naming the line that can't be used.
    """
    rows = csv.DictReader(io.StringIO(_manifest_text(file), newline=""))
    missing = [name for name in needed if name not in (rows.fieldnames or ())]
    if missing:
        raise BadInput(
            f"{file} has no column {' and no column '.join(missing)}",
            "give it a first line that says path,text,speaker,language",
        )
    try:
        spoken = [_spoken(file, rows.line_num, row, needed) for row in rows]
    except csv.Error as fault:
        raise BadInput(f"{file}, line {rows.line_num}: {fault}", "write it as plain CSV") from fault
    if not spoken:
        raise BadInput(f"{file} names no clip", "give it one line a clip under the first")
    return spoken


def _manifest_text(file: Path) -> str:
    """The whole file as text (UTF-8, a byte order mark allowed)."""
    try:
        if file.stat().st_size > MANIFEST_BYTES:
            raise BadInput(f"{file} is over {MANIFEST_BYTES} bytes", "give a CSV file that names clips")
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as fault:
        raise BadInput(f"{file} is not UTF-8 text (byte {fault.start})", "save it as CSV in UTF-8") from fault
    except OSError as fault:
        raise BadInput(f"{file} can't be read ({fault.strerror})", "name a CSV file with path,text") from fault


def _spoken(file: Path, line: int, row: dict[str | Any, str | Any], needed: Sequence[str]) -> Spoken:
    """One row as a clip. Raises BadInput if what it needs is empty, or cells are left over."""
    if None in row:  # where DictReader puts what is over
        told = f"{len(row) - 1 + len(row[None] or ())} cells for {len(row) - 1} columns"
        raise BadInput(f"{file}, line {line}: {told}", "put a text with a comma in it between quotation marks")
    cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
    for name in needed:
        if not cells[name]:
            raise BadInput(f"{file}, line {line}: no {name}", "fill it in, or take the line out")
    speaker = cells["speaker"] or UNKNOWN_SPEAKER
    return Spoken(
        cells["path"], file.parent / cells["path"], cells["text"], speaker, cells["language"], cells["session"]
    )
