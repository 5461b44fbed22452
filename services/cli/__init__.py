"""The `lipsol` command: the platform from a terminal, one small module a verb.

Laws: results go to standard output and nothing else does; what a person should know goes to standard error, one line
a fault, with its cure; a progress bar shows only on a terminal. Exit codes: 0 done, 1 it can't be done here, 2 bad
input, 3 every clip was read but of none was the reader sure, 130 stopped by the keyboard.

A verb's module is imported when the verb is called, never before: `lipsol --help` loads no model and no video code.
"""

import os
import sys
import traceback
from collections.abc import Sequence

import click

from lipsol.errors import BadInput, LipsolError

FAULT = 1  # exit code: the platform, a model or this machine is at fault
BAD_INPUT = 2  # exit code: what was given can't be read; wrong options end alike
NOT_SURE = 3  # exit code: all clips were read, and the reader abstained on each
STOPPED = 130  # exit code: 128 + SIGINT, as shells have it


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (None: the process's own) and return its exit code; faults are told, never raised."""
    from services.cli.app import lipsol

    try:
        return int(lipsol.main(args=argv, prog_name="lipsol", standalone_mode=False) or 0)
    except click.ClickException as wrong:
        wrong.show()
        return wrong.exit_code
    except click.Abort:  # Ctrl-C
        return STOPPED
    except SystemExit as left:  # click's quiet way out of a pipe that nobody reads any more
        return left.code if isinstance(left.code, int) else FAULT
    except Exception as fault:  # noqa: BLE001 - the command line is where every fault becomes one line
        tell(fault)
        return BAD_INPUT if isinstance(fault, BadInput) else FAULT


def tell(fault: Exception, where: str = "") -> None:
    """Say on standard error what is wrong, with what and what to do about it: one line, whatever the fault holds.

    LIPSOL_DEBUG=1 in the environment shows where in the code it came from as well.
    """
    if os.environ.get("LIPSOL_DEBUG") == "1":
        traceback.print_exception(fault)
    line = " ".join(f"{where}: {reason(fault)}".split()) if where else reason(fault)
    print(f"lipsol: {line}", file=sys.stderr)


def reason(fault: Exception) -> str:
    """A fault as one line: what is wrong, and its cure."""
    if not isinstance(fault, LipsolError):
        return reason(
            LipsolError(f"{type(fault).__name__}: {fault}", "a fault of LipSol's; LIPSOL_DEBUG=1 shows where")
        )
    return " ".join(f"{fault.detail}; {fault.cure}".split()) if fault.cure else " ".join(fault.detail.split())
