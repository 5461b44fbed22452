"""The `lipsol` command as an operator types it, in a process of its own."""

import subprocess
import sys
from collections.abc import Mapping

from tests.conftest import TOP

MOST_S = 120.0


def lipsol(environment: Mapping[str, str], *arguments: str) -> str:
    """What it prints. Raises RuntimeError, with what it said, where it fails."""
    command = [sys.executable, "-m", "services.cli", *arguments]
    done = subprocess.run(
        command, env=environment, cwd=TOP, capture_output=True, text=True, timeout=MOST_S, check=False
    )
    if done.returncode:
        raise RuntimeError(f"lipsol {' '.join(arguments)} ended with {done.returncode}: {done.stderr[-500:]}")
    return done.stdout
