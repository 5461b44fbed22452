"""Kubernetes, through its official client: what a release's analyst asks and does there, and nothing else.

Raises NotFound for what is not there, BadInput for what can't be said so, Transient for everything else: an API server
that is away comes back. Denied, which is transient too, for what we may not do: a token that is just being replaced, or
an API server that has not read the roles yet, says so once; a Role that lacks something says so again and again.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config import load_incluster_config, load_kube_config
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError

from lipsol.errors import BadInput, NotFound, Transient
from services.analyst.canary import Canary, canary_of

ANSWER_S = 2.0  # that an answer may take: several are asked for between two renewals of a policy
SAID_MAX = 1000  # characters of a reason that are written down
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"  # a release's Secret may hold a megabyte


class Denied(Transient):
    """Kubernetes knows us not, or lets us not do it: 401 or 403."""


class Cluster:
    """One namespace of a cluster."""

    def __init__(self, api: ApiClient, namespace: str) -> None:
        self._api, self._namespace = api, namespace

    @classmethod
    def open(cls, namespace: str) -> "Cluster":
        """From inside a pod, else by KUBECONFIG. Raises BadInput where there is neither."""
        configuration = Configuration()
        try:
            try:
                load_incluster_config(client_configuration=configuration)
            except ConfigException:
                load_kube_config(os.environ.get("KUBECONFIG"), client_configuration=configuration)
        except (ConfigException, OSError) as fault:
            raise BadInput(
                f"no Kubernetes to ask ({fault})", "run it in a pod with a service account, or set KUBECONFIG"
            ) from fault
        configuration.retries = False
        return cls(ApiClient(configuration), namespace)

    def canary(self, name: str) -> Canary:
        """The canary's Deployment and its pods. Raises NotFound."""
        deployment = self._ask("GET", f"/apis/apps/v1/namespaces/{self._namespace}/deployments/{name}")
        chosen = deployment["spec"]["selector"].get("matchLabels", {})
        query = urlencode({"labelSelector": ",".join(f"{key}={value}" for key, value in chosen.items())})
        pods = self._ask("GET", f"/api/v1/namespaces/{self._namespace}/pods?{query}")["items"]
        return canary_of(deployment, pods)

    def delete(self, name: str, uid: str = "") -> bool:
        """Delete the Deployment, its pods after it; whether it was there. uid: only if it is that very one."""
        options: dict[str, Any] = {"propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            self._ask("DELETE", f"/apis/apps/v1/namespaces/{self._namespace}/deployments/{name}", options)
        except NotFound:
            return False
        return True

    def release_status(self, release: str, revision: int) -> str:
        """What Helm says of that revision of a release, as "pending-upgrade". Raises NotFound where it says nothing."""
        name = f"sh.helm.release.v1.{release}.v{revision}"
        secret = self._ask("GET", f"/api/v1/namespaces/{self._namespace}/secrets/{name}", accept=METADATA)
        return str(secret["metadata"].get("labels", {}).get("status", ""))

    def job_uid(self, job: str) -> str:
        """Which Job of that name it is."""
        return str(self._ask("GET", f"/apis/batch/v1/namespaces/{self._namespace}/jobs/{job}")["metadata"]["uid"])

    def fail(self, job: str, why: str, uid: str = "") -> None:
        """Have a Job fail for a reason that people find. uid: only if it is that very one.

        Its controller makes `Failed` of `FailureTarget`, with the same words: Helm 3 prints the reason, `kubectl
        describe` both. `Stalled` is kstatus's, whose message Helm 4 prints.
        """
        at = datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        said = why[:SAID_MAX]
        times = {"lastProbeTime": at, "lastTransitionTime": at}
        conditions = [
            {"type": kind, "status": "True", "reason": said, "message": said, **times}
            for kind in ("FailureTarget", "Stalled")
        ]
        path = f"/apis/batch/v1/namespaces/{self._namespace}/jobs/{job}/status"
        very_one = {"metadata": {"uid": uid}} if uid else {}
        self._ask("PATCH", path, {**very_one, "status": {"conditions": conditions}})

    def _ask(self, method: str, path: str, body: object = None, *, accept: str = "application/json") -> Any:
        headers = {"Accept": accept}
        if body is not None:
            kind = "application/strategic-merge-patch+json" if method == "PATCH" else "application/json"
            headers["Content-Type"] = kind
        with _told(method, path):
            return self._api.call_api(
                path,
                method,
                header_params=headers,
                body=body,
                response_type="object",
                auth_settings=["BearerToken"],
                _return_http_data_only=True,
                _request_timeout=ANSWER_S,
            )


@contextmanager
def _told(method: str, path: str) -> Iterator[None]:
    """The client's faults as ours."""
    what = f"{method} {path.partition('?')[0]}"
    try:
        yield
    except ApiException as fault:
        said = f"{what} was answered {fault.status} ({fault.reason})"
        if fault.status in (404, 409, 410):
            raise NotFound(said, "it is gone, or is another by now") from fault
        if fault.status in (401, 403):
            raise Denied(said, "let the chart's Role and account of this hook be there, and allow it") from fault
        if fault.status in (400, 405, 422):
            raise BadInput(said, "this API server is of another version than the chart asks for") from fault
        raise Transient(said, "the API server may be restarting; it is asked again") from fault
    except (HTTPError, OSError) as fault:
        raise Transient(f"{what} got no answer ({type(fault).__name__})", "it is asked again") from fault
