"""`lipsol data push`, `versions` and `pull`: versions of data and bundles, there and back."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from lipsol.runtime.settings import DataSettings, Settings
from services.cli.environment import quiet
from services.cli.report import columns

HEAD = ("name", "revision", "when", "by", "files", "MB", "message")
SHOWN = 12  # characters of a revision in a table


def push(folder: Path, name: str, message: str) -> int:
    """Push a folder, and print its revision; what was sent goes to standard error."""
    from lipsol.versions import keep

    version = keep(folder, _remote(), name, message)
    print(version.rev)
    print(
        f"{version.name}@{version.rev[:SHOWN]}: {version.sent} of {version.files} files were new to {_remote().remote}",
        file=sys.stderr,
    )
    return 0


def show(name: str, *, as_json: bool) -> int:
    """Print the versions there are, newest first."""
    from lipsol.versions import versions

    found = versions(_remote(), name)
    if as_json:
        print(json.dumps([asdict(version) for version in found], ensure_ascii=False, indent=2))
        return 0
    rows: list[tuple[str, ...]] = [
        (
            version.name,
            version.rev[:SHOWN],
            datetime.fromtimestamp(version.at, UTC).strftime("%Y-%m-%d %H:%M"),
            version.by,
            str(version.files),
            f"{version.size_bytes / 1e6:.1f}",
            version.message,
        )
        for version in found
    ]
    print("\n".join(columns(HEAD, rows)) if rows else "no versions yet: `lipsol data push FOLDER` makes the first")
    return 0


def bring(name: str, rev: str, to: Path) -> int:
    """Bring a version back, and print the folder."""
    from lipsol.versions import pull

    print(pull(name, rev, to, _remote()))
    return 0


def _remote() -> DataSettings:
    return quiet(Settings).data
