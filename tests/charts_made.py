"""Makes what Helm renders of the chart into plain values, for the tests that read it."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from kubernetes.client import models

from services.local.chart import CHART

TOP = Path(__file__).resolve().parents[1]
UNPACKED = TOP / "build" / "tools" / "helm"  # by `make helm`
PODS = {"Deployment": ("spec", "template", "spec"), "Job": ("spec", "template", "spec"), "Pod": ("spec",)}
PROGRAMS = ("helm3", "helm4", "helm-unittest")
KINDS = {  # of Kubernetes itself: the model of each
    **dict.fromkeys(
        ("PodDisruptionBudget", "NetworkPolicy", "Ingress", "ConfigMap", "Service", "ServiceAccount"), "V1"
    ),
    **dict.fromkeys(("Deployment", "Job", "Pod", "Role", "RoleBinding"), "V1"),
    "HorizontalPodAutoscaler": "V2",
}
KUBERNETES = "1.34.0"  # that is rendered for; without a cluster a Helm says any

Object = Mapping[str, Any]


@cache
def program(name: str) -> Path | None:
    """Where a program is: where `make helm` unpacks it, or else on the PATH."""
    found = shutil.which(name, path=f"{UNPACKED}:{os.environ.get('PATH', '')}")
    return Path(found) if found else None


def missing() -> list[str]:
    """Programs that a chart is tried with, and that are not here."""
    return [name for name in PROGRAMS if program(name) is None]


def ran(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """A program that is here, run in the repository's root."""
    place = program(name)
    assert place is not None, f"{name} is not here"
    return subprocess.run([place, *arguments], cwd=TOP, capture_output=True, text=True, check=False, timeout=120)


@cache
def rendered(helm: str, values: tuple[Path, ...], release: str = "lipsol") -> tuple[Object, ...]:
    """Every object of a release, hooks and tests too."""
    named = [word for path in values for word in ("-f", str(path))]
    done = ran(helm, "template", release, CHART, "--namespace", "faces", "--kube-version", KUBERNETES, *named)
    assert done.returncode == 0, done.stderr
    return tuple(each for each in yaml.safe_load_all(done.stdout) if each)


def of_kind(objects: Sequence[Object], kind: str) -> dict[str, Object]:
    """The objects of a kind, by name."""
    return {each["metadata"]["name"]: each for each in objects if each["kind"] == kind}


def pods(objects: Sequence[Object]) -> Iterator[tuple[str, Any]]:
    """Every pod that objects make: whose, and its spec."""
    for each in objects:
        if each["kind"] in PODS:
            spec = each
            for part in PODS[each["kind"]]:
                spec = spec[part]
            yield f"{each['kind']}/{each['metadata']['name']}", spec


def environment(objects: Sequence[Object], container: Object) -> dict[str, str | None]:
    """What a container is told; None: by a Secret."""
    told: dict[str, str | None] = {}
    for source in container.get("envFrom", ()):
        told |= of_kind(objects, "ConfigMap")[source["configMapRef"]["name"]]["data"]
    for each in container.get("env", ()):
        assert each["name"] not in told, f"{each['name']} is told twice"
        told[each["name"]] = each.get("value")
    return told


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value below, with where it stands."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from leaves(below, f"{path}/{key}")
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from leaves(below, f"{path}/{index}")
    else:
        yield path, value


def unknown_fields(each: Object) -> Iterator[str]:
    """Fields of an object that its kind lacks, or that hold another type, by Kubernetes' own model of it."""
    yield from _unfit(KINDS[each["kind"]] + each["kind"], each, each["kind"])


def _unfit(kind: str, value: Any, path: str) -> Iterator[str]:
    plain = {"str": str, "int": int, "bool": bool}
    if kind.startswith("list["):
        for index, below in enumerate(value):
            yield from _unfit(kind[5:-1], below, f"{path}/{index}")
    elif kind.startswith("dict("):
        for key, below in value.items():
            yield from _unfit(kind.split(", ")[1][:-1], below, f"{path}/{key}")
    elif kind in plain:
        if not isinstance(value, plain[kind]):
            yield f"{path}: {value!r} is no {kind}"
    elif hasattr(models, kind):
        model = getattr(models, kind)
        fields = {name: model.openapi_types[field] for field, name in model.attribute_map.items()}
        for name, below in value.items():
            yield from _unfit(fields[name], below, f"{path}/{name}") if name in fields else [f"{path}/{name}"]
