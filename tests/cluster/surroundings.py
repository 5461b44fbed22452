"""What the chart stands on in the tests: a namespace of its own, the Kafka of k8s/local, volumes, models, keys.

All of it is `k8s/local` under another namespace (NAMESPACE), so that whoever has LipSol in their cluster keeps it. The
volumes are folders of this machine on the stand-in, and whatever the default StorageClass gives elsewhere, which a
single node can share. Models get into their volume by a pod that unpacks them: that is the same everywhere.
"""

import io
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from services.local.images import version
from tests.cluster.kube import FOLDER, Cluster, Forward, Object
from tests.conftest import TOP

NAMESPACE = "lipsol-e2e"
WATCHERS = "lipsol-e2e-watchers"  # where Prometheus would be
LOCAL = TOP / "k8s" / "local"
STORE, MODELS, KAFKA = CLAIMS = ("lipsol-store", "lipsol-models", "lipsol-kafka")
KEYS = "lipsol-keys"  # the Secret with public keys
SHARED = Path("/var/lib/lipsol-e2e")  # on the stand-in: the volumes' folders
KAFKA_PORT = 9094  # what the broker says of its forwarded listener, so it is this one here too
LOADER = "models-loader"
UNPACK = """
import os, pathlib, sys, tarfile
top, wanted = pathlib.Path("/models"), set()
with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as packed:
    for member in packed:
        path = top / member.name
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(path.name + ".new")
        new.write_bytes(packed.extractfile(member).read())
        os.replace(new, path)
        wanted.add(path)
for path in [each for each in top.rglob("*") if each.is_file() and each not in wanted]:
    path.unlink()
"""
KUSTOMIZATION: Object = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
RESTRICTED: Object = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
USER: Object = {
    "runAsNonRoot": True,
    "runAsUser": 10001,
    "runAsGroup": 10001,
    "fsGroup": 10001,
    "seccompProfile": {"type": "RuntimeDefault"},
}

Values = Mapping[str, Any]


def merged(*layers: Values) -> dict[str, Any]:
    """Values on top of values, as Helm lays them: mappings by key, anything else whole."""
    found: dict[str, Any] = {}
    for layer in layers:
        for name, value in layer.items():
            below = found.get(name)
            found[name] = merged(below, value) if isinstance(below, dict) and isinstance(value, Mapping) else value
    return found


@dataclass(frozen=True)
class Surroundings:
    """A namespace of the tests' own, looked at by `cluster`."""

    cluster: Cluster

    def bring(self) -> None:
        """Everything that the chart stands on, and return when it is up; what is there already stays."""
        words = ("apply", "--server-side", "--force-conflicts", "-k", str(self._written()))
        self.cluster.kubectl(*words)
        self.cluster.rolled_out("statefulset/kafka")
        self.cluster.delete("job", "topics")  # anew, for what the catalogue has more by now, and without its pauses
        self.cluster.kubectl(*words)
        self.cluster.wait("job/topics", "condition=Complete")

    def clear(self) -> None:
        """Take the namespace and its volumes away, with all that they hold."""
        everywhere, ours = self.cluster.within("default"), self.cluster.namespace
        everywhere.delete("namespace", ours, "--wait=false")  # from now on nothing new comes
        self.cluster.kubectl("delete", "pods", "--all", "--grace-period=1", "--wait=false", "--ignore-not-found")
        everywhere.delete("namespace", ours, timeout_s=240)
        for volume in CLAIMS:
            everywhere.delete("persistentvolume", self._volume(volume))
        if self.cluster.sort == "stand-in":
            shutil.rmtree(SHARED, ignore_errors=True)

    def put_models(self, folder: Path) -> None:
        """Make the models' volume hold what a folder holds, and nothing else; each file whole or not at all.

        Bundles go before what speaks of them, so that a reader who looks meanwhile finds no promotion of nothing.
        """
        packed = io.BytesIO()
        files = sorted(
            (path for path in folder.rglob("*") if path.is_file()), key=lambda path: (path.suffix != ".lipsol", path)
        )
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for path in files:
                archive.add(path.resolve(), str(path.relative_to(folder)))
        self.cluster.apply(_loader())
        self.cluster.wait(f"pod/{LOADER}", "condition=Ready")
        self.cluster.exec(LOADER, "python", "-c", UNPACK, given=packed.getvalue(), timeout_s=300)
        self.cluster.delete("pod", LOADER, "--grace-period=0", "--force")

    def secret(self, name: str, files: Mapping[str, bytes]) -> None:
        """A Secret, by its files' names."""
        folder = FOLDER / "secrets" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        for file, held in files.items():
            (folder / file).write_bytes(held)
        made = self.cluster.kubectl(
            "create", "secret", "generic", name, f"--from-file={folder}", "--dry-run=client", "-o", "yaml"
        )
        shutil.rmtree(folder)
        self.cluster.apply(made)

    def values(self, *layers: Values) -> dict[str, Any]:
        """What the chart is told here: k8s/local's values, what two CPUs can bear, and the layers on top."""
        local = yaml.safe_load((LOCAL / "values.yaml").read_text())
        here = {"networkPolicies": self.opened(), "kafka": {"servers": self.servers}}
        return merged(local, SMALL, here, *layers)

    @property
    def servers(self) -> str:
        """The broker, as whoever in the cluster must ask it."""
        return f"kafka.{self.cluster.namespace}.svc.cluster.local:9092"

    def opened(self) -> dict[str, Any]:
        """Who may speak to the edge and see the board: this machine, and nobody else. And where Prometheus would be."""
        here = [{"ipBlock": {"cidr": f"{self.cluster.our_address()}/32"}}]
        watchers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": WATCHERS}}}]
        return {"clients": here, "operators": here, "monitoring": watchers}

    def kafka(self) -> Forward:
        """The broker from this machine, at 127.0.0.1:9094, for as long as that is entered; brokers come and go."""
        return self.cluster.forward("service/kafka", KAFKA_PORT, KAFKA_PORT)

    @contextmanager
    def doors(self) -> Iterator["Doors"]:
        """Where the platform answers, for as long as that is entered."""
        edge = "lipsol-preprocess"
        with self.cluster.door(edge, 8080) as rest, self.cluster.door(edge, 8090) as grpc:
            yield Doors(f"http://{rest}", grpc)

    def kill_kafka(self) -> None:
        """End the broker and have it come back in a new pod, with all that it held; `await_kafka` waits for that."""
        self.cluster.delete("pod", "kafka-0", "--grace-period=1", "--wait=false")

    def await_kafka(self, timeout_s: float = 120.0) -> None:
        """Return when the broker answers."""
        self.cluster.rolled_out("statefulset/kafka", timeout_s)

    def _volume(self, claim: str) -> str:
        return f"{self.cluster.namespace}-{claim.removeprefix('lipsol-')}"

    def _written(self) -> Path:
        """The kustomization: k8s/local in this namespace, with volumes of our own, Kafka's too."""
        folder = FOLDER / "surroundings"
        (folder / "base").mkdir(parents=True, exist_ok=True)
        own = self.cluster.sort == "stand-in"
        claims = [_claim(name, self._volume(name) if own else "") for name in CLAIMS]
        volumes = [self._folder(name) for name in CLAIMS] if own else []
        (folder / "volumes.yaml").write_text(yaml.safe_dump_all([*volumes, *claims]))
        away = [{"$patch": "delete", **headed(kind, STORE)} for kind in ("PersistentVolume", "PersistentVolumeClaim")]
        images = [{"name": "lipsol-monitor", "newTag": version()}]
        base = {"resources": [os.path.relpath(LOCAL, folder / "base")], "images": images, "patches": patches(*away)}
        kept = {"name": "data", "emptyDir": None, "persistentVolumeClaim": {"claimName": KAFKA}}
        kafka = {**headed("StatefulSet", "kafka", "apps/v1"), "spec": {"template": {"spec": {"volumes": [kept]}}}}
        top = {"namespace": self.cluster.namespace, "resources": ["base", "volumes.yaml"], "patches": patches(kafka)}
        for path, document in ((folder / "base", base), (folder, top)):
            (path / "kustomization.yaml").write_text(yaml.safe_dump(KUSTOMIZATION | document))
        return folder

    def _folder(self, claim: str) -> Object:
        """A folder of this machine as a volume that only one claim can take."""
        path = SHARED / claim.removeprefix("lipsol-")
        path.mkdir(parents=True, exist_ok=True)
        anywhere = {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}
        return {
            **headed("PersistentVolume", self._volume(claim)),
            "spec": {
                "capacity": {"storage": "10Gi"},
                "accessModes": ["ReadWriteMany"],
                "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": "",
                "claimRef": {"namespace": self.cluster.namespace, "name": claim},
                "local": {"path": str(path)},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [anywhere]}]}},
            },
        }


@dataclass(frozen=True)
class Doors:
    """Where the platform answers. rest: a URL; grpc: HOST:PORT."""

    rest: str
    grpc: str


def headed(kind: str, name: str, version: str = "v1") -> Object:
    """How every object begins."""
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}}


def patches(*documents: Object) -> list[Object]:
    """Documents as a kustomization's patches."""
    return [{"patch": yaml.safe_dump(each)} for each in documents]


def _claim(name: str, volume: str) -> Object:
    """A claim on a volume; "": on one that the default StorageClass makes, which a single node shares."""
    bound = {"storageClassName": "", "volumeName": volume} if volume else {}
    modes = ["ReadWriteMany" if volume else "ReadWriteOnce"]
    return {
        **headed("PersistentVolumeClaim", name),
        "spec": {"accessModes": modes, "resources": {"requests": {"storage": "1Gi"}}, **bound},
    }


def _loader() -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": LOADER, "labels": {"app.kubernetes.io/name": LOADER}},
        "spec": {
            "automountServiceAccountToken": False,
            "restartPolicy": "Never",
            "securityContext": USER,
            "containers": [
                {
                    "name": "loader",
                    "image": f"lipsol-monitor:{version()}",
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["python", "-c", "import time; time.sleep(600)"],
                    "securityContext": RESTRICTED,
                    "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
                    "volumeMounts": [{"name": "models", "mountPath": "/models"}],
                }
            ],
            "volumes": [{"name": "models", "persistentVolumeClaim": {"claimName": MODELS}}],
        },
    }


SMALL: Values = {
    "pods": {"preStop_s": 2},
    "preprocess": {"replicas": 1, "drain_s": 3, "settings": {"workers": 1}, "resources": {"requests": {"cpu": "50m"}}},
    "inference": {"replicas": 1, "drain_s": 1, "resources": {"requests": {"cpu": "50m"}}},
    "monitor": {"resources": {"requests": {"cpu": "20m"}}},
    "kafka": {"settings": {"session_s": 6}},
    "registry": {"kind": "local", "existingClaim": MODELS, "keysSecret": KEYS},
    "release": {
        "way": "canary",
        "steps": [
            {"kind": "shadow", "weight": 100, "readings": 20, "least_s": 3},
            {"kind": "canary", "weight": 25, "readings": 10, "least_s": 3},
            {"kind": "canary", "weight": 50, "readings": 12, "least_s": 3},
            {"kind": "canary", "weight": 100, "readings": 12, "least_s": 3},
        ],
        "deadline_s": 180,
        "expiry_s": 15,
        "resources": {"requests": {"cpu": "20m"}},
    },
}
