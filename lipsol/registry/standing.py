"""Whether a bundle may be released: known by its whole digest, here, vouched for, and once let read by somebody.

It is asked before anything is touched. No network runs and no array is looked at: whether the bundle reads as it says
it does is the canary's to find out, and what it reads like is the rollout's.
"""

import re

from lipsol.archive import Archive
from lipsol.errors import ModelError, NotFound
from lipsol.registry.port import ModelInfo, Registry

DIGEST = re.compile(r"[0-9a-f]{64}")


def check(registry: Registry, digest: str) -> ModelInfo:
    """The bundle of that digest, if it may be released: its name means it, or a promotion that counts once named it.

    Raises NotFound if it is not here; ModelError if its file is damaged, changed or not signed as the registry's `keys`
    ask, or if nobody ever promoted it; Transient while the registry is away.
    """
    if not DIGEST.fullmatch(digest):
        raise NotFound(
            f"no bundle has the digest {digest!r}",
            "a release names one by all 64 hex digits, as `lipsol models show --json` has them",
        )
    info = registry.find(digest)
    _check_file(registry, info)
    _check_name(registry, info)
    return info


def _check_file(registry: Registry, info: ModelInfo) -> None:
    """Raise ModelError unless the file is whole, those very bytes, and signed as the keys ask."""
    held = Archive.read(registry.path(info.digest))
    if held.digest != info.digest:
        raise ModelError(
            f"{held.file} has the digest {held.digest[:12]}, not {info.digest[:12]} as the registry says",
            "fetch it again: it was changed on its way",
        )
    if registry.keys is not None:
        held.verify(registry.keys)


def _check_name(registry: Registry, info: ModelInfo) -> None:
    """Raise ModelError for a bundle that its name does not mean, and never meant by a promotion."""
    means = registry.champion(info.name)
    if means is not None and means.digest == info.digest:
        return
    if any(each.digest == info.digest for each in registry.history(info.name)):
        return
    raise ModelError(
        f"{info.name} {info.digest[:12]} was never promoted, and the name means {_told(means)}",
        f"let the gate judge it and promote it (`lipsol models promote {info.digest[:12]}`), then release it",
    )


def _told(means: ModelInfo | None) -> str:
    return "nothing" if means is None else means.digest[:12]
