"""How the operator's verbs reach the platform, and who the operator is."""

import getpass
import socket
from contextlib import AbstractContextManager

from services.cli.environment import quiet
from services.operating import OperatorSettings, open_operations
from services.operating.operations import Operating


def open_platform() -> AbstractContextManager[Operating]:
    """The operations on the platform that the environment leads to."""
    return open_operations(quiet(OperatorSettings))


def me() -> str:
    """Who asks, as it is written down: user@machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user has no name
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
