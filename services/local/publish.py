"""`make publish REGISTRY=...`: pushes images or the chart, and signs each by its digest, keyless (Sigstore's cosign).

Who signed is then the workflow that ran, by the identity that its platform vouches for; no key is kept anywhere. An
image's list of materials goes beside it, signed too. Nothing is built here: `make images` did that. Needs docker,
cosign and helm, and a login at the registry: nothing here reads a password.

A tag never moves: what is in the registry already is not pushed again, and a commit that is tagged as another version
than pyproject.toml's publishes nothing. Both are looked at before anything is pushed.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lipsol.errors import BadInput, LipsolError, Transient
from services.local.images import IMAGES, SERVICES, TOP, version

CHART = "chart"
OUT = Path("build/publish")
MATERIALS = "/srv/lipsol/sbom.cdx.json"  # in every image; docker/*.Dockerfile put it there
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
REGISTRY = re.compile(r"[a-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)*")
# How a registry says that a tag is not there; also by denying it, where nothing of that name is yet. Who may not read
# there may not push either, and hears it then.
ABSENT = re.compile(r"no such manifest|not found|(manifest|name|repository)[ _]unknown|denied", re.IGNORECASE)


def check(registry: str, names: Sequence[str]) -> None:
    """Raises BadInput if HEAD is tagged as another version, or a name is in the registry by this one already."""
    tags = _run("git", "tag", "--list", "v*", "--points-at", "HEAD").split()
    if wrong := [tag for tag in tags if tag != f"v{version()}"]:
        raise BadInput(
            f"HEAD is tagged {', '.join(wrong)}, and pyproject.toml's version is {version()}",
            f"write the version there first, and tag that commit; or tag this one v{version()}",
        )
    if there := [name for name in names if _is_there(registry, name)]:
        raise BadInput(
            f"{', '.join(there)} {version()} is at {registry} already, and a tag never moves",
            "raise the version in pyproject.toml; one that was pushed and not signed, delete there, and publish again",
        )


def publish_image(registry: str, image: str) -> str:
    """Push an image and sign it; returns its name with its digest."""
    built = f"lipsol-{image}:{version()}"
    name = f"{registry}/lipsol-{image}"
    _run("docker", "tag", built, f"{name}:{version()}")
    signed = f"{name}@{digest_in(_run('docker', 'push', f'{name}:{version()}'))}"
    materials = OUT / f"{image}.cdx.json"
    (TOP / OUT).mkdir(parents=True, exist_ok=True)
    (TOP / materials).write_text(
        _run("docker", "run", "--rm", "--network", "none", "--entrypoint", "cat", built, MATERIALS)
    )
    _run("cosign", "sign", "--yes", signed)
    _run("cosign", "attest", "--yes", "--type", "cyclonedx", "--predicate", str(materials), signed)
    return signed


def publish_chart(registry: str) -> str:
    """Package the chart, push it as an OCI artifact and sign it; returns its name with its digest."""
    _run("helm", "package", "helm/lipsol", "--destination", str(OUT))
    packed = OUT / f"lipsol-{version()}.tgz"
    signed = f"{registry}/charts/lipsol@{digest_in(_run('helm', 'push', str(packed), f'oci://{registry}/charts'))}"
    _run("cosign", "sign", "--yes", signed)
    return signed


def digest_in(told: str) -> str:
    """The digest that a push tells last. Raises Transient where it tells none: then nothing can be signed."""
    if not (found := DIGEST.findall(told)):
        raise Transient("the push told no digest, so nothing was signed", "look at the registry, and publish again")
    return str(found[-1])


def _is_there(registry: str, name: str) -> bool:
    """Whether the registry has this version. Raises Transient where it does not say."""
    try:
        if name == CHART:
            _run("helm", "show", "chart", f"oci://{registry}/charts/lipsol", "--version", version())
        else:
            _run("docker", "manifest", "inspect", f"{registry}/lipsol-{name}:{version()}")
    except Transient as fault:
        if ABSENT.search(fault.detail):
            return False
        raise
    return True


def _run(*words: str) -> str:
    done = subprocess.run(words, cwd=TOP, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise Transient(f"`{' '.join(words[:2])}` failed: {done.stderr.strip()[-300:]}", "mend it, and publish again")
    return done.stdout + (done.stderr if words[0] == "helm" else "")  # helm tells the digest on either


def main(arguments: Sequence[str]) -> int:
    """Publish what is named, or the services' images; the exit code."""
    registry, *what = arguments or [""]
    try:
        if not REGISTRY.fullmatch(registry):
            raise BadInput(
                f"{registry!r} is no registry", "name one: make publish REGISTRY=registry.example.org/lipsol"
            )
        if unknown := set(what) - {*IMAGES, CHART}:
            raise BadInput(f"nothing is called {', '.join(sorted(unknown))}", f"there are {CHART}, {', '.join(IMAGES)}")
        names = what or SERVICES
        check(registry, names)
        for name in names:
            signed = publish_chart(registry) if name == CHART else publish_image(registry, name)
            sys.stdout.write(f"{signed}\n")
    except LipsolError as fault:
        sys.stderr.write(f"publish: {fault.detail}; {fault.cure}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
