"""A real MLflow server on this machine: runs and models in an SQLite file, artifacts in a folder or in a bucket.

`python -m services.local.mlflow` (`make mlflow`) serves one in the foreground, on 127.0.0.1:5000; what it keeps stays
in `build/mlflow`. With `LIPSOL_STORE__KIND=s3` artifacts go where results go: into the store's bucket, under `mlflow/`.
It runs no jobs of its own, and tells its makers nothing.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from lipsol.errors import Transient
from lipsol.mlflow import QUIET
from lipsol.runtime.settings import Settings, StoreSettings, load
from services.local.broker import HOST, free_port, is_free
from services.local.processes import Process
from services.local.server import Server, serve

PORT = 5000  # where MLflow is looked for
FOLDER = Path(__file__).resolve().parents[2] / "build" / "mlflow"
START_S = 600.0  # that it may take; 13 s on a machine that has nothing else to do, minutes on one that has
ALONE = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_ENABLE_AI_GATEWAY": "false"}


class LocalMlflow(Server):
    """One server. `with LocalMlflow.start(folder) as server:` ends it on the way out; what it kept stays there."""

    @classmethod
    def start(cls, folder: Path, port: int = 0, store: StoreSettings | None = None) -> Self:
        """Start one over what the folder holds; port 0 takes a free one. store: where artifacts go if it is S3.

        Raises Transient when it can't be had.
        """
        port = port or free_port()
        if not is_free(port):
            raise Transient(f"somebody listens at {HOST}:{port} already", "end that first")
        folder.mkdir(parents=True, exist_ok=True)
        places = ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
        places += ["--artifacts-destination", _artifacts(folder, store)]
        command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), *places]
        with (folder / "mlflow.log").open("ab") as log:
            process = Process([*command, "--workers", "1"], environment=_environment(store), output=log)
        server = cls(port, process)
        try:
            process.await_answer(f"{server.uri}/health", START_S)
        except Transient as fault:
            raise Transient(fault.detail, f"see {folder / 'mlflow.log'}") from None
        return server


def _artifacts(folder: Path, store: StoreSettings | None) -> str:
    if store is None or store.kind == "local":
        return str(folder / "artifacts")
    return f"s3://{store.bucket}/{store.prefix}mlflow"


def _environment(store: StoreSettings | None) -> Mapping[str, str]:
    """Ours, with what keeps the server to itself, and with where the bucket is."""
    where = {} if store is None or not store.endpoint else {"MLFLOW_S3_ENDPOINT_URL": store.endpoint}
    return os.environ | QUIET | ALONE | where


def main() -> int:
    """Serve until told to leave; the exit code."""

    def tell(server: LocalMlflow) -> list[str]:
        told = [f"LIPSOL_{who}__KIND=mlflow LIPSOL_{who}__URI={server.uri}" for who in ("TRACKING", "REGISTRY")]
        return [f"an MLflow server at {server.uri}; tell the platform of it:", f"export {' '.join(told)}"]

    return serve(lambda: LocalMlflow.start(FOLDER, PORT, load(Settings).store), tell)


if __name__ == "__main__":
    sys.exit(main())
