"""A Kubernetes cluster by its own command line: kubectl, asked for JSON.

Which one (`find`): the one that KUBECONFIG names; else a cluster of `kind`'s, if docker runs; else the project's own
stand-in beside the repository, which is a bare Linux's. What differs between the three is in this file alone: how they
come up, and how images get into them.
"""

import json
import os
import shlex
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

import yaml

from services.local.broker import free_port
from services.local.processes import Process
from tests.conftest import TOP

FOLDER = TOP / "build" / "e2e"
KIND = "lipsol"  # name of the cluster that kind makes
HERE = "127.0.0.1"
AGAIN_S = 0.3
ANSWER_S = 5.0  # that a Service may take to answer before it is held to be out of reach: a busy machine needs a while

Object = dict[str, Any]
Sort = Literal["given", "kind", "stand-in"]


class Refused(RuntimeError):
    """kubectl failed; `said` is what it said."""

    def __init__(self, words: Sequence[str], said: str) -> None:
        super().__init__(f"`kubectl {' '.join(words)[:200]}` failed: {said.strip()[-1500:]}")
        self.said = said


@dataclass(frozen=True)
class Cluster:
    """One cluster, looked at from one namespace.

    sort         how it is come by, and so how images get into it
    environment  in which its programs run: KUBECONFIG, and a PATH on which they are
    """

    sort: Sort
    environment: Mapping[str, str]
    namespace: str = "default"

    def within(self, namespace: str) -> "Cluster":
        """The same, looked at from another namespace."""
        return replace(self, namespace=namespace)

    def program(self, name: str) -> str | None:
        """Where a program is that belongs to it."""
        return shutil.which(name, path=self.environment["PATH"])

    def ran(
        self, *words: str, given: str | bytes | None = None, timeout_s: float = 60.0
    ) -> subprocess.CompletedProcess[bytes]:
        """kubectl, whatever comes of it. given: its standard input."""
        place = self.program("kubectl")
        if place is None:
            raise RuntimeError("no kubectl is on the PATH: install it, or let `make cluster` bring a cluster")
        told = given.encode() if isinstance(given, str) else given
        command = [place, "--namespace", self.namespace, *words]
        return subprocess.run(
            command,
            input=told if told is not None else b"",
            capture_output=True,
            env=dict(self.environment),
            timeout=timeout_s,
            check=False,
        )

    def kubectl(self, *words: str, given: str | bytes | None = None, timeout_s: float = 60.0) -> str:
        """What kubectl prints. Raises Refused where it fails."""
        done = self.ran(*words, given=given, timeout_s=timeout_s)
        if done.returncode:
            raise Refused(words, done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="replace")

    def get(self, kind: str, name: str) -> Object:
        """One object. Raises Refused where there is none."""
        return dict(json.loads(self.kubectl("get", kind, name, "-o", "json")))

    def seek(self, kind: str, name: str) -> Object | None:
        """One object; None: there is none."""
        said = self.kubectl("get", kind, name, "-o", "json", "--ignore-not-found")
        return dict(json.loads(said)) if said.strip() else None

    def objects(self, kind: str, selector: str = "") -> list[Object]:
        """All objects of a kind, those that a selector of labels takes."""
        chosen = ("-l", selector) if selector else ()
        return list(json.loads(self.kubectl("get", kind, "-o", "json", *chosen))["items"])

    def pods(self, selector: str) -> list[str]:
        """Names of the pods that are ready and stay, oldest first."""
        held = sorted(self.objects("pods", selector), key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
        return [str(pod["metadata"]["name"]) for pod in held if is_ready(pod)]

    def apply(self, *manifests: Object | str | Path) -> None:
        """Objects, YAML, or files; a folder is a kustomization."""
        for each in manifests:
            if isinstance(each, Path):
                self.kubectl("apply", "--server-side", "-k" if each.is_dir() else "-f", str(each))
            else:
                told = each if isinstance(each, str) else json.dumps(each)
                self.kubectl("apply", "--server-side", "-f", "-", given=told)

    def delete(self, kind: str, name: str, *words: str, timeout_s: float = 120.0) -> None:
        """Take an object away, if it is there; returns when it has gone. words: further flags."""
        self.kubectl("delete", kind, name, "--ignore-not-found", *words, timeout_s=timeout_s)

    def wait(self, what: str, condition: str, timeout_s: float = 120.0) -> None:
        """Return when `what` ("deployment/NAME") has a condition ("condition=Available", "delete").

        Raises TimeoutError, with what was last seen of its pods.
        """
        done = self.ran("wait", what, f"--for={condition}", f"--timeout={timeout_s:g}s", timeout_s=timeout_s + 30)
        if done.returncode:
            seen = self.kubectl("get", "pods", "-o", "wide")
            said = done.stderr.decode(errors="replace").strip()[-500:]
            raise TimeoutError(f"{what} is not {condition} after {timeout_s:g} s: {said}\n{seen}")

    def rolled_out(self, deployment: str, timeout_s: float = 180.0) -> None:
        """Return when a workload ("deployment/NAME", "statefulset/NAME") has all its pods as it wants them."""
        self.kubectl("rollout", "status", deployment, f"--timeout={timeout_s:g}s", timeout_s=timeout_s + 30)

    def describe(self, kind: str, name: str) -> str:
        """What an operator sees of it."""
        return self.kubectl("describe", kind, name)

    def exec(
        self, pod: str, *command: str, container: str = "", given: str | bytes | None = None, timeout_s: float = 60.0
    ) -> str:
        """What a command prints that is run inside a pod."""
        where = ["-c", container] if container else []
        return self.kubectl("exec", "-i", pod, *where, "--", *command, given=given, timeout_s=timeout_s)

    def kill_pod(self, pod: str) -> None:
        """End a pod as a power cut would: without a word, and without waiting."""
        self.kubectl("delete", "pod", pod, "--grace-period=0", "--force", "--wait=false")

    def forward(self, what: str, port: int, here: int = 0) -> "Forward":
        """A port of this machine that leads to a port of `what` ("service/NAME", "pod/NAME"). here: 0, any."""
        return Forward(self, what, port, here)

    @contextmanager
    def door(self, service: str, port: int) -> Iterator[str]:
        """HOST:PORT of a Service: its own address where this machine reaches that, else a port that is forwarded.

        A forwarded port ends in one pod, and breaks when that ends: figures of failed requests are worth more where
        the Service itself is reached.
        """
        address = self.service_address(service)
        if reachable(address, port, ANSWER_S):
            yield f"{address}:{port}"
            return
        with self.forward(f"service/{service}", port) as forward:
            yield forward.address

    def service_address(self, service: str) -> str:
        """The cluster's address of a Service."""
        return str(self.get("service", service)["spec"]["clusterIP"])

    @property
    def home(self) -> Path:
        """Where the stand-in keeps what it runs."""
        return Path(self.environment["KUBECONFIG"]).parent

    def our_address(self) -> str:
        """From which this machine speaks to the cluster's Services, for a NetworkPolicy that lets it in."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
            asked.connect((str(self.within("default").get("service", "kubernetes")["spec"]["clusterIP"]), 9))
            return str(asked.getsockname()[0])


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Whether a pod answers and is not about to leave."""
    conditions = pod.get("status", {}).get("conditions", [])
    stays = "deletionTimestamp" not in pod["metadata"]
    return stays and any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def reachable(host: str, port: int, within_s: float = 1.0) -> bool:
    """Whether something answers there, now or soon."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            with socket.create_connection((host, port), timeout=within_s):
                return True
        except OSError:
            time.sleep(0.1)
    return False


class Forward:
    """A port forwarded for as long as it is entered: begun again whenever its pod goes, for as long as that takes."""

    def __init__(self, cluster: Cluster, what: str, port: int, here: int = 0) -> None:
        self.port = here or free_port()
        self._cluster, self._what, self._there = cluster, what, port
        self._over = threading.Event()
        self._process: Process | None = None
        self._keeper = threading.Thread(target=self._keep, name=f"forward-{what}", daemon=True)

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"{HERE}:{self.port}"

    def _start(self) -> Process:
        place = self._cluster.program("kubectl") or "kubectl"
        command = [place, "-n", self._cluster.namespace, "port-forward", "--address", HERE, self._what]
        return Process(
            [*command, f"{self.port}:{self._there}"],
            environment=dict(self._cluster.environment),
            output=subprocess.DEVNULL,
        )

    def _keep(self) -> None:
        while not self._over.is_set():
            self._process = self._start()
            while self._process.alive and not self._over.is_set():
                self._over.wait(AGAIN_S)
            self._process.kill()

    def __enter__(self) -> Self:
        self._keeper.start()
        until = time.monotonic() + 60
        while not reachable(HERE, self.port):
            if time.monotonic() > until:
                self.__exit__()
                raise TimeoutError(f"{self._what}, port {self._there}, could not be forwarded within a minute")
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._keeper.join()


@dataclass(frozen=True)
class StandIn:
    """The project's own cluster on a bare Linux: one node, no registry of images. Where it lies, nobody else knows."""

    folder: Path = field(default=TOP.parent / "shared" / "cluster")

    @property
    def there(self) -> bool:
        """Whether this machine has it."""
        return (self.folder / "cluster").is_file()

    def run(self, program: Literal["cluster", "images"], *words: str, quiet: bool = False) -> str:
        """What one of its two programs prints. Raises RuntimeError where it fails."""
        done = subprocess.run(
            [self.folder / program, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if quiet else None,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"`{program} {' '.join(words)}` ended with {done.returncode} {done.stderr or ''}")
        return done.stdout

    def environment(self) -> dict[str, str]:
        """KUBECONFIG and PATH, as it exports them."""
        told = dict(word.split("=", 1) for word in shlex.split(self.run("cluster", "env")) if "=" in word)
        return {name: os.path.expandvars(value) for name, value in told.items()}


def find() -> Cluster:
    """The cluster that there is, brought up if it is not. Raises RuntimeError where there can be none."""
    stand_in, named = StandIn(), os.environ.get("KUBECONFIG", "")
    ours = stand_in.environment() if stand_in.there else {}
    if named and named != ours.get("KUBECONFIG"):
        return Cluster(_sort(named), dict(os.environ))
    if not named and shutil.which("kind") and docker_runs():
        return Cluster("kind", {**os.environ, "KUBECONFIG": str(_kind())})
    if stand_in.there:
        stand_in.run("cluster", "up")
        return Cluster("stand-in", {**os.environ, **stand_in.environment()})
    raise RuntimeError("no cluster: export KUBECONFIG, or install kind and start docker")


def docker_runs() -> bool:
    """Whether docker answers here."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def kind_of(kubeconfig: str) -> str:
    """The name by which kind knows the cluster of a kubeconfig; "": it is none of kind's."""
    files = [Path(each) for each in kubeconfig.split(os.pathsep) if each]
    told = yaml.safe_load(files[0].read_text()) if files and files[0].is_file() else {}
    context = str((told or {}).get("current-context", ""))
    return context.removeprefix("kind-") if context.startswith("kind-") else ""


def _sort(kubeconfig: str) -> Sort:
    return "kind" if kind_of(kubeconfig) else "given"


def _kind() -> Path:
    """kind's cluster, made if it is not there; where its kubeconfig is."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "kubeconfig"
    known = subprocess.run(["kind", "get", "clusters"], capture_output=True, text=True, check=True).stdout.split()
    if KIND in known:
        subprocess.run(["kind", "export", "kubeconfig", "--name", KIND, "--kubeconfig", path], check=True)
    else:
        subprocess.run(
            ["kind", "create", "cluster", "--name", KIND, "--kubeconfig", path, "--wait", "120s"], check=True
        )
    return path
