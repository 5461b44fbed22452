"""What the bench measures against, each in an environment of its own under build/bench, from a pinned list."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.ground import BUILD
from tests.conftest import TOP


def python_with(name: str) -> Path:
    """A Python that has what `requirements/NAME.txt` lists; made on the first call, and anew when the list changed.

    Raises subprocess.CalledProcessError where it can't be installed.
    """
    wanted, folder = TOP / "requirements" / f"{name}.txt", BUILD / name
    stamp, digest = folder / "stamp", hashlib.sha256(wanted.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        shutil.rmtree(folder, ignore_errors=True)
        python, pip = folder / "bin" / "python", ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, *pip, "--require-hashes", "--requirement", wanted], check=True)
        stamp.write_text(digest)
    return folder / "bin" / "python"
