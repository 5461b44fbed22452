"""`make images`: builds the images from their Dockerfiles, says how large each is and what fills it.

docker builds where it runs; else buildah, by the project's own stand-in for a registry (`../shared/cluster/images`). An
image's size is that of all files that a container of it sees, which is what a node must unpack; registries compress
them. What is found is printed and written to `build/images.json`: a list of objects, one an image.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from lipsol.errors import BadInput, LipsolError, Transient

TOP = Path(__file__).resolve().parents[2]
OUT = TOP / "build" / "images.json"
STAND_IN = TOP.parent / "shared" / "cluster" / "images"
SERVICES = ("preprocess", "inference", "monitor")  # what is built unasked: the other two are some GB each
IMAGES = (*SERVICES, "inference-gpu", "pipelines")
SHOWN = 8  # of what fills an image, the largest
LOOK = """
import json, os, sys
root, found, seen = sys.argv[1], {}, set()
packages = "opt/lipsol/lib/python3.%d/site-packages" % sys.version_info[1]
for folder, below, files in os.walk(root):
    if folder == root:
        below[:] = [name for name in below if name not in ("dev", "proc", "sys")]
    parts = os.path.relpath(folder, root).split("/")
    place = "/".join(parts)
    if place.startswith(packages + "/"):
        owner = parts[5]
    elif place.startswith("srv/lipsol/"):
        owner = "/".join(parts[:3])
    else:
        owner = "packages' programs" if place.startswith("opt/lipsol") else "the base"
    for name in files:
        told = os.lstat(os.path.join(folder, name))
        if (told.st_dev, told.st_ino) not in seen:
            seen.add((told.st_dev, told.st_ino))
            found[owner] = found.get(owner, 0) + told.st_size
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Built:
    """One image: how many bytes its files have, by what they belong to, and how long its build took."""

    image: str
    tag: str
    bytes: int
    seconds: float
    parts: Mapping[str, int]


@dataclass(frozen=True)
class Builder:
    """What builds and looks. stand_in: the tool for where no registry is; None: docker."""

    stand_in: Path | None = None

    def tag(self, image: str, version: str) -> str:
        """The image's name and tag; a registry's name stands before it where it is pushed."""
        return f"{'localhost/' if self.stand_in else ''}lipsol-{image}:{version}"

    def build(self, image: str, tag: str, revision: str) -> None:
        """Build it; what the builder says goes to standard error."""
        told = ["-f", f"docker/{image}.Dockerfile", "--build-arg", f"REVISION={revision}"]
        command = (
            [str(self.stand_in), "build", tag, ".", *told]
            if self.stand_in
            else ["docker", "build", "-t", tag, *told, "."]
        )
        done = subprocess.run(command, cwd=TOP, stdout=sys.stderr, check=False)  # noqa: S603 - our own words
        if done.returncode:
            raise Transient(f"{tag} could not be built (exit {done.returncode})", "see what the builder said above")

    def parts(self, tag: str) -> dict[str, int]:
        """What fills an image, in bytes."""
        look = ["python", "-c", LOOK, "/"]
        if self.stand_in is None:
            words = ["docker", "run", "--rm", "--network", "none", "--entrypoint", look[0], tag, *look[1:]]
            return dict(json.loads(_said(words)))
        container = _said(["buildah", "from", "--pull-never", tag]).strip()
        try:
            return dict(json.loads(_said(["buildah", "run", container, "--", *look])))
        finally:
            _said(["buildah", "rm", container])


def builder() -> Builder:
    """What there is to build with. Raises BadInput where there is nothing."""
    if shutil.which("docker") and not subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:  # noqa: S607
        return Builder()
    if STAND_IN.is_file():
        return Builder(STAND_IN)
    raise BadInput("nothing here builds images: no docker answers", "start docker, and try again")


def _said(words: Sequence[str]) -> str:
    # As the stand-in sets buildah; docker knows nothing of either.
    environment = {"STORAGE_DRIVER": "overlay", "BUILDAH_ISOLATION": "chroot", **os.environ}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)  # noqa: S603
    if done.returncode:
        raise Transient(
            f"`{' '.join(words[:3])}` failed: {done.stderr.strip()[-300:]}", "see whether the image is there"
        )
    return done.stdout


def version() -> str:
    """What the images are tagged with: the project's own version."""
    return str(tomllib.loads((TOP / "pyproject.toml").read_text())["project"]["version"])


def revision() -> str:
    """The commit that this is, for the label; "unknown" outside a checkout."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=TOP, capture_output=True, text=True, check=False)  # noqa: S607
    return done.stdout.strip() or "unknown"


def chosen(arguments: Sequence[str]) -> Sequence[str]:
    """The images asked for; none named: those of the services. Raises BadInput for one that there is not."""
    if unknown := set(arguments) - set(IMAGES):
        raise BadInput(f"no image is called {', '.join(sorted(unknown))}", f"there are {', '.join(IMAGES)}")
    return arguments or SERVICES


def told(built: Built) -> str:
    """An image and what fills it, largest first, in decimal MB."""
    largest = sorted(built.parts.items(), key=lambda part: -part[1])
    lines = [f"{built.tag}  {built.bytes / 1e6:.0f} MB, built in {built.seconds:.0f} s"]
    lines += [f"  {size / 1e6:6.0f} MB  {name}" for name, size in largest[:SHOWN]]
    lines += [f"  {sum(size for _, size in largest[SHOWN:]) / 1e6:6.0f} MB  all else"]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Build, look, tell; the exit code."""
    try:
        images, by, made = chosen(arguments), builder(), []
        for image in images:
            tag, began = by.tag(image, version()), time.monotonic()
            by.build(image, tag, revision())
            took, parts = time.monotonic() - began, by.parts(tag)
            made.append(Built(image, tag, sum(parts.values()), round(took, 1), parts))
            Console(soft_wrap=True, highlight=False).print(told(made[-1]))
        OUT.parent.mkdir(exist_ok=True)
        OUT.write_text(json.dumps([asdict(each) for each in made], indent=1) + "\n")
    except LipsolError as fault:
        Console(stderr=True, soft_wrap=True).print(f"images: {fault.detail}; {fault.cure}", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
