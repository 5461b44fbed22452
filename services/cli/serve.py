"""`lipsol serve`: the page and the API, everything in one process."""

import sys

from lipsol.runtime.logs import set_up_logging
from lipsol.runtime.settings import load
from services.cli.hush import greet_unheard
from services.embedded import Embedded, EmbeddedSettings


def run(host: str, port: int | None) -> int:
    """Serve until stopped: Ctrl-C or SIGTERM drains and ends it. port: None takes the settings' own."""
    settings = load(EmbeddedSettings)
    set_up_logging(settings.telemetry)
    port = settings.preprocess.port if port is None else port
    greet_unheard()
    with Embedded(settings) as platform:
        board = f"http://{platform.board_host}:{settings.monitor.port}/"
        print(f"lipsol: http://{host}:{port}/ (Ctrl-C ends it); the board for operators is {board}", file=sys.stderr)
        platform.serve(host, port)
    return 0
