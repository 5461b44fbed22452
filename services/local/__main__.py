"""`python -m services.local kafka | up`: a Kafka for this machine, or the whole platform, until told to leave."""

import signal
import sys
import threading
from collections.abc import Sequence

from lipsol.bus.kafka import create_topics
from lipsol.errors import BadInput, LipsolError
from services.local.broker import Broker
from services.local.screen import Screen
from services.local.up import KAFKA_DATA, NARRATOR, up

KAFKA_PORT = 9092
USAGE = "usage: python -m services.local kafka | up"
FAULT, BAD_INPUT = 1, 2  # exit codes


def main(arguments: Sequence[str]) -> int:
    """Serve until told to leave; the exit code."""
    verbs = {"kafka": kafka, "up": up}
    if len(arguments) != 1 or arguments[0] not in verbs:
        print(USAGE, file=sys.stderr)  # noqa: T201 - a program's own usage
        return BAD_INPUT
    try:
        return verbs[arguments[0]](_told_to_leave(), Screen(sys.stdout))
    except LipsolError as fault:
        print(f"lipsol: {fault.detail}; {fault.cure}", file=sys.stderr)  # noqa: T201
        return BAD_INPUT if isinstance(fault, BadInput) else FAULT


def kafka(leave: threading.Event, screen: Screen) -> int:
    """A broker with all topics, until `leave`; what it keeps stays in `build/kafka/data`."""
    with Broker.start(KAFKA_DATA, KAFKA_PORT) as broker:
        create_topics(broker.servers)
        screen.say(NARRATOR, f"Kafka answers at {broker.servers}; Ctrl-C ends it, what it keeps stays")
        while not leave.wait(1.0):
            if not broker.alive:
                screen.say(NARRATOR, f"Kafka died; see {broker.log.name}")
                return FAULT
    return 0


def _told_to_leave() -> threading.Event:
    """Set by SIGINT and SIGTERM. A second one ends this process at once, and with it all that it started."""
    leave = threading.Event()

    def told(number: int, _: object) -> None:
        leave.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, told)
    return leave


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
