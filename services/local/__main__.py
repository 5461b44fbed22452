"""`python -m services.local kafka`: a Kafka for this machine, until told to leave."""

import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from lipsol.errors import LipsolError
from services.local.broker import LIBS, Broker

KAFKA_PORT = 9092
USAGE = "usage: python -m services.local kafka"
FAULT, BAD_INPUT = 1, 2  # exit codes


def main(arguments: Sequence[str]) -> int:
    """Serve until told to leave; the exit code."""
    if list(arguments) != ["kafka"]:
        print(USAGE, file=sys.stderr)  # noqa: T201 - a program's own usage
        return BAD_INPUT
    leave = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: leave.set())
    try:
        serve_kafka(LIBS.parent / "data", KAFKA_PORT, leave)
    except LipsolError as fault:
        print(f"lipsol: {fault.detail}; {fault.cure}", file=sys.stderr)  # noqa: T201
        return FAULT
    return 0


def serve_kafka(folder: Path, port: int, leave: threading.Event) -> None:
    """Keep a broker with all topics until `leave`."""
    with Broker.start(folder, port) as broker:
        print(f"Kafka answers at {broker.servers}; Ctrl-C ends it, its data stay in {folder.name}/")  # noqa: T201
        leave.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
