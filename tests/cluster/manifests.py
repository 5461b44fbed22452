"""Every manifest as the API server takes it, none of which is kept: k8s/, the chart with each of its examples.

`dry-run` asks for all of it in a namespace that is `restricted`; a warning of Pod Security's is a fault. `restricted`
looks at what runs: that a pod which asks for more is refused, and that none of ours had to.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.kube import FOLDER, Cluster, Object
from tests.cluster.outcome import Outcome
from tests.cluster.scenario import Scenario
from tests.cluster.scenarios import Stage
from tests.cluster.surroundings import KUSTOMIZATION, headed
from tests.conftest import TOP

TAKEN, REFUSED = "taken", "refused"
DRY = "lipsol-e2e-dry"  # a namespace in which nothing ever is
K8S, CHART = TOP / "k8s", TOP / "helm" / "lipsol"
EXAMPLES = CHART / "examples"
VALUES: Mapping[str, Sequence[Path]] = {
    "its own values over k8s/local": (K8S / "local" / "values.yaml",),
    "its own values over k8s/production": (K8S / "production" / "values.yaml",),
    "small": (EXAMPLES / "small.yaml",),
    "small and rehearsal": (EXAMPLES / "small.yaml", EXAMPLES / "rehearsal.yaml"),
    "ingress": (EXAMPLES / "ingress.yaml",),
    "production": (EXAMPLES / "production.yaml",),
    "production and gpu": (EXAMPLES / "production.yaml", EXAMPLES / "gpu.yaml"),
}
NO_CLASS = {"pods": {"priorityClassName": ""}}  # k8s/production makes it, and a dry run keeps nothing of that
BESIDE = ("external-secrets.yaml",)  # an example that is no values, but objects of another operator's
# Whose operators' resources are checked elsewhere: Strimzi's by its own model, and External Secrets' are an example.
ELSEWHERE = frozenset({"kafka.strimzi.io", "external-secrets.io"})
WANTED = frozenset({"ScaledObject", "TriggerAuthentication", "ServiceMonitor", "PrometheusRule", "HTTPRoute",
                    "GRPCRoute", "TrainJob", "TrainingRuntime"})  # fmt: skip
LEVELS = {f"pod-security.kubernetes.io/{what}": "restricted" for what in ("enforce", "audit", "warn")}
GREEDY: Object = {
    **headed("Pod", "greedy"),
    "spec": {"containers": [{"name": "greedy", "image": "none", "securityContext": {"privileged": True}}]},
}


def dry_run(stage: Stage) -> Outcome:
    """Everything once, as `kubectl apply --server-side --dry-run=server`."""
    began, cluster = time.monotonic(), stage.cluster.within(DRY)
    broken: list[str] = []
    kinds: set[str] = set()
    sent = refused = 0
    with namespace(cluster):
        served = served_by(cluster)
        for what, objects in everything(stage):
            here = [each for each in objects if group(each) not in ELSEWHERE]
            unknown = [each for each in here if (group(each), each["kind"]) not in served]
            if unknown and cluster.sort == "stand-in":
                broken.append(f"{what}: nothing here knows {', '.join(sorted({each['kind'] for each in unknown}))}")
            asked = [each for each in here if each not in unknown]
            faults = ask(cluster, asked) if asked else []
            broken += [f"{what}: {fault}" for fault in faults]
            kinds |= {each["kind"] for each in asked}
            sent, refused = sent + len(asked), refused + len(faults)
    if cluster.sort == "stand-in" and WANTED - kinds:
        broken.append(f"never asked for: {', '.join(sorted(WANTED - kinds))}")
    measured = {"kinds": len(kinds), "left out": sorted(WANTED - kinds)}
    verdict, seconds = REFUSED if broken else TAKEN, round(time.monotonic() - began, 1)
    return Outcome("dry-run", verdict, TAKEN, sent=sent, failed=refused, seconds=seconds,
                   broken=tuple(broken), measured=measured)  # fmt: skip


def everything(stage: Stage) -> Iterator[tuple[str, list[Object]]]:
    """What there is to ask for, by what it is called: each kustomization, and the chart with all values."""
    for path in sorted(K8S.glob("*/kustomization.yaml")):
        folder = FOLDER / "dry"
        folder.mkdir(parents=True, exist_ok=True)
        told = {**KUSTOMIZATION, "namespace": DRY, "resources": [f"../../../k8s/{path.parent.name}"]}
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(told))
        yield f"k8s/{path.parent.name}", parsed(stage.cluster.kubectl("kustomize", str(folder)))
    for name, files in VALUES.items():
        yield f"the chart with {name}", parsed(stage.helm.template(*files, values=NO_CLASS))


def parsed(text: str) -> list[Object]:
    """The objects that YAML holds."""
    return [each for each in yaml.load_all(text, yaml.CSafeLoader) if each]


def ask(cluster: Cluster, objects: Sequence[Object]) -> list[str]:
    """What the API server says against objects, warnings too."""
    listed = {"apiVersion": "v1", "kind": "List", "items": [moved(each) for each in objects]}
    done = cluster.ran(
        "apply", "--server-side", "--dry-run=server", "--force-conflicts", "--field-manager=dry-run", "-f", "-",
        given=json.dumps(listed), timeout_s=120,
    )  # fmt: skip
    said = done.stderr.decode(errors="replace").splitlines()
    return [line[:400] for line in said if line.strip()] or (["refused without a word"] if done.returncode else [])


def moved(each: Object) -> Object:
    """An object in the namespace that is asked in: the chart's templates name none, and a few name their release's."""
    head = each["metadata"]
    return {**each, "metadata": {**head, "namespace": DRY}} if "namespace" in head else each


def group(each: Object) -> str:
    """The API group of an object; "": Kubernetes' core."""
    return str(each["apiVersion"]).rpartition("/")[0]


def served_by(cluster: Cluster) -> set[tuple[str, str]]:
    """Groups and kinds that the API server knows."""
    lines = cluster.kubectl("api-resources", "--no-headers").splitlines()
    words = [line.split() for line in lines]
    return {(row[-3].rpartition("/")[0], row[-1]) for row in words if len(row) >= 4}


@contextmanager
def namespace(cluster: Cluster) -> Iterator[None]:
    """A namespace under Pod Security's `restricted`, which goes at the end."""
    cluster.apply({**headed("Namespace", cluster.namespace), "metadata": {"name": cluster.namespace, "labels": LEVELS}})
    try:
        yield
    finally:
        cluster.within("default").delete("namespace", cluster.namespace, "--wait=false")


def restricted(stage: Stage) -> Outcome:
    """Our namespace enforces it, a pod that wants more is refused, and every pod of ours runs under it."""
    cluster = stage.cluster
    labels = cluster.get("namespace", cluster.namespace)["metadata"]["labels"]
    broken = [f"{name} is {labels.get(name)}" for name, level in LEVELS.items() if labels.get(name) != level]
    refused = cluster.ran("apply", "--server-side", "--dry-run=server", "-f", "-", given=json.dumps(GREEDY))
    if refused.returncode == 0 or b"PodSecurity" not in refused.stderr:
        broken.append("a privileged pod is let in")
    pods = [each for each in cluster.objects("pods") if each["status"]["phase"] in {"Running", "Succeeded"}]
    faults = ask_pods(cluster, pods)
    broken += faults
    if len(pods) < 4:  # the edge, the reader, the monitor, Kafka
        broken.append(f"{len(pods)} pods run: the services and Kafka were to be seen")
    refusals = [
        f"{each['involvedObject']['name']}: {each['message']}"
        for each in cluster.objects("events")
        if each.get("reason") == "FailedCreate" and "PodSecurity" in each.get("message", "")
    ]
    broken += refusals
    verdict = REFUSED if broken else "admitted"
    return Outcome("restricted", verdict, "admitted", sent=len(pods), failed=len(faults) + len(refusals),
                   broken=tuple(broken), measured={"pods": len(pods)})  # fmt: skip


def ask_pods(cluster: Cluster, pods: Sequence[Mapping[str, Any]]) -> list[str]:
    """What would be said against pods that run, were they to be made again."""
    anew = [
        {**headed("Pod", f"again-{each['metadata']['name']}"[:63]), "spec": {**each["spec"], "nodeName": None}}
        for each in pods
    ]
    return ask(cluster, anew)


SCENARIOS = {
    "restricted": Scenario(restricted, "admitted", helms=False),
    "dry-run": Scenario(dry_run, TAKEN, helms=False),
}
