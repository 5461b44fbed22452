"""A real Prometheus on this machine, with the rules of `k8s/monitoring`, and the Alertmanager that it tells.

`python -m services.local.prometheus` (`make prometheus`) serves both in the foreground, on 127.0.0.1:9090 and 9093;
what they keep stays in `build/prometheus`. They look at the metrics of a platform on this machine (`make up`, `make
run`), whether it runs yet or not. Debian's packages are enough; nothing is fetched.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from lipsol.errors import Transient
from services.local.broker import HOST, free_port, is_free
from services.local.processes import Process
from services.local.server import Server, serve

PORT, ALERTMANAGER_PORT = 9090, 9093  # where they are looked for
METRICS = (9464, 9465, 9466)  # of preprocess, inference and monitor; the platform in one process has the first alone
TOP = Path(__file__).resolve().parents[2]
CONFIGS = TOP / "k8s" / "monitoring"
RULES = CONFIGS / "rules"
FOLDER = TOP / "build" / "prometheus"
EVERY = "15s"  # between two looks at the metrics, and at the rules
KEPT = "31d"  # a service level's month, and a day
START_S = 90.0  # that one may take; a second on a machine that has nothing else to do


class LocalAlertmanager(Server):
    """Groups and silences alerts, and would tell people: nobody, until somebody fills in who. `uri` shows them."""

    @classmethod
    def start(cls, folder: Path, port: int = 0) -> Self:
        """Start one over what the folder holds; port 0 takes a free one. Raises Transient when it can't be had."""
        program = _program("prometheus-alertmanager", "alertmanager")
        port = _port(port)
        command = [program, f"--config.file={CONFIGS / 'alertmanager.yaml'}", f"--storage.path={folder / 'told'}"]
        alone = "--cluster.listen-address="  # no peers, so no port for them
        process = _run([*command, f"--web.listen-address={HOST}:{port}", alone], folder, "alertmanager")
        server = cls(port, process)
        _await(server, process, folder / "alertmanager.log")
        return server


class LocalPrometheus(Server):
    """Gathers metrics and evaluates the rules over them. `with` ends it, and the Alertmanager that it tells."""

    def __init__(self, port: int, process: Process, alertmanager: LocalAlertmanager) -> None:
        super().__init__(port, process)
        self.alertmanager = alertmanager

    @classmethod
    def start(
        cls,
        folder: Path,
        port: int = 0,
        alertmanager_port: int = 0,
        *,
        metrics: Sequence[int] = METRICS,
        rules: Path = RULES,
        every: str = EVERY,
    ) -> Self:
        """Start both over what the folder holds; a port 0 takes a free one. Raises Transient when they can't be had.

        metrics  ports of this machine at which metrics are looked for
        rules    a folder of rule files
        every    how often it looks, in Prometheus's spelling
        """
        program = _program("prometheus")
        port = _port(port)
        folder.mkdir(parents=True, exist_ok=True)
        alertmanager = LocalAlertmanager.start(folder, alertmanager_port)
        try:
            config = folder / "prometheus.yaml"
            config.write_text(configured(metrics, port, alertmanager.port, rules, every))
            command = [program, f"--config.file={config}", f"--storage.tsdb.path={folder / 'series'}"]
            command += [f"--storage.tsdb.retention.time={KEPT}", "--enable-feature=exemplar-storage"]
            process = _run([*command, f"--web.listen-address={HOST}:{port}"], folder, "prometheus")
            server = cls(port, process, alertmanager)
            _await(server, process, folder / "prometheus.log")
        except BaseException:
            alertmanager.stop()
            raise
        return server

    def stop(self) -> None:
        super().stop()
        self.alertmanager.stop()

    def kill(self) -> None:
        super().kill()
        self.alertmanager.kill()


def configured(metrics: Sequence[int], port: int, alertmanager_port: int, rules: Path, every: str) -> str:
    """`k8s/monitoring/prometheus.yaml`, at other ports, over other rules, at another pace."""
    changes = {
        _addresses(*METRICS): _addresses(*metrics),
        _addresses(PORT): _addresses(port),
        _addresses(ALERTMANAGER_PORT): _addresses(alertmanager_port),
        "rules/*.yaml": f"{rules.resolve()}/*.yaml",
        f"_interval: {EVERY}": f"_interval: {every}",
    }
    text = (CONFIGS / "prometheus.yaml").read_text()
    for said, wanted in changes.items():
        text = text.replace(said, wanted)
    return text


def _addresses(*ports: int) -> str:
    return json.dumps([f"{HOST}:{port}" for port in ports])


def _program(*names: str) -> str:
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        cure = "install it (Debian: apt-get install prometheus prometheus-alertmanager; as root, make alerting does)"
        raise Transient(f"no {names[0]} on the PATH", cure)
    return found


def _port(port: int) -> int:
    port = port or free_port()
    if not is_free(port):
        raise Transient(f"somebody listens at {HOST}:{port} already", "end that first, or name another port")
    return port


def _run(command: Sequence[str], folder: Path, name: str) -> Process:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.log").open("ab") as log:
        return Process(command, output=log)


def _await(server: Server, process: Process, log: Path) -> None:
    try:
        process.await_answer(f"{server.uri}/-/ready", START_S)
    except Transient as fault:
        raise Transient(fault.detail, f"see {log}") from None


def main(arguments: Sequence[str]) -> int:
    """Serve until told to leave; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m services.local.prometheus", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="Prometheus's; 0: a free one (%(default)s)")
    parser.add_argument("--alertmanager-port", type=int, default=ALERTMANAGER_PORT, help="likewise (%(default)s)")
    parser.add_argument("--metrics", type=int, nargs="+", default=METRICS, help="where metrics are (%(default)s)")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where it keeps what it saw (build/prometheus)")
    asked = parser.parse_args(arguments)

    def tell(server: LocalPrometheus) -> list[str]:
        looks = ", ".join(f"{HOST}:{port}" for port in asked.metrics)
        return [
            f"Prometheus at {server.uri}/alerts with the rules of k8s/monitoring; it looks at {looks}",
            f"Alertmanager at {server.alertmanager.uri}; tell the monitor of it:",
            f"export LIPSOL_MONITOR__ALERTMANAGER={server.alertmanager.uri}",
        ]

    def start() -> LocalPrometheus:
        return LocalPrometheus.start(asked.folder, asked.port, asked.alertmanager_port, metrics=asked.metrics)

    return serve(start, tell)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
