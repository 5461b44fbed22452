"""The tracker on an MLflow server: an experiment is an experiment there, a run a run, a file an artifact.

MLflow keeps a figure twice if it is told twice, so what the server has of a curve is looked at before more is sent.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from lipsol.errors import BadInput, LipsolError, NotFound
from lipsol.mlflow import MlflowServer
from lipsol.tracking.port import check_step, named

if TYPE_CHECKING:
    from mlflow.entities import Metric

METRICS_A_CALL, PARAMETERS_A_CALL = 1000, 100  # the most that the server takes at once


class MlflowRun:
    """A run on the server."""

    def __init__(self, server: MlflowServer, run_id: str, experiment_id: str) -> None:
        self._server = server
        self._id = run_id
        self._experiment_id = experiment_id
        self._lock = Lock()
        self._known: dict[str, set[int]] = {}  # steps by name, of what was looked at

    @property
    def id(self) -> str:
        return self._id

    @property
    def url(self) -> str:
        return f"{self._server.uri}/#/experiments/{self._experiment_id}/runs/{self._id}"

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        self._send(_metrics([(check_step(step), values)]))

    def curve(self, points: Iterable[tuple[int, Mapping[str, float]]]) -> int:
        told = _metrics((check_step(step), values) for step, values in points)
        with self._lock:
            new = [metric for metric in told if metric.step not in self._steps(metric.key)]
        self._send(new)
        return len(new)

    def file(self, path: Path, folder: str = "") -> None:
        with self._server.told(f"the file {path.name}"):
            self._server.client.log_artifact(self._id, str(path), folder or None)

    def _steps(self, name: str) -> set[int]:
        """The steps at which the server has the figure; asked for once, since nobody else tells this figure."""
        if name not in self._known:
            with self._server.told(f"the run {self._id}"):
                history = self._server.client.get_metric_history(self._id, name)
            self._known[name] = {held.step for held in history}
        return self._known[name]

    def _send(self, metrics: "list[Metric]") -> None:
        for at in range(0, len(metrics), METRICS_A_CALL):
            part = metrics[at : at + METRICS_A_CALL]
            with self._server.told(f"figures of the run {self._id}"):
                self._server.client.log_batch(self._id, metrics=part)
            with self._lock:
                for metric in part:
                    self._known.get(metric.key, set()).add(metric.step)


class MlflowTracker:
    """Runs on an MLflow server, which need not be there before the first one begins."""

    def __init__(self, server: MlflowServer) -> None:
        self._server = server

    @contextmanager
    def run(
        self,
        experiment: str,
        name: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        run_id: str = "",
    ) -> Iterator[MlflowRun]:
        run = self._resumed(experiment, run_id, tags) if run_id else self._begun(experiment, name, tags)
        self._say(run.id, parameters)
        try:
            yield run
        except BaseException:
            with suppress(LipsolError):
                self._end(run.id, "FAILED")
            raise
        self._end(run.id, "FINISHED")

    def _begun(self, experiment: str, name: str, tags: Mapping[str, str]) -> MlflowRun:
        where = self._experiment(experiment)
        with self._server.told(f"a run of {experiment!r}"):
            made = self._server.client.create_run(where, tags=dict(tags), run_name=name)
            return MlflowRun(self._server, made.info.run_id, where)

    def _resumed(self, experiment: str, run_id: str, tags: Mapping[str, str]) -> MlflowRun:
        where = self._experiment(experiment)
        with self._server.told(f"run {run_id!r}"):
            held = self._server.client.get_run(run_id)
            if held.info.experiment_id != where:
                raise NotFound(
                    f"no run {run_id!r} is in the experiment {experiment!r}", "leave out run_id to begin one"
                )
            self._server.client.update_run(run_id, status="RUNNING")
            for key, value in tags.items():
                self._server.client.set_tag(run_id, key, value)
        return MlflowRun(self._server, run_id, where)

    def _experiment(self, name: str) -> str:
        """The id of the experiment, which another may be making at the same moment."""
        with self._server.told(f"experiment {name!r}"):
            held = self._server.client.get_experiment_by_name(name)
        if held is None:
            with suppress(BadInput), self._server.told(f"the experiment {name!r}"):
                return str(self._server.client.create_experiment(name))
            with self._server.told(f"experiment {name!r}"):
                held = self._server.client.get_experiment_by_name(name)
        if held is None:
            raise BadInput(f"an experiment can't be called {name!r}", "give it a name of up to 500 letters")
        return str(held.experiment_id)

    def _say(self, run_id: str, parameters: Mapping[str, str]) -> None:
        """Tell the parameters that the run does not have yet: the server takes none twice."""
        from mlflow.entities import Param

        with self._server.told(f"run {run_id!r}"):
            held = self._server.client.get_run(run_id).data.params
            new = [Param(key, value) for key, value in parameters.items() if key not in held]
            for at in range(0, len(new), PARAMETERS_A_CALL):
                self._server.client.log_batch(run_id, params=new[at : at + PARAMETERS_A_CALL])

    def _end(self, run_id: str, status: str) -> None:
        with self._server.told(f"run {run_id!r}"):
            self._server.client.set_terminated(run_id, status)


def _metrics(points: Iterable[tuple[int, Mapping[str, float]]]) -> "list[Metric]":
    from mlflow.entities import Metric

    now_ms = int(time.time() * 1000)
    return [Metric(name, value, now_ms, step) for step, values in points for name, value in named(values).items()]
