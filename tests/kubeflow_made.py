"""A small Kubeflow Pipelines of our own: answers the calls of the v2beta1 API that we make, and remembers them.

As the real one, it lists pipelines and schedules of the namespace that is asked for alone, and takes no name twice.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

API = "/apis/v2beta1"


@dataclass(frozen=True)
class Call:
    """One call. asked: the query; body: as JSON, of an upload the file; part: what the path names, or ""."""

    asked: dict[str, list[str]]
    body: Any
    part: str


class Kubeflow:
    """What it was told. refused: what it answers instead, if it is to refuse."""

    def __init__(self) -> None:
        self.url = ""
        self.refused: tuple[int, str] | None = None
        self.tokens: set[str] = set()
        self.uploads: list[str] = []
        self.pipelines: list[dict[str, Any]] = []
        self.versions: list[dict[str, Any]] = []
        self.experiments: list[dict[str, Any]] = []
        self.runs: list[dict[str, Any]] = []
        self.recurring: list[dict[str, Any]] = []

    def answer(self, method: str, path: str, asked: dict[str, list[str]], body: Any) -> Any:
        """The JSON of an answer; None: no such call."""
        if path == "/healthz":
            return {"multi_user": False}
        for (verb, pattern), does in _CALLS.items():
            found = re.fullmatch(pattern, path)
            if verb == method and found:
                return does(self, Call(asked, body, found[1] if found.groups() else ""))
        return None

    def upload(self, call: Call) -> Any:
        """A pipeline with its first version."""
        name, namespace = call.asked["name"][0], call.asked.get("namespace", [""])[0]
        if any((each["display_name"], each["namespace"]) == (name, namespace) for each in self.pipelines):
            return None
        made = {"pipeline_id": f"pipeline-{len(self.pipelines)}", "display_name": name, "namespace": namespace}
        self.pipelines.append(made)
        self.uploads.append(call.body.decode())
        self._version(made["pipeline_id"], name)
        return made

    def upload_version(self, call: Call) -> Any:
        """Another version of a pipeline."""
        self.uploads.append(call.body.decode())
        return self._version(call.asked["pipelineid"][0], call.asked["name"][0])

    def _version(self, pipeline: str, name: str) -> Any:
        made = {"pipeline_id": pipeline, "pipeline_version_id": f"version-{len(self.versions)}", "display_name": name}
        self.versions.append(made)
        return made

    def list_pipelines(self, call: Call) -> Any:
        """Those of the namespace and the name that are asked for."""
        return {"pipelines": _within(call, _wanted(call, self.pipelines))}

    def list_versions(self, call: Call) -> Any:
        """Those of a pipeline that are asked for."""
        own = [each for each in self.versions if each["pipeline_id"] == call.part]
        return {"pipeline_versions": _wanted(call, own)}

    def list_experiments(self, _: Call) -> Any:
        """All."""
        return {"experiments": self.experiments}

    def make_experiment(self, call: Call) -> Any:
        """One more."""
        made = call.body | {"experiment_id": f"experiment-{len(self.experiments)}"}
        self.experiments.append(made)
        return made

    def make_run(self, call: Call) -> Any:
        """One more."""
        made = call.body | {"run_id": f"run-{len(self.runs)}"}
        self.runs.append(made)
        return made

    def list_recurring(self, call: Call) -> Any:
        """Those of the name that is asked for."""
        return {"recurringRuns": _wanted(call, self.recurring)}

    def make_recurring(self, call: Call) -> Any:
        """One more."""
        made = call.body | {"recurring_run_id": f"recurring-{len(self.recurring)}-{id(call)}"}
        self.recurring.append(made)
        return made

    def delete_recurring(self, call: Call) -> Any:
        """One less."""
        self.recurring = [each for each in self.recurring if each["recurring_run_id"] != call.part]
        return {}


def _wanted(call: Call, held: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What has the name that the filter asks for."""
    name = json.loads(call.asked["filter"][0])["predicates"][0]["stringValue"]
    return [each for each in held if each["display_name"] == name]


def _within(call: Call, held: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What lies in the namespace that is asked for; without one, what lies in none."""
    return [each for each in held if each["namespace"] == call.asked.get("namespace", [""])[0]]


_CALLS = {
    ("POST", "/pipelines/upload"): Kubeflow.upload,
    ("POST", "/pipelines/upload_version"): Kubeflow.upload_version,
    ("GET", "/pipelines"): Kubeflow.list_pipelines,
    ("GET", r"/pipelines/([^/]+)/versions"): Kubeflow.list_versions,
    ("GET", "/experiments"): Kubeflow.list_experiments,
    ("POST", "/experiments"): Kubeflow.make_experiment,
    ("POST", "/runs"): Kubeflow.make_run,
    ("GET", "/recurringruns"): Kubeflow.list_recurring,
    ("POST", "/recurringruns"): Kubeflow.make_recurring,
    ("DELETE", r"/recurringruns/([^/]+)"): Kubeflow.delete_recurring,
}


@contextmanager
def kubeflow_made() -> Iterator[Kubeflow]:
    """It runs on a free port of this machine."""
    made = Kubeflow()

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_DELETE(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            made.tokens.add(self.headers.get("Authorization", ""))
            where = urlsplit(self.path)
            answer = made.answer(self.command, where.path.removeprefix(API), parse_qs(where.query), self._content(body))
            code = 404 if answer is None else 200
            if made.refused and not where.path.endswith("/healthz"):
                code, answer = made.refused[0], {"message": made.refused[1]}
            told = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def _content(self, body: bytes) -> Any:
            kind = self.headers.get("Content-Type", "")
            if kind.startswith("multipart/"):
                whole = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
                return next(whole.iter_parts()).get_payload(decode=True)
            return json.loads(body) if body else None

        def log_message(self, *told: object) -> None:
            """Nothing: a test reads what was remembered."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        made.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
