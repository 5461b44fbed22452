"""An MLflow server, asked through its own client: the one door to MLflow.

The client is imported and made when it is first needed. What MLflow would tell its makers is turned off before that,
and so is what it prints; it talks to the server that it was given, and to nobody else. A call is repeated `REPEATS`
times at most, a second or two apart, and waits `ANSWER_S` for an answer; an operator who wants otherwise sets MLflow's
own variables. A server that is away, fails or refuses us is Transient: an operator can mend it while work waits.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from lipsol.errors import BadInput, NotFound, Transient

if TYPE_CHECKING:
    from mlflow import MlflowClient

REPEATS = 2  # of a call that had no answer
ANSWER_S = 30  # until a call is answered
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
BOUNDS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": str(REPEATS),
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": str(ANSWER_S),
}

_GONE = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"})
_OURS = frozenset({"BAD_REQUEST", "INVALID_PARAMETER_VALUE", "RESOURCE_ALREADY_EXISTS"})


class MlflowServer:
    """One server. uri: its address, "http://127.0.0.1:5000"."""

    def __init__(self, uri: str) -> None:
        self.uri = uri.rstrip("/")

    @cached_property
    def client(self) -> "MlflowClient":
        """MLflow's own client of this server; what is called on it belongs into `told`."""
        os.environ.update(QUIET)
        for name, value in BOUNDS.items():
            os.environ.setdefault(name, value)
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    @contextmanager
    def told(self, what: str) -> Iterator[None]:
        """Turn what MLflow and the network raise into our own; `what` is being asked for."""
        from mlflow.exceptions import MlflowException

        try:
            yield
        except MlflowException as fault:
            if fault.error_code in _GONE:
                raise NotFound(f"{self.uri} has no {what}", "ask for one that is there") from fault
            if fault.error_code in _OURS:
                raise BadInput(f"{self.uri} can't take {what}: {fault.message}", "mend that") from fault
            raise self._away(what, fault.__context__ or fault) from fault
        except OSError as fault:  # as all that the network under MLflow raises
            raise self._away(what, fault) from fault

    def _away(self, what: str, fault: BaseException) -> Transient:
        if isinstance(fault, OSError) and getattr(fault, "response", None) is None:
            return Transient(
                f"no MLflow server answers at {self.uri} for {what}",
                "start one there (`make mlflow`), or set LIPSOL_TRACKING__URI and LIPSOL_REGISTRY__URI to where it is",
            )
        return Transient(f"the MLflow server at {self.uri} fails at {what} ({fault})", "see its log, then try again")
