"""Processes that this one starts, and that never outlive it.

A child leads a process group of its own, so that Ctrl-C on the terminal reaches its parent alone, which ends it in good
order. Should the parent die without a word (SIGKILL), the child's guard kills the whole group: the guard is a shell
that waits at a pipe whose other end only the parent holds, and an end of that pipe is all it ever hears.
"""

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from lipsol.errors import Transient

GUARD = 'cat >/dev/null; kill -KILL "-$1"'


class Process:
    """One child. `with Process(...)` ends it on the way out."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        output: IO[bytes] | int | None = None,
        folder: Path | None = None,
    ) -> None:
        """Start it. output: where its standard output and error go, both; None: where ours go. environment: None is
        ours."""
        self._child = subprocess.Popen(  # noqa: S603 - commands of this package's own
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output is not None else None,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
        self._guard = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", GUARD, "guard", str(self._child.pid)], stdin=subprocess.PIPE, start_new_session=True
        )

    @property
    def pid(self) -> int:
        """Its process id, which names its group too."""
        return self._child.pid

    @property
    def output(self) -> IO[bytes]:
        """What it says, where `output` was `subprocess.PIPE`."""
        assert self._child.stdout is not None, "the child was started without output=subprocess.PIPE"  # noqa: S101
        return self._child.stdout

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._child.poll() is None

    def await_answer(self, url: str, within_s: float) -> None:
        """Return when it answers at a URL. Raises Transient, and has killed it, if it dies first or does not answer."""
        until = time.monotonic() + within_s
        while time.monotonic() < until and self.alive:
            try:
                with urllib.request.urlopen(url, timeout=within_s):  # noqa: S310 - our own server
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        self.kill()
        raise Transient(f"nothing started at {url} within {within_s:g} s", "see whether something else has the port")

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; nothing happens when it has gone."""
        self._child.send_signal(number)

    def wait(self, timeout_s: float | None = None) -> int:
        """Its exit code, negative for the signal that ended it. Raises TimeoutError."""
        try:
            code = self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"process {self.pid} still runs after {timeout_s:g} s") from None
        self._release()
        return code

    def kill(self) -> int:
        """SIGKILL it and all that it started; its exit code."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        return self.wait()

    def stop(self, timeout_s: float = 30.0) -> int:
        """SIGTERM; SIGKILL if it has not left after timeout_s. Its exit code."""
        self.signal(signal.SIGTERM)
        try:
            return self.wait(timeout_s)
        except TimeoutError:
            return self.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _release(self) -> None:
        """Send the guard home: a group that has gone may lend its number to another."""
        if self._guard.poll() is None:
            self._guard.kill()
            self._guard.wait()
        if self._guard.stdin is not None:
            self._guard.stdin.close()
