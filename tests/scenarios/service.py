"""`python -m tests.scenarios.service NAME stored|real`: one service as `python -m services NAME` runs it.

Where it is the edge, it finds stored mouths, or watches real videos.
"""

import sys

from lipsol.runtime.logs import set_up_logging
from lipsol.runtime.settings import load
from lipsol.runtime.wiring import open_bus
from services.__main__ import serve_alone
from services.embedded import EmbeddedSettings
from tests.scenarios.mouths import StoredWatcher


def main(name: str, how: str) -> None:
    """Serve until told to leave."""
    settings = load(EmbeddedSettings)
    set_up_logging(settings.telemetry)
    parts = {"watcher": StoredWatcher()} if (name, how) == ("preprocess", "stored") else {}
    serve_alone(name, settings, open_bus(settings), **parts)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
