"""Images for the cluster: built from the real Dockerfiles as `make images` does, and put where its nodes find them.

A cluster that KUBECONFIG names and that is none of kind's gets no images from here: they are to be in a registry that
its nodes pull from, which REGISTRY names, as `make publish` puts them there.
"""

import json
import os
import subprocess
import time
from collections.abc import Sequence

from lipsol.errors import BadInput
from services.local import images as builds
from tests.cluster.kube import FOLDER, Cluster, StandIn, kind_of
from tests.cluster.outcome import Say

KAFKA = "docker.io/apache/kafka:4.1.0"
LIBRARY = "docker.io/library/"  # what a name without a host means to a node
LOADED = FOLDER / "loaded.json"
STORAGE = {"STORAGE_DRIVER": "overlay", "BUILDAH_ISOLATION": "chroot"}


def names() -> list[str]:
    """The services' images, by the names that the chart gives them."""
    return [f"lipsol-{image}:{builds.version()}" for image in builds.SERVICES]


def bases(cluster: Cluster) -> None:
    """What the images stand on, where no registry gives it. Raises RuntimeError where it can't be had."""
    if cluster.sort == "stand-in":
        StandIn().run("images", "base", "python")
        StandIn().run("images", "base", "kafka")


def build(cluster: Cluster, say: Say) -> float:
    """Build the images; seconds that it took. Nothing is built for a cluster that pulls from a registry."""
    if cluster.sort == "given":
        say(f"this cluster pulls the images from {registry()}: none are built")
        return 0.0
    began = time.monotonic()
    by = builds.Builder(builds.STAND_IN if cluster.sort == "stand-in" else None)
    for image in builds.SERVICES:
        by.build(image, by.tag(image, builds.version()), builds.revision())
    return time.monotonic() - began


def load(cluster: Cluster, say: Say, tags: Sequence[str] = ()) -> float:
    """Put images into the cluster that are not there yet; seconds that it took. tags: others than the services'."""
    began = time.monotonic()
    wanted = list(tags) or names()
    if cluster.sort == "kind":
        _kind(cluster, wanted)
    if cluster.sort == "stand-in":
        _stand_in([*wanted, KAFKA], say)
    return time.monotonic() - began


def tag_again(cluster: Cluster) -> str:
    """A second tag of the services' images, which the cluster's nodes find as they find the first."""
    tag = f"{builds.version()}-again"
    pairs = [(name, f"{name.partition(':')[0]}:{tag}") for name in names()]
    for first, second in pairs:
        if cluster.sort == "kind":
            subprocess.run(["docker", "tag", first, second], check=True)
        else:
            node = ["ctr", "--address", str(cluster.home / "containerd.sock"), "--namespace", "k8s.io"]
            words = ["images", "tag", "--force", LIBRARY + first, LIBRARY + second]
            subprocess.run([*node, *words], stdout=subprocess.PIPE, check=True)
    if cluster.sort == "kind":
        _kind(cluster, [second for _, second in pairs])
    return tag


def registry() -> str:
    """Where a given cluster pulls from. Raises BadInput where that is not said."""
    named = os.environ.get("REGISTRY", "")
    if not named:
        raise BadInput(
            "nothing says where the cluster of KUBECONFIG gets the images from",
            "push them with `make publish REGISTRY=...`, and export REGISTRY; or take a cluster of kind's",
        )
    return named


def chosen(cluster: Cluster) -> dict[str, object]:
    """What the chart is told of images."""
    return {"image": {"registry": registry()}} if cluster.sort == "given" else {}


def _kind(cluster: Cluster, wanted: Sequence[str]) -> None:
    name = kind_of(cluster.environment["KUBECONFIG"])
    subprocess.run(["kind", "load", "docker-image", *wanted, "--name", name], env=dict(cluster.environment), check=True)


def _stand_in(wanted: Sequence[str], say: Say) -> None:
    """Load what is not in the cluster under its name: an archive of each, some seconds for every 100 MB."""
    before = json.loads(LOADED.read_text()) if LOADED.exists() else {}
    there = set(StandIn().run("cluster", "images").split())
    for tag in wanted:
        here = tag if "/" in tag else f"localhost/{tag}"
        name = tag if "/" in tag else LIBRARY + tag
        made = _identity(here)
        if f"sha256:{made}" in there and name in there and before.get(name) == made:
            continue
        say(f"loading {name}")
        if name != here:
            _buildah("tag", here, name)
        StandIn().run("images", "load", name)
        before[name] = made
        LOADED.parent.mkdir(parents=True, exist_ok=True)
        LOADED.write_text(json.dumps(before, indent=1))


def _identity(tag: str) -> str:
    """An image's id; buildah tells it once for each of its names."""
    return _buildah("images", "--no-trunc", "--format", "{{.ID}}", tag).split()[0].removeprefix("sha256:")


def _buildah(*words: str) -> str:
    environment = {**STORAGE, **os.environ}
    return subprocess.run(["buildah", *words], env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
