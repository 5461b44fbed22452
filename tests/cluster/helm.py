"""Helm as an operator types it, version 3 or 4, in a process of its own that can be watched and killed.

`install`, `upgrade`, `rollback` and `uninstall` begin something and return at once; `Run.wait` says what came of it.
"""

import json
import re
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import yaml

from services.local.processes import Process
from tests.cluster.kube import FOLDER, Cluster
from tests.conftest import TOP

CHART = TOP / "helm" / "lipsol"
RELEASE = "lipsol"
Version: TypeAlias = Literal[3, 4]
VERSIONS: tuple[Version, ...] = (3, 4)
# Helm 4's own way of waiting does not say why a Job failed; its older way does, in `helm history` too.
ATOMIC = {3: ("--atomic",), 4: ("--rollback-on-failure", "--wait=legacy")}
WAIT = {3: "--wait", 4: "--wait=legacy"}


@dataclass(frozen=True)
class Done:
    """What came of a command. code: its exit code; said: all that it printed."""

    code: int
    said: str

    def check(self) -> "Done":
        """Itself. Raises RuntimeError, with what was said, if it failed."""
        if self.code:
            raise RuntimeError(f"helm ended with {self.code}: {self.said.strip()[-1500:]}")
        return self


class Run:
    """A Helm that runs. It never outlives this process."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        folder = FOLDER / "helm"
        folder.mkdir(parents=True, exist_ok=True)
        self.began_at = time.time()
        with tempfile.NamedTemporaryFile(dir=folder, prefix="run-", suffix=".log", delete=False) as log:
            self.log = Path(log.name)
            self._process = Process(command, environment=dict(environment), output=log, folder=TOP)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.alive

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace")

    def wait(self, timeout_s: float | None = None) -> Done:
        """What came of it. Raises TimeoutError, and lets it run on."""
        code = self._process.wait(timeout_s)
        return Done(code, self.said)

    def kill(self) -> Done:
        """End it by SIGKILL, as a closed laptop does."""
        return Done(self._process.kill(), self.said)


@dataclass(frozen=True)
class Helm:
    """One version of Helm, one release."""

    version: Version
    cluster: Cluster
    release: str = RELEASE
    chart: Path = field(default=CHART)

    def install(self, values: Mapping[str, Any], *, timeout_s: float = 300.0) -> Run:
        """Begin to install the chart, and to wait until its pods are ready."""
        return self._change("install", values, timeout_s, [WAIT[self.version]])

    def upgrade(self, values: Mapping[str, Any], *, atomic: bool = False, timeout_s: float = 600.0) -> Run:
        """Begin to upgrade the release, and to wait for that. atomic: where it fails, Helm rolls it back."""
        return self._change("upgrade", values, timeout_s, ATOMIC[self.version] if atomic else [WAIT[self.version]])

    def rollback(self, revision: int = 0, *, timeout_s: float = 300.0) -> Run:
        """Begin to go back to a revision; 0: the one before."""
        words = ["rollback", self.release, *([str(revision)] if revision else []), f"--timeout={timeout_s:g}s"]
        return self._start(*words, WAIT[self.version])

    def uninstall(self, *, hooks: bool = True, timeout_s: float = 300.0) -> Run:
        """Begin to take the release away. hooks: whether its own are run before and after."""
        flags = [] if hooks else ["--no-hooks"]
        return self._start("uninstall", self.release, "--wait", f"--timeout={timeout_s:g}s", *flags)

    def test(self, *, timeout_s: float = 180.0) -> Run:
        """Begin `helm test`. Its pods' logs are for kubectl: Helm 3 can't show those of a pod with two containers."""
        return self._start("test", self.release, f"--timeout={timeout_s:g}s")

    def history(self) -> list[dict[str, Any]]:
        """Revisions, oldest first: revision, status, description. None installed: empty."""
        done = self.ran("history", self.release, "-o", "json")
        if done.code and "not found" in done.said:
            return []
        return list(json.loads(done.check().said))

    def status(self) -> str:
        """Of the newest revision: "deployed", "failed", "pending-upgrade"; "": not installed."""
        history = self.history()
        return str(history[-1]["status"]) if history else ""

    def revision(self) -> int:
        """The newest revision; 0: not installed."""
        history = self.history()
        return int(history[-1]["revision"]) if history else 0

    def values(self, revision: int = 0) -> dict[str, Any]:
        """What a revision was told; 0: the newest."""
        words = ["get", "values", self.release, "-o", "json", *(["--revision", str(revision)] if revision else [])]
        return dict(json.loads(self.ran(*words).check().said) or {})

    def template(self, *files: Path, values: Mapping[str, Any] | None = None) -> str:
        """The chart rendered as for an install into the cluster, with files of values and values on top."""
        named = [word for path in files for word in ("-f", str(path))]
        named += ["-f", str(self._file(values))] if values else []
        version = json.loads(self.cluster.kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
        return self.ran("template", self.release, str(self.chart), "--kube-version", version, *named).check().said

    def ran(self, *words: str, timeout_s: float = 120.0) -> Done:
        """Any other command, run to its end; `said` is its standard output, or its error where it failed."""
        done = subprocess.run(
            self._command(*words),
            env=dict(self.cluster.environment),
            capture_output=True,
            text=True,
            cwd=TOP,
            timeout=timeout_s,
            check=False,
        )
        return Done(done.returncode, done.stderr if done.returncode else done.stdout)

    def _change(self, verb: str, values: Mapping[str, Any], timeout_s: float, flags: Sequence[str]) -> Run:
        told = ["-f", str(self._file(values)), f"--timeout={timeout_s:g}s"]
        return self._start(verb, self.release, str(self.chart), *told, *flags)

    def _start(self, *words: str) -> Run:
        return Run(self._command(*words), self.cluster.environment)

    def _command(self, *words: str) -> list[str]:
        return [program(self.cluster, self.version), "--namespace", self.cluster.namespace, *words]

    def _file(self, values: Mapping[str, Any]) -> Path:
        folder = FOLDER / "helm"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, prefix="values-", suffix=".yaml", delete=False) as file:
            yaml.safe_dump(json.loads(json.dumps(values)), file)
        return Path(file.name)


def program(cluster: Cluster, version: int) -> str:
    """Where that Helm is: helm3 or helm4, else a `helm` of that version. Raises RuntimeError where there is none."""
    if place := cluster.program(f"helm{version}"):
        return place
    place = cluster.program("helm")
    if place:
        said = subprocess.run([place, "version", "--short"], capture_output=True, text=True, check=False).stdout
        if re.match(rf"v{version}\b", said):
            return place
    raise RuntimeError(f"no Helm {version}: put it on the PATH as helm{version}")


def there_are(cluster: Cluster) -> list[Version]:
    """The versions of Helm that are here."""
    found: list[Version] = []
    for version in VERSIONS:
        try:
            program(cluster, version)
        except RuntimeError:
            continue
        found.append(version)
    return found
