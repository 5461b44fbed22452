"""Graphs handed to a Kubeflow: uploaded, run once, or run by a schedule. The one door to a Kubeflow's API (v2beta1).

A version of a pipeline is named by its compiled file's SHA-256, so the same one is uploaded once; a pipeline that is
new there has its file once more, as the version under its own name that Kubeflow begins every pipeline with. A schedule
is called after its pipeline and its data and replaces the one of that name before it, runs one at a time, and makes up
for none that was missed: tomorrow's run sees the same data.
"""

import hashlib
import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from lipsol.errors import BadInput, LipsolError, Transient
from pipelines.compiling import compiled, graph
from pipelines.running import checked, defaults
from pipelines.settings import VOLUME_AT, PipelinesSettings

ANSWER_S = 10.0  # until a Kubeflow says that it is there
HEALTH = "/apis/v2beta1/healthz"
VERSION_DIGITS = 12  # of a version's name
PAGE = 100  # what is listed at once


@dataclass(frozen=True)
class Handed:
    """What the Kubeflow made of it: ids there, and the page that shows it."""

    id: str
    version: str
    url: str


def submit(name: str, host: str, arguments: Mapping[str, Any], place: PipelinesSettings) -> Handed:
    """Upload a pipeline if it is new there, and run it once.

    Raises BadInput for an argument or address that can't be, Transient where no Kubeflow answers.
    """
    with _client(host, place) as client:
        sent = _sent(client, name, arguments, place)
        at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
        made = client.run_pipeline(job_name=f"{name} {at}", **sent)
    return Handed(made.run_id, sent["version_id"], f"{host.rstrip('/')}/#/runs/details/{made.run_id}")


def schedule(name: str, host: str, cron: str, arguments: Mapping[str, Any], place: PipelinesSettings) -> Handed:
    """Upload a pipeline if it is new there, and have it run by the cron expression (six fields).

    It replaces what had the pipeline run on that data before, whatever the revision of NAME@REV was.
    Raises as `submit`.
    """
    if len(cron.split()) != 6:
        raise BadInput(f"cron expression {cron!r}", 'Kubeflow wants six fields, seconds first: "0 0 2 * * *"')
    with _client(host, place) as client:
        sent = _sent(client, name, arguments, place)
        called = f"{name} {_named(sent['params']['data'])}"
        held = client.list_recurring_runs(page_size=PAGE, filter=_called(called), namespace=place.namespace or None)
        before = [each.recurring_run_id for each in held.recurring_runs or [] if each.display_name == called]
        made = client.create_recurring_run(
            job_name=called, cron_expression=cron, max_concurrency=1, no_catchup=True, **sent
        )
        for old in before:
            client.delete_recurring_run(old)
    page = f"{host.rstrip('/')}/#/recurringrun/details/{made.recurring_run_id}"
    return Handed(made.recurring_run_id, sent["version_id"], page)


def _sent(client: Any, name: str, arguments: Mapping[str, Any], place: PipelinesSettings) -> dict[str, Any]:
    """The pipeline's id and version there, the experiment, and what the graph is called with."""
    whole = graph(name, place)
    params = checked(whole, arguments, defaults(place, f"{VOLUME_AT}/work"))
    text = compiled(whole)
    version = hashlib.sha256(text.encode()).hexdigest()[:VERSION_DIGITS]
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        within = {"namespace": place.namespace or None}  # which kfp's own get_pipeline_id leaves out
        there = client.list_pipelines(filter=_called(name), **within).pipelines or []
        held = (there[0] if there else client.upload_pipeline(str(file), pipeline_name=name, **within)).pipeline_id
        versions = client.list_pipeline_versions(held, filter=_called(version)).pipeline_versions or []
        known = {each.display_name: each.pipeline_version_id for each in versions}
        if version not in known:
            sent = client.upload_pipeline_version(str(file), pipeline_version_name=version, pipeline_id=held)
            known[version] = sent.pipeline_version_id
    experiment = client.create_experiment(name, **within).experiment_id
    return {"experiment_id": experiment, "pipeline_id": held, "version_id": known[version], "params": params}


def _called(name: str) -> str:
    """Kubeflow's filter for what people see under that name."""
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]})


def _named(data: str) -> str:
    """The data that a pipeline is told, without the revision of NAME@REV."""
    return data if "/" in data else data.partition("@")[0]


@contextmanager
def _client(host: str, place: PipelinesSettings) -> Iterator[Any]:
    """kfp's client of that host, which is known to answer; what it prints is not for people."""
    _ask(host, place)
    from kfp import Client
    from kfp_server_api import ApiException

    token = None if place.token is None else place.token.get_secret_value()
    try:
        with redirect_stdout(StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield Client(host=host, namespace=place.namespace or "kubeflow", existing_token=token)
    except ApiException as fault:
        raise LipsolError(
            f"the Kubeflow at {host} refuses ({fault.status} {fault.reason}): {str(fault.body)[:300]}",
            "see that LIPSOL_PIPELINES__NAMESPACE and __TOKEN are right for it",
        ) from fault
    except ValueError as fault:
        raise LipsolError(f"the Kubeflow at {host}: {fault}", "mend it there") from fault


def _ask(host: str, place: PipelinesSettings) -> None:
    """Raise BadInput for what is no address, Transient unless a Kubeflow Pipelines answers there."""
    if not host.startswith(("http://", "https://")):
        raise BadInput(f"--host {host!r}", "write http://... or https://...")
    token = {} if place.token is None else {"Authorization": f"Bearer {place.token.get_secret_value()}"}
    try:
        with urlopen(Request(host.rstrip("/") + HEALTH, headers=token), timeout=ANSWER_S):  # noqa: S310 - http alone
            return
    except HTTPError as fault:
        raise Transient(
            f"{host}{HEALTH} answers {fault.code}", "see that it is a Kubeflow Pipelines, and __TOKEN if it asks who"
        ) from fault
    except (URLError, OSError) as fault:
        reason = getattr(fault, "reason", fault)
        raise Transient(
            f"no Kubeflow Pipelines answers at {host} ({reason})",
            "start it, or forward its port: kubectl port-forward -n kubeflow svc/ml-pipeline-ui 8080:80",
        ) from fault
